// The way of zopfli (Lode Vandevenne, Jyrki Alakuijala): tokens are chosen by what the codes of the choice before would make them cost,
// again and again; blocks are divided where the sum of both is least.

#include "pack.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "tokens.h"

#define BLOCKS_MAX 24u
#define ROUNDS 3u
#define CHOICES 12u
// Fewer tokens are not divided.
#define BLOCK_TOKENS_MIN 24u
// Places in a block that are tried at a time, to divide it.
#define PLACES 16u

typedef struct block {
    uint32_t begin;  // of its tokens
    uint32_t end;
} block_t;

typedef struct packing {
    const uint8_t *bytes;
    uint32_t size;
    matches_t matches;
    token_t *tokens;
    uint32_t token_count;
    block_t blocks[BLOCKS_MAX];
    uint32_t block_count;
    uint32_t round;  // of settle()
    pack_progress_t *progress;
    void *progress_ctx;
} packing_t;

static uint32_t range_bits(const token_t *tokens, uint32_t count) {
    counts_t counts;
    counts_take(&counts, tokens, count);
    uint32_t own = codes_block_bits(&counts);
    uint32_t fixed = codes_fixed_bits(&counts);
    return own < fixed ? own : fixed;
}

static double cost_of(uint32_t count, double total_log) {
    return total_log - log2(count ? count : 0.4);
}

static void set_costs(token_costs_t *costs, const counts_t *counts) {
    double symbols = 0;
    double distances = 0;
    for (uint32_t i = 0; i < TOKEN_SYMBOLS; i++) {
        symbols += counts->symbols[i];
    }
    for (uint32_t i = 0; i < TOKEN_DISTANCES; i++) {
        distances += counts->distances[i];
    }
    symbols = log2(symbols);
    distances = log2(distances > 1 ? distances : 1);
    for (uint32_t i = 0; i < TOKEN_SYMBOLS; i++) {
        costs->symbols[i] = cost_of(counts->symbols[i], symbols);
    }
    for (uint32_t i = 0; i < TOKEN_DISTANCES; i++) {
        costs->distances[i] = cost_of(counts->distances[i], distances);
    }
}

// Before anything is known.
static void set_first_costs(token_costs_t *costs) {
    for (uint32_t i = 0; i < TOKEN_SYMBOLS; i++) {
        costs->symbols[i] = i < TOKEN_END ? 7 : 5;
    }
    for (uint32_t i = 0; i < TOKEN_DISTANCES; i++) {
        costs->distances[i] = 5;
    }
}

// Choose the tokens of these bytes anew, beginning with the costs of `from`, as long as it becomes better. The best goes to `best`,
// with room for as many as there are bytes. Returns how many, or 0 where there is not enough memory.
static uint32_t choose_again(
    const packing_t *p, uint32_t begin, uint32_t end, const token_t *from, uint32_t from_count, token_t *best) {
    token_t *tried = malloc((end - begin + 1) * sizeof *tried);
    uint32_t best_count = from_count;
    uint32_t best_bits = range_bits(from, from_count);
    counts_t counts;
    memcpy(best, from, from_count * sizeof *best);
    counts_take(&counts, from, from_count);
    for (uint32_t i = 0; tried && i < CHOICES; i++) {
        token_costs_t costs;
        set_costs(&costs, &counts);
        uint32_t count = tokens_choose(tried, &p->matches, p->bytes, begin, end, &costs);
        uint32_t bits = count ? range_bits(tried, count) : UINT32_MAX;
        if (bits < best_bits) {
            best_bits = bits;
            best_count = count;
            memcpy(best, tried, count * sizeof *best);
        }
        counts_t next;
        counts_take(&next, tried, count);
        if (count == 0 || memcmp(&next, &counts, sizeof next) == 0) {
            break;
        }
        counts = next;
    }
    free(tried);
    return tried ? best_count : 0;
}

