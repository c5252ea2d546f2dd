// Delta files in standby mode: what the extension does by itself, and what it leaves alone.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delta/delta.h"
#include "molt/error.h"
#include "standby_rig.h"
#include "upgrade/boot.h"
#include "upgrade/plan_layout.h"

static molt_plan_t plan;
static uint8_t plan_sector[2 * SECTOR] __attribute__((aligned(4)));
static sim_device_t device;
static molt_target_t target;

static void prepare(void) {
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    assert_int_equal(molt_boot_open(&board.nor.flash, PLAN_ADDR, &plan, plan_sector, board.buf), 0);
    assert_int_equal(plan.source_kind, MOLT_SOURCE_DELTA);
}

static sim_outcome_t start(void) {
    return standby_rig_start(&device, &target);
}

// A start that is cut in its operation `op`.
static sim_outcome_t start_cut(uint64_t op, sim_tear_t tear) {
    sim_nor_power_on(&board.nor);
    board.nor.cut_op = (int64_t)op;
    board.nor.cut_tear = tear;
    target = fixture_standby_target(SHAPE, &board.nor);
    device = (sim_device_t){ .nor = &board.nor, .standby = &target };
    return sim_device_start(&device);
}

static bool has_image(const uint8_t *bytes) {
    return memcmp(board.nor.bytes + IMAGE_ADDR, bytes, SHAPE->image_size) == 0;
}

