// Resident mode: putting the boot loader in and taking it out, with the power cut in each operation; what is refused; the
// loading of a firmware's segments; and what the boot loader makes of each state.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "molt/error.h"
#include "resident/resident.h"
#include "rig.h"

#define SECTOR 512u
#define PAGE 128u
#define RESERVED (fixture_small_resident.reserved_addr)

static rig_t rig;
static molt_loader_t loader;
static molt_loader_t overlay;
static uint32_t buf_words[SECTOR / 4];
static uint8_t *const buf = (uint8_t *)buf_words;
static const molt_region_t memory[] = { { 0x4010f000, 0x1000 }, { 0x3fff8000, 0x4000 } };

static int set_up(void **state) {
    (void)state;
    rig_init(&rig, &fixture_small_resident);
    loader = fixture_resident(rig.shape);
    loader.memory = memory;
    loader.memory_count = 2;
    rig.device.resident = loader;
    rig.host.target.resident = loader;
    overlay = fixture_overlay(rig.shape);
    // As the fixture is, but with the CPU addresses that this loader says it uses.
    molt_region_t region = { RESERVED, MOLT_RESERVED_SECTOR_COUNT * SECTOR };
    int err = molt_resident_uninstall(&rig.nor.flash, buf);
    err = err ? err : molt_resident_install(&rig.nor.flash, &region, &loader, &overlay, buf);
    memcpy(rig.original, rig.nor.bytes, rig.shape->geometry.size);
    sim_nor_power_on(&rig.nor);
    return err;
}

static int tear_down(void **state) {
    (void)state;
    rig_free(&rig);
    return 0;
}

static molt_region_t reserved(void) {
    return (molt_region_t){ RESERVED, MOLT_RESERVED_SECTOR_COUNT * SECTOR };
}

static int install(void) {
    molt_region_t region = reserved();
    return molt_resident_install(&rig.nor.flash, &region, &loader, &overlay, buf);
}

// The device without resident mode, as the state to go back to.
static void uninstall_for_good(void) {
    assert_int_equal(molt_resident_uninstall(&rig.nor.flash, buf), 0);
    memcpy(rig.original, rig.nor.bytes, rig.shape->geometry.size);
}

static bool is_resident(void) {
    uint32_t addr;
    return molt_resident_find(&rig.nor.flash, &addr) == 0 && addr == RESERVED;
}

// A firmware's first sector, made valid again after `change` of one of its words.
static void change_image_word(uint32_t off, uint32_t value) {
    uint8_t *bytes = rig.nor.bytes;
    uint32_t size = (uint32_t)(bytes[12] | bytes[13] << 8);
    uint8_t *checksum = bytes + ((16 + size) | 15);
    for (uint32_t i = 0; i < 4; i++) {
        if (off + i >= 16) {
            *checksum = (uint8_t)(*checksum ^ bytes[off + i] ^ (uint8_t)(value >> 8 * i));
        }
        bytes[off + i] = (uint8_t)(value >> 8 * i);
    }
}

#define OPS_MAX 64u
static uint32_t op_addrs[OPS_MAX];
static uint32_t op_count;

static void watch(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    (void)ctx;
    (void)kind;
    (void)data;
    (void)size;
    assert_true(op_count < OPS_MAX);
    op_addrs[op_count++] = addr;
}

static void uninstalling_puts_back_what_was_there_before(void **state) {
    (void)state;
    assert_true(is_resident());
    uninstall_for_good();
    assert_false(is_resident());
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(rig.device.head_addr, 0);
    assert_int_equal(install(), 0);
    assert_true(is_resident());
    assert_int_equal(molt_resident_uninstall(&rig.nor.flash, buf), 0);
    assert_memory_equal(rig.nor.bytes, rig.original, SECTOR);
}

