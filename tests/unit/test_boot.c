// The boot loader's work on a prepared device: what it tells, what it leaves alone, and what it does when the source,
// the saved sector or the flash is not what it was.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "molt/error.h"
#include "prepared.h"
#include "seal.h"
#include "upgrade/apply.h"

static molt_report_t report(void) {
    molt_report_t result;
    assert_int_equal(report_read(&result), 0);
    return result;
}

static int boot(void) {
    static uint32_t buffers[2 * SECTOR / 4];
    sim_nor_power_on(&rig.nor);
    return molt_boot_run(&rig.nor.flash, &(molt_boot_place_t){ 0, 0 }, (uint8_t *)buffers, (uint8_t *)buffers + SECTOR, &io);
}

static void an_upgrade_puts_the_image_in_and_changes_nothing_else(void **state) {
    (void)state;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(rig.device.boot_result, MOLT_BOOT_DONE);
    assert_true(rig_is_new(&rig));
    // Every byte behind the image, but for the report.
    memcpy(before + plan.saved.report_addr, rig.nor.bytes + plan.saved.report_addr, MOLT_REPORT_SIZE);
    assert_memory_equal(rig.nor.bytes + rig.image_end, before + rig.image_end, sizeof before - rig.image_end);
    assert_int_equal(report().result, MOLT_REPORT_DONE);
    assert_int_equal(report().start_count, 1);
}

static void every_step_is_told_before_it_is_done_and_in_order(void **state) {
    (void)state;
    assert_int_equal(boot(), MOLT_BOOT_DONE);
    assert_int_equal(told.events[0], MOLT_BOOT_START);
    assert_int_equal(told.args[0], plan.step_count);
    assert_int_equal(told.events[1], MOLT_BOOT_CHECK);
    assert_int_equal(told.events[told.count - 1], MOLT_BOOT_FINISH);
    uint32_t todo_count = 0;
    for (uint32_t step = 1; step < plan.step_count; step++) {
        todo_count += molt_plan_is_todo(&plan, step);
    }
    assert_int_equal(told_count(MOLT_BOOT_STEP), todo_count);
    uint32_t last = 0;
    for (uint32_t i = 2; i + 2 < told.count; i++) {
        assert_int_equal(told.events[i], MOLT_BOOT_STEP);
        assert_true(told.args[i] > last);
        last = told.args[i];
    }
    // The last of them checks the image in flash.
    assert_int_equal(last, plan.verify_step);
    assert_int_equal(told.events[told.count - 2], MOLT_BOOT_CHECK);
    assert_int_equal(told.args[told.count - 2], 1);
    assert_int_equal(told.args[told.count - 1], MOLT_REPORT_DONE);
}

static void finished_steps_are_not_done_again(void **state) {
    (void)state;
    // A cut right before the new first sector goes in: the last operation but those of that sector.
    assert_int_equal(boot(), MOLT_BOOT_DONE);
    int64_t op_count = (int64_t)rig.nor.op_count;
    memcpy(rig.nor.bytes, before, sizeof before);
    sim_nor_power_on(&rig.nor);
    rig.nor.cut_op = op_count - 6;  // an erase, four pages, the header of the first
    assert_int_equal(sim_device_start(&rig.device), SIM_CUT);
    told.count = 0;
    uint64_t erases = rig.nor.counts.erase_sector_count + rig.nor.counts.erase_block_count;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
    // But for looking: at the source, and at the image in flash.
    assert_int_equal(told_count(MOLT_BOOT_CHECK), 2);
    assert_int_equal(told_count(MOLT_BOOT_STEP), 1);
    assert_int_equal(told.args[2], plan.verify_step);
    assert_int_equal(rig.nor.counts.erase_sector_count + rig.nor.counts.erase_block_count, erases + 1);
    assert_int_equal(report().start_count, 2);
}

