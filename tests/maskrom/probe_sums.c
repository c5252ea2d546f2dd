// Sums of everything that a compiler makes instructions of. The same file runs on the board and on the host, and has to print
// the same.

#include "probe.h"

static uint32_t state;

static uint32_t next(void) {
    state = state * 1664525 + 1013904223;
    return state ^ state >> 15;
}

static uint32_t mix(uint32_t sum, uint32_t value) {
    return (sum << 5 | sum >> 27) * 0x9e3779b1u + value;
}

static uint8_t bytes[64];
static int16_t halves[32];
static int8_t small[32];

// The CPU has no division, and the compiler's library for it has none either: the mask ROM has.
static uint32_t divide(uint32_t x, uint32_t y, uint32_t *rest) {
    uint32_t quotient = 0;
    uint32_t left = 0;
    for (int i = 31; i >= 0; i--) {
        uint32_t carry = left >> 31;
        left = left << 1 | (x >> i & 1);
        if (carry || left >= y) {
            left -= y;
            quotient |= 1u << i;
        }
    }
    *rest = left;
    return quotient;
}

static uint32_t arithmetic(uint32_t x, uint32_t y) {
    uint32_t sum = mix(0, x + y);
    sum = mix(sum, x - y * 3);
    sum = mix(sum, x * y);
    sum = mix(sum, (uint32_t)((int16_t)x * (int16_t)y) + (x & 0xffff) * (y & 0xffff));
    uint32_t rest;
    sum = mix(sum, divide(x, y | 1, &rest));
    sum = mix(sum, rest + (x < y ? x : y) + (uint32_t)((int32_t)x < (int32_t)y ? (int32_t)x : (int32_t)y));
    return mix(sum, (int32_t)x < 0 ? 0 - x : x);
}

static uint32_t shifts(uint32_t x, uint32_t y) {
    uint32_t sum = mix(0, x << (y & 31));
    sum = mix(sum, x >> (y & 31));
    sum = mix(sum, (uint32_t)((int32_t)x >> (y & 31)));
    sum = mix(sum, (x << 7) + (x >> 19) + (uint32_t)((int32_t)x >> 11) + (x << 31) + (x >> 31) + (x << 16));
    sum = mix(sum, (uint32_t)((((uint64_t)x << 32 | y) << (y & 63)) >> 32));
    sum = mix(sum, (uint32_t)((((uint64_t)x << 32 | y) >> (x & 63))));
    sum = mix(sum, (uint32_t)((int64_t)((uint64_t)x << 32 | y) >> (y & 63)));
    sum = mix(sum, (x >> 3 & 0x1f) + (x >> 21 & 0x7) + (x >> 9 & 0xffff));
    sum = mix(sum, (uint32_t)(x ? __builtin_clz(x) : 32) + (uint32_t)(y ? __builtin_ctz(y) : 32));
    return mix(sum, (x & y) + (x | y) + (x ^ y) + (x & ~y));
}

// What the compiler does not choose by itself: BALL, BNALL, and the edges of MOVI.N.
#ifdef __XTENSA__
#define BRANCH(name, x, y, c) __asm__ volatile(name " %1, %2, 1f\n\tmovi %0, 0\n1:" : "+r"(taken) : "r"(x), "r"(y))
#define CONSTANT(n) __asm__ volatile("movi.n %0, " #n : "=r"(value))
#else
#define BRANCH(name, x, y, c) taken = (c)
#define CONSTANT(n) value = (uint32_t)(n)
#endif

static uint32_t rare(uint32_t x, uint32_t y) {
    uint32_t taken = 1;
    BRANCH("_ball", x, y, (~x & y) == 0);
    uint32_t sum = mix(0, taken);
    taken = 1;
    BRANCH("_bnall", x, y, (~x & y) != 0);
    sum = mix(sum, taken);
    uint32_t value;
    CONSTANT(-32);
    sum = mix(sum, value);
    CONSTANT(-30);
    sum = mix(sum, value);
    CONSTANT(95);
    return mix(sum, value);
}

static uint32_t branches(uint32_t x, uint32_t y) {
    uint32_t sum = 1;
    int32_t sx = (int32_t)x, sy = (int32_t)y;
#define TAKE(condition) \
    do { \
        if (condition) { \
            sum = mix(sum, __LINE__); \
        } else { \
            sum += 77; \
        } \
        __asm__ volatile("" ::: "memory"); \
    } while (0)
    TAKE(x == y);
    TAKE(x < y);
    TAKE(sx < sy);
    TAKE(sx >= 0);
    TAKE(sx == -1);
    TAKE(sx < 64);
    TAKE(sx >= 256);
    TAKE(x < 32768);
    TAKE(x >= 65536);
    TAKE((x & y) == 0);
    TAKE((~x & y) == 0);
    TAKE(x & 1u << 19);
    TAKE(!(x & 1u << 3));
    TAKE(x >> (y & 31) & 1);
    TAKE(x == 0);
    return mix(sum, rare(x, y));
}

static uint32_t memory(uint32_t x, uint32_t y) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 32; i++) {
        bytes[(x + i) & 63] = (uint8_t)(y >> (i & 15));
        halves[i] = (int16_t)(x * i + y);
        small[i] = (int8_t)(y - i * 9);
    }
    for (uint32_t i = 0; i < 32; i++) {
        sum = mix(sum, bytes[(y + i) & 63] + (uint32_t)halves[31 - i] + (uint16_t)halves[i] + (uint32_t)small[i]);
    }
    return sum;
}

// Numbers of all sizes, the edges among them.
static uint32_t number(void) {
    uint32_t x = next();
    switch (next() >> 13 & 7) {
        case 0:
            return x & 0xff;
        case 1:
            return 1u << (x & 31);
        case 2:
            return 0xffffffffu << (x & 31);
        case 3:
            return x & 3 ? 0xffffffffu : 0;
        default:
            return x;
    }
}

static uint32_t one(uint32_t which, uint32_t x, uint32_t y) {
    switch (which) {
        case 0:
            return arithmetic(x, y);
        case 1:
            return shifts(x, y);
        case 2:
            return branches(x, y);
        default:
            return memory(x, y);
    }
}

void sums(void) {
    for (uint32_t which = 0; which < 4; which++) {
        uint32_t sum = 0;
        state = which + 1;
        for (uint32_t i = 0; i < 64; i++) {
            bytes[i] = 0;
        }
        for (uint32_t i = 0; i < 3000; i++) {
            uint32_t x = number();
            sum = mix(sum, one(which, x, i & 7 ? number() : x));
        }
        put_hex(sum);
    }
}
