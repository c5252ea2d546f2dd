// SHA-1 and CRC-32 by the mask ROM, in place of those in src/base: the loader has to fit a sector.

#include <stdbool.h>

#include "base/crc32.h"
#include "base/libc.h"
#include "base/sha1.h"
#include "rom.h"

// SHA by the chip's accelerator. Source: ESP-IDF, rom/sha.h for ESP32-C3. The second-stage boot loader uses the same functions.
#define ROM_SHA1 0
typedef struct rom_sha {
    bool is_first;
    bool is_in_hardware;
    uint32_t type;
    uint32_t state[16];
    uint8_t block[128];
    uint32_t bit_count[4];
} rom_sha_t;
void ets_sha_enable(void);
int ets_sha_init(rom_sha_t *sha, uint32_t type);
int ets_sha_starts(rom_sha_t *sha, uint32_t truncated_bits);
void ets_sha_update(rom_sha_t *sha, const void *data, uint32_t size, bool keeps_state);
int ets_sha_finish(rom_sha_t *sha, uint8_t *digest);

// One at a time is made.
static rom_sha_t sha;

void molt_sha1_init(molt_sha1_t *sha1) {
    (void)sha1;
    ets_sha_enable();
    (void)ets_sha_init(&sha, ROM_SHA1);
    (void)ets_sha_starts(&sha, 0);
}

void molt_sha1_update(molt_sha1_t *sha1, const void *data, uint32_t size) {
    (void)sha1;
    ets_sha_update(&sha, data, size, false);
}

void molt_sha1_finish(uint8_t digest[MOLT_SHA1_SIZE], molt_sha1_t *sha1) {
    uint8_t whole[32];  // should the ROM write as much as of a SHA-256
    (void)sha1;
    (void)ets_sha_finish(&sha, whole);
    memcpy(digest, whole, MOLT_SHA1_SIZE);
}

uint32_t molt_crc32(uint32_t crc, const void *data, uint32_t size) {
    return crc32_le(crc, data, size);
}
