// Trials in standby mode: the rows that make them possible, starts that are counted, confirming, falling back, and what ends a trial.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "molt/error.h"
#include "molt/status.h"
#include "second_stage.h"
#include "standby/standby.h"
#include "standby_rig.h"
#include "upgrade/marks.h"
#include "upgrade/trial.h"

#define TRIAL_SECTOR 2048u
#define TRIAL_PLAN_ADDR (TABLE_ADDR - TRIAL_SECTOR)
#define TRIAL_LOADER_ADDR (TABLE_ADDR - 3 * TRIAL_SECTOR)
#define PAGE 128u
#define ENTRY_OFF (4 * PAGE)

static molt_status_t status;
static uint8_t old_image[64 * 1024];
static uint8_t new_image[64 * 1024];

static void read_status(void) {
    molt_target_t target = fixture_standby_target(SHAPE, &board.nor);
    assert_int_equal(molt_status_read(&target, &board.nor.flash, NULL, board.buf, &status), 0);
}

static bool runs(const uint8_t *image) {
    return memcmp(board.nor.bytes + IMAGE_ADDR, image, SHAPE->image_size) == 0;
}

// A reset of the firmware, and what follows up to the next one.
static void start(void) {
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
}

// Prepare a trial of so many starts, and come to the first of them.
static void begin(uint32_t starts) {
    memcpy(old_image, board.nor.bytes + IMAGE_ADDR, SHAPE->image_size);
    assert_int_equal(standby_rig_prepare_trial(FIXTURE_PATH, FIXTURE_OLD_PATH, starts), 0);
    start();
    memcpy(new_image, board.nor.bytes + IMAGE_ADDR, SHAPE->image_size);
    assert_memory_not_equal(old_image, new_image, SHAPE->image_size);
}

static int confirm(void) {
    molt_target_t target = fixture_standby_target(SHAPE, &board.nor);
    return molt_standby_confirm(&board.nor.flash, &target, board.buf);
}

static void four_rows_are_appended_of_which_firmwares_see_none(void **state) {
    (void)state;
    const uint8_t *row = board.nor.bytes + MD5_ROW + 32;
    static const struct {
        uint8_t type, subtype;
        uint32_t addr, size;
        const char *label;
    } wanted[] = {
        { 0, 0x10, TRIAL_LOADER_ADDR, TRIAL_SECTOR, "molt" },
        { 0, 0x11, IMAGE_ADDR, 0x10000, "molt_app" },
        { 1, 0, TRIAL_PLAN_ADDR - TRIAL_SECTOR + ENTRY_OFF, 2 * TRIAL_SECTOR, "molt_otadata" },
        { 1, 0x40, TRIAL_PLAN_ADDR, TRIAL_SECTOR, "molt_end" },
    };
    for (uint32_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++, row += 32) {
        assert_int_equal(load16_le(row), 0x50aa);
        assert_int_equal(row[2], wanted[i].type);
        assert_int_equal(row[3], wanted[i].subtype);
        assert_int_equal(load32_le(row + 4), wanted[i].addr);
        assert_int_equal(load32_le(row + 8), wanted[i].size);
        assert_string_equal((const char *)row + 12, wanted[i].label);
    }
    assert_int_equal(load32_le(row), UINT32_MAX);
}

static void the_numbers_of_otadata_have_the_crcs_that_the_boot_loader_holds_them_to(void **state) {
    (void)state;
    begin(2);
    const uint8_t *loader = board.nor.bytes + TRIAL_PLAN_ADDR + ENTRY_OFF;
    const uint8_t *firmware = loader - TRIAL_SECTOR;
    assert_int_equal(load32_le(loader), 1);
    assert_int_equal(load32_le(loader + 28), molt_crc32(UINT32_MAX, loader, 4));
    assert_int_equal(load32_le(loader + 24), UINT32_MAX);
    assert_int_equal(load32_le(firmware), 2);
    assert_int_equal(load32_le(firmware + 28), molt_crc32(UINT32_MAX, firmware, 4));
    // The boot loader has started it.
    assert_int_equal(load32_le(firmware + 24), 1);
}

static void unconfirmed_it_has_its_starts_and_no_more(void **state) {
    (void)state;
    for (uint32_t starts = 1; starts <= 5; starts++) {
        standby_rig_put_original();
        begin(starts);
        for (uint32_t i = 1; i <= starts; i++) {
            assert_true(runs(new_image));
            read_status();
            assert_true(status.is_on_trial && status.is_counted);
            assert_int_equal(status.starts_left, starts - i);
            start();
        }
        assert_true(runs(old_image));
        read_status();
        assert_false(status.is_on_trial);
        assert_int_equal(status.outcome, MOLT_OUTCOME_ROLLED_BACK);
        sim_nor_power_on(&board.nor);
        start();
        assert_int_equal(board.nor.op_count, 0);
        assert_true(runs(old_image));
    }
}

