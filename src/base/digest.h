// What MD5, SHA-1 and SHA-256 have in common: bytes are worked in by blocks of 64; behind the last one come a one bit, zero
// bits, and in the last 8 bytes of a block the number of bits.
#ifndef MOLT_BASE_DIGEST_H
#define MOLT_BASE_DIGEST_H

#include "base/bytes.h"
#include "base/libc.h"

#define DIGEST_BLOCK_SIZE 64u

typedef void digest_work_t(uint32_t *state, const uint8_t *block);

static inline uint32_t rotate_left(uint32_t v, uint32_t count) {
    return v << count | v >> (32 - count);
}

static inline uint32_t load32_be(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void store32_be(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

// `bit_count` is of all bytes so far, low word first; `block` holds those that are not worked in yet.
static inline void digest_update(
    uint32_t *state, uint32_t bit_count[2], uint8_t *block, digest_work_t *work, const void *data, uint32_t size) {
    const uint8_t *from = data;
    while (size > 0) {
        uint32_t used = bit_count[0] / 8 % DIGEST_BLOCK_SIZE;
        uint32_t part = min_u32(size, DIGEST_BLOCK_SIZE - used);
        memcpy(block + used, from, part);
        bit_count[0] += part * 8;
        bit_count[1] += bit_count[0] < part * 8;
        if (used + part == DIGEST_BLOCK_SIZE) {
            work(state, block);
        }
        from += part;
        size -= part;
    }
}

// Behind it `state` is the digest.
static inline void digest_finish(
    uint32_t *state, const uint32_t bit_count[2], uint8_t *block, digest_work_t *work, bool is_big_endian) {
    void (*store32)(uint8_t *, uint32_t) = is_big_endian ? store32_be : store32_le;
    uint32_t used = bit_count[0] / 8 % DIGEST_BLOCK_SIZE;
    block[used++] = 0x80;
    if (used > DIGEST_BLOCK_SIZE - 8) {
        memset(block + used, 0, DIGEST_BLOCK_SIZE - used);
        work(state, block);
        used = 0;
    }
    memset(block + used, 0, DIGEST_BLOCK_SIZE - 8 - used);
    store32(block + DIGEST_BLOCK_SIZE - 8, bit_count[is_big_endian ? 1 : 0]);
    store32(block + DIGEST_BLOCK_SIZE - 4, bit_count[is_big_endian ? 0 : 1]);
    work(state, block);
}

#endif
