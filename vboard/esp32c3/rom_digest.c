// The ROM's MD5, SHA-1 and SHA-256. Their state is in the program's memory, as the chip has it there.
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "crash.h"
#include "rom.h"
#include "rom_functions.h"

// [rom/sha.h]
enum { PIECE = 4096, SHA_TYPE_1 = 0, SHA_TYPE_256 = 2 };

// [rom/md5_hash.h]
struct rom_md5 {
    uint32_t state[4];
    uint32_t bits[2];  // the low word first
    uint8_t block[MD5_BLOCK_SIZE];
};

static void md5_from_rom(const struct rom_md5 *rom, struct md5_ctx *md5) {
    uint64_t bytes = (rom->bits[0] | (uint64_t)rom->bits[1] << 32) / 8;
    memset(md5, 0, sizeof *md5);
    memcpy(md5->state, rom->state, sizeof md5->state);
    md5->count = bytes / MD5_BLOCK_SIZE;
    md5->index = (unsigned)(bytes % MD5_BLOCK_SIZE);
    memcpy(md5->block, rom->block, MD5_BLOCK_SIZE);
}

static void md5_to_rom(const struct md5_ctx *md5, struct rom_md5 *rom) {
    uint64_t bits = (md5->count * MD5_BLOCK_SIZE + md5->index) * 8;
    memcpy(rom->state, md5->state, sizeof rom->state);
    rom->bits[0] = (uint32_t)bits;
    rom->bits[1] = (uint32_t)(bits >> 32);
    memcpy(rom->block, md5->block, MD5_BLOCK_SIZE);
}

void rom_MD5Init(void) {
    struct md5_ctx md5;
    struct rom_md5 rom;
    md5_init(&md5);
    memset(md5.block, 0, sizeof md5.block);
    md5_to_rom(&md5, &rom);
    rom_store("MD5Init", rom_arg(0), &rom, sizeof rom);
}

void rom_MD5Update(void) {
    struct md5_ctx md5;
    struct rom_md5 rom;
    uint8_t piece[PIECE];
    rom_load("MD5Update", rom_arg(0), &rom, sizeof rom);
    md5_from_rom(&rom, &md5);
    for (uint32_t done = 0; done < rom_arg(2);) {
        uint32_t size = rom_arg(2) - done < PIECE ? rom_arg(2) - done : PIECE;
        rom_load("MD5Update", rom_arg(1) + done, piece, size);
        md5_update(&md5, size, piece);
        done += size;
    }
    md5_to_rom(&md5, &rom);
    rom_store("MD5Update", rom_arg(0), &rom, sizeof rom);
}

void rom_MD5Final(void) {
    struct md5_ctx md5;
    struct rom_md5 rom;
    uint8_t digest[MD5_DIGEST_SIZE];
    rom_load("MD5Final", rom_arg(1), &rom, sizeof rom);
    md5_from_rom(&rom, &md5);
    md5_digest(&md5, sizeof digest, digest);
    rom_store("MD5Final", rom_arg(0), digest, sizeof digest);
}

// ---- SHA-1 and SHA-256, in the hardware: one at a time

static struct {
    uint32_t owner_vaddr;  // the context that it belongs to; 0: nobody's
    uint32_t type;
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
} engine;

void rom_ets_sha_init(void) {
    engine.type = rom_arg(1);
    if (engine.type != SHA_TYPE_1 && engine.type != SHA_TYPE_256) {
        crash_call("ets_sha_init", "this ROM has SHA-1 and SHA-256 only");
    }
    engine.owner_vaddr = rom_arg(0);
    sha1_init(&engine.sha1);
    sha256_init(&engine.sha256);
    rom_return(0);
}

static void must_own(const char *function) {
    if (rom_arg(0) != engine.owner_vaddr) {
        crash_call(function, "another context is in the hardware, or none");
    }
}

void rom_ets_sha_starts(void) {
    must_own("ets_sha_starts");
    sha1_init(&engine.sha1);
    sha256_init(&engine.sha256);
    rom_return(0);
}

void rom_ets_sha_update(void) {
    uint8_t piece[PIECE];
    must_own("ets_sha_update");
    for (uint32_t done = 0; done < rom_arg(2);) {
        uint32_t size = rom_arg(2) - done < PIECE ? rom_arg(2) - done : PIECE;
        rom_load("ets_sha_update", rom_arg(1) + done, piece, size);
        if (engine.type == SHA_TYPE_1) {
            sha1_update(&engine.sha1, size, piece);
        } else {
            sha256_update(&engine.sha256, size, piece);
        }
        done += size;
    }
}

void rom_ets_sha_finish(void) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    must_own("ets_sha_finish");
    if (engine.type == SHA_TYPE_1) {
        sha1_digest(&engine.sha1, SHA1_DIGEST_SIZE, digest);
        rom_store("ets_sha_finish", rom_arg(1), digest, SHA1_DIGEST_SIZE);
    } else {
        sha256_digest(&engine.sha256, sizeof digest, digest);
        rom_store("ets_sha_finish", rom_arg(1), digest, sizeof digest);
    }
    engine.owner_vaddr = 0;
    rom_return(0);
}
