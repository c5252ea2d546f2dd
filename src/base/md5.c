// MD5 as RFC 1321 has it. The tables are of 32-bit words, so that they may lie in the ESP8266's mapped flash,
// from which bytes cannot be loaded.

#include "base/md5.h"

#include "base/digest.h"

// Step i of the 64: which of the block's words it takes, and the round's function of b, c and d.
static uint32_t round_function(uint32_t i, uint32_t b, uint32_t c, uint32_t d, uint32_t *word) {
    switch (i / 16) {
        case 0:
            *word = i;
            return (b & c) | (~b & d);
        case 1:
            *word = (5 * i + 1) % 16;
            return (b & d) | (c & ~d);
        case 2:
            *word = (3 * i + 5) % 16;
            return b ^ c ^ d;
        default:
            *word = 7 * i % 16;
            return c ^ (b | ~d);
    }
}

static void md5_block(uint32_t *state, const uint8_t *block) {
    // floor(2^32 * |sin(i + 1)|), i in radians.
    static const uint32_t sines[64] = { 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
        0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562,
        0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87,
        0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44,
        0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8,
        0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 0x6fa87e4f,
        0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391 };
    // The four rotations of each round, lowest byte first.
    static const uint32_t rotations[4] = { 0x16110c07, 0x140e0905, 0x17100b04, 0x150f0a06 };
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t word;
        uint32_t sum = a + round_function(i, b, c, d, &word);
        sum += sines[i] + load32_le(block + 4 * word);
        a = d;
        d = c;
        c = b;
        b += rotate_left(sum, rotations[i / 16] >> (8 * (i % 4)) & 31);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void molt_md5_init(molt_md5_t *md5) {
    md5->state[0] = 0x67452301;
    md5->state[1] = 0xefcdab89;
    md5->state[2] = 0x98badcfe;
    md5->state[3] = 0x10325476;
    md5->bit_count[0] = 0;
    md5->bit_count[1] = 0;
}

void molt_md5_update(molt_md5_t *md5, const void *data, uint32_t size) {
    digest_update(md5->state, md5->bit_count, md5->block, md5_block, data, size);
}

void molt_md5_finish(uint8_t digest[MOLT_MD5_SIZE], molt_md5_t *md5) {
    digest_finish(md5->state, md5->bit_count, md5->block, md5_block, false);
    for (uint32_t i = 0; i < 4; i++) {
        store32_le(digest + 4 * i, md5->state[i]);
    }
}
