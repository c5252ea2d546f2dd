// Standby mode: what install() makes of a device, and of one that it should leave alone; the power cut in each of its operations and
// of uninstall()'s; taking an upgrade back; and what the loader does where it was not asked for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/md5.h"
#include "fixture/device.h"
#include "molt/error.h"
#include "molt/status.h"
#include "second_stage.h"
#include "sim_upgrade.h"
#include "standby/standby.h"
#include "upgrade/marks.h"

#define SHAPE (&fixture_small_standby)
#define SECTOR 1024u
#define IMAGE_ADDR 0x10000u
#define TABLE_ADDR 0x8000u
#define MD5_ROW (TABLE_ADDR + 3 * 32)
#define LOADER_ADDR (TABLE_ADDR - 2 * SECTOR)
#define PLAN_ADDR (TABLE_ADDR - SECTOR)
#define CHIP_ID 5

static sim_nor_t nor;
static uint8_t *original;
static uint32_t buf_words[MOLT_STANDBY_BUF_SIZE / 4];
static uint8_t *const buf = (uint8_t *)buf_words;
static molt_standby_t standby;

static const molt_standby_chip_t *chip(void) {
    return fixture_esp32c3(SHAPE)->standby;
}

static void keep(void) {
    memcpy(original, nor.bytes, SHAPE->geometry.size);
}

static int set_up_stock(void **state) {
    (void)state;
    fixture_esp32c3_stock(&nor, SHAPE);
    original = malloc(SHAPE->geometry.size);
    keep();
    return original == NULL;
}

static int set_up(void **state) {
    (void)state;
    fixture_device(&nor, SHAPE);
    original = malloc(SHAPE->geometry.size);
    keep();
    return original == NULL;
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    free(original);
    return 0;
}

static void put_original(void) {
    memcpy(nor.bytes, original, SHAPE->geometry.size);
    sim_nor_make_firm(&nor);
    sim_nor_power_on(&nor);
}

static int read_standby(void) {
    return molt_standby_read(&nor.flash, chip(), buf, &standby);
}

static int install(void) {
    return molt_standby_install(&nor.flash, chip(), buf, &standby);
}

static bool starts_firmware(void) {
    sim_app_t app;
    return sim_second_stage(&nor.flash, CHIP_ID, &app) && !app.is_test && app.addr == IMAGE_ADDR;
}

static bool starts_loader(void) {
    sim_app_t app;
    return sim_second_stage(&nor.flash, CHIP_ID, &app) && app.is_test && app.addr == LOADER_ADDR;
}

// The firmware's first byte is broken while `starts` is asked.
static bool falls_back(void) {
    uint8_t magic = nor.bytes[IMAGE_ADDR];
    nor.bytes[IMAGE_ADDR] = 0;
    bool is_so = starts_loader();
    nor.bytes[IMAGE_ADDR] = magic;
    return is_so;
}

static sim_outcome_t start(sim_device_t *device, molt_target_t *target) {
    sim_nor_power_on(&nor);
    *target = fixture_standby_target(SHAPE, &nor);
    *device = (sim_device_t){ .nor = &nor, .standby = target };
    return sim_device_start(device);
}

static int prepare(const char *path) {
    static sim_upgrade_t host;
    molt_region_t fs = fixture_fs(SHAPE);
    sim_upgrade_init(&host, &nor, &fs, path);
    host.target = fixture_standby_target(SHAPE, &nor);
    int err = sim_upgrade_prepare(&host);
    sim_upgrade_free(&host);
    return err;
}

static void installed_the_boot_loader_falls_back_to_it_and_nothing_else_has_changed(void **state) {
    (void)state;
    assert_int_equal(read_standby(), MOLT_ERR_NOENT);
    assert_false(falls_back());
    assert_int_equal(install(), 0);
    assert_true(starts_firmware());
    assert_true(falls_back());
    assert_int_equal(standby.loader_addr, LOADER_ADDR);
    assert_int_equal(standby.app.addr, IMAGE_ADDR);
    memset(nor.bytes + LOADER_ADDR, 0xff, SECTOR);
    memset(nor.bytes + MD5_ROW + 32, 0xff, 64);
    assert_memory_equal(nor.bytes, original, SHAPE->geometry.size);
}

static void installing_twice_says_so_and_writes_nothing(void **state) {
    (void)state;
    sim_nor_power_on(&nor);
    assert_int_equal(install(), MOLT_ERR_EXIST);
    assert_int_equal(nor.op_count, 0);
}

