// SHA-256 (FIPS 180-4), byte stream in, digest out.
#ifndef MOLT_SHA256_H
#define MOLT_SHA256_H

#include <stdint.h>

#define MOLT_SHA256_SIZE 32

typedef struct molt_sha256 {
    uint32_t state[8];
    uint32_t bit_count[2];  // bits so far, low word first
    uint8_t block[64];      // the last bytes, not yet worked in
} molt_sha256_t;

// Begin. The caller owns the struct; there is nothing to free.
void molt_sha256_init(molt_sha256_t *sha256);

// Work in `size` bytes at `data`, any number of times, in pieces of any size.
void molt_sha256_update(molt_sha256_t *sha256, const void *data, uint32_t size);

// The digest of all bytes since molt_sha256_init(); call molt_sha256_init() again before the next use.
void molt_sha256_finish(uint8_t digest[MOLT_SHA256_SIZE], molt_sha256_t *sha256);

#endif
