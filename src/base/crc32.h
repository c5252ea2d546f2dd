// CRC-32 as in zlib, PNG and gzip (ISO 3309; reflected polynomial 0xEDB88320).
#ifndef MOLT_CRC32_H
#define MOLT_CRC32_H

#include <stdint.h>

// Continue `crc` over `size` bytes at `data`; begin with 0. molt_crc32(0, "123456789", 9) is 0xCBF43926.
uint32_t molt_crc32(uint32_t crc, const void *data, uint32_t size);

// What the CRC-32 of some bytes becomes in that of a longer row, in which `size` others follow: the CRC of A B is
// molt_crc32_shift(CRC of A, size of B) ^ CRC of B.
uint32_t molt_crc32_shift(uint32_t crc, uint32_t size);

#endif
