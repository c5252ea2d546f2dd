// Multiplication and division beyond what the lx106 has instructions for: the libgcc functions of the mask ROM.
//
// The lx106 multiplies 32 x 32 bits to 32, and does not divide. None of these functions may use an operator that
// the compiler would turn into a call of the function itself.
#include <stdbool.h>
#include <stdint.h>

#include "libgcc.h"

uint64_t __umulsidi3(uint32_t a, uint32_t b) {
    uint32_t a0 = a & 0xffff, a1 = a >> 16;
    uint32_t b0 = b & 0xffff, b1 = b >> 16;
    uint32_t low = a0 * b0;
    uint32_t middle = a1 * b0 + (low >> 16);  // cannot overflow: (2^16-1)^2 + 2^16-1 < 2^32
    uint32_t other = a0 * b1 + (middle & 0xffff);
    uint32_t high = a1 * b1 + (middle >> 16) + (other >> 16);
    return ((uint64_t)high << 32) | (other << 16) | (low & 0xffff);
}

int64_t __muldi3(int64_t a, int64_t b) {
    uint32_t a_low = (uint32_t)a, a_high = (uint32_t)((uint64_t)a >> 32);
    uint32_t b_low = (uint32_t)b, b_high = (uint32_t)((uint64_t)b >> 32);
    uint64_t cross = (uint64_t)(a_high * b_low + a_low * b_high) << 32;
    return (int64_t)(__umulsidi3(a_low, b_low) + cross);
}

// Schoolbook division, one bit of the quotient at a time, from the highest that can be set.
struct parts32 {
    uint32_t quotient;
    uint32_t remainder;
};

static struct parts32 divide32(uint32_t a, uint32_t b) {
    struct parts32 parts = { 0, a };
    if (b == 0) {
        divide_by_zero();
    }
    if (b > a) {
        return parts;
    }
    int shift = __builtin_clz(b) - __builtin_clz(a);
    b <<= shift;
    for (; shift >= 0; shift--, b >>= 1) {
        parts.quotient <<= 1;
        if (parts.remainder >= b) {
            parts.remainder -= b;
            parts.quotient |= 1;
        }
    }
    return parts;
}

uint32_t __udivsi3(uint32_t a, uint32_t b) {
    return divide32(a, b).quotient;
}

uint32_t __umodsi3(uint32_t a, uint32_t b) {
    return divide32(a, b).remainder;
}

static uint32_t magnitude32(int32_t a) {
    return a < 0 ? 0u - (uint32_t)a : (uint32_t)a;
}

int32_t __divsi3(int32_t a, int32_t b) {
    uint32_t quotient = divide32(magnitude32(a), magnitude32(b)).quotient;
    return (int32_t)((a < 0) != (b < 0) ? 0u - quotient : quotient);
}

static int leading_zeros64(uint64_t a) {
    uint32_t high = (uint32_t)(a >> 32);
    return high != 0 ? __builtin_clz(high) : 32 + __builtin_clz((uint32_t)a);
}

static uint64_t divide64(uint64_t a, uint64_t b, uint64_t *remainder) {
    uint64_t quotient = 0;
    if (a >> 32 == 0 && b >> 32 == 0) {
        struct parts32 parts = divide32((uint32_t)a, (uint32_t)b);
        *remainder = parts.remainder;
        return parts.quotient;
    }
    if (b == 0) {
        divide_by_zero();
    }
    *remainder = a;
    if (b > a) {
        return 0;
    }
    int shift = leading_zeros64(b) - leading_zeros64(a);
    b <<= shift;
    for (; shift >= 0; shift--, b >>= 1) {
        quotient <<= 1;
        if (*remainder >= b) {
            *remainder -= b;
            quotient |= 1;
        }
    }
    return quotient;
}

uint64_t __udivdi3(uint64_t a, uint64_t b) {
    uint64_t remainder;
    return divide64(a, b, &remainder);
}

uint64_t __umoddi3(uint64_t a, uint64_t b) {
    uint64_t remainder;
    divide64(a, b, &remainder);
    return remainder;
}

static uint64_t magnitude64(int64_t a) {
    return a < 0 ? 0u - (uint64_t)a : (uint64_t)a;
}

int64_t __divdi3(int64_t a, int64_t b) {
    uint64_t remainder;
    uint64_t quotient = divide64(magnitude64(a), magnitude64(b), &remainder);
    return (int64_t)((a < 0) != (b < 0) ? 0u - quotient : quotient);
}
