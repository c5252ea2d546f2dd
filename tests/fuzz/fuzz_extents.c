// Fuzz target: a damaged littlefs volume, from mounting to the plan of an upgrade.
//
// The input is edits of a good volume: the first byte says how (bit 0: the edited directories' CRCs are made right;
// bit 1: the volume is erased first, so that the edits are all there is), then each three bytes an offset (16 bits) and
// a value. Beyond "no crash" and "comes to an end": nothing is written, every extent lies in the volume, and what
// passes all checks has the bytes that it was checked for.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fixture/device.h"
#include "fuzz.h"
#include "sim_upgrade.h"
#include "unit/seal.h"
#include "upgrade/apply.h"

#define CALLS_MAX 400000u

static sim_nor_t nor;
static uint8_t *fresh;
static int (*plain_read)(void *ctx, uint32_t addr, void *buf, uint32_t size);

// Something that goes on for ever reads for ever.
static int counted_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    REQUIRE(nor.call_count < CALLS_MAX);
    return plain_read(ctx, addr, buf, size);
}

static void set_up(void) {
    uint32_t size = fixture_small.geometry.size;
    if (fresh == NULL) {
        fixture_device(&nor, &fixture_small);
        plain_read = nor.flash.read;
        nor.flash.read = counted_read;
        fresh = malloc(size);
        REQUIRE(fresh != NULL);
        memcpy(fresh, nor.bytes, size);
    }
    memcpy(nor.bytes, fresh, size);
    sim_nor_power_on(&nor);
}

static void edit(const uint8_t *data, size_t size) {
    uint8_t *fs = nor.bytes + fixture_small.fs_addr;
    uint32_t block_size = fixture_small.geometry.sector_size;
    uint8_t flags = size ? data[0] : 0;
    if (flags & 2) {
        memset(fs, 0xff, fixture_small.fs_size);
    }
    for (size_t i = 1; i + 2 < size; i += 3) {
        uint32_t off = (data[i] | (uint32_t)data[i + 1] << 8) % fixture_small.fs_size;
        fs[off] ^= data[i + 2];
        if (flags & 1) {
            // Blocks of files do not look like directories for long.
            seal_directory(fs + off / block_size * block_size, block_size);
        }
    }
}

static int on_extent(void *ctx, const molt_extent_t *extent) {
    (void)ctx;
    REQUIRE(extent->addr >= fixture_small.fs_addr);
    REQUIRE(extent->addr - fixture_small.fs_addr <= fixture_small.fs_size);
    REQUIRE(extent->size <= fixture_small.fs_size - (extent->addr - fixture_small.fs_addr));
    return 0;
}

static void walk(molt_volume_t *volume, const char *path) {
    molt_extents_t extents;
    if (molt_extents_open(&extents, volume, path) == 0) {
        (void)molt_extents_walk(&extents, on_extent, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    molt_volume_t volume;
    molt_region_t fs = fixture_fs(&fixture_small);
    sim_upgrade_t host;
    set_up();
    edit(data, size);
    if (molt_volume_mount(&volume, &nor.flash, &fs, 0, false) == 0) {
        walk(&volume, FIXTURE_PATH);
        walk(&volume, "file1.txt");
        walk(&volume, "fw/nothing");
    }
    for (int is_safe = 0; is_safe < 2; is_safe++) {
        char text[400];
        sim_upgrade_init(&host, &nor, &fs, FIXTURE_PATH);
        host.target.transient = fixture_loader(&fixture_small);
        host.options.safe_check = is_safe;
        nor.call_count = 0;
        int err = sim_upgrade_plan(&host);
        sim_upgrade_text(&host, err, text, sizeof text);
        REQUIRE(strlen(text) > 0);
        if (err == 0 && is_safe) {
            molt_plan_source_t source;
            molt_reader_t reader = molt_plan_reader(&source, &nor.flash, &host.job.plan);
            REQUIRE(molt_prepare_source(&reader, host.job.source_crc, host.job.config.work, 512, NULL, NULL) == 0);
        }
        sim_upgrade_free(&host);
    }
    REQUIRE(nor.op_count == 0);
    return 0;
}
