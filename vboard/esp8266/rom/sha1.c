// SHA-1. [FIPS 180-4] Like the mask ROM's it works on a copy of each block, and leaves nothing in the context.
#include "rom.h"

static uint32_t rotate(uint32_t x, uint32_t bits) {
    return x << bits | x >> (32 - bits);
}

static uint32_t load_be(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be(uint8_t *p, uint32_t x) {
    for (uint32_t i = 0; i < 4; i++) {
        p[i] = (uint8_t)(x >> (24 - 8 * i));
    }
}

static void transform(uint32_t state[5], const uint8_t block[64]) {
    uint32_t w[80];
    for (uint32_t i = 0; i < 80; i++) {
        w[i] = i < 16 ? load_be(block + 4 * i) : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (uint32_t i = 0; i < 80; i++) {
        uint32_t mix, constant;
        switch (i / 20) {
            case 0:
                mix = (b & c) | (~b & d);
                constant = 0x5a827999;
                break;
            case 1:
                mix = b ^ c ^ d;
                constant = 0x6ed9eba1;
                break;
            case 2:
                mix = (b & c) | (b & d) | (c & d);
                constant = 0x8f1bbcdc;
                break;
            default:
                mix = b ^ c ^ d;
                constant = 0xca62c1d6;
        }
        uint32_t sum = rotate(a, 5) + mix + e + constant + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = sum;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void SHA1Init(struct sha1 *sha1) {
    sha1->state[0] = 0x67452301;
    sha1->state[1] = 0xefcdab89;
    sha1->state[2] = 0x98badcfe;
    sha1->state[3] = 0x10325476;
    sha1->state[4] = 0xc3d2e1f0;
    sha1->bits[0] = 0;
    sha1->bits[1] = 0;
}

void SHA1Update(struct sha1 *sha1, const uint8_t *data, uint32_t size) {
    uint32_t used = (sha1->bits[0] >> 3) % 64;
    uint32_t low = sha1->bits[0] + (size << 3);
    sha1->bits[1] += (size >> 29) + (low < sha1->bits[0]);
    sha1->bits[0] = low;
    for (; size > 0; size--) {
        sha1->block[used++] = *data++;
        if (used == 64) {
            transform(sha1->state, sha1->block);
            used = 0;
        }
    }
}

void SHA1Final(uint8_t digest[20], struct sha1 *sha1) {
    static const uint8_t padding[64] = { 0x80 };
    uint8_t bits[8];
    store_be(bits, sha1->bits[1]);
    store_be(bits + 4, sha1->bits[0]);
    uint32_t used = (sha1->bits[0] >> 3) % 64;
    SHA1Update(sha1, padding, (used < 56 ? 56 : 120) - used);
    SHA1Update(sha1, bits, sizeof bits);
    for (uint32_t i = 0; i < 5; i++) {
        store_be(digest + 4 * i, sha1->state[i]);
    }
    memset(sha1, 0, sizeof *sha1);
}
