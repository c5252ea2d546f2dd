// Fuzz target: a device in resident mode whose reserved region (heads, plans, state log, overlay) was changed here and there.
//
// The first byte of the input: bits 0 and 1 say what the device was about (nothing, an upgrade, an upgrade on trial),
// bit 2 makes the CRC of the plan in the first slot right again, bit 3 those of all copies of records of the log. The rest are
// changes of three bytes each: an offset in the reserved region and the byte that stands there from now on. Beyond "no
// crash" and "comes to an end", for a few starts: the boot loader's own sector does not change, and what is neither
// image nor filesystem nor reserved stays.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "fixture/device.h"
#include "fuzz.h"
#include "sim_upgrade.h"
#include "unit/seal.h"

#define SECTOR 512u
#define FLASH_SIZE (64u * 1024)
#define RESERVED (fixture_small_resident.reserved_addr)
#define RESERVED_SIZE (MOLT_RESERVED_SECTOR_COUNT * SECTOR)
#define PAGE 128u
#define STARTS 4
#define CALLS_MAX 200000u

enum { REST, UPGRADE, TRIAL, SCENARIO_COUNT };

static sim_nor_t nor;
static uint8_t scenarios[SCENARIO_COUNT][FLASH_SIZE];

static void make_scenarios(void) {
    molt_region_t fs = fixture_fs(&fixture_small_resident);
    fixture_device(&nor, &fixture_small_resident);
    memcpy(scenarios[REST], nor.bytes, FLASH_SIZE);
    for (int i = UPGRADE; i < SCENARIO_COUNT; i++) {
        sim_upgrade_t host;
        memcpy(nor.bytes, scenarios[REST], FLASH_SIZE);
        sim_upgrade_init(&host, &nor, &fs, FIXTURE_PATH);
        host.target.resident = fixture_resident(&fixture_small_resident);
        host.target.overlay = fixture_overlay(&fixture_small_resident);
        host.fallback_path = i == TRIAL ? FIXTURE_OLD_PATH : NULL;
        host.trial_starts = 2;
        REQUIRE(sim_upgrade_prepare(&host) == 0);
        sim_upgrade_free(&host);
        memcpy(scenarios[i], nor.bytes, FLASH_SIZE);
    }
}

static void seal_log(void) {
    uint8_t *log = nor.bytes + molt_state_sector_addr(&nor.flash, RESERVED, 4);
    for (uint32_t off = 0; off < 2 * SECTOR; off += PAGE) {
        if (load32_le(log + off) != UINT32_MAX) {
            store32_le(log + off + 12, molt_crc32(0, log + off, 12));
        }
    }
}

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    (void)event;
    (void)arg;
    REQUIRE(nor.call_count < CALLS_MAX);
}

static void require_spared(const uint8_t *before) {
    const fixture_shape_t *shape = &fixture_small_resident;
    uint32_t image_end = ceil_div(shape->image_size, SECTOR) * SECTOR;
    REQUIRE(memcmp(nor.bytes, before, SECTOR) == 0);
    for (uint32_t addr = image_end; addr < FLASH_SIZE; addr++) {
        bool in_reserved = addr - RESERVED < RESERVED_SIZE;
        bool in_fs = addr - shape->fs_addr < shape->fs_size;
        REQUIRE(nor.bytes[addr] == before[addr] || in_reserved || in_fs);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const molt_boot_io_t io = { .event = on_event };
    static uint8_t before[FLASH_SIZE];
    if (nor.bytes == NULL) {
        make_scenarios();
    }
    uint8_t flags = size ? data[0] : 0;
    memcpy(nor.bytes, scenarios[(flags & 3) % SCENARIO_COUNT], FLASH_SIZE);
    for (size_t i = 1; i + 3 <= size; i += 3) {
        nor.bytes[RESERVED + load16_le(data + i) % RESERVED_SIZE] = data[i + 2];
    }
    bool is_plans_own = (flags & 4) != 0;
    if (is_plans_own) {
        (void)seal_plan(&nor.flash.geometry, nor.bytes + molt_state_plan_addr(&nor.flash, RESERVED, 0), true);
    }
    if (flags & 8) {
        seal_log();
    }
    memcpy(before, nor.bytes, FLASH_SIZE);
    sim_device_t device = { .nor = &nor, .resident = fixture_resident(&fixture_small_resident), .io = &io };
    for (int start = 0; start < STARTS; start++) {
        sim_nor_power_on(&nor);
        sim_outcome_t outcome = sim_device_start(&device);
        REQUIRE(outcome == SIM_FIRMWARE || outcome == SIM_STUCK);
    }
    if (!is_plans_own) {
        require_spared(before);
    }
    REQUIRE(memcmp(nor.bytes, before, SECTOR) == 0);
    return 0;
}
