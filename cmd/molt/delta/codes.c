// Lengths by package-merge (Larmore, Hirschberg), tables by runs.

#include "codes.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX (2 * TOKEN_SYMBOLS)

const uint8_t table_order[TABLE_SYMBOLS] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
const uint8_t table_extra_bits[TABLE_SYMBOLS] = { [16] = 2, [17] = 3, [18] = 7 };

void counts_take(counts_t *counts, const token_t *tokens, uint32_t token_count) {
    *counts = (counts_t){ .extra_bits = 0 };
    for (uint32_t i = 0; i < token_count; i++) {
        if (tokens[i].distance == 0) {
            counts->symbols[tokens[i].size]++;
            continue;
        }
        token_code_t size = token_size_code(tokens[i].size);
        token_code_t distance = token_distance_code(tokens[i].distance);
        counts->symbols[size.symbol]++;
        counts->distances[distance.symbol]++;
        counts->extra_bits += size.extra_bits + distance.extra_bits;
    }
    counts->symbols[TOKEN_END] = 1;
}

// A symbol, or a package of two of the level before.
typedef struct item {
    uint64_t weight;
    uint32_t symbol;  // or count + index of the package
} item_t;

static int compare_items(const void *a, const void *b) {
    const item_t *left = a;
    const item_t *right = b;
    int by_weight = (left->weight > right->weight) - (left->weight < right->weight);
    return by_weight ? by_weight : (left->symbol > right->symbol) - (left->symbol < right->symbol);
}

// The leaves and the packages of the level before, by weight. Returns how many there are.
static uint32_t merge(item_t *level, const item_t *leaves, uint32_t leaf_count, const item_t *lower, uint32_t lower_count) {
    uint32_t count = 0;
    uint32_t leaf = 0;
    for (uint32_t package = 0; leaf < leaf_count || package < lower_count / 2;) {
        uint64_t weight = package < lower_count / 2 ? lower[2 * package].weight + lower[2 * package + 1].weight : UINT64_MAX;
        if (leaf < leaf_count && leaves[leaf].weight <= weight) {
            level[count++] = leaves[leaf++];
        } else {
            level[count++] = (item_t){ weight, TOKEN_SYMBOLS + package++ };
        }
    }
    return count;
}

void codes_limit(uint8_t *lengths, const uint32_t *counts, uint32_t count, uint32_t bits_max) {
    static item_t levels[CODE_BITS_MAX][LIST_MAX];
    uint32_t level_counts[CODE_BITS_MAX];
    item_t leaves[TOKEN_SYMBOLS];
    uint32_t leaf_count = 0;
    memset(lengths, 0, count);
    for (uint32_t i = 0; i < count; i++) {
        if (counts[i]) {
            leaves[leaf_count++] = (item_t){ counts[i], i };
        }
    }
    if (leaf_count < 2) {
        for (uint32_t i = 0; i < leaf_count; i++) {
            lengths[leaves[i].symbol] = 1;
        }
        return;
    }
    qsort(leaves, leaf_count, sizeof *leaves, compare_items);
    for (uint32_t i = 0; i < bits_max; i++) {
        level_counts[i] = merge(levels[i], leaves, leaf_count, i ? levels[i - 1] : NULL, i ? level_counts[i - 1] : 0);
    }
    // Of the last level so many are taken; a package takes two of the level before.
    uint32_t taken = 2 * leaf_count - 2;
    for (uint32_t i = bits_max; i-- > 0;) {
        uint32_t packages = 0;
        for (uint32_t j = 0; j < taken; j++) {
            if (levels[i][j].symbol < TOKEN_SYMBOLS) {
                lengths[levels[i][j].symbol]++;
            } else {
                packages++;
            }
        }
        taken = 2 * packages;
    }
}

void codes_make(codes_t *codes, const counts_t *counts) {
    codes_limit(codes->symbols, counts->symbols, TOKEN_SYMBOLS, CODE_BITS_MAX);
    codes_limit(codes->distances, counts->distances, TOKEN_DISTANCES, CODE_BITS_MAX);
}