static void what_is_in_the_way_is_refused_and_nothing_written(void **state) {
    (void)state;
    assert_int_equal(install(), MOLT_ERR_EXIST);
    uninstall_for_good();
    molt_region_t region = reserved();
    region.addr += 4;
    assert_int_equal(molt_resident_install(&rig.nor.flash, &region, &loader, &overlay, buf), MOLT_ERR_RANGE);
    region = reserved();
    region.size -= 4;
    assert_int_equal(molt_resident_install(&rig.nor.flash, &region, &loader, &overlay, buf), MOLT_ERR_RANGE);
    region = (molt_region_t){ rig.shape->geometry.size - SECTOR, MOLT_RESERVED_SECTOR_COUNT * SECTOR };
    assert_int_equal(molt_resident_install(&rig.nor.flash, &region, &loader, &overlay, buf), MOLT_ERR_RANGE);
    loader.size = SECTOR;
    assert_int_equal(install(), MOLT_ERR_FBIG);
    loader = fixture_resident(rig.shape);
    loader.memory = memory;
    loader.memory_count = 2;
    assert_memory_equal(rig.nor.bytes, rig.original, rig.shape->geometry.size);
    // A firmware that would be loaded over the boot loader; one whose checksum is wrong.
    change_image_word(8, 0x4010f000);
    assert_int_equal(install(), MOLT_ERR_NOTSUP);
    change_image_word(8, 0x40100000);
    rig.nor.bytes[20] ^= 1;
    assert_int_equal(install(), MOLT_ERR_CORRUPT);
    rig.nor.bytes[20] ^= 1;
    assert_memory_equal(rig.nor.bytes, rig.original, rig.shape->geometry.size);
    assert_int_equal(install(), 0);
}

static void what_others_have_in_the_reserved_region_is_seen(void **state) {
    (void)state;
    molt_region_t region = reserved();
    assert_int_equal(molt_resident_check_free(&rig.nor.flash, &region), 0);
    uninstall_for_good();
    assert_int_equal(molt_resident_check_free(&rig.nor.flash, &region), 0);
    memset(rig.nor.bytes + RESERVED, 0xff, region.size);
    assert_int_equal(molt_resident_check_free(&rig.nor.flash, &region), 0);
    rig.nor.bytes[RESERVED + region.size - 1] = 0xfe;
    assert_int_equal(molt_resident_check_free(&rig.nor.flash, &region), MOLT_ERR_NOSPC);
}

static int check(void) {
    return molt_resident_check(&rig.nor.flash, &loader, buf);
}

// Any byte of sector 0 but the flash parameters, which are the device's own.
static void installing_again_repairs_a_damaged_first_part(void **state) {
    (void)state;
    uint8_t whole[SECTOR];
    memcpy(whole, rig.nor.bytes, SECTOR);
    assert_int_equal(check(), 0);
    for (uint32_t off = 0; off < SECTOR; off++) {
        // The magic itself is what tells a resident boot loader: without it there is none to be repaired.
        bool is_magic = off >= SECTOR - MOLT_RESIDENT_CONFIG_SIZE && off < SECTOR - MOLT_RESIDENT_CONFIG_SIZE + 4;
        if (off == 2 || off == 3 || is_magic) {
            continue;
        }
        rig.nor.bytes[off] ^= 0x20;
        assert_int_equal(check(), MOLT_ERR_CORRUPT);
        sim_nor_power_on(&rig.nor);
        assert_int_equal(install(), 0);
        assert_memory_equal(rig.nor.bytes, whole, SECTOR);
        assert_int_equal(check(), 0);
        assert_int_equal(install(), MOLT_ERR_EXIST);
    }
    assert_memory_equal(rig.nor.bytes, rig.original, rig.shape->geometry.size);
}

static void installing_again_repairs_a_damaged_overlay(void **state) {
    (void)state;
    uint32_t addr = molt_state_sector_addr(&rig.nor.flash, RESERVED, 7);
    for (uint32_t off = 0; off < overlay.size; off++) {
        rig.nor.bytes[addr + off] ^= 0x01;
        assert_int_equal(check(), MOLT_ERR_CORRUPT);
        sim_nor_power_on(&rig.nor);
        rig.nor.watch = watch;
        op_count = 0;
        assert_int_equal(install(), 0);
        rig.nor.watch = NULL;
        // Sector 0 is whole, and is not touched for this.
        for (uint32_t i = 0; i < op_count; i++) {
            assert_in_range(op_addrs[i], addr, addr + SECTOR - 1);
        }
        assert_int_equal(check(), 0);
        assert_memory_equal(rig.nor.bytes, rig.original, rig.shape->geometry.size);
    }
}