static void a_damaged_loader_is_repaired(void **state) {
    (void)state;
    nor.bytes[LOADER_ADDR + 300] ^= 1;
    assert_int_equal(read_standby(), MOLT_ERR_CORRUPT);
    assert_int_equal(standby.defect, MOLT_STANDBY_LOADER_DAMAGED);
    assert_false(falls_back());
    assert_int_equal(install(), 0);
    assert_memory_equal(nor.bytes, original, SHAPE->geometry.size);
}

// Of the cuts in install() those after which nothing boots: in its last 4 bytes only.
static void a_cut_in_installing_is_fatal_in_its_last_program_only(void **state) {
    (void)state;
    assert_int_equal(install(), 0);
    uint64_t op_count = nor.op_count;
    uint32_t lost_count = 0;
    for (uint32_t op = 0; op < op_count; op++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            put_original();
            nor.cut_op = op;
            nor.cut_tear = tear;
            (void)install();
            assert_true(nor.is_cut);
            sim_nor_power_on(&nor);
            bool boots = starts_firmware();
            lost_count += !boots;
            assert_true(boots || op + 1 == op_count);
            if (boots) {
                int err = install();
                assert_true(err == 0 || err == MOLT_ERR_EXIST);
                assert_true(falls_back() && starts_firmware());
            }
        }
    }
    // It is a window, and no larger one.
    assert_true(lost_count > 0);
    assert_true(lost_count <= SIM_TEAR_COUNT);
}

static void a_cut_in_uninstalling_is_never_fatal(void **state) {
    (void)state;
    sim_nor_power_on(&nor);
    assert_int_equal(molt_standby_uninstall(&nor.flash, chip(), buf), 0);
    assert_int_equal(nor.op_count, 1);
    assert_true(starts_firmware());
    assert_false(falls_back());
    assert_int_equal(read_standby(), MOLT_ERR_NOENT);
    for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
        put_original();
        nor.cut_op = 0;
        nor.cut_tear = tear;
        (void)molt_standby_uninstall(&nor.flash, chip(), buf);
        assert_true(nor.is_cut);
        sim_nor_power_on(&nor);
        assert_true(starts_firmware());
    }
}

