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

// A context has the state of four words, and how much there has been, the low word first: behind the state in bits [rom/md5_hash.h], or
// in front of it in bytes [esp_rom_md5.h, for the ESP32-C2]. Then the block.
enum { MD5_WORDS = 6, MD5_CONTEXT_SIZE = 4 * MD5_WORDS + MD5_BLOCK_SIZE };

struct md5_layout {
    unsigned state, count;  // words
    unsigned unit;          // of the count, bits
};

static const struct md5_layout md5_plain = { 0, 4, 1 }, md5_mbedtls = { 2, 0, 8 };

static void load_md5(const char *function, uint32_t vaddr, const struct md5_layout *layout, struct md5_ctx *md5) {
    uint32_t words[MD5_CONTEXT_SIZE / 4];
    rom_load(function, vaddr, words, sizeof words);
    uint64_t bytes = (words[layout->count] | (uint64_t)words[layout->count + 1] << 32) * layout->unit / 8;
    memset(md5, 0, sizeof *md5);
    memcpy(md5->state, words + layout->state, sizeof md5->state);
    md5->count = bytes / MD5_BLOCK_SIZE;
    md5->index = (unsigned)(bytes % MD5_BLOCK_SIZE);
    memcpy(md5->block, words + MD5_WORDS, MD5_BLOCK_SIZE);
}

static void store_md5(const char *function, uint32_t vaddr, const struct md5_layout *layout, const struct md5_ctx *md5) {
    uint32_t words[MD5_CONTEXT_SIZE / 4];
    uint64_t count = (md5->count * MD5_BLOCK_SIZE + md5->index) * 8 / layout->unit;
    memcpy(words + layout->state, md5->state, sizeof md5->state);
    words[layout->count] = (uint32_t)count;
    words[layout->count + 1] = (uint32_t)(count >> 32);
    memcpy(words + MD5_WORDS, md5->block, MD5_BLOCK_SIZE);
    rom_store(function, vaddr, words, sizeof words);
}

static void begin_md5(const char *function, const struct md5_layout *layout) {
    struct md5_ctx md5;
    md5_init(&md5);
    memset(md5.block, 0, sizeof md5.block);
    store_md5(function, rom_arg(0), layout, &md5);
}

static void add_md5(const char *function, const struct md5_layout *layout) {
    struct md5_ctx md5;
    uint8_t piece[PIECE];
    load_md5(function, rom_arg(0), layout, &md5);
    for (uint32_t done = 0; done < rom_arg(2);) {
        uint32_t size = rom_arg(2) - done < PIECE ? rom_arg(2) - done : PIECE;
        rom_load(function, rom_arg(1) + done, piece, size);
        md5_update(&md5, size, piece);
        done += size;
    }
    store_md5(function, rom_arg(0), layout, &md5);
}

static void end_md5(const char *function, const struct md5_layout *layout, uint32_t context_vaddr, uint32_t digest_vaddr) {
    struct md5_ctx md5;
    uint8_t digest[MD5_DIGEST_SIZE];
    load_md5(function, context_vaddr, layout, &md5);
    md5_digest(&md5, sizeof digest, digest);
    rom_store(function, digest_vaddr, digest, sizeof digest);
}

void rom_MD5Init(void) {
    begin_md5("MD5Init", &md5_plain);
}

void rom_MD5Update(void) {
    add_md5("MD5Update", &md5_plain);
}

void rom_MD5Final(void) {
    end_md5("MD5Final", &md5_plain, rom_arg(1), rom_arg(0));
}

void rom_mbedtls_md5_starts_ret(void) {
    begin_md5("mbedtls_md5_starts_ret", &md5_mbedtls);
    rom_return(0);
}

void rom_mbedtls_md5_update_ret(void) {
    add_md5("mbedtls_md5_update_ret", &md5_mbedtls);
    rom_return(0);
}

void rom_mbedtls_md5_finish_ret(void) {
    end_md5("mbedtls_md5_finish_ret", &md5_mbedtls, rom_arg(0), rom_arg(1));
    rom_return(0);
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