static void a_changed_source_brings_the_old_firmware_back(void **state) {
    (void)state;
    for (uint32_t off = 0; off < plan.source_size; off += 331) {
        uint32_t run_size;
        memcpy(rig.nor.bytes, before, sizeof before);
        rig.nor.bytes[molt_plan_source_addr(&plan, off, &run_size)] ^= 0x10;
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(rig.device.boot_result, MOLT_BOOT_RESTORED);
        assert_true(rig_is_old(&rig));
        assert_int_equal(report().result, MOLT_REPORT_RESTORED);
        assert_int_equal(told.events[told.count - 1], MOLT_BOOT_FINISH);
        assert_int_equal(told.args[told.count - 1], MOLT_REPORT_RESTORED);
        told.count = 0;
    }
}

static void a_changed_source_and_a_changed_saved_sector_leave_everything_as_it_is(void **state) {
    (void)state;
    uint32_t run_size;
    uint32_t source_addr = molt_plan_source_addr(&plan, 2000, &run_size);
    rig.nor.bytes[source_addr] ^= 1;
    rig.nor.bytes[plan.saved.head_addr + 7] ^= 1;
    for (uint32_t start = 1; start <= 3; start++) {
        assert_int_equal(rig_start(&rig), SIM_STUCK);
        assert_int_equal(rig.device.boot_result, MOLT_ERR_CORRUPT);
        assert_int_equal(report().result, MOLT_REPORT_PENDING);
        // It tries again for as long as there is power, which is so many times here.
        assert_int_equal(report().start_count, 4 * start);
    }
    rig.nor.bytes[source_addr] ^= 1;
    rig.nor.bytes[plan.saved.head_addr + 7] ^= 1;
    memcpy(before + plan.saved.report_addr, rig.nor.bytes + plan.saved.report_addr, MOLT_REPORT_SIZE);
    assert_memory_equal(rig.nor.bytes, before, sizeof before);
    // As soon as the source is right again, it goes on.
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

// Once the check is marked there is no way back, and none is taken.
static void after_the_check_the_saved_sector_is_not_looked_at(void **state) {
    (void)state;
    rig.nor.bytes[plan.saved.head_addr + 7] ^= 1;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

static void without_a_plan_nothing_is_done(void **state) {
    (void)state;
    memset(rig.nor.bytes + SECTOR - MOLT_PLAN_HEADER_SIZE, 0xff, MOLT_PLAN_HEADER_SIZE);
    assert_int_equal(boot(), MOLT_ERR_NOENT);
    assert_int_equal(rig.nor.op_count, 0);
    memcpy(rig.nor.bytes, before, sizeof before);
    rig.nor.bytes[plan.extents_off] ^= 1;
    assert_int_equal(boot(), MOLT_ERR_CORRUPT);
    assert_int_equal(rig.nor.op_count, 0);
    memcpy(rig.nor.bytes, before, sizeof before);
    rig.nor.bytes[SECTOR - MOLT_PLAN_HEADER_SIZE + 4] = 1;
    assert_int_equal(boot(), MOLT_ERR_NOTSUP);
    assert_int_equal(rig.nor.op_count, 0);
}

static void a_report_that_is_gone_stops_no_upgrade(void **state) {
    (void)state;
    memset(rig.nor.bytes + plan.saved.report_addr, 0, MOLT_REPORT_SIZE);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

static void erase_all_leaves_an_empty_filesystem_and_the_new_firmware(void **state) {
    (void)state;
    uint32_t left = 0;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
    assert_true(rig_outside_is_same(&rig));
    for (uint32_t off = 0; off < rig.shape->fs_size; off += SECTOR) {
        const uint8_t *now = rig.nor.bytes + rig.shape->fs_addr + off;
        left += now[0] != 0xff || memcmp(now, now + 1, SECTOR - 1) != 0;
    }
    // Of the blocks of four sectors with the image's first bytes some sectors are blank anyway.
    assert_in_range(left, 1, 8);
    molt_volume_t volume;
    molt_region_t fs = fixture_fs(rig.shape);
    assert_int_equal(molt_volume_mount(&volume, &rig.nor.flash, &fs, 0, false), MOLT_ERR_CORRUPT);
}

static int (*good_prog)(void *ctx, uint32_t addr, const void *buf, uint32_t size);
static uint32_t deaf_addr;
static uint32_t deaf_size;
static uint32_t deaf_count;

// A place that does not keep a bit, for so many programs.
static int losing_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    int err = good_prog(ctx, addr, buf, size);
    if (addr >= deaf_addr && addr - deaf_addr < deaf_size && deaf_count) {
        deaf_count--;
        rig.nor.bytes[addr] ^= 0x80;
    }
    return err;
}

static void make_deaf(uint32_t addr, uint32_t size, uint32_t count) {
    good_prog = rig.nor.flash.prog;
    rig.nor.flash.prog = losing_prog;
    deaf_addr = addr;
    deaf_size = size;
    deaf_count = count;
}

static void a_worn_sector_stops_the_upgrade_and_another_start_goes_on(void **state) {
    (void)state;
    make_deaf(5 * SECTOR, SECTOR, UINT32_MAX);
    assert_int_equal(rig_start(&rig), SIM_STUCK);
    assert_int_equal(rig.device.boot_result, MOLT_ERR_IO);
    assert_true(sim_device_has_loader(&rig.device));
    deaf_count = 0;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

// Nothing boots while sector 0 is not complete.
static void the_first_sector_is_not_given_up_soon(void **state) {
    (void)state;
    // Its header is programmed by nothing else.
    make_deaf(0, 4, MOLT_SECTOR_TRIES - 1);
    uint64_t erases = rig.nor.counts.erase_sector_count;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
    assert_true(rig.nor.counts.erase_sector_count - erases > MOLT_SECTOR_TRIES);
}

// Programs of journal and attempts do nothing.
static int forgetting_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    bool is_mark = addr >= plan.journal_off && addr < plan.extents_off && size == plan.set_size;
    return is_mark ? 0 : good_prog(ctx, addr, buf, size);
}

static void a_journal_that_keeps_nothing_makes_the_upgrade_slow_not_wrong(void **state) {
    (void)state;
    good_prog = rig.nor.flash.prog;
    rig.nor.flash.prog = forgetting_prog;
    for (int64_t cut = 5; cut < 60; cut += 9) {
        memcpy(rig.nor.bytes, before, sizeof before);
        sim_nor_power_on(&rig.nor);
        rig.nor.cut_op = cut;
        (void)sim_device_start(&rig.device);
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_true(rig_is_new(&rig));
    }
}

static void flash_parameters_are_the_devices_unless_the_images_are_asked_for(void **state) {
    (void)state;
    for (int from_image = 0; from_image < 2; from_image++) {
        rig_reset(&rig);
        rig.nor.bytes[2] = 1;
        rig.nor.bytes[3] = 0x3f;
        rig.host.options.image_params = from_image;
        assert_int_equal(rig_prepare(&rig), 0);
        assert_int_equal(rig.nor.bytes[2], 1);
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(rig.nor.bytes[2], from_image ? 2 : 1);
        assert_int_equal(rig.nor.bytes[3], from_image ? 0x40 : 0x3f);
        assert_memory_equal(rig.nor.bytes + 4, rig.image + 4, rig.image_end - 4);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_ERASE_ALL(name) cmocka_unit_test_setup_teardown(name, set_up_erase_all, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_upgrade_puts_the_image_in_and_changes_nothing_else),
        TEST(every_step_is_told_before_it_is_done_and_in_order),
        TEST(finished_steps_are_not_done_again),
        TEST(a_changed_source_brings_the_old_firmware_back),
        TEST(a_changed_source_and_a_changed_saved_sector_leave_everything_as_it_is),
        TEST(after_the_check_the_saved_sector_is_not_looked_at),
        TEST(without_a_plan_nothing_is_done),
        TEST(a_report_that_is_gone_stops_no_upgrade),
        TEST_ERASE_ALL(erase_all_leaves_an_empty_filesystem_and_the_new_firmware),
        TEST(a_worn_sector_stops_the_upgrade_and_another_start_goes_on),
        TEST(the_first_sector_is_not_given_up_soon),
        TEST(a_journal_that_keeps_nothing_makes_the_upgrade_slow_not_wrong),
        TEST(flash_parameters_are_the_devices_unless_the_images_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