static void it_becomes_the_firmware_and_starts_that_follow_change_nothing(void **state) {
    (void)state;
    prepare();
    assert_false(molt_plan_is_todo(&plan, MOLT_DELTA_STEP));
    assert_int_equal(start(), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
    assert_int_equal(device.waited_s, 0);
    uint8_t digest[MOLT_SHA1_SIZE];
    molt_sha1_t sha1;
    molt_sha1_init(&sha1);
    molt_sha1_update(&sha1, board.nor.bytes + IMAGE_ADDR, SHAPE->image_size);
    molt_sha1_finish(digest, &sha1);
    assert_memory_equal(digest, molt_plan_image_sha1(&plan), sizeof digest);
    assert_int_equal(start(), SIM_FIRMWARE);
    assert_int_equal(board.nor.op_count, 0);
}

static void a_patch_or_a_stash_that_has_changed_brings_the_old_firmware_back(void **state) {
    (void)state;
    uint32_t run_size;
    for (uint32_t what = 0; what < 4; what++) {
        standby_rig_put_original();
        prepare();
        uint32_t addr = what == 0   ? molt_plan_source_addr(&plan, 600, &run_size)
                        : what == 1 ? molt_plan_stash_addr(&plan, MOLT_DELTA_STASH_FIRST) + 500
                        : what == 2 ? molt_plan_stash_addr(&plan, MOLT_DELTA_STASH_CODE) + 500
                                    : IMAGE_ADDR + 5 * SECTOR;
        uint8_t *byte = board.nor.bytes + addr;
        uint8_t before = *byte;
        *byte ^= 1;
        assert_int_equal(start(), what < 3 ? SIM_FIRMWARE : SIM_STUCK);
        assert_int_equal(device.boot_result, MOLT_BOOT_RESTORED);
        *byte = before;
        assert_true(has_image(board.original + IMAGE_ADDR));
    }
}

// Once something was done nothing brings the old first sector back before an image that is no longer the old one.
static void half_way_nothing_that_is_damaged_brings_it_back(void **state) {
    (void)state;
    prepare();
    // The marks, step 0, its image's first byte, the entry in the log, the first two operations.
    assert_int_equal(start_cut(14, SIM_TEAR_AFTER), SIM_CUT);
    sim_nor_make_firm(&board.nor);
    assert_false(has_image(board.original + IMAGE_ADDR));
    uint8_t *byte = board.nor.bytes + molt_plan_stash_addr(&plan, MOLT_DELTA_STASH_CODE) + 500;
    *byte ^= 1;
    assert_int_equal(start(), SIM_STUCK);
    assert_int_not_equal(device.boot_result, MOLT_BOOT_RESTORED);
    assert_int_not_equal(board.nor.bytes[IMAGE_ADDR], 0xe9);
    *byte ^= 1;
    assert_int_equal(start(), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
}

// Cut the power under the first erase.
static void cut_erase(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    (void)ctx;
    (void)addr;
    (void)data;
    (void)size;
    if (kind == 's') {
        board.nor.cut_op = (int64_t)board.nor.op_count;
        board.nor.cut_tear = SIM_TEAR_BEFORE;
    }
}

// A supply that gives way there each time: the first starts go on at once, then each waits longer, up to 64 s.
static void starts_that_get_no_further_wait(void **state) {
    (void)state;
    static const uint32_t waits[] = { 0, 0, 1, 2, 4, 8, 16, 32, 64, 64 };
    prepare();
    board.nor.watch = cut_erase;
    for (uint32_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(start(), SIM_CUT);
        assert_int_equal(device.waited_s, waits[i]);
    }
    board.nor.watch = NULL;
    assert_int_equal(start(), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
}

// The old first sector is no reason to believe that the stash is still there.
static void where_a_firmware_has_run_since_nothing_is_written(void **state) {
    (void)state;
    prepare();
    assert_int_equal(start(), SIM_FIRMWARE);
    // Logs that know of nothing, as where they were written anew for another file; and a firmware that does not start.
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t *log = board.nor.bytes + molt_plan_stash_addr(&plan, MOLT_DELTA_STASH_LOG + i);
        memset(log + 16, 0xff, SECTOR - 16);
    }
    board.nor.bytes[IMAGE_ADDR + 5 * SECTOR] ^= 1;
    standby_rig_keep();
    assert_int_equal(start(), SIM_STUCK);
    assert_memory_equal(board.nor.bytes + IMAGE_ADDR, board.original + IMAGE_ADDR, SHAPE->geometry.size - IMAGE_ADDR);
}

// A bit that is wrong when all is done cannot be put right, and is not made firm.
static void a_sector_that_has_gone_bad_is_not_written_over_with_what_it_reads_as(void **state) {
    (void)state;
    prepare();
    // Up to where the loader marks that it is finishing.
    uint64_t op = 20;
    while (start_cut(op, SIM_TEAR_BEFORE) == SIM_CUT && memcmp(board.nor.bytes + PLAN_ADDR + 256, "\xff\xff\xff\xff", 4) == 0) {
        standby_rig_put_original();
        prepare();
        op++;
    }
    standby_rig_put_original();
    prepare();
    assert_int_equal(start_cut(op - 1, SIM_TEAR_BEFORE), SIM_CUT);
    sim_nor_make_firm(&board.nor);
    board.nor.bytes[IMAGE_ADDR + 5 * SECTOR] ^= 1;
    standby_rig_keep();
    assert_int_equal(start(), SIM_STUCK);
    assert_memory_equal(board.nor.bytes + IMAGE_ADDR + SECTOR, board.original + IMAGE_ADDR + SECTOR, SHAPE->image_size - SECTOR);
    board.nor.bytes[IMAGE_ADDR + 5 * SECTOR] ^= 1;
    assert_int_equal(start(), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
}

static void it_is_no_trial(void **state) {
    (void)state;
    assert_int_equal(standby_rig_prepare_trial(FIXTURE_PATH, FIXTURE_OLD_PATH, 1), MOLT_ERR_NOTSUP);
    assert_true(has_image(board.original + IMAGE_ADDR));
}

int main(void) {
    standby_shape = &fixture_small_standby_delta;
#define TEST(name) cmocka_unit_test_setup_teardown(name, standby_rig_set_up, standby_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_becomes_the_firmware_and_starts_that_follow_change_nothing),
        TEST(a_patch_or_a_stash_that_has_changed_brings_the_old_firmware_back),
        TEST(half_way_nothing_that_is_damaged_brings_it_back),
        TEST(starts_that_get_no_further_wait),
        TEST(where_a_firmware_has_run_since_nothing_is_written),
        TEST(a_sector_that_has_gone_bad_is_not_written_over_with_what_it_reads_as),
        TEST(it_is_no_trial),
    };
    return standby_rig_run(tests, sizeof tests / sizeof tests[0]);
}