static void confirmed_it_stays(void **state) {
    (void)state;
    assert_int_equal(confirm(), MOLT_ERR_NOENT);
    begin(3);
    start();
    assert_int_equal(confirm(), 0);
    read_status();
    assert_false(status.is_on_trial);
    assert_int_equal(status.outcome, MOLT_OUTCOME_CONFIRMED);
    assert_int_equal(confirm(), MOLT_ERR_NOENT);
    for (uint32_t i = 0; i < 5; i++) {
        sim_nor_power_on(&board.nor);
        start();
        assert_int_equal(board.nor.op_count, 0);
        assert_true(runs(new_image));
    }
    // And the next one is as the first.
    standby_rig_keep();
    assert_int_equal(standby_rig_prepare_trial(FIXTURE_OLD_PATH, FIXTURE_PATH, 1), 0);
    start();
    assert_true(runs(old_image));
    start();
    assert_true(runs(new_image));
}

static void on_trial_nothing_else_is_begun(void **state) {
    (void)state;
    begin(3);
    molt_target_t target = fixture_standby_target(SHAPE, &board.nor);
    sim_nor_power_on(&board.nor);
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), MOLT_ERR_BUSY);
    assert_int_equal(molt_standby_uninstall(&board.nor.flash, target.standby, board.buf), MOLT_ERR_BUSY);
    assert_int_equal(board.nor.op_count, 0);
}

static void a_trial_that_is_taken_back_before_the_reset_leaves_the_old_firmware(void **state) {
    (void)state;
    memcpy(old_image, board.nor.bytes + IMAGE_ADDR, SHAPE->image_size);
    assert_int_equal(standby_rig_prepare_trial(FIXTURE_PATH, FIXTURE_OLD_PATH, 3), 0);
    molt_target_t target = fixture_standby_target(SHAPE, &board.nor);
    assert_int_equal(molt_status_cancel(&target, &board.nor.flash, board.buf), 0);
    for (uint32_t i = 0; i < 3; i++) {
        start();
        assert_true(runs(old_image));
        read_status();
        assert_false(status.is_on_trial);
        assert_int_equal(status.outcome, MOLT_OUTCOME_RESTORED);
    }
}

// The block of the fallback's plan.
static uint32_t back_addr(void) {
    return load32_le(board.nor.bytes + TRIAL_PLAN_ADDR + 5 * PAGE);
}

static void where_the_fallback_s_plan_is_gone_the_trial_ends_with_the_firmware_that_is_there(void **state) {
    (void)state;
    begin(2);
    board.nor.bytes[back_addr() + TRIAL_SECTOR - 40] ^= 1;
    start();
    start();
    assert_true(runs(new_image));
    read_status();
    assert_false(status.is_on_trial);
    sim_nor_power_on(&board.nor);
    start();
    assert_int_equal(board.nor.op_count, 0);
    assert_true(runs(new_image));
}

static void where_the_fallback_s_file_has_changed_too(void **state) {
    (void)state;
    begin(1);
    molt_plan_t plan;
    uint32_t run_size;
    memcpy(board.buf, board.nor.bytes + back_addr(), TRIAL_SECTOR);
    assert_int_equal(molt_plan_open(&plan, &board.nor.flash.geometry, board.buf), 0);
    board.nor.bytes[molt_plan_source_addr(&plan, 3000, &run_size)] ^= 1;
    start();
    assert_true(runs(new_image));
    read_status();
    assert_false(status.is_on_trial);
    assert_int_equal(status.outcome, MOLT_OUTCOME_RESTORED);
    sim_nor_power_on(&board.nor);
    start();
    assert_int_equal(board.nor.op_count, 0);
}

// By cable, while a trial is on: whatever the boot loader is told, the firmware that is there starts in the end.
static void another_firmware_that_is_flashed_meanwhile_is_let_alone(void **state) {
    (void)state;
    begin(3);
    uint8_t *other = malloc(SHAPE->image_size);
    fixture_esp32_image(other, SHAPE->image_size, 77);
    memcpy(board.nor.bytes + IMAGE_ADDR, other, SHAPE->image_size);
    start();
    assert_true(runs(other));
    sim_nor_power_on(&board.nor);
    start();
    assert_true(runs(other));
    // And the old one itself.
    standby_rig_put_original();
    begin(3);
    memcpy(board.nor.bytes + IMAGE_ADDR, old_image, SHAPE->image_size);
    start();
    assert_true(runs(old_image));
    read_status();
    assert_false(status.is_on_trial);
    free(other);
}

