// SHA-1 as FIPS 180-4 has it.

#include "molt/sha1.h"

#include "bytes.h"
#include "libc.h"

static uint32_t rotate_left(uint32_t v, uint32_t count) {
    return v << count | v >> (32 - count);
}

static uint32_t load32_be(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store32_be(uint8_t *p, uint32_t v) {
    store32_le(p, v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24);
}

// Word t of the message schedule; `words` holds the last 16.
static uint32_t schedule(uint32_t words[16], uint32_t t) {
    if (t >= 16) {
        uint32_t sum = words[(t + 13) % 16] ^ words[(t + 8) % 16] ^ words[(t + 2) % 16] ^ words[t % 16];
        words[t % 16] = rotate_left(sum, 1);
    }
    return words[t % 16];
}

// The round's function of b, c and d, and its constant.
static uint32_t round_function(uint32_t t, uint32_t b, uint32_t c, uint32_t d) {
    switch (t / 20) {
        case 0:
            return ((b & c) | (~b & d)) + 0x5a827999;
        case 1:
            return (b ^ c ^ d) + 0x6ed9eba1;
        case 2:
            return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
        default:
            return (b ^ c ^ d) + 0xca62c1d6;
    }
}

static void sha1_block(uint32_t state[5], const uint8_t block[64]) {
    uint32_t words[16];
    for (uint32_t i = 0; i < 16; i++) {
        words[i] = load32_be(block + 4 * i);
    }
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];
    uint32_t e = state[4];
    for (uint32_t t = 0; t < 80; t++) {
        uint32_t sum = rotate_left(a, 5) + round_function(t, b, c, d) + e + schedule(words, t);
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = sum;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void molt_sha1_init(molt_sha1_t *sha1) {
    sha1->state[0] = 0x67452301;
    sha1->state[1] = 0xefcdab89;
    sha1->state[2] = 0x98badcfe;
    sha1->state[3] = 0x10325476;
    sha1->state[4] = 0xc3d2e1f0;
    sha1->bit_count[0] = 0;
    sha1->bit_count[1] = 0;
}

void molt_sha1_update(molt_sha1_t *sha1, const void *data, uint32_t size) {
    const uint8_t *from = data;
    while (size > 0) {
        uint32_t used = sha1->bit_count[0] / 8 % 64;
        uint32_t part = min_u32(size, 64 - used);
        memcpy(sha1->block + used, from, part);
        sha1->bit_count[0] += part * 8;
        sha1->bit_count[1] += sha1->bit_count[0] < part * 8;
        if (used + part == 64) {
            sha1_block(sha1->state, sha1->block);
        }
        from += part;
        size -= part;
    }
}

void molt_sha1_finish(uint8_t digest[MOLT_SHA1_SIZE], molt_sha1_t *sha1) {
    // A one bit, zero bits up to the last 8 bytes of a block, and there the number of bits.
    uint32_t used = sha1->bit_count[0] / 8 % 64;
    sha1->block[used++] = 0x80;
    if (used > 56) {
        memset(sha1->block + used, 0, 64 - used);
        sha1_block(sha1->state, sha1->block);
        used = 0;
    }
    memset(sha1->block + used, 0, 56 - used);
    store32_be(sha1->block + 56, sha1->bit_count[1]);
    store32_be(sha1->block + 60, sha1->bit_count[0]);
    sha1_block(sha1->state, sha1->block);
    for (uint32_t i = 0; i < 5; i++) {
        store32_be(digest + 4 * i, sha1->state[i]);
    }
}
