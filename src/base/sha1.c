// SHA-1 as FIPS 180-4 has it.

#include "base/sha1.h"

#include "base/digest.h"

typedef struct five {
    uint32_t a, b, c, d, e;
} five_t;

// One step, with the round's function of b, c and d and its constant in `f`, and the step's word.
static inline void step(five_t *v, uint32_t f, uint32_t word) {
    uint32_t sum = rotate_left(v->a, 5) + f + v->e + word;
    v->e = v->d;
    v->d = v->c;
    v->c = rotate_left(v->b, 30);
    v->b = v->a;
    v->a = sum;
}

static void sha1_block(uint32_t *state, const uint8_t *block) {
    uint32_t words[80];
    for (uint32_t t = 0; t < 16; t++) {
        words[t] = load32_be(block + 4 * t);
    }
    for (uint32_t t = 16; t < 80; t++) {
        words[t] = rotate_left(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
    }
    five_t v = { state[0], state[1], state[2], state[3], state[4] };
    uint32_t t = 0;
    for (; t < 20; t++) {
        step(&v, (v.d ^ (v.b & (v.c ^ v.d))) + 0x5a827999, words[t]);
    }
    for (; t < 40; t++) {
        step(&v, (v.b ^ v.c ^ v.d) + 0x6ed9eba1, words[t]);
    }
    for (; t < 60; t++) {
        step(&v, ((v.b & v.c) | (v.d & (v.b | v.c))) + 0x8f1bbcdc, words[t]);
    }
    for (; t < 80; t++) {
        step(&v, (v.b ^ v.c ^ v.d) + 0xca62c1d6, words[t]);
    }
    state[0] += v.a;
    state[1] += v.b;
    state[2] += v.c;
    state[3] += v.d;
    state[4] += v.e;
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
    digest_update(sha1->state, sha1->bit_count, sha1->block, sha1_block, data, size);
}

void molt_sha1_finish(uint8_t digest[MOLT_SHA1_SIZE], molt_sha1_t *sha1) {
    digest_finish(sha1->state, sha1->bit_count, sha1->block, sha1_block, true);
    for (uint32_t i = 0; i < 5; i++) {
        store32_be(digest + 4 * i, sha1->state[i]);
    }
}
