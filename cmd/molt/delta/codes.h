// Huffman codes of a deflate block (RFC 1951, 3.2.7): how long, and what they cost with the table that describes them.
#ifndef MOLT_DELTA_CODES_H
#define MOLT_DELTA_CODES_H

#include <stdint.h>

#include "tokens.h"

#define CODE_BITS_MAX 15u

// How often each symbol occurs in a block, its end among them.
typedef struct counts {
    uint32_t symbols[TOKEN_SYMBOLS];
    uint32_t distances[TOKEN_DISTANCES];
    uint32_t extra_bits;
} counts_t;

void counts_take(counts_t *counts, const token_t *tokens, uint32_t token_count);

// Lengths in bits; 0: the symbol does not occur.
typedef struct codes {
    uint8_t symbols[TOKEN_SYMBOLS];
    uint8_t distances[TOKEN_DISTANCES];
} codes_t;

// The best ones for these counts.
void codes_make(codes_t *codes, const counts_t *counts);

// The lengths of `count` symbols, none longer than bits_max, for which the sum of count times length is least.
void codes_limit(uint8_t *lengths, const uint32_t *counts, uint32_t count, uint32_t bits_max);

// The codes that go with lengths, their first bit lowest, as they are put out.
void codes_assign(uint16_t *codes, const uint8_t *lengths, uint32_t count);

// The table that describes a block's codes: symbols 0 to 18, what follows 16 to 18, and their own lengths.
#define TABLE_SYMBOLS 19u
typedef struct table {
    uint8_t symbols[TOKEN_SYMBOLS + TOKEN_DISTANCES];
    uint8_t extra[TOKEN_SYMBOLS + TOKEN_DISTANCES];
    uint32_t count;
    uint32_t symbol_count;  // of codes->symbols, and so on: up to the last that occurs
    uint32_t distance_count;
    uint32_t length_count;
    uint8_t lengths[TABLE_SYMBOLS];
    uint32_t bits;  // that all of it takes
} table_t;

extern const uint8_t table_order[TABLE_SYMBOLS];
extern const uint8_t table_extra_bits[TABLE_SYMBOLS];

void table_make(table_t *table, const codes_t *codes);

// Bits of a block with its own codes, or with the fixed ones, its 3 bits of a header included.
uint32_t codes_block_bits(const counts_t *counts);
uint32_t codes_fixed_bits(const counts_t *counts);

// The fixed codes.
void codes_make_fixed(codes_t *codes);

#endif
