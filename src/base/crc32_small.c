// CRC-32 without a table: less than half of crc32.c's bytes, at a quarter of its speed. For the boot loaders, which hold
// no more than a few sectors against a CRC.

#include "base/crc32.h"

uint32_t molt_crc32(uint32_t crc, const void *data, uint32_t size) {
    const uint8_t *bytes = data;
    crc = ~crc;
    for (uint32_t i = 0; i < 8 * size; i++) {
        crc ^= i % 8 ? 0 : bytes[i / 8];
        crc = crc >> 1 ^ (0xEDB88320u & -(crc & 1));
    }
    return ~crc;
}
