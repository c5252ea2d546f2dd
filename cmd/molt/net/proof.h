// The proof of a device's password that its server wants with each request (docs/web.md, "The proof"). The password itself never
// leaves the host.
#ifndef MOLT_CMD_PROOF_H
#define MOLT_CMD_PROOF_H

#include <stddef.h>
#include <stdint.h>

#define PROOF_SIZE 32       // bytes of a key, and of an HMAC-SHA256
#define PROOF_NONCE_MAX 63  // characters; the server's have 24
#define PROOF_HEADER_SIZE 192

typedef struct proof_key {
    uint8_t bytes[PROOF_SIZE];
} proof_key_t;

// SHA-256 of "molt:molt:" and the password.
void proof_make_key(proof_key_t *key, const char *password);

// HMAC-SHA256 [RFC 2104] of `size` bytes at `text`.
void proof_hmac(uint8_t mac[PROOF_SIZE], const proof_key_t *key, const void *text, size_t size);

// 64 hexadecimal digits and a 0.
void proof_hex(char hex[2 * PROOF_SIZE + 1], const uint8_t digest[PROOF_SIZE]);

// The SHA-256 of `size` bytes, in hexadecimal digits.
void proof_sha256(char hex[2 * PROOF_SIZE + 1], const void *bytes, uint32_t size);

// The line "Authorization: Molt ..." for one request, of at most PROOF_HEADER_SIZE characters with its 0.
//   nonce  what the device has given, at most PROOF_NONCE_MAX characters
//   count  another one for each request with this nonce
void proof_header(char header[PROOF_HEADER_SIZE], const proof_key_t *key, const char *method, const char *uri, const char *nonce,
    uint32_t count);

#endif
