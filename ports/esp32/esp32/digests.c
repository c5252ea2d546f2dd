// SHA-1 and CRC-32 by the mask ROM, as rom_digests.c. The classic ESP32's SHA functions are others: the type comes with each call, and
// sizes are in bits. Source: ESP-IDF, rom/sha.h for ESP32.
//
// They get one block at a time. ets_sha_update() lays what it is given into the accelerator's 32 words, of which a SHA-1 block is 16,
// and goes back to the first one behind the 32nd only: of what a call has beyond a block's end it makes a wrong digest. (Seen with the
// mask ROM of chip revision 3, by its code and by what it returns.)

#include <stdbool.h>

#include "base/crc32.h"
#include "base/sha1.h"
#include "rom.h"

#define ROM_SHA1 0
#define BLOCK_BYTES 64u

typedef struct rom_sha {
    bool is_begun;
    uint32_t bit_count[4];
} rom_sha_t;

void ets_sha_enable(void);
void ets_sha_init(rom_sha_t *sha);
void ets_sha_update(rom_sha_t *sha, uint32_t type, const void *data, uint32_t bit_count);
void ets_sha_finish(rom_sha_t *sha, uint32_t type, uint8_t *digest);

// One at a time is made.
static rom_sha_t sha;

void molt_sha1_init(molt_sha1_t *sha1) {
    (void)sha1;
    ets_sha_enable();
    ets_sha_init(&sha);
}

// All that came before are whole blocks.
void molt_sha1_update(molt_sha1_t *sha1, const void *data, uint32_t size) {
    const uint8_t *bytes = data;
    (void)sha1;
    while (size) {
        uint32_t piece = size < BLOCK_BYTES ? size : BLOCK_BYTES;
        ets_sha_update(&sha, ROM_SHA1, bytes, piece * 8);
        bytes += piece;
        size -= piece;
    }
}

void molt_sha1_finish(uint8_t digest[MOLT_SHA1_SIZE], molt_sha1_t *sha1) {
    (void)sha1;
    ets_sha_finish(&sha, ROM_SHA1, digest);
}

uint32_t molt_crc32(uint32_t crc, const void *data, uint32_t size) {
    return crc32_le(crc, data, size);
}