static void what_is_under_way_is_not_repaired_over(void **state) {
    (void)state;
    assert_int_equal(molt_resident_commit(&rig.nor.flash, RESERVED, 0), 0);
    rig.nor.bytes[40] ^= 1;
    sim_nor_power_on(&rig.nor);
    assert_int_equal(install(), MOLT_ERR_BUSY);
    assert_int_equal(rig.nor.op_count, 0);
}

// A whole configuration that says another version, and one with the magic of another.
static void another_version_is_refused_and_left_alone(void **state) {
    (void)state;
    uint8_t *config = rig.nor.bytes + SECTOR - MOLT_RESIDENT_CONFIG_SIZE;
    molt_resident_t resident;
    config[8] = 2;
    store32_le(config + 28, molt_crc32(0, config, 28));
    sim_nor_power_on(&rig.nor);
    assert_int_equal(molt_resident_read(&rig.nor.flash, &resident), 0);
    assert_int_equal(resident.version, 2);
    assert_int_equal(check(), MOLT_ERR_NOTSUP);
    assert_int_equal(install(), MOLT_ERR_NOTSUP);
    config[3] = '3';
    store32_le(config + 28, molt_crc32(0, config, 28));
    assert_int_equal(molt_resident_read(&rig.nor.flash, &resident), MOLT_ERR_NOTSUP);
    assert_int_equal(check(), MOLT_ERR_NOTSUP);
    assert_int_equal(install(), MOLT_ERR_NOTSUP);
    assert_int_equal(rig.nor.op_count, 0);
}

static void the_configuration_is_as_format_md_says(void **state) {
    (void)state;
    const uint8_t *config = rig.nor.bytes + SECTOR - 32;
    uninstall_for_good();
    assert_int_equal(install(), 0);
    assert_memory_equal(config, "MRS2", 4);
    assert_int_equal(load32_le(config + 4), RESERVED);
    assert_memory_equal(config + 8, "\x01\x01\x02\x00", 4);
    assert_int_equal(load32_le(config + 12), memory[0].addr);
    assert_int_equal(load32_le(config + 16), memory[0].size);
    assert_int_equal(load32_le(config + 20), memory[1].addr);
    assert_int_equal(load32_le(config + 24), memory[1].size);
    assert_int_equal(load32_le(config + 28), molt_crc32(0, config, 28));
    molt_resident_t resident;
    assert_int_equal(molt_resident_read(&rig.nor.flash, &resident), 0);
    assert_int_equal(resident.reserved_addr, RESERVED);
    assert_int_equal(resident.overlay_abi, MOLT_OVERLAY_ABI);
    assert_int_equal(resident.state_version, MOLT_STATE_VERSION);
    assert_int_equal(resident.memory[1].addr, memory[1].addr);
}

static void an_upgrade_that_is_prepared_is_not_overwritten(void **state) {
    (void)state;
    uninstall_for_good();
    assert_int_equal(rig_prepare(&rig), 0);
    memcpy(rig.original, rig.nor.bytes, rig.shape->geometry.size);
    assert_int_equal(install(), MOLT_ERR_BUSY);
    assert_memory_equal(rig.nor.bytes, rig.original, rig.shape->geometry.size);
}

// The first sector of the firmware that runs on the device.
static const uint8_t *running_head(void) {
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    return rig.nor.bytes + rig.device.head_addr;
}

static int uninstall(void) {
    return molt_resident_uninstall(&rig.nor.flash, buf);
}

// Cut the power in each operation of `work`, with each tear. Afterwards the same firmware runs, and the work can be done
// over; only a cut in the rewriting of sector 0 may leave no firmware that starts. Returns how many did.
static uint32_t cut_everywhere(int (*work)(void)) {
    uint8_t head[SECTOR];
    uint32_t bricks = 0;
    rig_reset(&rig);
    memcpy(head, running_head(), SECTOR);
    sim_nor_power_on(&rig.nor);
    rig.nor.watch = watch;
    op_count = 0;
    assert_int_equal(work(), 0);
    rig.nor.watch = NULL;
    assert_in_range(op_count, 2, OPS_MAX);
    for (uint32_t op = 0; op < op_count; op++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            rig_reset(&rig);
            rig.nor.cut_op = op;
            rig.nor.cut_tear = tear;
            rig.nor.seed = op;
            assert_int_not_equal(work(), 0);
            assert_true(rig.nor.is_cut);
            sim_outcome_t outcome = rig_start(&rig);
            bool is_same = memcmp(rig.nor.bytes + rig.device.head_addr, head, SECTOR) == 0;
            bool may_change = tear >= SIM_TEAR_WEAK && op_addrs[op] < SECTOR;
            if (outcome == SIM_BRICK || outcome == SIM_STUCK || !is_same || may_change) {
                // Nothing that boots, or a boot loader without its configuration, with a wrong bit, or with a weak one.
                assert_true(op_addrs[op] < SECTOR);
                bricks++;
                continue;
            }
            assert_memory_equal(running_head(), head, SECTOR);
            sim_nor_power_on(&rig.nor);
            int err = work();
            assert_true(err == 0 || err == (work == install ? MOLT_ERR_EXIST : MOLT_ERR_NOENT));
            assert_memory_equal(running_head(), head, SECTOR);
        }
    }
    return bricks;
}

