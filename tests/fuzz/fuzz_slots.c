// Fuzz target: any bytes as otadata, on a device with OTA slots. The first byte says how many slots there are, whether there is a factory
// partition, which of them runs, and what is done; the second one which entries get the CRC, the state, the label that they have to have; then
// come the entries.
//
// Beyond "no crash": nothing but otadata is written; a committed upgrade is what a boot loader starts next, and one that was taken
// back is not; a trial that is not confirmed ends with what ran, and one that is stays.

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "fixture/device.h"
#include "fuzz.h"
#include "molt/error.h"
#include "molt/slots.h"
#include "molt/standby.h"
#include "slots/slots.h"

#define SECTOR 1024u
#define TABLE_ADDR 0x8000u
#define TABLE_SIZE 0xc00u
#define SLOT_SIZE 0x10000u
#define APPS_MAX 5u
#define ENTRY_SIZE 32u
#define IMAGE_CRC 0x12345678u
enum { STATE_NEW = 0, STATE_PENDING = 1, STATE_ABORTED = 4 };

static sim_nor_t nor;
static molt_slots_t slots;
static molt_target_t target;
static uint32_t factory_count;  // 0 or 1; it is the first app

static uint32_t app_addr(uint32_t i) {
    return SLOT_SIZE + i * SLOT_SIZE;
}

static void put_table(uint32_t app_count) {
    static const char *const labels[APPS_MAX] = { "a", "b", "c", "d", "e" };
    fixture_row_t rows[2 + APPS_MAX] = { { 1, 2, 0x9000, 0x4000, "nvs" }, { 1, 0, FIXTURE_OTADATA_ADDR, 0x2000, "otadata" } };
    for (uint32_t i = 0; i < app_count; i++) {
        uint8_t subtype = i < factory_count ? 0 : (uint8_t)(0x10 + i - factory_count);
        rows[2 + i] = (fixture_row_t){ 0, subtype, app_addr(i), SLOT_SIZE, labels[i] };
    }
    (void)fixture_esp32_table(&nor, rows, 2 + app_count);
}

static uint8_t *entry_of(uint32_t i) {
    return nor.bytes + FIXTURE_OTADATA_ADDR + i * SECTOR;
}

static void put_entries(uint8_t fixes, const uint8_t *data, size_t size) {
    memset(nor.bytes + FIXTURE_OTADATA_ADDR, 0xff, 2 * SECTOR);
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *entry = entry_of(i);
        size_t part = size < ENTRY_SIZE ? size : ENTRY_SIZE;
        memcpy(entry, data, part);
        data += part;
        size -= part;
        if (fixes >> i & 1) {
            store32_le(entry + 28, molt_crc32(UINT32_MAX, entry, 4));
        }
        if (fixes >> (2 + i) & 1) {
            store32_le(entry + 24, entry[24] & 7);
        }
        if (fixes >> (4 + i) & 1) {
            memcpy(entry + 4, "molt", 4);
        }
    }
}

// A reset, as far as it is otadata's: what the boot loader notes, and the address of the app that it starts, all of them being whole.
static uint32_t start(void) {
    uint32_t slot;
    for (uint32_t i = 0; i < 2; i++) {
        if (load32_le(entry_of(i) + 24) == STATE_PENDING) {
            store32_le(entry_of(i) + 24, STATE_ABORTED);
        }
    }
    REQUIRE(molt_otadata_select(&nor.flash, FIXTURE_OTADATA_ADDR, slots.count, &slot) == 0);
    uint32_t active = 2;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t state = load32_le(entry_of(i) + 24);
        bool counts = load32_le(entry_of(i)) != UINT32_MAX
                      && molt_crc32(UINT32_MAX, entry_of(i), 4) == load32_le(entry_of(i) + 28) && state != 3
                      && state != STATE_ABORTED;
        active = counts && (active == 2 || load32_le(entry_of(i)) > load32_le(entry_of(active))) ? i : active;
    }
    REQUIRE((active == 2) == (slot == MOLT_SLOT_NONE));
    if (active == 2) {
        return app_addr(0);
    }
    REQUIRE((load32_le(entry_of(active)) - 1) % slots.count == slot);
    if (load32_le(entry_of(active) + 24) == STATE_NEW) {
        store32_le(entry_of(active) + 24, STATE_PENDING);
    }
    return app_addr(factory_count + slot);
}

