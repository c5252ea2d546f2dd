// CRC-32 by zlib, SHA-1 and SHA-256 by nettle for the cut suites of the host: two thirds of their time would go into the core's
// own, which are written for size. Those have unit tests, and the suite's sanitizer and 32-bit builds run them.

#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <zlib.h>

#include "base/crc32.h"
#include "base/digest.h"
#include "base/sha1.h"
#include "base/sha256.h"

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

// Nettle has no public function for one block of SHA-256: its context is made of ours, and back.
static struct sha256_ctx to_nettle(const molt_sha256_t *sha256) {
    uint64_t byte_count = ((uint64_t)sha256->bit_count[1] << 32 | sha256->bit_count[0]) / 8;
    struct sha256_ctx context = { .count = byte_count / SHA256_BLOCK_SIZE, .index = byte_count % SHA256_BLOCK_SIZE };
    memcpy(context.state, sha256->state, sizeof context.state);
    memcpy(context.block, sha256->block, sizeof context.block);
    return context;
}

void molt_sha256_init(molt_sha256_t *sha256) {
    struct sha256_ctx context;
    sha256_init(&context);
    *sha256 = (molt_sha256_t){ .bit_count = { 0 } };
    memcpy(sha256->state, context.state, sizeof sha256->state);
}

void molt_sha256_update(molt_sha256_t *sha256, const void *data, uint32_t size) {
    struct sha256_ctx context = to_nettle(sha256);
    sha256_update(&context, size, data);
    uint64_t bit_count = (context.count * SHA256_BLOCK_SIZE + context.index) * 8;
    memcpy(sha256->state, context.state, sizeof sha256->state);
    memcpy(sha256->block, context.block, sizeof sha256->block);
    sha256->bit_count[0] = (uint32_t)bit_count;
    sha256->bit_count[1] = (uint32_t)(bit_count >> 32);
}

void molt_sha256_finish(uint8_t digest[MOLT_SHA256_SIZE], molt_sha256_t *sha256) {
    struct sha256_ctx context = to_nettle(sha256);
    sha256_digest(&context, MOLT_SHA256_SIZE, digest);
}
