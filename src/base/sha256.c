// SHA-256 as FIPS 180-4 has it. The message schedule is kept as a ring of 16 words: 64 bytes of stack. The
// tables are of 32-bit words, so that they may lie in the ESP8266's mapped flash.

#include "base/sha256.h"

#include "base/digest.h"

static uint32_t rotate_right(uint32_t v, uint32_t count) {
    return rotate_left(v, 32 - count);
}

// Word i of the message schedule, which takes the place of word i - 16.
static uint32_t extend_word(uint32_t ring[16], uint32_t i) {
    uint32_t w15 = ring[(i + 1) % 16];
    uint32_t w2 = ring[(i + 14) % 16];
    uint32_t sigma0 = rotate_right(w15, 7) ^ rotate_right(w15, 18) ^ w15 >> 3;
    uint32_t sigma1 = rotate_right(w2, 17) ^ rotate_right(w2, 19) ^ w2 >> 10;
    ring[i % 16] += sigma0 + ring[(i + 9) % 16] + sigma1;
    return ring[i % 16];
}

static void sha256_block(uint32_t *state, const uint8_t *block) {
    // The first 32 bits of the fractions of the cube roots of the first 64 primes.
    static const uint32_t roots[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1,
        0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
        0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354,
        0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
        0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
        0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };
    uint32_t ring[16];
    for (uint32_t i = 0; i < 16; i++) {
        ring[i] = load32_be(block + 4 * i);
    }
    uint32_t v[8];
    memcpy(v, state, sizeof v);
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t word = i < 16 ? ring[i] : extend_word(ring, i);
        uint32_t sum1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t t1 = v[7] + sum1 + choice + roots[i] + word;
        uint32_t sum0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + sum0 + majority;
    }
    for (uint32_t i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

void molt_sha256_init(molt_sha256_t *sha256) {
    // The first 32 bits of the fractions of the square roots of the first 8 primes.
    sha256->state[0] = 0x6a09e667;
    sha256->state[1] = 0xbb67ae85;
    sha256->state[2] = 0x3c6ef372;
    sha256->state[3] = 0xa54ff53a;
    sha256->state[4] = 0x510e527f;
    sha256->state[5] = 0x9b05688c;
    sha256->state[6] = 0x1f83d9ab;
    sha256->state[7] = 0x5be0cd19;
    sha256->bit_count[0] = 0;
    sha256->bit_count[1] = 0;
}

void molt_sha256_update(molt_sha256_t *sha256, const void *data, uint32_t size) {
    digest_update(sha256->state, sha256->bit_count, sha256->block, sha256_block, data, size);
}

void molt_sha256_finish(uint8_t digest[MOLT_SHA256_SIZE], molt_sha256_t *sha256) {
    digest_finish(sha256->state, sha256->bit_count, sha256->block, sha256_block, true);
    for (uint32_t i = 0; i < 8; i++) {
        store32_be(digest + 4 * i, sha256->state[i]);
    }
}