// Of a plan's sector that is damaged while a trial is on nothing can be known, but the firmware has to start.
static void a_damaged_plan_ends_the_trial(void **state) {
    (void)state;
    begin(3);
    board.nor.bytes[TRIAL_PLAN_ADDR + TRIAL_SECTOR - 40] ^= 1;
    start();
    assert_true(runs(new_image));
    sim_nor_power_on(&board.nor);
    start();
    assert_int_equal(board.nor.op_count, 0);
    // Or of what it has of the trial.
    standby_rig_put_original();
    begin(3);
    board.nor.bytes[TRIAL_PLAN_ADDR + 5 * PAGE + 4] ^= 1;
    start();
    assert_true(runs(new_image));
    read_status();
    assert_false(status.is_on_trial);
}

static void a_boot_loader_without_rollback_is_noticed(void **state) {
    (void)state;
    begin(3);
    // It starts what is new, and notes nothing.
    store32_le(board.nor.bytes + TRIAL_PLAN_ADDR - TRIAL_SECTOR + ENTRY_OFF + 24, 0);
    read_status();
    assert_true(status.is_on_trial);
    assert_false(status.is_counted);
    assert_int_equal(confirm(), 0);
    start();
    assert_true(runs(new_image));
}

static void where_there_are_two_sectors_only_there_are_no_trials(void **state) {
    (void)state;
    molt_standby_t standby;
    const molt_standby_chip_t *chip = fixture_esp32(SHAPE)->standby;
    memset(board.nor.bytes + MD5_ROW + 32, 0xff, 128);
    memset(board.nor.bytes + TRIAL_LOADER_ADDR, 0xff, 3 * TRIAL_SECTOR);
    board.nor.bytes[TRIAL_LOADER_ADDR + 7] = 0;
    assert_int_equal(molt_standby_install(&board.nor.flash, chip, board.buf, &standby), 0);
    assert_int_equal(standby.loader_addr, TRIAL_PLAN_ADDR - TRIAL_SECTOR);
    assert_int_equal(standby.plan_addr, TRIAL_PLAN_ADDR);
    assert_int_equal(board.nor.bytes[MD5_ROW + 32 + 3], 0x20);
    assert_int_equal(load32_le(board.nor.bytes + MD5_ROW + 96), UINT32_MAX);
    assert_int_equal(standby_rig_prepare_trial(FIXTURE_PATH, FIXTURE_OLD_PATH, 3), MOLT_ERR_NOTSUP);
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    start();
    read_status();
    assert_int_equal(status.outcome, MOLT_OUTCOME_DONE);
}

static void uninstalled_and_installed_again_it_works(void **state) {
    (void)state;
    molt_standby_t standby;
    const molt_standby_chip_t *chip = fixture_esp32(SHAPE)->standby;
    begin(1);
    start();
    assert_true(runs(old_image));
    assert_int_equal(molt_standby_uninstall(&board.nor.flash, chip, board.buf), 0);
    sim_app_t app;
    assert_true(sim_second_stage(&board.nor.flash, fixture_esp32(SHAPE)->standby, &app) && app.addr == IMAGE_ADDR);
    assert_int_equal(molt_standby_install(&board.nor.flash, chip, board.buf, &standby), 0);
    assert_int_equal(standby.row_addr, MD5_ROW + 5 * 32);
    begin(2);
    start();
    assert_true(runs(new_image));
    start();
    assert_true(runs(old_image));
}

static void a_trial_has_1_to_32_starts(void **state) {
    (void)state;
    assert_int_equal(standby_rig_prepare_trial(FIXTURE_PATH, FIXTURE_OLD_PATH, 0), MOLT_ERR_INVAL);
    assert_int_equal(standby_rig_prepare_trial(FIXTURE_PATH, FIXTURE_OLD_PATH, 33), MOLT_ERR_INVAL);
    assert_int_equal(standby_rig_prepare_trial(FIXTURE_PATH, FIXTURE_OLD_PATH, 32), 0);
}

int main(void) {
    standby_shape = &fixture_small_standby_trial;
#define TEST(name) cmocka_unit_test_setup_teardown(name, standby_rig_set_up, standby_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(four_rows_are_appended_of_which_firmwares_see_none),
        TEST(the_numbers_of_otadata_have_the_crcs_that_the_boot_loader_holds_them_to),
        TEST(unconfirmed_it_has_its_starts_and_no_more),
        TEST(confirmed_it_stays),
        TEST(on_trial_nothing_else_is_begun),
        TEST(a_trial_that_is_taken_back_before_the_reset_leaves_the_old_firmware),
        TEST(where_the_fallback_s_plan_is_gone_the_trial_ends_with_the_firmware_that_is_there),
        TEST(where_the_fallback_s_file_has_changed_too),
        TEST(another_firmware_that_is_flashed_meanwhile_is_let_alone),
        TEST(a_damaged_plan_ends_the_trial),
        TEST(a_boot_loader_without_rollback_is_noticed),
        TEST(where_there_are_two_sectors_only_there_are_no_trials),
        TEST(uninstalled_and_installed_again_it_works),
        TEST(a_trial_has_1_to_32_starts),
    };
    return standby_rig_run(tests, sizeof tests / sizeof tests[0]);
}