// An erase, the pages, the header of the first.
#define SECTOR_0_OPS (1 + SECTOR / PAGE + 1)

static void a_cut_while_installing_is_fatal_in_sector_0_only(void **state) {
    (void)state;
    uninstall_for_good();
    assert_in_range(cut_everywhere(install), 1, SECTOR_0_OPS * SIM_TEAR_COUNT);
}

static void a_cut_while_uninstalling_is_fatal_in_sector_0_only(void **state) {
    (void)state;
    assert_in_range(cut_everywhere(uninstall), 1, SECTOR_0_OPS * SIM_TEAR_COUNT);
}

// ---- states

static molt_state_t ask(void) {
    molt_state_t found;
    assert_int_equal(molt_state_read(&rig.nor.flash, RESERVED, &found), 0);
    return found;
}

static void without_a_record_the_first_head_is_started(void **state) {
    (void)state;
    memset(rig.nor.bytes + molt_state_sector_addr(&rig.nor.flash, RESERVED, 4), 0xff, 2 * SECTOR);
    for (int start = 0; start < 2; start++) {
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(rig.device.head_addr, molt_state_head_addr(&rig.nor.flash, RESERVED, 0));
        assert_int_equal(rig.nor.op_count, 0);
    }
}

static void what_is_under_way_is_not_disturbed(void **state) {
    (void)state;
    assert_int_equal(molt_resident_confirm(&rig.nor.flash, RESERVED), MOLT_ERR_NOENT);
    assert_int_equal(molt_resident_commit(&rig.nor.flash, RESERVED, 0), 0);
    assert_int_equal(ask().kind, MOLT_STATE_UPGRADE);
    molt_saved_t saved;
    assert_int_equal(molt_resident_commit(&rig.nor.flash, RESERVED, 0), MOLT_ERR_BUSY);
    assert_int_equal(molt_resident_saved(&rig.nor.flash, RESERVED, NULL, false, &saved), MOLT_ERR_BUSY);
    assert_int_equal(uninstall(), MOLT_ERR_BUSY);
    // Taking it back.
    assert_int_equal(molt_resident_confirm(&rig.nor.flash, RESERVED), 0);
    assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
    assert_int_equal(ask().result, MOLT_STATE_RESULT_NONE);
}

static void a_plan_that_was_never_there_keeps_the_firmware(void **state) {
    (void)state;
    memset(rig.nor.bytes + molt_state_plan_addr(&rig.nor.flash, RESERVED, 0), 0xff, SECTOR);
    uint32_t head = ask().head;
    assert_int_equal(molt_resident_commit(&rig.nor.flash, RESERVED, 0), 0);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
    assert_int_equal(ask().result, MOLT_STATE_RESULT_RESTORED);
    assert_int_equal(ask().head, head);
}

static void a_firmware_on_trial_has_the_starts_that_it_was_given(void **state) {
    (void)state;
    rig.host.fallback_path = FIXTURE_OLD_PATH;
    rig.host.trial_starts = 3;
    assert_int_equal(rig_prepare(&rig), 0);
    uint32_t old_head = ask().head;
    for (uint32_t start = 0; start < 3; start++) {
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(ask().kind, MOLT_STATE_TRIAL);
        assert_int_equal(ask().tally, start + 1);
        assert_int_not_equal(ask().head, old_head);
    }
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
    assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
    assert_memory_equal(rig.nor.bytes + SECTOR, rig.original + SECTOR, rig.shape->image_size - SECTOR);
}

