// MD5 (RFC 1321), byte stream in, digest out. Only against accidents: MicroPython ends its ESP8266 firmware
// with one.
#ifndef MOLT_MD5_H
#define MOLT_MD5_H

#include <stdint.h>

#define MOLT_MD5_SIZE 16

typedef struct molt_md5 {
    uint32_t state[4];
    uint32_t bit_count[2];  // bits so far, low word first
    uint8_t block[64];      // the last bytes, not yet worked in
} molt_md5_t;

// Begin. The caller owns the struct; there is nothing to free.
void molt_md5_init(molt_md5_t *md5);

// Work in `size` bytes at `data`, any number of times, in pieces of any size.
void molt_md5_update(molt_md5_t *md5, const void *data, uint32_t size);

// The digest of all bytes since molt_md5_init(); call molt_md5_init() again before the next use.
void molt_md5_finish(uint8_t digest[MOLT_MD5_SIZE], molt_md5_t *md5);

#endif
