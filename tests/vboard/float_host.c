// The ROM's arithmetic against the host's: float.c and integer.c, compiled for the host under other names.
// Prints what differs; its exit status is 0 if nothing does.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libgcc.h"
#include "names.h"

static uint64_t random_state = 88172645463325252u;
static int differences;

void divide_by_zero(void) {
    abort();
}

// Marsaglia's xorshift64.
static uint64_t random64(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

// Mostly ordinary numbers; often neighbours in magnitude, specials and subnormals.
static uint64_t random_double(void) {
    static const uint64_t special[] = { 0, 1, 0x000fffffffffffff, 0x0010000000000000, 0x3ff0000000000000, 0x7fefffffffffffff,
        0x7ff0000000000000, 0x7ff8000000000000 };
    uint64_t bits = random64();
    switch (random64() % 8) {
        case 0:
            return special[bits % 8] | (bits & 0x8000000000000000);
        case 1:
            return bits;
        case 2:
            return bits & 0x800fffffffffffff;
        default:
            return (bits & 0x800fffffffffffff) | ((1023 - 32 + (bits >> 52) % 64) << 52);
    }
}

static uint32_t random_float(void) {
    static const uint32_t special[] = { 0, 1, 0x007fffff, 0x00800000, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000 };
    uint32_t bits = (uint32_t)random64();
    switch (random64() % 8) {
        case 0:
            return special[bits % 8] | (bits & 0x80000000);
        case 1:
            return bits;
        case 2:
            return bits & 0x807fffff;
        default:
            return (bits & 0x807fffff) | ((127 - 16 + (bits >> 23) % 32) << 23);
    }
}

static float as_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double as_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void differs(const char *what, uint64_t a, uint64_t b, uint64_t got) {
    printf("# %s of %016llx and %016llx gives %016llx\n", what, (unsigned long long)a, (unsigned long long)b,
        (unsigned long long)got);
    differences++;
}

static void same_float(const char *what, uint32_t a, uint32_t b, uint32_t got, float expected) {
    uint32_t bits;
    memcpy(&bits, &expected, sizeof bits);
    if (got != bits && !(isnan(expected) && isnan(as_float(got)))) {
        differs(what, a, b, got);
    }
}

static void same_double(const char *what, uint64_t a, uint64_t b, uint64_t got, double expected) {
    uint64_t bits;
    memcpy(&bits, &expected, sizeof bits);
    if (got != bits && !(isnan(expected) && isnan(as_double(got)))) {
        differs(what, a, b, got);
    }
}

static void same_integer(const char *what, uint64_t a, uint64_t b, uint64_t got, uint64_t expected) {
    if (got != expected) {
        differs(what, a, b, got);
    }
}

static void compare_floats(void) {
    uint32_t a = random_float(), b = random_float();
    float x = as_float(a), y = as_float(b);
    same_float("addsf3", a, b, __addsf3(a, b), x + y);
    same_float("subsf3", a, b, __subsf3(a, b), x - y);
    same_float("mulsf3", a, b, __mulsf3(a, b), x * y);
    same_double("extendsfdf2", a, 0, __extendsfdf2(a), x);
    same_float("floatsisf", a, 0, __floatsisf((int32_t)a), (float)(int32_t)a);
    same_float("floatunsisf", a, 0, __floatunsisf(a), (float)a);
    if (x >= 0 && x < 4294967296.0f) {
        same_integer("fixunssfsi", a, 0, __fixunssfsi(a), (uint32_t)x);
    }
}

static void compare_doubles(void) {
    uint64_t a = random_double(), b = random_double();
    double x = as_double(a), y = as_double(b);
    same_double("adddf3", a, b, __adddf3(a, b), x + y);
    same_double("subdf3", a, b, __subdf3(a, b), x - y);
    same_double("muldf3", a, b, __muldf3(a, b), x * y);
    same_double("divdf3", a, b, __divdf3(a, b), x / y);
    same_float("truncdfsf2", (uint32_t)a, (uint32_t)(a >> 32), __truncdfsf2(a), (float)x);
    same_double("floatsidf", a, 0, __floatsidf((int32_t)a), (int32_t)a);
    same_double("floatunsidf", a, 0, __floatunsidf((uint32_t)a), (uint32_t)a);
    if (x > -2147483649.0 && x < 2147483648.0) {
        same_integer("fixdfsi", a, 0, (uint32_t)__fixdfsi(a), (uint32_t)(int32_t)x);
    }
    if (x >= 0 && x < 4294967296.0) {
        same_integer("fixunsdfsi", a, 0, __fixunsdfsi(a), (uint32_t)x);
    }
}

static void compare_integers(void) {
    uint64_t a = random64() >> random64() % 64, b = random64() >> random64() % 64;
    uint32_t c = (uint32_t)(random64() >> (32 + random64() % 32)), d = (uint32_t)(random64() >> (32 + random64() % 32));
    b += b == 0;
    d += d == 0;
    if (random64() % 2) {
        a = 0 - a;
        c = 0 - c;
    }
    same_integer("umulsidi3", c, d, __umulsidi3(c, d), (uint64_t)c * d);
    same_integer("muldi3", a, b, (uint64_t)__muldi3((int64_t)a, (int64_t)b), a * b);
    same_integer("udivsi3", c, d, __udivsi3(c, d), c / d);
    same_integer("umodsi3", c, d, __umodsi3(c, d), c % d);
    same_integer("udivdi3", a, b, __udivdi3(a, b), a / b);
    same_integer("umoddi3", a, b, __umoddi3(a, b), a % b);
    if (d != UINT32_MAX) {
        same_integer("divsi3", c, d, (uint32_t)__divsi3((int32_t)c, (int32_t)d), (uint32_t)((int32_t)c / (int32_t)d));
    }
    if (b != UINT64_MAX) {
        same_integer("divdi3", a, b, (uint64_t)__divdi3((int64_t)a, (int64_t)b), (uint64_t)((int64_t)a / (int64_t)b));
    }
}

int main(void) {
    for (int i = 0; i < 300000 && differences < 20; i++) {
        compare_floats();
        compare_doubles();
        compare_integers();
    }
    return differences != 0;
}
