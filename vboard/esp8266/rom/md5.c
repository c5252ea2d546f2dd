// MD5. [RFC 1321]
#include "rom.h"

static const uint8_t shifts[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };

// floor(2^32 * |sin(i + 1)|)
static const uint32_t sines[64] = { 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
    0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562,
    0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87,
    0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44,
    0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8,
    0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 0x6fa87e4f,
    0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391 };

static void transform(uint32_t state[4], const uint8_t block[64]) {
    uint32_t words[16];
    memcpy(words, block, sizeof words);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t mix, word;
        switch (i / 16) {
            case 0:
                mix = (b & c) | (~b & d);
                word = i;
                break;
            case 1:
                mix = (d & b) | (~d & c);
                word = 5 * i + 1;
                break;
            case 2:
                mix = b ^ c ^ d;
                word = 3 * i + 5;
                break;
            default:
                mix = c ^ (b | ~d);
                word = 7 * i;
        }
        uint32_t sum = a + mix + sines[i] + words[word % 16];
        uint32_t shift = shifts[i / 16][i % 4];
        a = d;
        d = c;
        c = b;
        b += (sum << shift) | (sum >> (32 - shift));
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void MD5Init(struct md5 *md5) {
    md5->state[0] = 0x67452301;
    md5->state[1] = 0xefcdab89;
    md5->state[2] = 0x98badcfe;
    md5->state[3] = 0x10325476;
    md5->bits[0] = 0;
    md5->bits[1] = 0;
}

void MD5Update(struct md5 *md5, const uint8_t *data, uint32_t size) {
    uint32_t used = (md5->bits[0] >> 3) % 64;
    uint32_t low = md5->bits[0] + (size << 3);
    md5->bits[1] += (size >> 29) + (low < md5->bits[0]);
    md5->bits[0] = low;
    for (; size > 0; size--) {
        md5->block[used++] = *data++;
        if (used == 64) {
            transform(md5->state, md5->block);
            used = 0;
        }
    }
}

void MD5Final(uint8_t digest[16], struct md5 *md5) {
    static const uint8_t padding[64] = { 0x80 };
    uint32_t bits[2] = { md5->bits[0], md5->bits[1] };
    uint32_t used = (bits[0] >> 3) % 64;
    MD5Update(md5, padding, (used < 56 ? 56 : 120) - used);
    MD5Update(md5, (const uint8_t *)bits, sizeof bits);
    memcpy(digest, md5->state, 16);
}