// The target of the device as that app runs. False: it runs from the only slot.
static bool aim(uint32_t running_addr) {
    uint32_t buf[MOLT_STANDBY_BUF_SIZE / 4];
    const molt_target_t *chip_target = fixture_esp32(&fixture_small_slots);
    REQUIRE(molt_slots_read(&nor.flash, chip_target->standby, (uint8_t *)buf, &slots) == 0);
    int err = molt_slots_target(&target, chip_target, &slots, running_addr);
    REQUIRE(err == 0 || slots.defect == MOLT_SLOTS_ONLY_ONE);
    return err == 0;
}

// What otadata says, whatever it says, can be asked, made firm and taken back. Returns whether the firmware is on trial: no upgrade is begun then.
static bool look(void) {
    molt_status_t status;
    REQUIRE(molt_otadata_status(&nor.flash, &target, &status) == 0);
    REQUIRE(molt_slots_settle(&target, &nor.flash) == 0);
    int err = molt_otadata_cancel(&nor.flash, &target);
    REQUIRE(err == 0 || err == MOLT_ERR_NOENT);
    REQUIRE(molt_otadata_status(&nor.flash, &target, &status) == 0 && !status.is_prepared);
    return status.is_on_trial;
}

static void upgrade(uint32_t running_addr, bool on_trial, bool confirms) {
    molt_status_t status;
    REQUIRE(molt_otadata_commit(&nor.flash, &target, IMAGE_CRC, on_trial) == 0);
    REQUIRE(molt_otadata_status(&nor.flash, &target, &status) == 0 && status.is_prepared && status.image_crc == IMAGE_CRC);
    uint32_t new_addr = target.image_addr;
    REQUIRE(start() == new_addr);
    (void)aim(new_addr);
    REQUIRE(molt_slots_settle(&target, &nor.flash) == 0);
    REQUIRE(molt_otadata_status(&nor.flash, &target, &status) == 0);
    REQUIRE(!status.is_prepared && status.is_on_trial == on_trial && status.image_crc == IMAGE_CRC);
    REQUIRE(!confirms || molt_otadata_confirm(&nor.flash, &target) == (on_trial ? 0 : MOLT_ERR_NOENT));
    bool stays = !on_trial || confirms;
    uint32_t then_addr = start();
    REQUIRE(then_addr == (stays ? new_addr : running_addr));
    if (!stays && aim(running_addr)) {
        REQUIRE(molt_otadata_status(&nor.flash, &target, &status) == 0 && status.outcome == MOLT_OUTCOME_ROLLED_BACK);
        REQUIRE(molt_slots_settle(&target, &nor.flash) == 0 && start() == running_addr);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t *blank;
    static const molt_geometry_t geometry = { 512 * 1024, SECTOR, 4096, 128 };
    if (size < 2) {
        return 0;
    }
    if (blank == NULL) {
        REQUIRE(sim_nor_init(&nor, &geometry) == 0);
        blank = malloc(geometry.size);
        REQUIRE(blank != NULL);
        memset(blank, 0xff, geometry.size);
    }
    factory_count = data[0] >> 2 & 1;
    uint32_t app_count = factory_count + 1 + (data[0] & 3);
    uint32_t running_addr = app_addr((data[0] >> 3 & 7) % app_count);
    put_table(app_count);
    put_entries(data[1], data + 2, size - 2);
    sim_nor_power_on(&nor);
    if (aim(running_addr) && !look()) {
        upgrade(running_addr, data[0] >> 6 & 1, data[0] >> 7);
    }
    REQUIRE(nor.overwrite_count == 0);
    memset(nor.bytes + TABLE_ADDR, 0xff, TABLE_SIZE);
    memset(nor.bytes + FIXTURE_OTADATA_ADDR, 0xff, 2 * SECTOR);
    REQUIRE(memcmp(nor.bytes, blank, geometry.size) == 0);
    return 0;
}