// The best place to divide the tokens: *place, and the bits of both parts.
static uint32_t divide_at(const token_t *tokens, uint32_t count, uint32_t *place) {
    uint32_t low = 1;
    uint32_t high = count - 1;
    uint32_t best_bits = UINT32_MAX;
    while (high > low) {
        uint32_t step = (high - low) / PLACES + 1;
        uint32_t best = low;
        bool is_better = false;
        for (uint32_t at = low; at <= high; at += step) {
            uint32_t bits = range_bits(tokens, at) + range_bits(tokens + at, count - at);
            if (bits < best_bits) {
                best_bits = bits;
                best = at;
                is_better = true;
                *place = at;
            }
        }
        best = is_better ? best : *place;
        if (step == 1) {
            break;
        }
        low = best > low + step ? best - step + 1 : low;
        high = best + step < high ? best + step - 1 : high;
    }
    return best_bits;
}

// Blocks for the tokens as they are.
static void divide(packing_t *p) {
    p->blocks[0] = (block_t){ 0, p->token_count };
    p->block_count = 1;
    for (uint32_t i = 0; i < p->block_count && p->block_count < BLOCKS_MAX;) {
        block_t *block = &p->blocks[i];
        uint32_t count = block->end - block->begin;
        uint32_t place = 0;
        if (count < BLOCK_TOKENS_MIN
            || divide_at(p->tokens + block->begin, count, &place) >= range_bits(p->tokens + block->begin, count)) {
            i++;
            continue;
        }
        memmove(block + 1, block, (p->block_count - i) * sizeof *block);
        p->block_count++;
        block[0].end = block->begin + place;
        block[1].begin = block[0].end;
    }
}

// Each block's tokens anew. 0, or -1 where there is not enough memory.
static int refine(packing_t *p) {
    token_t *tokens = malloc((p->size + 1) * sizeof *tokens);
    uint32_t count = 0;
    uint32_t off = 0;
    int err = tokens ? 0 : -1;
    for (uint32_t i = 0; !err && i < p->block_count; i++) {
        block_t *block = &p->blocks[i];
        uint32_t end = off;
        for (uint32_t j = block->begin; j < block->end; j++) {
            end += token_bytes(p->tokens[j]);
        }
        uint32_t got = choose_again(p, off, end, p->tokens + block->begin, block->end - block->begin, tokens + count);
        err = got ? 0 : -1;
        *block = (block_t){ count, count + got };
        count += got;
        off = end;
        if (p->progress) {
            p->progress(p->progress_ctx, p->round * p->size + off, ROUNDS * p->size);
        }
    }
    if (err) {
        free(tokens);
        return err;
    }
    free(p->tokens);
    p->tokens = tokens;
    p->token_count = count;
    return 0;
}

static uint32_t all_bits(const packing_t *p) {
    uint32_t bits = 0;
    for (uint32_t i = 0; i < p->block_count; i++) {
        bits += range_bits(p->tokens + p->blocks[i].begin, p->blocks[i].end - p->blocks[i].begin);
    }
    return bits;
}

// Blocks and tokens, each after the other, as long as it becomes better. 0, or -1.
static int settle(packing_t *p) {
    token_costs_t costs;
    set_first_costs(&costs);
    p->token_count = tokens_choose(p->tokens, &p->matches, p->bytes, 0, p->size, &costs);
    p->blocks[0] = (block_t){ 0, p->token_count };
    p->block_count = 1;
    int err = p->size && p->token_count == 0 ? -1 : 0;
    uint32_t bits = UINT32_MAX;
    for (uint32_t i = 0; !err && p->size && i < ROUNDS; i++) {
        const packing_t before = *p;
        divide(p);
        uint32_t divided = all_bits(p);
        if (i && divided >= bits) {
            // The blocks as they were are as good.
            memcpy(p->blocks, before.blocks, sizeof p->blocks);
            p->block_count = before.block_count;
            break;
        }
        p->round = i;
        err = refine(p);
        bits = err ? bits : all_bits(p);
    }
    return err;
}

typedef struct bits {
    uint8_t *bytes;
    uint32_t size;
    uint32_t pending;
    uint32_t pending_count;
} bits_t;

