// Fuzz target: any bytes as an .mpy. Beyond "no crash": what parses links into the room that was measured, and every
// pointer of the link's tables leads into the link or into the .mpy.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "fixture/frozen.h"
#include "fuzz.h"
#include "molt/error.h"

#define MPY_VADDR 0x40280000u
#define LINK_VADDR 0x40210000u

static uint32_t find_qstr(void *ctx, const uint8_t *bytes, uint32_t size, bool is_name) {
    (void)ctx;
    (void)is_name;
    return size == 4 && memcmp(bytes, "self", 4) == 0 ? 300 : 0;
}

static int make_float(void *ctx, const uint8_t *text, uint32_t size, uint32_t *word) {
    (void)ctx;
    *word = text[size - 1];
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    molt_mpy_t mpy;
    molt_link_size_t link_size;
    molt_link_t link = { .record_addr = 0x1000 };
    molt_reader_t reader = molt_memory_reader(data, (uint32_t)size);
    int err = molt_link_measure(&link_size, &mpy, &reader, &frozen_target, "pkg.mod", 7);
    REQUIRE((err != 0) == (mpy.defect != MOLT_MPY_FINE));
    REQUIRE(err == 0 || (mpy.defect_off <= size && *molt_mpy_defect_text(mpy.defect)));
    if (err || link_size.work_size > 0x100000) {
        return 0;
    }
    uint32_t *words = malloc(link_size.work_size);
    const molt_link_job_t job = {
        .abi = &frozen_abi,
        .target = &frozen_target,
        .mpy = data,
        .mpy_size = (uint32_t)size,
        .mpy_vaddr = MPY_VADDR,
        .name = "pkg.mod",
        .name_size = 7,
        .link_vaddr = LINK_VADDR,
        .has_pool = true,
        .prev_pool_vaddr = 0x40220000,
        .qstr_base = 500,
        .find_qstr = find_qstr,
        .make_float = make_float,
    };
    err = molt_link_build(&job, words, link_size.work_size, &link);
    REQUIRE(err == 0 || err == MOLT_ERR_NOTSUP);
    REQUIRE(err == 0 || !link_size.is_linkable || link_size.link_size > 0xfffc || link_size.is_native || size > 100);
    if (err == 0) {
        const uint8_t *out = (const uint8_t *)words;
        uint32_t end = MOLT_LINK_HEADER_SIZE + link.data_size;
        REQUIRE(end <= link_size.link_size);
        REQUIRE(load32_le(out + 64) - LINK_VADDR < end);
        REQUIRE(load32_le(out + 68) == 0 || load32_le(out + 68) - LINK_VADDR < end);
        REQUIRE(load32_le(out + 72) - LINK_VADDR < end || load32_le(out + 72) - MPY_VADDR < size);
        if (link.pool_off) {
            const uint8_t *pool = out + link.pool_off;
            REQUIRE(load32_le(pool + 8) <= load32_le(pool + 12) && load32_le(pool + 12) == link.qstr_count);
        }
    }
    free(words);
    return 0;
}
