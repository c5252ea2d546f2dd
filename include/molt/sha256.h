// SHA-256 (FIPS 180-4), byte stream in, digest out.
#ifndef MOLT_SHA256_H
#define MOLT_SHA256_H

#include <stdint.h>

#define MOLT_SHA256_SIZE 32

typedef struct molt_sha256 {
    uint32_t state[8];
    uint32_t size_lo;  // bytes so far, 64 bits of it
    uint32_t size_hi;
    uint8_t block[64];  // the last size_lo % 64 bytes, not yet worked in
} molt_sha256_t;

// Begin. The caller owns the struct; there is nothing to free.
void molt_sha256_init(molt_sha256_t *sha256);

// Work in `size` bytes at `data`, any number of times, in pieces of any size.
void molt_sha256_update(molt_sha256_t *sha256, const void *data, uint32_t size);

// The digest of all bytes since molt_sha256_init(); begin anew before the next use.
void molt_sha256_finish(molt_sha256_t *sha256, uint8_t digest[MOLT_SHA256_SIZE]);

#endif
