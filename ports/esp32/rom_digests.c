// SHA-1 and CRC-32 by the mask ROM, in place of those in src/base: the loader has to fit a sector.

#include "base/crc32.h"
#include "base/libc.h"
#include "base/sha1.h"
#include "rom.h"

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
