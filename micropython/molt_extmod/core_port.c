// The ESP8266's flash in a firmware, its boot loaders, and SHA-1 from its mask ROM, which has it with the layout of molt_sha1_t and
// the arguments of base/sha1.h. It costs a firmware nothing but these three calls. (The port's linker script knows the addresses:
// eagle.rom.addr.v6.ld.)

#include "base/sha1.h"
#include "ports/esp8266/flash.c"
#include "ports/esp8266/molt_esp8266.c"

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
