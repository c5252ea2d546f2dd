// SHA-1 (FIPS 180-4), byte stream in, digest out. Holds an image to what was checked: its boot loaders find the
// function in the ESP8266's mask ROM, so it costs them no room. Good against a second preimage, not against collisions.
#ifndef MOLT_SHA1_H
#define MOLT_SHA1_H

#include <stdint.h>

#define MOLT_SHA1_SIZE 20

// The mask ROM's layout (RFC 3174 codes commonly have it), so that either implementation can stand behind these names.
typedef struct molt_sha1 {
    uint32_t state[5];
    uint32_t bit_count[2];  // bits so far, low word first
    uint8_t block[64];      // the last bytes, not yet worked in
} molt_sha1_t;

// Begin. The caller owns the struct; there is nothing to free.
void molt_sha1_init(molt_sha1_t *sha1);

// Work in `size` bytes at `data`, any number of times, in pieces of any size.
void molt_sha1_update(molt_sha1_t *sha1, const void *data, uint32_t size);

// The digest of all bytes since molt_sha1_init(); start over before the next use.
void molt_sha1_finish(uint8_t digest[MOLT_SHA1_SIZE], molt_sha1_t *sha1);

#endif