static void put(bits_t *out, uint32_t value, uint32_t count) {
    out->pending |= value << out->pending_count;
    out->pending_count += count;
    while (out->pending_count >= 8) {
        out->bytes[out->size++] = (uint8_t)out->pending;
        out->pending >>= 8;
        out->pending_count -= 8;
    }
}

static void put_table(bits_t *out, const codes_t *codes) {
    table_t table;
    uint16_t assigned[TABLE_SYMBOLS];
    table_make(&table, codes);
    codes_assign(assigned, table.lengths, TABLE_SYMBOLS);
    put(out, table.symbol_count - 257, 5);
    put(out, table.distance_count - 1, 5);
    put(out, table.length_count - 4, 4);
    for (uint32_t i = 0; i < table.length_count; i++) {
        put(out, table.lengths[table_order[i]], 3);
    }
    for (uint32_t i = 0; i < table.count; i++) {
        uint8_t symbol = table.symbols[i];
        put(out, assigned[symbol], table.lengths[symbol]);
        put(out, table.extra[i], table_extra_bits[symbol]);
    }
}

static void put_block(bits_t *out, const token_t *tokens, uint32_t count, bool is_last) {
    counts_t counts;
    codes_t codes;
    uint16_t symbols[TOKEN_SYMBOLS];
    uint16_t distances[TOKEN_DISTANCES];
    counts_take(&counts, tokens, count);
    bool is_fixed = codes_fixed_bits(&counts) <= codes_block_bits(&counts);
    put(out, is_last, 1);
    put(out, is_fixed ? 1 : 2, 2);
    if (is_fixed) {
        codes_make_fixed(&codes);
    } else {
        codes_make(&codes, &counts);
        put_table(out, &codes);
    }
    codes_assign(symbols, codes.symbols, TOKEN_SYMBOLS);
    codes_assign(distances, codes.distances, TOKEN_DISTANCES);
    for (uint32_t i = 0; i < count; i++) {
        if (tokens[i].distance == 0) {
            put(out, symbols[tokens[i].size], codes.symbols[tokens[i].size]);
            continue;
        }
        token_code_t size = token_size_code(tokens[i].size);
        token_code_t distance = token_distance_code(tokens[i].distance);
        put(out, symbols[size.symbol], codes.symbols[size.symbol]);
        put(out, size.extra, size.extra_bits);
        put(out, distances[distance.symbol], codes.distances[distance.symbol]);
        put(out, distance.extra, distance.extra_bits);
    }
    put(out, symbols[TOKEN_END], codes.symbols[TOKEN_END]);
}

static uint8_t *put_all(const packing_t *p, uint32_t *out_size, uint32_t *reach) {
    bits_t out = { .bytes = malloc(all_bits(p) / 8 + 16) };
    *reach = 0;
    for (uint32_t i = 0; out.bytes && i < p->block_count; i++) {
        const block_t *block = &p->blocks[i];
        put_block(&out, p->tokens + block->begin, block->end - block->begin, i == p->block_count - 1);
    }
    for (uint32_t i = 0; i < p->token_count; i++) {
        *reach = p->tokens[i].distance > *reach ? p->tokens[i].distance : *reach;
    }
    if (out.bytes) {
        put(&out, 0, (8 - out.pending_count) % 8);
    }
    *out_size = out.size;
    return out.bytes;
}

uint8_t *pack_deflate(const uint8_t *bytes, uint32_t size, uint32_t window_size, pack_progress_t *progress, void *ctx,
    uint32_t *out_size, uint32_t *reach) {
    packing_t p = {
        .bytes = bytes, .size = size, .tokens = malloc((size + 1) * sizeof *p.tokens), .progress = progress, .progress_ctx = ctx
    };
    int err = matches_find(&p.matches, bytes, size, window_size);
    err = err || p.tokens == NULL ? -1 : settle(&p);
    uint8_t *out = err ? NULL : put_all(&p, out_size, reach);
    matches_free(&p.matches);
    free(p.tokens);
    return out;
}