void codes_make_fixed(codes_t *codes) {
    for (uint32_t i = 0; i < TOKEN_SYMBOLS; i++) {
        codes->symbols[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    memset(codes->distances, 5, sizeof codes->distances);
}

void codes_assign(uint16_t *codes, const uint8_t *lengths, uint32_t count) {
    uint32_t code = 0;
    for (uint32_t bits = 1; bits <= CODE_BITS_MAX; bits++) {
        for (uint32_t i = 0; i < count; i++) {
            if (lengths[i] != bits) {
                continue;
            }
            uint32_t turned = 0;
            for (uint32_t j = 0; j < bits; j++) {
                turned |= (code >> j & 1) << (bits - 1 - j);
            }
            codes[i] = (uint16_t)turned;
            code++;
        }
        code <<= 1;
    }
}

static uint32_t trim(const uint8_t *lengths, uint32_t count, uint32_t least) {
    while (count > least && lengths[count - 1] == 0) {
        count--;
    }
    return count;
}

static void add(table_t *table, uint8_t symbol, uint32_t extra) {
    table->symbols[table->count] = symbol;
    table->extra[table->count++] = (uint8_t)extra;
}

// `run` times the same length; 16 repeats the one before, 17 and 18 are zeros.
static void add_run(table_t *table, uint8_t length, uint32_t run) {
    if (length) {
        add(table, length, 0);
        run--;
    }
    while (run >= 3) {
        uint32_t most = length ? 6 : run > 10 ? 138 : 10;
        uint32_t piece = run < most ? run : most;
        // No rest that is too short for one more.
        piece = length && run > 6 && run - piece < 3 ? run - 3 : piece;
        piece = piece > most ? most : piece;
        add(table, length ? 16 : run > 10 ? 18 : 17, piece - (most == 138 ? 11 : 3));
        run -= piece;
    }
    for (; run; run--) {
        add(table, length, 0);
    }
}

void table_make(table_t *table, const codes_t *codes) {
    uint8_t all[TOKEN_SYMBOLS + TOKEN_DISTANCES];
    uint32_t counts[TABLE_SYMBOLS] = { 0 };
    *table = (table_t){ .symbol_count = trim(codes->symbols, TOKEN_SYMBOLS, 257),
        .distance_count = trim(codes->distances, TOKEN_DISTANCES, 1) };
    uint32_t count = table->symbol_count + table->distance_count;
    memcpy(all, codes->symbols, table->symbol_count);
    memcpy(all + table->symbol_count, codes->distances, table->distance_count);
    for (uint32_t i = 0; i < count;) {
        uint32_t run = 1;
        while (i + run < count && all[i + run] == all[i]) {
            run++;
        }
        add_run(table, all[i], run);
        i += run;
    }
    for (uint32_t i = 0; i < table->count; i++) {
        counts[table->symbols[i]]++;
    }
    codes_limit(table->lengths, counts, TABLE_SYMBOLS, 7);
    table->length_count = TABLE_SYMBOLS;
    while (table->length_count > 4 && table->lengths[table_order[table->length_count - 1]] == 0) {
        table->length_count--;
    }
    table->bits = 14 + 3 * table->length_count;
    for (uint32_t i = 0; i < TABLE_SYMBOLS; i++) {
        table->bits += counts[i] * (table->lengths[i] + table_extra_bits[i]);
    }
}

static uint32_t bits_of(const counts_t *counts, const codes_t *codes) {
    uint32_t bits = 3 + counts->extra_bits;
    for (uint32_t i = 0; i < TOKEN_SYMBOLS; i++) {
        bits += counts->symbols[i] * codes->symbols[i];
    }
    for (uint32_t i = 0; i < TOKEN_DISTANCES; i++) {
        bits += counts->distances[i] * codes->distances[i];
    }
    return bits;
}

uint32_t codes_block_bits(const counts_t *counts) {
    codes_t codes;
    table_t table;
    codes_make(&codes, counts);
    table_make(&table, &codes);
    return bits_of(counts, &codes) + table.bits;
}

uint32_t codes_fixed_bits(const counts_t *counts) {
    codes_t codes;
    codes_make_fixed(&codes);
    return bits_of(counts, &codes);
}
