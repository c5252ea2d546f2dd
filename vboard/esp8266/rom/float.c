// IEEE 754 arithmetic, round to nearest even, in one form for single and double.
//
// A number is taken apart into sign, exponent and a 64-bit mantissa with its leading 1 at bit 62; worked on; and
// put together again with one rounding. Bit 0 is sticky: set when anything below it was lost.
#include <stdbool.h>
#include <stdint.h>

#include "libgcc.h"

enum { LEADING = 62 };

enum class { ZERO, FINITE, INFINITE, NOT_A_NUMBER };

struct number {
    enum class class;
    bool negative;
    int exponent;  // value = mantissa / 2^62 * 2^exponent
    uint64_t mantissa;
};

struct format {
    int fraction_bits;
    int bias;
};

static const struct format single = { 23, 127 };
static const struct format double_ = { 52, 1023 };

static int exponent_max(const struct format *f) {
    return 2 * f->bias + 1;
}

// Shift right and keep in bit 0 whether any 1 was lost.
static uint64_t shift_sticky(uint64_t value, int by) {
    if (by <= 0) {
        return value;
    }
    if (by > 63) {
        return value != 0;
    }
    return (value >> by) | ((value << (64 - by)) != 0);
}

static void normalize(struct number *n) {
    while (n->mantissa >> LEADING == 0) {
        n->mantissa <<= 1;
        n->exponent--;
    }
}

static struct number unpack(uint64_t bits, const struct format *f) {
    struct number n = { ZERO, false, 0, 0 };
    uint64_t fraction = bits & (((uint64_t)1 << f->fraction_bits) - 1);
    int exponent = (int)(bits >> f->fraction_bits) & exponent_max(f);
    n.negative = (bits >> f->fraction_bits >> (f->bias == 127 ? 8 : 11) & 1) != 0;
    n.mantissa = fraction << (LEADING - f->fraction_bits);
    if (exponent == exponent_max(f)) {
        n.class = fraction == 0 ? INFINITE : NOT_A_NUMBER;
    } else if (exponent != 0) {
        n.class = FINITE;
        n.exponent = exponent - f->bias;
        n.mantissa |= (uint64_t)1 << LEADING;
    } else if (fraction != 0) {
        n.class = FINITE;
        n.exponent = 1 - f->bias;
        normalize(&n);
    }
    return n;
}

static uint64_t pack(struct number n, const struct format *f) {
    uint64_t sign = (uint64_t)n.negative << f->fraction_bits << (f->bias == 127 ? 8 : 11);
    uint64_t infinity = (uint64_t)exponent_max(f) << f->fraction_bits;
    switch (n.class) {
        case ZERO:
            return sign;
        case INFINITE:
            return sign | infinity;
        case NOT_A_NUMBER:
            return infinity | ((uint64_t)1 << (f->fraction_bits - 1));
        case FINITE:
            break;
    }
    int exponent = n.exponent + f->bias;
    if (exponent <= 0) {  // subnormal: the exponent stays at 1, the leading 1 moves down
        n.mantissa = shift_sticky(n.mantissa, 1 - exponent);
        exponent = 0;
    }
    int surplus = LEADING - f->fraction_bits;
    uint64_t half = (uint64_t)1 << (surplus - 1);
    uint64_t rest = n.mantissa & (2 * half - 1);
    uint64_t kept = n.mantissa >> surplus;
    kept += rest > half || (rest == half && (kept & 1));
    // The leading 1 and a carry out of the rounding add into the exponent.
    uint64_t bits = kept + ((uint64_t)(exponent > 0 ? exponent - 1 : 0) << f->fraction_bits);
    return sign | (exponent >= exponent_max(f) || bits >= infinity ? infinity : bits);
}

static struct number not_a_number(void) {
    return (struct number){ NOT_A_NUMBER, false, 0, 0 };
}

static struct number add(struct number a, struct number b) {
    if (a.class == NOT_A_NUMBER || b.class == NOT_A_NUMBER) {
        return not_a_number();
    }
    if (a.class == INFINITE || b.class == INFINITE) {
        bool cancel = a.class == b.class && a.negative != b.negative;
        return cancel ? not_a_number() : a.class == INFINITE ? a : b;
    }
    if (a.class == ZERO && b.class == ZERO) {
        a.negative = a.negative && b.negative;
        return a;
    }
    if (a.class == ZERO || b.class == ZERO) {
        return a.class == ZERO ? b : a;
    }
    if (a.exponent < b.exponent || (a.exponent == b.exponent && a.mantissa < b.mantissa)) {
        struct number swapped = a;
        a = b;
        b = swapped;
    }
    // Two bits are won for the sum by halving: mantissas of 53 bits leave room below.
    b.mantissa = shift_sticky(b.mantissa, a.exponent - b.exponent);
    if (a.negative == b.negative) {
        a.mantissa = shift_sticky(a.mantissa + b.mantissa, 1);
        a.exponent++;
    } else {
        a.mantissa -= b.mantissa;
    }
    if (a.mantissa == 0) {
        return (struct number){ ZERO, false, 0, 0 };
    }
    normalize(&a);
    return a;
}

