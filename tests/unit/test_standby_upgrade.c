// Upgrades in standby mode: taking one back, what is refused, and what the loader does where it was not asked for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "molt/error.h"
#include "molt/status.h"
#include "standby/standby.h"
#include "standby_rig.h"
#include "upgrade/marks.h"

static void cancelled_the_old_firmware_is_back_after_the_reset(void **state) {
    (void)state;
    sim_device_t device;
    molt_target_t target;
    molt_status_t status;
    uint8_t old_first[SECTOR];
    memcpy(old_first, board.nor.bytes + IMAGE_ADDR, SECTOR);
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    target = fixture_standby_target(SHAPE, &board.nor);
    assert_int_equal(molt_status_read(&target, &board.nor.flash, NULL, board.buf, &status), 0);
    assert_true(status.is_prepared);
    assert_int_equal(molt_status_cancel(&target, &board.nor.flash, board.buf), 0);
    assert_int_equal(molt_status_read(&target, &board.nor.flash, NULL, board.buf, &status), 0);
    assert_false(status.is_prepared);
    assert_int_equal(molt_status_cancel(&target, &board.nor.flash, board.buf), MOLT_ERR_NOENT);
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), MOLT_ERR_BUSY);
    assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_RESTORED);
    assert_memory_equal(board.nor.bytes + IMAGE_ADDR, old_first, SECTOR);
    assert_memory_equal(board.nor.bytes + IMAGE_ADDR, board.original + IMAGE_ADDR, SHAPE->image_size);
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
}

// Every operation of it, from cancel() to the old firmware; the tears include that of a chip which rewrites pages.
static void a_cut_while_it_is_put_back_is_never_fatal(void **state) {
    (void)state;
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    molt_target_t target = fixture_standby_target(SHAPE, &board.nor);
    assert_int_equal(molt_status_cancel(&target, &board.nor.flash, board.buf), 0);
    uint8_t *cancelled = malloc(SHAPE->geometry.size);
    memcpy(cancelled, board.nor.bytes, SHAPE->geometry.size);
    sim_device_t device;
    assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
    uint64_t op_count = board.nor.op_count;
    for (uint32_t op = 0; op < op_count; op++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_NAME_COUNT; tear++) {
            memcpy(board.nor.bytes, cancelled, SHAPE->geometry.size);
            sim_nor_make_firm(&board.nor);
            sim_nor_power_on(&board.nor);
            board.nor.cut_op = op;
            board.nor.cut_tear = tear;
            device = (sim_device_t){ .nor = &board.nor, .standby = &target };
            assert_int_equal(sim_device_start(&device), SIM_CUT);
            assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
            assert_memory_equal(board.nor.bytes + IMAGE_ADDR, board.original + IMAGE_ADDR, SHAPE->image_size);
        }
    }
    free(cancelled);
}

static void a_file_that_has_changed_brings_the_old_firmware_back_even_without_the_saved_sector(void **state) {
    (void)state;
    for (uint32_t is_without = 0; is_without < 2; is_without++) {
        standby_rig_put_original();
        assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
        molt_plan_t plan;
        assert_int_equal(molt_boot_open(&board.nor.flash, PLAN_ADDR, &plan, board.buf, board.buf + SECTOR), 0);
        uint32_t run_size;
        board.nor.bytes[molt_plan_source_addr(&plan, 2000, &run_size)] ^= 1;
        if (is_without) {
            board.nor.bytes[plan.saved.head_addr + 700] ^= 1;
        }
        sim_device_t device;
        molt_target_t target;
        assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
        assert_int_equal(device.boot_result, MOLT_BOOT_RESTORED);
        assert_memory_equal(board.nor.bytes + IMAGE_ADDR, board.original + IMAGE_ADDR, SHAPE->image_size);
    }
}

// The loader is started though the firmware is fine, as the boot loader has misread it.
static int start_loader(void) {
    molt_target_t target = fixture_standby_target(SHAPE, &board.nor);
    sim_device_t device = { .nor = &board.nor, .standby = &target };
    sim_nor_power_on(&board.nor);
    // One read of the firmware is wrong.
    board.nor.misread = 12;
    assert_int_equal(sim_device_start(&device), SIM_FIRMWARE);
    assert_int_equal(device.loader_starts, 1);
    return device.boot_result;
}

static void a_plan_that_was_not_committed_is_not_carried_out(void **state) {
    (void)state;
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    // As it was before the marks.
    board.nor.bytes[IMAGE_ADDR] = 0xe9;
    memset(board.nor.bytes + PLAN_ADDR, 0xff, molt_marks_size(&board.nor.flash.geometry));
    standby_rig_keep();
    assert_int_equal(start_loader(), MOLT_BOOT_IDLE);
    assert_int_equal(board.nor.op_count, 0);
    assert_memory_equal(board.nor.bytes, board.original, SHAPE->geometry.size);
}

