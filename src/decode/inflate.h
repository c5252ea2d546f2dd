// Inflate: the bytes of a deflate stream (RFC 1951), bare or inside a gzip file (RFC 1952), a few at a time, in one direction.
//
// No heap: the caller owns the struct and the window. The window need only be as large as the stream's farthest
// reference back; a stream that reaches further than it was given is told apart from a damaged one.
#ifndef MOLT_INFLATE_H
#define MOLT_INFLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/source.h"

// The largest window that deflate knows, in bytes.
#define MOLT_INFLATE_WINDOW_MAX 32768u

// Bytes of input that are read at a time; a multiple of 4.
#define MOLT_INFLATE_INPUT_SIZE 128u

// Codes of up to so many bits are looked up; longer ones are followed bit by bit. Each bit doubles a table.
#define MOLT_INFLATE_LITERAL_BITS 8u
#define MOLT_INFLATE_DISTANCE_BITS 6u

typedef struct molt_huffman {
    uint16_t counts[16];  // codes of each length
    uint16_t *symbols;    // in the order of their codes
    uint16_t *table;      // by the next table_bits bits: symbol << 4 | length of its code; 0 where it is longer
    uint32_t table_bits;
    uint32_t longer_first;  // the first code that is longer
    uint32_t longer_index;  // the place of its symbol
} molt_huffman_t;

typedef struct molt_inflate {
    molt_reader_t input;
    uint8_t *window;
    uint32_t window_size;  // bytes, a power of 2
    uint32_t input_off;    // of the next byte to be read into `bytes`
    uint32_t byte_count;   // valid in `bytes`
    uint32_t byte_next;
    uint32_t bits;  // not used up yet, lowest first; there may be whole bytes of them
    uint32_t bit_count;
    uint32_t out_count;  // bytes that came out
    uint32_t copy_size;  // of a reference in progress: bytes to go
    uint32_t copy_distance;
    uint32_t stored_size;  // of a stored block in progress: bytes to go
    uint8_t block_kind;    // 0 stored, 1 or 2 compressed
    bool in_block;
    bool is_last_block;
    bool is_end;
    int err;  // of the input; sticks
    molt_huffman_t literals;
    molt_huffman_t distances;
    uint16_t literal_symbols[288];
    uint16_t distance_symbols[32];
    uint16_t literal_table[1u << MOLT_INFLATE_LITERAL_BITS];
    union {
        uint8_t lengths[320];  // of the codes, while these are made
        uint16_t distance_table[1u << MOLT_INFLATE_DISTANCE_BITS];
    } u;
    uint8_t bytes[MOLT_INFLATE_INPUT_SIZE] __attribute__((aligned(4)));
} molt_inflate_t;

// Begin with the gzip file that `input` reads.
//   window  window_size bytes, a power of 2 from 256 up to MOLT_INFLATE_WINDOW_MAX
// Returns 0, MOLT_ERR_NOTSUP (no gzip, or one with a method or flags that are not in use), MOLT_ERR_CORRUPT (ends in
// its header), or the input's error.
int molt_inflate_begin(molt_inflate_t *inflate, const molt_reader_t *input, uint8_t *window, uint32_t window_size);

// Begin with the bare deflate stream from `off` of `input` on; off a multiple of 4. Nothing is read yet.
void molt_inflate_begin_raw(
    molt_inflate_t *inflate, const molt_reader_t *input, uint32_t off, uint8_t *window, uint32_t window_size);

// The next `size` bytes into `out`; fewer only at the end, in *got.
// Returns 0, MOLT_ERR_CORRUPT (the stream makes no sense or is cut short), MOLT_ERR_NOSPC (a reference reaches back
// farther than the window), or the input's error.
int molt_inflate_read(molt_inflate_t *inflate, uint8_t *out, uint32_t size, uint32_t *got);

// Bytes of input that have been used up, rounded up to what was read ahead.
uint32_t molt_inflate_input_used(const molt_inflate_t *inflate);

// After the last byte came out: compare CRC and size with the file's trailer, and look at what follows it. Only
// zeroes may: padding. A second member or anything else is refused.
//   crc, size  of all that came out
// Returns 0, MOLT_ERR_CORRUPT (another CRC or size, or cut short), MOLT_ERR_NOTSUP (something follows), or the
// input's error.
int molt_inflate_end(molt_inflate_t *inflate, uint32_t crc, uint32_t size);

#endif
