// Fuzz target: any bytes at the end of the boot sector of a small device, carried out by the boot loader.
//
// The first byte of the input: bit 0 makes the plan's CRC right, bit 1 the image's SHA-1 and the first sector's CRC too,
// bit 2 what follows from the sizes. The rest is the tail of the boot sector. Beyond "no crash" and "comes to an end": a
// plan that is refused changes nothing, and one that is carried out changes nothing but the image's sectors, the boot
// sector, the filesystem if it is to be erased, and the report.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "fuzz.h"
#include "molt/error.h"
#include "nor.h"
#include "unit/seal.h"
#include "upgrade/apply.h"
#include "upgrade/boot.h"
#include "upgrade/report.h"

#define KB 1024u
#define SECTOR 512u
#define FLASH_SIZE (32 * KB)
#define STARTS 3
#define CALLS_MAX 2000000u

static sim_nor_t nor;
static uint8_t fresh[FLASH_SIZE];
static uint8_t before[FLASH_SIZE];
static uint32_t buffers[2 * SECTOR / 4];

static void set_up(void) {
    static const molt_geometry_t geometry = { FLASH_SIZE, SECTOR, 2048, 128 };
    if (nor.bytes == NULL) {
        REQUIRE(sim_nor_init(&nor, &geometry) == 0);
        for (uint32_t i = 0; i < FLASH_SIZE; i++) {
            fresh[i] = (uint8_t)(i * 73 + i / 509);
        }
        molt_report_init(fresh + 31 * KB, 0x89abcdef);
    }
    memcpy(nor.bytes, fresh, FLASH_SIZE);
    sim_nor_power_on(&nor);
}

static void on_wait(void *ctx, uint32_t seconds) {
    (void)ctx;
    REQUIRE(seconds >= 1 && seconds <= 64);
}

// A gzip source without an unpacker: the file's bytes again and again.
static int read_looped(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const molt_reader_t *source = ctx;
    for (uint32_t i = 0; i < size; i += 4) {
        uint32_t word = 0;
        uint32_t at = (off + i) % source->size & ~3u;
        int err = source->read(source->ctx, at, &word, min_u32(4, source->size - at));
        if (err) {
            return err;
        }
        memcpy((uint8_t *)buf + i, &word, min_u32(4, size - i));
    }
    return 0;
}

static int on_extend(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image) {
    static molt_reader_t kept;
    (void)ctx;
    REQUIRE(size > 0 && size <= SECTOR && code != NULL);
    kept = *source;
    *image = (molt_reader_t){ &kept, 0, read_looped };
    // Of a delta how far it has come.
    return ((const molt_plan_source_t *)source->ctx)->plan->source_kind == MOLT_SOURCE_DELTA;
}

static int on_transform(void *ctx) {
    (void)ctx;
    return 0;
}

enum { OFF_FIRST_CRC = 32, OFF_EXTENSION_CRC = 68, OFF_IMAGE_SHA1 = 108 };

// Let what the plan says of the image be so.
static void seal_image(const molt_plan_t *plan) {
    uint8_t *header = plan->sector + SECTOR - MOLT_PLAN_HEADER_SIZE;
    uint8_t *buf = (uint8_t *)buffers + SECTOR;
    molt_plan_source_t source;
    molt_reader_t source_reader = molt_plan_reader(&source, &nor.flash, plan);
    molt_reader_t image = source_reader;
    if (plan->source_kind == MOLT_SOURCE_GZIP) {
        uint32_t size = plan->saved.extension_size;
        REQUIRE(nor.flash.read(nor.flash.ctx, plan->saved.extension_addr, buf, size) == 0);
        store32_le(header + OFF_EXTENSION_CRC, molt_crc32(0, buf, size));
        (void)on_extend(NULL, buf, size, &source_reader, &image);
    }
    molt_sha1_t sha1;
    molt_sha1_init(&sha1);
    for (uint32_t off = 0; off < plan->image_size; off += SECTOR) {
        uint32_t size = min_u32(SECTOR, plan->image_size - off);
        REQUIRE(image.read(image.ctx, off, buf, size) == 0);
        molt_sha1_update(&sha1, buf, size);
    }
    molt_sha1_finish(header + OFF_IMAGE_SHA1, &sha1);
    REQUIRE(molt_target_read(&image, plan, plan->image_addr, buf) == 0);
    store32_le(header + OFF_FIRST_CRC, molt_crc32(0, buf, SECTOR));
}

// Make right what the flags say, so that more than the CRC is tried.
static void seal(uint8_t flags) {
    molt_plan_t plan;
    uint8_t *sector = (uint8_t *)buffers;
    memcpy(sector, nor.bytes, SECTOR);
    if (flags & 1) {
        (void)seal_plan(&nor.flash.geometry, sector, (flags & 4) != 0);
    }
    if ((flags & 3) == 3 && molt_plan_open(&plan, &nor.flash.geometry, sector) == 0) {
        seal_image(&plan);
        (void)seal_plan(&nor.flash.geometry, sector, false);
    }
    memcpy(nor.bytes, sector, SECTOR);
}

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    (void)event;
    (void)arg;
    REQUIRE(nor.call_count < CALLS_MAX);
}

// What `plan` had no business with is as it was.
static void require_spared(const molt_plan_t *plan) {
    uint32_t image_size = ceil_div(plan->image_size, SECTOR) * SECTOR;
    for (uint32_t addr = SECTOR; addr < FLASH_SIZE; addr++) {
        bool in_image = addr - plan->image_addr < image_size || addr - plan->boot_addr < SECTOR;
        bool in_fs = addr - plan->fs_addr < plan->fs_size;
        bool in_report = plan->saved.report_addr && addr - plan->saved.report_addr < MOLT_REPORT_SIZE;
        REQUIRE(nor.bytes[addr] == before[addr] || in_image || in_fs || in_report);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const molt_boot_io_t io = { .event = on_event, .wait = on_wait, .extend = on_extend, .transform = on_transform };
    molt_plan_t plan;
    uint32_t copy[SECTOR / 4];
    uint8_t flags = size ? data[0] : 0;
    uint32_t tail_size = size > SECTOR ? SECTOR : size ? (uint32_t)size - 1 : 0;
    set_up();
    memset(nor.bytes, 0xff, SECTOR);
    if (tail_size) {
        memcpy(nor.bytes + SECTOR - tail_size, data + 1, tail_size);
    }
    seal(flags);
    memcpy(before, nor.bytes, FLASH_SIZE);
    memcpy(copy, before, SECTOR);
    int expected = molt_plan_open(&plan, &nor.flash.geometry, (uint8_t *)copy);

    // What a run found wrong in flash it has put right for the next one.
    int result = MOLT_ERR_CORRUPT;
    for (int start = 0; start < STARTS && result == MOLT_ERR_CORRUPT; start++) {
        sim_nor_power_on(&nor);
        result = molt_boot_run(&nor.flash, &(molt_boot_place_t){ 0, 0 }, (uint8_t *)buffers, (uint8_t *)buffers + SECTOR, &io);
    }
    if (expected) {
        REQUIRE(result == expected && nor.op_count == 0);
        return 0;
    }
    REQUIRE(result == MOLT_BOOT_DONE || result == MOLT_BOOT_RESTORED || result == MOLT_ERR_CORRUPT || result == MOLT_ERR_IO);
    require_spared(&plan);
    return 0;
}