static void another_firmware_that_was_flashed_since_is_left_alone(void **state) {
    (void)state;
    uint8_t *other_image = malloc(SHAPE->image_size);
    fixture_esp32_image(other_image, SHAPE->image_size, 3);
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
    memcpy(board.nor.bytes + IMAGE_ADDR, other_image, SHAPE->image_size);
    assert_int_equal(start_loader(), MOLT_BOOT_IDLE);
    assert_memory_equal(board.nor.bytes + IMAGE_ADDR, other_image, SHAPE->image_size);
    free(other_image);
}

// By a tool that knows nothing of molt, at any place of the way back.
static void another_firmware_that_was_flashed_after_a_cancel_is_left_alone(void **state) {
    (void)state;
    uint8_t *other_image = malloc(SHAPE->image_size);
    fixture_esp32_image(other_image, SHAPE->image_size, 3);
    for (uint32_t is_put_back = 0; is_put_back < 2; is_put_back++) {
        standby_rig_put_original();
        assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
        molt_target_t target = fixture_standby_target(SHAPE, &board.nor);
        assert_int_equal(molt_status_cancel(&target, &board.nor.flash, board.buf), 0);
        sim_device_t device;
        if (is_put_back) {
            assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
        }
        memcpy(board.nor.bytes + IMAGE_ADDR, other_image, SHAPE->image_size);
        sim_nor_make_firm(&board.nor);
        assert_int_equal(start_loader(), MOLT_BOOT_IDLE);
        assert_memory_equal(board.nor.bytes + IMAGE_ADDR, other_image, SHAPE->image_size);
    }
    free(other_image);
}

static void a_firmware_that_has_lost_a_bit_is_repaired_while_its_file_is_there(void **state) {
    (void)state;
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
    standby_rig_keep();
    board.nor.bytes[IMAGE_ADDR + 5000] ^= 8;
    assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(device.loader_starts, 1);
    assert_memory_equal(board.nor.bytes + IMAGE_ADDR, board.original + IMAGE_ADDR, SHAPE->image_size);
}

static void an_image_without_a_digest_or_for_another_revision_or_too_large_is_refused(void **state) {
    (void)state;
    molt_region_t fs = fixture_fs(SHAPE);
    sim_upgrade_t host;
    sim_upgrade_init(&host, &board.nor, &fs, FIXTURE_PATH);
    host.target = fixture_standby_target(SHAPE, &board.nor);
    host.options.chip_revision = 3;
    assert_int_equal(sim_upgrade_plan(&host), 0);
    host.target.mapped_size = SHAPE->image_size - 1;
    assert_int_equal(sim_upgrade_plan(&host), MOLT_ERR_FBIG);
    assert_int_equal(host.job.refusal.reason, MOLT_REFUSAL_PAST_PARTITION);
    host.target.mapped_size = SHAPE->image_size;
    assert_int_equal(sim_upgrade_plan(&host), 0);
    // The file's own bytes: its first block holds the header.
    const uint8_t *first = board.original + IMAGE_ADDR;
    uint32_t addr = fs.addr;
    while (memcmp(board.nor.bytes + addr, first, 16) != 0) {
        addr += 4;
    }
    store16_le(board.nor.bytes + addr + 15, 100);
    assert_int_equal(sim_upgrade_plan(&host), MOLT_ERR_CORRUPT);
    host.options.safe_check = false;
    assert_int_equal(sim_upgrade_plan(&host), MOLT_ERR_NOTSUP);
    assert_int_equal(host.job.trouble, MOLT_JOB_TROUBLE_REVISION);
    host.options.chip_revision = 0;
    board.nor.bytes[addr + 23] = 0;
    assert_int_equal(sim_upgrade_plan(&host), MOLT_ERR_NOTSUP);
    assert_int_equal(host.job.trouble, MOLT_JOB_TROUBLE_NO_HASH);
    sim_upgrade_free(&host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            cancelled_the_old_firmware_is_back_after_the_reset, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_cut_while_it_is_put_back_is_never_fatal, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_has_changed_brings_the_old_firmware_back_even_without_the_saved_sector,
            standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            a_plan_that_was_not_committed_is_not_carried_out, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            another_firmware_that_was_flashed_since_is_left_alone, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            another_firmware_that_was_flashed_after_a_cancel_is_left_alone, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            a_firmware_that_has_lost_a_bit_is_repaired_while_its_file_is_there, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            an_image_without_a_digest_or_for_another_revision_or_too_large_is_refused, standby_rig_set_up, standby_rig_tear_down),
    };
    return standby_rig_run(tests, sizeof tests / sizeof tests[0]);
}
