// CRC-32 of what is put together, from the CRCs of its parts.

#include "base/crc32.h"

// CRC-32's polynomial, reflected; 1 is 0x80000000 there.
#define POLYNOMIAL 0xEDB88320u
#define ONE 0x80000000u

// The product of two polynomials over GF(2), modulo CRC-32's.
static uint32_t multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (uint32_t bit = ONE; bit; bit >>= 1) {
        product ^= a & bit ? b : 0;
        b = b >> 1 ^ (b & 1 ? POLYNOMIAL : 0);
    }
    return product;
}

uint32_t molt_crc32_shift(uint32_t crc, uint32_t size) {
    // x to the power of 8, then its squares.
    for (uint32_t power = ONE >> 8; size; size >>= 1) {
        crc = size & 1 ? multiply(crc, power) : crc;
        power = multiply(power, power);
    }
    return crc;
}
