// The proof of a device's password.

#include "proof.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

void proof_make_key(proof_key_t *key, const char *password) {
    static const char realm[] = "molt:molt:";
    molt_sha256_t sha256;
    molt_sha256_init(&sha256);
    molt_sha256_update(&sha256, realm, sizeof realm - 1);
    molt_sha256_update(&sha256, password, (uint32_t)strlen(password));
    molt_sha256_finish(key->bytes, &sha256);
}

// SHA-256 of the key, padded to a block and with each byte XORed with `pad`, and of `size` bytes at `text`.
static void hash_padded(uint8_t digest[PROOF_SIZE], const proof_key_t *key, uint8_t pad, const void *text, size_t size) {
    uint8_t block[64];
    molt_sha256_t sha256;
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] = (uint8_t)((i < PROOF_SIZE ? key->bytes[i] : 0) ^ pad);
    }
    molt_sha256_init(&sha256);
    molt_sha256_update(&sha256, block, sizeof block);
    molt_sha256_update(&sha256, text, (uint32_t)size);
    molt_sha256_finish(digest, &sha256);
}

void proof_hmac(uint8_t mac[PROOF_SIZE], const proof_key_t *key, const void *text, size_t size) {
    uint8_t inner[PROOF_SIZE];
    hash_padded(inner, key, 0x36, text, size);
    hash_padded(mac, key, 0x5c, inner, sizeof inner);
}

void proof_hex(char hex[2 * PROOF_SIZE + 1], const uint8_t digest[PROOF_SIZE]) {
    for (size_t i = 0; i < PROOF_SIZE; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}

void proof_sha256(char hex[2 * PROOF_SIZE + 1], const void *bytes, uint32_t size) {
    uint8_t digest[PROOF_SIZE];
    molt_sha256_t sha256;
    molt_sha256_init(&sha256);
    molt_sha256_update(&sha256, bytes, size);
    molt_sha256_finish(digest, &sha256);
    proof_hex(hex, digest);
}

void proof_header(char header[PROOF_HEADER_SIZE], const proof_key_t *key, const char *method, const char *uri, const char *nonce,
    uint32_t count) {
    char text[512];
    char hex[2 * PROOF_SIZE + 1];
    uint8_t mac[PROOF_SIZE];
    int size = snprintf(text, sizeof text, "%s %s %s %08x", method, uri, nonce, count);
    proof_hmac(mac, key, text, (size_t)size);
    proof_hex(hex, mac);
    snprintf(header, PROOF_HEADER_SIZE, "Authorization: Molt %.*s:%08x:%s", PROOF_NONCE_MAX, nonce, count, hex);
}
