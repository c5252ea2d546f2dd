// Deflate's tokens (RFC 1951): literal bytes and references back, and the cheapest sequence of them for given costs.
#ifndef MOLT_DELTA_TOKENS_H
#define MOLT_DELTA_TOKENS_H

#include <stdint.h>

#define TOKEN_SIZE_MIN 3u
#define TOKEN_SIZE_MAX 258u
#define TOKEN_SYMBOLS 288u  // literals, the end, sizes; two that do not occur, but have fixed codes
#define TOKEN_LONGEST 285u
#define TOKEN_END 256u
#define TOKEN_DISTANCES 30u

typedef struct token {
    uint16_t size;      // of a reference; of a literal the byte
    uint16_t distance;  // 0: a literal
} token_t;

static inline uint32_t token_bytes(token_t token) {
    return token.distance ? token.size : 1;
}

// The symbol of a size or a distance, how many bits follow it, and what they say.
typedef struct token_code {
    uint32_t symbol;
    uint32_t extra_bits;
    uint32_t extra;
} token_code_t;

token_code_t token_size_code(uint32_t size);
token_code_t token_distance_code(uint32_t distance);

// Each reference that there is at each byte: for each size the nearest.
typedef struct matches {
    uint32_t size;    // bytes
    uint32_t *first;  // of each byte, and one more: its first in `items`
    token_t *items;   // sizes ascending
    uint32_t room;
} matches_t;

// Find them, within `window_size` bytes (up to 32768). Returns 0, or -1 where there is not enough memory. Free either way.
int matches_find(matches_t *matches, const uint8_t *bytes, uint32_t size, uint32_t window_size);
void matches_free(matches_t *matches);

// Bits that a symbol takes, those behind it not included.
typedef struct token_costs {
    double symbols[TOKEN_SYMBOLS];
    double distances[TOKEN_DISTANCES];
} token_costs_t;

// The cheapest tokens for the bytes from `begin` to `end`. Room for end - begin of them is the caller's. Returns how many there are, or
// 0 where there is not enough memory.
uint32_t tokens_choose(
    token_t *tokens, const matches_t *matches, const uint8_t *bytes, uint32_t begin, uint32_t end, const token_costs_t *costs);

#endif