// ---- loading

static uint8_t loaded[8192];
static uint32_t loaded_size;

static void *place(void *ctx, uint32_t vaddr, uint32_t size) {
    (void)ctx;
    assert_int_equal(vaddr, 0x40100000 + loaded_size);
    assert_in_range(size, 4, SECTOR);
    loaded_size += size;
    return loaded + loaded_size - size;
}

static const molt_start_io_t loading = { NULL, place, NULL };

static int load(uint32_t head_addr, uint32_t *entry_vaddr) {
    loaded_size = 0;
    return molt_resident_load(&rig.nor.flash, head_addr, &loading, entry_vaddr);
}

static void segments_come_from_the_head_and_the_sectors_behind_the_first(void **state) {
    (void)state;
    uint32_t entry_vaddr;
    uint32_t head_addr = molt_state_head_addr(&rig.nor.flash, RESERVED, ask().head);
    const uint8_t *head = rig.nor.bytes + head_addr;
    uint32_t size = (uint32_t)(head[12] | head[13] << 8);
    assert_int_equal(load(head_addr, &entry_vaddr), 0);
    assert_int_equal(entry_vaddr, 0x40100004);
    assert_int_equal(loaded_size, size);
    assert_memory_equal(loaded, head + 16, SECTOR - 16);
    assert_memory_equal(loaded + SECTOR - 16, rig.nor.bytes + SECTOR, size - (SECTOR - 16));
}

static void a_damaged_head_is_not_started(void **state) {
    (void)state;
    uninstall_for_good();
    uint32_t entry_vaddr;
    static const struct {
        uint32_t off;
        uint8_t value;
    } damages[] = { { 0, 0xea }, { 1, 0 }, { 1, 17 }, { 1, 2 }, { 8, 2 }, { 12, 1 }, { 15, 0x80 }, { 20, 0x5a } };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        uint8_t *byte = rig.nor.bytes + damages[i].off;
        uint8_t whole = *byte;
        *byte = damages[i].value == whole ? (uint8_t)~whole : damages[i].value;
        assert_int_equal(load(0, &entry_vaddr), MOLT_ERR_CORRUPT);
        *byte = whole;
    }
    assert_int_equal(load(0, &entry_vaddr), 0);
}

static void *no_place(void *ctx, uint32_t vaddr, uint32_t size) {
    (void)ctx;
    (void)vaddr;
    (void)size;
    return NULL;
}

static void a_segment_without_a_place_and_a_failing_driver_are_told_of(void **state) {
    (void)state;
    uninstall_for_good();
    uint32_t entry_vaddr;
    const molt_start_io_t nowhere = { NULL, no_place, NULL };
    assert_int_equal(molt_resident_load(&rig.nor.flash, 0, &nowhere, &entry_vaddr), MOLT_ERR_NOTSUP);
    for (int64_t call = 0;; call++) {
        sim_nor_power_on(&rig.nor);
        rig.nor.fail_call = call;
        int err = load(0, &entry_vaddr);
        if (!rig.nor.has_failed) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, MOLT_ERR_IO);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(uninstalling_puts_back_what_was_there_before),
        TEST(what_is_in_the_way_is_refused_and_nothing_written),
        TEST(what_others_have_in_the_reserved_region_is_seen),
        TEST(an_upgrade_that_is_prepared_is_not_overwritten),
        TEST(a_cut_while_installing_is_fatal_in_sector_0_only),
        TEST(a_cut_while_uninstalling_is_fatal_in_sector_0_only),
        TEST(without_a_record_the_first_head_is_started),
        TEST(what_is_under_way_is_not_disturbed),
        TEST(a_plan_that_was_never_there_keeps_the_firmware),
        TEST(a_firmware_on_trial_has_the_starts_that_it_was_given),
        TEST(installing_again_repairs_a_damaged_first_part),
        TEST(installing_again_repairs_a_damaged_overlay),
        TEST(what_is_under_way_is_not_repaired_over),
        TEST(another_version_is_refused_and_left_alone),
        TEST(the_configuration_is_as_format_md_says),
        TEST(segments_come_from_the_head_and_the_sectors_behind_the_first),
        TEST(a_damaged_head_is_not_started),
        TEST(a_segment_without_a_place_and_a_failing_driver_are_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
