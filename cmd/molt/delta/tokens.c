// References by hash chains, each of them followed to its end or to a limit; the choice by the shortest path.

#include "tokens.h"

#include <stdlib.h>
#include <string.h>

#define HASH_BITS 15u
#define CHAIN_MAX 4096u
#define NONE UINT32_MAX

token_code_t token_size_code(uint32_t size) {
    if (size == TOKEN_SIZE_MAX) {
        return (token_code_t){ TOKEN_LONGEST, 0, 0 };
    }
    uint32_t value = size - TOKEN_SIZE_MIN;
    uint32_t bits = 0;
    while (value >> bits >= 8) {
        bits++;
    }
    return (token_code_t){ 257 + 4 * bits + (value >> bits), bits, value & ((1u << bits) - 1) };
}

token_code_t token_distance_code(uint32_t distance) {
    uint32_t value = distance - 1;
    uint32_t bits = 0;
    while (value >> bits >= 4) {
        bits++;
    }
    return (token_code_t){ 2 * bits + (value >> bits), bits, value & ((1u << bits) - 1) };
}

static int add(matches_t *matches, uint32_t *count, uint32_t size, uint32_t distance) {
    if (*count == matches->room) {
        uint32_t room = 2 * matches->room + 4096;
        token_t *items = realloc(matches->items, room * sizeof *items);
        if (items == NULL) {
            return -1;
        }
        matches->items = items;
        matches->room = room;
    }
    matches->items[(*count)++] = (token_t){ (uint16_t)size, (uint16_t)distance };
    return 0;
}

static uint32_t common(const uint8_t *a, const uint8_t *b, uint32_t limit) {
    uint32_t size = 0;
    while (size < limit && a[size] == b[size]) {
        size++;
    }
    return size;
}

static uint32_t hash(const uint8_t *bytes) {
    uint32_t word = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
    return word * 2654435761u >> (32 - HASH_BITS);
}

// Those at `off`; `place` is the nearest byte with the same hash, or NONE.
static int find_at(matches_t *matches, uint32_t *count, const uint8_t *bytes, uint32_t off, uint32_t window_size, uint32_t place,
    const uint32_t *before) {
    uint32_t left = matches->size - off;
    uint32_t limit = left < TOKEN_SIZE_MAX ? left : TOKEN_SIZE_MAX;
    uint32_t best = TOKEN_SIZE_MIN - 1;
    int err = 0;
    for (uint32_t i = 0; !err && i < CHAIN_MAX && place != NONE && off - place <= window_size && best < limit; i++) {
        uint32_t size = bytes[place + best] == bytes[off + best] ? common(bytes + place, bytes + off, limit) : 0;
        if (size > best) {
            best = size;
            err = add(matches, count, size, off - place);
        }
        place = before[place];
    }
    return err;
}

int matches_find(matches_t *matches, const uint8_t *bytes, uint32_t size, uint32_t window_size) {
    uint32_t count = 0;
    uint32_t *last = malloc(sizeof *last << HASH_BITS);
    uint32_t *before = malloc((size + 1) * sizeof *before);
    *matches = (matches_t){ .size = size, .first = malloc((size + 1) * sizeof *matches->first) };
    int err = last && before && matches->first ? 0 : -1;
    if (!err) {
        memset(last, 0xff, sizeof *last << HASH_BITS);
    }
    for (uint32_t off = 0; !err && off <= size; off++) {
        matches->first[off] = count;
        if (off + TOKEN_SIZE_MIN <= size) {
            uint32_t *newest = &last[hash(bytes + off)];
            err = find_at(matches, &count, bytes, off, window_size, *newest, before);
            before[off] = *newest;
            *newest = off;
        }
    }
    free(last);
    free(before);
    return err;
}

void matches_free(matches_t *matches) {
    free(matches->first);
    free(matches->items);
    *matches = (matches_t){ .size = 0 };
}

// The cheapest way to each byte.
typedef struct way {
    double cost;
    token_t last;  // how it is reached
} way_t;

static void reach(way_t *way, double cost, token_t token) {
    if (cost < way->cost) {
        *way = (way_t){ cost, token };
    }
}

static void go_on(
    way_t *ways, const matches_t *matches, uint32_t off, uint32_t left, const double *size_costs, const token_costs_t *costs) {
    uint32_t size = TOKEN_SIZE_MIN;
    for (uint32_t i = matches->first[off]; i < matches->first[off + 1]; i++) {
        const token_t *match = &matches->items[i];
        token_code_t distance = token_distance_code(match->distance);
        double cost = ways[0].cost + costs->distances[distance.symbol] + distance.extra_bits;
        for (; size <= match->size && size <= left; size++) {
            reach(&ways[size], cost + size_costs[size], (token_t){ (uint16_t)size, match->distance });
        }
    }
}

uint32_t tokens_choose(
    token_t *tokens, const matches_t *matches, const uint8_t *bytes, uint32_t begin, uint32_t end, const token_costs_t *costs) {
    double size_costs[TOKEN_SIZE_MAX + 1];
    uint32_t size = end - begin;
    way_t *ways = malloc((size + 1) * sizeof *ways);
    if (ways == NULL) {
        return 0;
    }
    for (uint32_t i = TOKEN_SIZE_MIN; i <= TOKEN_SIZE_MAX; i++) {
        token_code_t code = token_size_code(i);
        size_costs[i] = costs->symbols[code.symbol] + code.extra_bits;
    }
    ways[0].cost = 0;
    for (uint32_t i = 1; i <= size; i++) {
        ways[i].cost = 1e30;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte = bytes[begin + i];
        reach(&ways[i + 1], ways[i].cost + costs->symbols[byte], (token_t){ byte, 0 });
        go_on(ways + i, matches, begin + i, size - i, size_costs, costs);
    }
    uint32_t count = 0;
    for (uint32_t i = size; i > 0; i -= token_bytes(ways[i].last)) {
        tokens[count++] = ways[i].last;
    }
    free(ways);
    for (uint32_t i = 0; i < count / 2; i++) {
        token_t token = tokens[i];
        tokens[i] = tokens[count - 1 - i];
        tokens[count - 1 - i] = token;
    }
    return count;
}