static struct number multiply(struct number a, struct number b) {
    bool negative = a.negative != b.negative;
    if (a.class == NOT_A_NUMBER || b.class == NOT_A_NUMBER || (a.class == INFINITE && b.class == ZERO)
        || (a.class == ZERO && b.class == INFINITE)) {
        return not_a_number();
    }
    if (a.class != FINITE || b.class != FINITE) {
        bool infinite = a.class == INFINITE || b.class == INFINITE;
        return (struct number){ infinite ? INFINITE : ZERO, negative, 0, 0 };
    }
    uint32_t a_low = (uint32_t)a.mantissa, a_high = (uint32_t)(a.mantissa >> 32);
    uint32_t b_low = (uint32_t)b.mantissa, b_high = (uint32_t)(b.mantissa >> 32);
    uint64_t low = __umulsidi3(a_low, b_low);
    uint64_t cross = __umulsidi3(a_high, b_low) + (low >> 32);  // no overflow: both highs are below 2^31
    uint64_t other = __umulsidi3(a_low, b_high) + (uint32_t)cross;
    uint64_t high = __umulsidi3(a_high, b_high) + (cross >> 32) + (other >> 32);
    bool lost = (uint32_t)low != 0 || (uint32_t)other != 0;
    // The product has its leading 1 at bit 124 or 125; high holds bits 64 and up.
    struct number n = { FINITE, negative, a.exponent + b.exponent + 2, high | lost };
    normalize(&n);
    return n;
}

static struct number divide(struct number a, struct number b) {
    bool negative = a.negative != b.negative;
    if (a.class == NOT_A_NUMBER || b.class == NOT_A_NUMBER || (a.class == b.class && (a.class == ZERO || a.class == INFINITE))) {
        return not_a_number();
    }
    if (a.class == INFINITE || b.class == ZERO) {
        return (struct number){ INFINITE, negative, 0, 0 };
    }
    if (a.class == ZERO || b.class == INFINITE) {
        return (struct number){ ZERO, negative, 0, 0 };
    }
    uint64_t quotient = 0;
    uint64_t remainder = a.mantissa;
    for (int bit = 0; bit <= LEADING; bit++) {
        quotient <<= 1;
        if (remainder >= b.mantissa) {
            remainder -= b.mantissa;
            quotient |= 1;
        }
        remainder <<= 1;
    }
    struct number n = { FINITE, negative, a.exponent - b.exponent, quotient | (remainder != 0) };
    normalize(&n);
    return n;
}

static struct number of_integer(uint32_t magnitude, bool negative) {
    struct number n = { magnitude == 0 ? ZERO : FINITE, negative, LEADING, magnitude };
    if (magnitude != 0) {
        normalize(&n);
    }
    return n;
}

// Towards zero; what is too large for `limit` becomes `limit`.
static uint32_t to_integer(struct number n, uint32_t limit) {
    if (n.class == INFINITE || n.class == NOT_A_NUMBER || (n.class == FINITE && n.exponent > 31)) {
        return limit;
    }
    if (n.class == ZERO || n.exponent < 0) {
        return 0;
    }
    uint64_t value = n.mantissa >> (LEADING - n.exponent);
    return value > limit ? limit : (uint32_t)value;
}

static struct number opposite(struct number n) {
    n.negative = !n.negative;
    return n;
}

static uint32_t pack32(struct number n) {
    return (uint32_t)pack(n, &single);
}

static struct number unpack32(uint32_t bits) {
    return unpack(bits, &single);
}

static uint64_t pack64(struct number n) {
    return pack(n, &double_);
}

static struct number unpack64(uint64_t bits) {
    return unpack(bits, &double_);
}

uint32_t __addsf3(uint32_t a, uint32_t b) {
    return pack32(add(unpack32(a), unpack32(b)));
}

uint32_t __subsf3(uint32_t a, uint32_t b) {
    return pack32(add(unpack32(a), opposite(unpack32(b))));
}

uint32_t __mulsf3(uint32_t a, uint32_t b) {
    return pack32(multiply(unpack32(a), unpack32(b)));
}

uint64_t __adddf3(uint64_t a, uint64_t b) {
    return pack64(add(unpack64(a), unpack64(b)));
}

uint64_t __subdf3(uint64_t a, uint64_t b) {
    return pack64(add(unpack64(a), opposite(unpack64(b))));
}

uint64_t __muldf3(uint64_t a, uint64_t b) {
    return pack64(multiply(unpack64(a), unpack64(b)));
}

uint64_t __divdf3(uint64_t a, uint64_t b) {
    return pack64(divide(unpack64(a), unpack64(b)));
}

uint64_t __extendsfdf2(uint32_t a) {
    return pack64(unpack32(a));
}

uint32_t __truncdfsf2(uint64_t a) {
    return pack32(unpack64(a));
}

static uint32_t to_unsigned(struct number n) {
    uint32_t magnitude = to_integer(n, UINT32_MAX);
    return n.negative ? 0u - magnitude : magnitude;
}

uint32_t __fixunssfsi(uint32_t a) {
    return to_unsigned(unpack32(a));
}

uint32_t __fixunsdfsi(uint64_t a) {
    return to_unsigned(unpack64(a));
}

int32_t __fixdfsi(uint64_t a) {
    struct number n = unpack64(a);
    uint32_t magnitude = to_integer(n, n.negative ? 0x80000000u : 0x7fffffffu);
    return (int32_t)(n.negative ? 0u - magnitude : magnitude);
}

uint32_t __floatsisf(int32_t a) {
    return pack32(of_integer(a < 0 ? 0u - (uint32_t)a : (uint32_t)a, a < 0));
}

uint32_t __floatunsisf(uint32_t a) {
    return pack32(of_integer(a, false));
}

uint64_t __floatsidf(int32_t a) {
    return pack64(of_integer(a < 0 ? 0u - (uint32_t)a : (uint32_t)a, a < 0));
}

uint64_t __floatunsidf(uint32_t a) {
    return pack64(of_integer(a, false));
}
