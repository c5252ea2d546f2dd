// SHA-1 from the mask ROM, which has it with the layout of molt_sha1_t and the arguments of molt/sha1.h. It costs a firmware
// nothing but these three calls. (The port's linker script knows the addresses: eagle.rom.addr.v6.ld.)

#include "base/sha1.h"

extern void SHA1Init(molt_sha1_t *sha1);
extern void SHA1Update(molt_sha1_t *sha1, const void *data, uint32_t size);
extern void SHA1Final(uint8_t digest[MOLT_SHA1_SIZE], molt_sha1_t *sha1);

void molt_sha1_init(molt_sha1_t *sha1) {
    SHA1Init(sha1);
}

void molt_sha1_update(molt_sha1_t *sha1, const void *data, uint32_t size) {
    SHA1Update(sha1, data, size);
}

void molt_sha1_finish(uint8_t digest[MOLT_SHA1_SIZE], molt_sha1_t *sha1) {
    SHA1Final(digest, sha1);
}
