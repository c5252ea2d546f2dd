// CRC-32 by zlib and SHA-1 by nettle for the cut suites of the host: two thirds of their time would go into the core's own,
// which are written for size. Those have unit tests, and the suite's sanitizer and 32-bit builds run them.

#include <nettle/sha1.h>
#include <zlib.h>

#include "base/crc32.h"
#include "base/digest.h"
#include "base/sha1.h"

uint32_t molt_crc32(uint32_t crc, const void *data, uint32_t size) {
    return (uint32_t)crc32(crc, data, size);
}

void molt_sha1_init(molt_sha1_t *sha1) {
    *sha1 = (molt_sha1_t){ .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 } };
}

void molt_sha1_update(molt_sha1_t *sha1, const void *data, uint32_t size) {
    digest_update(sha1->state, sha1->bit_count, sha1->block, nettle_sha1_compress, data, size);
}

void molt_sha1_finish(uint8_t digest[MOLT_SHA1_SIZE], molt_sha1_t *sha1) {
    digest_finish(sha1->state, sha1->bit_count, sha1->block, nettle_sha1_compress, true);
    for (uint32_t i = 0; i < 5; i++) {
        store32_be(digest + 4 * i, sha1->state[i]);
    }
}