static void after_uninstalling_it_can_be_installed_again(void **state) {
    (void)state;
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(prepare(FIXTURE_PATH), 0);
    assert_int_equal(molt_standby_uninstall(&nor.flash, chip(), buf), MOLT_ERR_BUSY);
    assert_int_equal(start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(molt_standby_uninstall(&nor.flash, chip(), buf), 0);
    assert_int_equal(install(), 0);
    assert_int_equal(standby.loader_addr, LOADER_ADDR);
    assert_int_equal(standby.row_addr, MD5_ROW + 3 * 32);
    assert_true(starts_firmware() && falls_back());
    assert_int_equal(molt_standby_uninstall(&nor.flash, chip(), buf), 0);
    assert_int_equal(molt_standby_uninstall(&nor.flash, chip(), buf), MOLT_ERR_NOENT);
}

// What install() says of a device, and that it writes nothing there.
static void check_refusal(molt_standby_defect_t defect) {
    sim_nor_make_firm(&nor);
    keep();
    sim_nor_power_on(&nor);
    assert_int_equal(install(), MOLT_ERR_NOTSUP);
    assert_int_equal(standby.defect, defect);
    assert_int_equal(nor.op_count, 0);
    assert_memory_equal(nor.bytes, original, SHAPE->geometry.size);
}

// The table's MD5 made right again.
static void seal_table(void) {
    molt_md5_t md5;
    molt_md5_init(&md5);
    molt_md5_update(&md5, nor.bytes + TABLE_ADDR, MD5_ROW - TABLE_ADDR);
    molt_md5_finish(nor.bytes + MD5_ROW + 16, &md5);
}

static void a_device_that_it_is_not_for_is_refused_with_the_reason_and_left_alone(void **state) {
    (void)state;
    uint8_t *table = nor.bytes + TABLE_ADDR;
    nor.bytes[0] = 0xff;
    check_refusal(MOLT_STANDBY_NO_BOOT_LOADER);
    nor.bytes[0] = 0xe9;
    nor.bytes[12] = 9;
    check_refusal(MOLT_STANDBY_OTHER_CHIP);
    nor.bytes[12] = CHIP_ID;
    table[40] ^= 1;
    check_refusal(MOLT_STANDBY_BAD_TABLE);
    table[40] ^= 1;
    memset(nor.bytes + MD5_ROW, 0xff, 32);
    check_refusal(MOLT_STANDBY_NO_MD5);
    store16_le(nor.bytes + MD5_ROW, 0xebeb);
    table[67] = 0x10;
    seal_table();
    check_refusal(MOLT_STANDBY_OTA);
    table[67] = 0x20;
    seal_table();
    check_refusal(MOLT_STANDBY_NO_FACTORY);
    table[67] = 0;
    seal_table();
    memcpy(nor.bytes + MD5_ROW + 32, table, 32);
    check_refusal(MOLT_STANDBY_OTHER_ROWS);
    memset(nor.bytes + MD5_ROW + 32, 0xff, 32);
    nor.bytes[MD5_ROW + 32 + 5] = 0;
    assert_int_equal(install(), MOLT_ERR_NOTSUP);
    assert_int_equal(standby.defect, MOLT_STANDBY_OTHER_ROWS);
}

static void a_row_of_the_loader_s_name_at_another_place_is_not_believed(void **state) {
    (void)state;
    static const uint32_t addrs[4] = { 0, IMAGE_ADDR - SECTOR, IMAGE_ADDR + SECTOR, 0xffffff00 };
    for (uint32_t i = 0; i < 4; i++) {
        store32_le(nor.bytes + MD5_ROW + 32 + 4, addrs[i]);
        check_refusal(MOLT_STANDBY_OTHER_ROWS);
        assert_true(standby.app.size <= SHAPE->fs_addr - IMAGE_ADDR);
    }
}

static void a_boot_loader_that_has_grown_over_the_loader_is_left_alone(void **state) {
    (void)state;
    fixture_esp32_image(nor.bytes, LOADER_ADDR + 64, 9);
    check_refusal(MOLT_STANDBY_NO_ROOM);
}

static void where_the_gap_is_full_the_end_of_the_app_partition_is_taken(void **state) {
    (void)state;
    uint32_t end = SHAPE->fs_addr;
    nor.bytes[PLAN_ADDR + 5] = 0;
    check_refusal(MOLT_STANDBY_NO_ROOM);
    memset(nor.bytes + end - 2 * SECTOR, 0xff, 2 * SECTOR);
    assert_int_equal(install(), 0);
    assert_int_equal(standby.loader_addr, end - 2 * SECTOR);
    assert_int_equal(standby.app.addr + standby.app.size, end - 2 * SECTOR);
    assert_true(starts_firmware());
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(prepare(FIXTURE_PATH), 0);
    assert_int_equal(start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
    assert_true(starts_firmware());
}

static void a_boot_loader_that_reaches_into_the_gap_is_noticed_though_its_end_is_erased(void **state) {
    (void)state;
    // Its last segment, of 0xFF, up to the table.
    uint32_t size = PLAN_ADDR - 296;
    store32_le(nor.bytes + 292, size);
    memset(nor.bytes + 296, 0xff, PLAN_ADDR - 296);
    check_refusal(MOLT_STANDBY_NO_ROOM);
}

static void committing_checks_loader_and_rows_first(void **state) {
    (void)state;
    static const uint32_t places[] = { LOADER_ADDR + 40, MD5_ROW + 32 + 5, MD5_ROW + 64 + 12 };
    for (uint32_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        put_original();
        molt_target_t target = fixture_standby_target(SHAPE, &nor);
        nor.bytes[places[i]] ^= 4;
        assert_int_equal(molt_standby_commit(&nor.flash, &target, buf), MOLT_ERR_CORRUPT);
        assert_int_equal(nor.op_count, 0);
    }
}

static void cancelled_the_old_firmware_is_back_after_the_reset(void **state) {
    (void)state;
    sim_device_t device;
    molt_target_t target;
    molt_status_t status;
    uint8_t old_first[SECTOR];
    memcpy(old_first, nor.bytes + IMAGE_ADDR, SECTOR);
    assert_int_equal(prepare(FIXTURE_PATH), 0);
    target = fixture_standby_target(SHAPE, &nor);
    assert_int_equal(molt_status_read(&target, &nor.flash, NULL, buf, &status), 0);
    assert_true(status.is_prepared);
    assert_int_equal(molt_status_cancel(&target, &nor.flash, buf), 0);
    assert_int_equal(molt_status_read(&target, &nor.flash, NULL, buf, &status), 0);
    assert_false(status.is_prepared);
    assert_int_equal(molt_status_cancel(&target, &nor.flash, buf), MOLT_ERR_NOENT);
    assert_int_equal(prepare(FIXTURE_PATH), MOLT_ERR_BUSY);
    assert_int_equal(start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_RESTORED);
    assert_memory_equal(nor.bytes + IMAGE_ADDR, old_first, SECTOR);
    assert_memory_equal(nor.bytes + IMAGE_ADDR, original + IMAGE_ADDR, SHAPE->image_size);
    assert_int_equal(prepare(FIXTURE_PATH), 0);
}

// Every operation of it, from cancel() to the old firmware.
static void a_cut_while_it_is_put_back_is_never_fatal(void **state) {
    (void)state;
    assert_int_equal(prepare(FIXTURE_PATH), 0);
    molt_target_t target = fixture_standby_target(SHAPE, &nor);
    assert_int_equal(molt_status_cancel(&target, &nor.flash, buf), 0);
    uint8_t *cancelled = malloc(SHAPE->geometry.size);
    memcpy(cancelled, nor.bytes, SHAPE->geometry.size);
    sim_device_t device;
    assert_int_equal(start(&device, &target), SIM_FIRMWARE);
    uint64_t op_count = nor.op_count;
    for (uint32_t op = 0; op < op_count; op++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            memcpy(nor.bytes, cancelled, SHAPE->geometry.size);
            sim_nor_make_firm(&nor);
            sim_nor_power_on(&nor);
            nor.cut_op = op;
            nor.cut_tear = tear;
            device = (sim_device_t){ .nor = &nor, .standby = &target };
            assert_int_equal(sim_device_start(&device), SIM_CUT);
            assert_int_equal(start(&device, &target), SIM_FIRMWARE);
            assert_memory_equal(nor.bytes + IMAGE_ADDR, original + IMAGE_ADDR, SHAPE->image_size);
        }
    }
    free(cancelled);
}

static void a_file_that_has_changed_brings_the_old_firmware_back_even_without_the_saved_sector(void **state) {
    (void)state;
    for (uint32_t is_without = 0; is_without < 2; is_without++) {
        put_original();
        assert_int_equal(prepare(FIXTURE_PATH), 0);
        molt_plan_t plan;
        assert_int_equal(molt_boot_open(&nor.flash, PLAN_ADDR, &plan, buf, buf + SECTOR), 0);
        uint32_t run_size;
        nor.bytes[molt_plan_source_addr(&plan, 2000, &run_size)] ^= 1;
        if (is_without) {
            nor.bytes[plan.saved.head_addr + 700] ^= 1;
        }
        sim_device_t device;
        molt_target_t target;
        assert_int_equal(start(&device, &target), SIM_FIRMWARE);
        assert_int_equal(device.boot_result, MOLT_BOOT_RESTORED);
        assert_memory_equal(nor.bytes + IMAGE_ADDR, original + IMAGE_ADDR, SHAPE->image_size);
    }
}

// The loader is started though the firmware is fine, as the boot loader has misread it.
static int start_loader(void) {
    molt_target_t target = fixture_standby_target(SHAPE, &nor);
    sim_device_t device = { .nor = &nor, .standby = &target };
    sim_nor_power_on(&nor);
    // One read of the firmware is wrong.
    nor.misread = 12;
    assert_int_equal(sim_device_start(&device), SIM_FIRMWARE);
    assert_int_equal(device.loader_starts, 1);
    return device.boot_result;
}

static void a_plan_that_was_not_committed_is_not_carried_out(void **state) {
    (void)state;
    assert_int_equal(prepare(FIXTURE_PATH), 0);
    // As it was before the marks.
    nor.bytes[IMAGE_ADDR] = 0xe9;
    memset(nor.bytes + PLAN_ADDR, 0xff, molt_marks_size(&nor.flash.geometry));
    keep();
    assert_int_equal(start_loader(), MOLT_BOOT_IDLE);
    assert_int_equal(nor.op_count, 0);
    assert_memory_equal(nor.bytes, original, SHAPE->geometry.size);
}

static void another_firmware_that_was_flashed_since_is_left_alone(void **state) {
    (void)state;
    uint8_t *other_image = malloc(SHAPE->image_size);
    fixture_esp32_image(other_image, SHAPE->image_size, 3);
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(prepare(FIXTURE_PATH), 0);
    assert_int_equal(start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
    memcpy(nor.bytes + IMAGE_ADDR, other_image, SHAPE->image_size);
    assert_int_equal(start_loader(), MOLT_BOOT_IDLE);
    assert_memory_equal(nor.bytes + IMAGE_ADDR, other_image, SHAPE->image_size);
    free(other_image);
}

static void a_firmware_that_has_lost_a_bit_is_repaired_while_its_file_is_there(void **state) {
    (void)state;
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(prepare(FIXTURE_PATH), 0);
    assert_int_equal(start(&device, &target), SIM_FIRMWARE);
    keep();
    nor.bytes[IMAGE_ADDR + 5000] ^= 8;
    assert_int_equal(start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(device.loader_starts, 1);
    assert_memory_equal(nor.bytes + IMAGE_ADDR, original + IMAGE_ADDR, SHAPE->image_size);
}

static void an_image_without_a_digest_or_for_another_revision_or_too_large_is_refused(void **state) {
    (void)state;
    molt_region_t fs = fixture_fs(SHAPE);
    sim_upgrade_t host;
    sim_upgrade_init(&host, &nor, &fs, FIXTURE_PATH);
    host.target = fixture_standby_target(SHAPE, &nor);
    host.options.chip_revision = 3;
    assert_int_equal(sim_upgrade_plan(&host), 0);
    host.target.mapped_size = SHAPE->image_size - 1;
    assert_int_equal(sim_upgrade_plan(&host), MOLT_ERR_FBIG);
    assert_int_equal(host.job.refusal.reason, MOLT_REFUSAL_PAST_PARTITION);
    host.target.mapped_size = SHAPE->image_size;
    assert_int_equal(sim_upgrade_plan(&host), 0);
    // The file's own bytes: its first block holds the header.
    const uint8_t *first = original + IMAGE_ADDR;
    uint32_t addr = fs.addr;
    while (memcmp(nor.bytes + addr, first, 16) != 0) {
        addr += 4;
    }
    store16_le(nor.bytes + addr + 15, 100);
    assert_int_equal(sim_upgrade_plan(&host), MOLT_ERR_CORRUPT);
    host.options.safe_check = false;
    assert_int_equal(sim_upgrade_plan(&host), MOLT_ERR_NOTSUP);
    assert_int_equal(host.job.trouble, MOLT_JOB_TROUBLE_REVISION);
    host.options.chip_revision = 0;
    nor.bytes[addr + 23] = 0;
    assert_int_equal(sim_upgrade_plan(&host), MOLT_ERR_NOTSUP);
    assert_int_equal(host.job.trouble, MOLT_JOB_TROUBLE_NO_HASH);
    sim_upgrade_free(&host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            installed_the_boot_loader_falls_back_to_it_and_nothing_else_has_changed, set_up_stock, tear_down),
        cmocka_unit_test_setup_teardown(installing_twice_says_so_and_writes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_loader_is_repaired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_in_installing_is_fatal_in_its_last_program_only, set_up_stock, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_in_uninstalling_is_never_fatal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_uninstalling_it_can_be_installed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_device_that_it_is_not_for_is_refused_with_the_reason_and_left_alone, set_up_stock, tear_down),
        cmocka_unit_test_setup_teardown(where_the_gap_is_full_the_end_of_the_app_partition_is_taken, set_up_stock, tear_down),
        cmocka_unit_test_setup_teardown(
            a_boot_loader_that_reaches_into_the_gap_is_noticed_though_its_end_is_erased, set_up_stock, tear_down),
        cmocka_unit_test_setup_teardown(committing_checks_loader_and_rows_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelled_the_old_firmware_is_back_after_the_reset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_while_it_is_put_back_is_never_fatal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_has_changed_brings_the_old_firmware_back_even_without_the_saved_sector, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plan_that_was_not_committed_is_not_carried_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_of_the_loader_s_name_at_another_place_is_not_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_boot_loader_that_has_grown_over_the_loader_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_firmware_that_was_flashed_since_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_firmware_that_has_lost_a_bit_is_repaired_while_its_file_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_image_without_a_digest_or_for_another_revision_or_too_large_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
