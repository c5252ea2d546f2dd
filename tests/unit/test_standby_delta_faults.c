// Delta files in standby mode: what is misread, lost, or not molt's any more.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "delta/delta.h"
#include "molt/error.h"
#include "molt/status.h"
#include "standby_rig.h"
#include "upgrade/boot.h"
#include "upgrade/plan_layout.h"
#include "upgrade/starts.h"

static molt_plan_t plan;
static uint8_t plan_sector[2 * SECTOR] __attribute__((aligned(4)));
static sim_device_t device;
static molt_target_t target;

static void prepare(void) {
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    assert_int_equal(molt_boot_open(&board.nor.flash, PLAN_ADDR, &plan, plan_sector, board.buf), 0);
}

static sim_outcome_t start(void) {
    return standby_rig_start(&device, &target);
}

// ---- one reading that fails

typedef int (*read_t)(void *ctx, uint32_t addr, void *buf, uint32_t size);

static struct {
    read_t read;
    uint32_t addr;  // readings of this byte
    uint32_t size_max;
    uint8_t bits;  // that are wrong in it; 0: it fails
    uint32_t left;
} fault;

static int read_wrong(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    int err = fault.read(ctx, addr, buf, size);
    if (!err && fault.left && fault.addr - addr < size && size <= fault.size_max) {
        fault.left--;
        ((uint8_t *)buf)[fault.addr - addr] ^= fault.bits;
        return fault.bits ? 0 : MOLT_ERR_IO;
    }
    return err;
}

// A start, and in it one reading of the byte at `addr`, of at most `size_max` bytes, that is wrong or fails.
static sim_outcome_t start_with_fault(uint32_t addr, uint32_t size_max, uint8_t bits) {
    sim_nor_power_on(&board.nor);
    fault.read = board.nor.flash.read;
    fault.addr = addr;
    fault.size_max = size_max;
    fault.bits = bits;
    fault.left = 1;
    board.nor.flash.read = read_wrong;
    target = fixture_standby_target(SHAPE, &board.nor);
    device = (sim_device_t){ .nor = &board.nor, .standby = &target };
    sim_outcome_t outcome = sim_device_start(&device);
    board.nor.flash.read = fault.read;
    return outcome;
}

static uint32_t header_addr(void) {
    uint32_t run_size;
    return molt_plan_source_addr(&plan, 0, &run_size);
}

static void one_bit_of_the_header_that_is_read_wrong_once_changes_nothing(void **state) {
    (void)state;
    for (uint32_t bit = 0; bit < 8 * MOLT_DELTA_HEADER_SIZE; bit += 11) {
        standby_rig_put_original();
        prepare();
        assert_int_equal(
            start_with_fault(header_addr() + bit / 8, MOLT_DELTA_HEADER_SIZE, (uint8_t)(1u << bit % 8)), SIM_FIRMWARE);
        assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
    }
}

// ---- a cut

static struct {
    bool in_journal;  // a program of its page, which that loses; else an erase
    uint32_t skip;
} cut;

static void watch_cut(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    (void)ctx;
    (void)data;
    (void)size;
    uint32_t page = (PLAN_ADDR + plan.journal_off) / SHAPE->geometry.page_size;
    bool is_it = cut.in_journal ? kind == 'p' && addr / SHAPE->geometry.page_size == page : kind == 's';
    if (is_it && cut.skip-- == 0) {
        board.nor.cut_op = (int64_t)board.nor.op_count;
        board.nor.cut_tear = cut.in_journal ? SIM_TEAR_PAGE : SIM_TEAR_BEFORE;
    }
}

static void start_with_cut(bool in_journal, uint32_t skip) {
    board.nor.watch = watch_cut;
    cut.in_journal = in_journal;
    cut.skip = skip;
    assert_int_equal(start(), SIM_CUT);
    board.nor.watch = NULL;
}

// Half of it is done, and the page with the mark of step 0 is gone: a header that is read wrong, or a log that cannot be read, must not
// bring the old first sector back.
static void a_lost_journal_and_one_reading_that_fails_bring_nothing_back(void **state) {
    (void)state;
    uint32_t lost_count = 0;
    for (uint32_t seed = 0; seed < 24; seed++) {
        standby_rig_put_original();
        board.nor.seed = seed;
        prepare();
        start_with_cut(false, 6);
        start_with_cut(true, seed % 2);
        if ((board.nor.bytes[PLAN_ADDR + plan.journal_off] & 1) == 0) {
            continue;
        }
        lost_count++;
        if (seed % 4 < 2) {
            (void)start_with_fault(header_addr(), MOLT_DELTA_HEADER_SIZE, 1);
        } else {
            (void)start_with_fault(molt_plan_stash_addr(&plan, MOLT_DELTA_STASH_LOG), SECTOR, 0);
        }
        assert_int_not_equal(device.boot_result, MOLT_BOOT_RESTORED);
        assert_true(device.boot_result == MOLT_BOOT_DONE || start() == SIM_FIRMWARE);
        assert_int_equal(board.nor.bytes[IMAGE_ADDR], 0xe9);
    }
    assert_int_not_equal(lost_count, 0);
}

// ---- what is not molt's any more

// Somebody put another firmware in by the serial line, half-way through the delta; once it is misread, and molt's loader starts.
static void a_firmware_that_came_by_the_serial_line_meanwhile_stays(void **state) {
    (void)state;
    uint32_t size = (SHAPE->image_size + SECTOR - 1) / SECTOR * SECTOR;
    prepare();
    start_with_cut(false, 6);
    sim_nor_make_firm(&board.nor);
    memcpy(board.nor.bytes + IMAGE_ADDR, board.original + IMAGE_ADDR, size);
    standby_rig_keep();
    assert_int_equal(start(), SIM_FIRMWARE);
    (void)start_with_fault(IMAGE_ADDR + 5 * SECTOR + 100, SECTOR, 4);
    assert_memory_equal(board.nor.bytes + IMAGE_ADDR, board.original + IMAGE_ADDR, size);
    assert_int_equal(start(), SIM_FIRMWARE);
}

static uint32_t image_op_count;

static void watch_image(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    (void)ctx;
    (void)kind;
    (void)data;
    (void)size;
    image_op_count += addr >= IMAGE_ADDR && addr < IMAGE_ADDR + SHAPE->image_size;
}

// A firmware that is there is misread, and molt's loader starts: a program of its first byte once more, torn, would cost a chip that
// rewrites pages the whole page.
static void a_start_that_finds_all_done_leaves_the_firmware_alone(void **state) {
    (void)state;
    prepare();
    assert_int_equal(start(), SIM_FIRMWARE);
    board.nor.watch = watch_image;
    image_op_count = 0;
    assert_int_equal(start_with_fault(IMAGE_ADDR + 5 * SECTOR + 100, SECTOR, 4), SIM_FIRMWARE);
    assert_int_equal(fault.left, 0);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
    assert_int_equal(image_op_count, 0);
    board.nor.watch = NULL;
}

static void use_slots(void) {
    for (uint32_t i = MOLT_DELTA_STASH_SLOT; i < MOLT_DELTA_STASH_SLOT + 2; i++) {
        memset(board.nor.bytes + molt_plan_stash_addr(&plan, i), 'U', SECTOR);
    }
}

static void assert_slots_used(void) {
    for (uint32_t i = MOLT_DELTA_STASH_SLOT; i < MOLT_DELTA_STASH_SLOT + 2; i++) {
        assert_int_equal(board.nor.bytes[molt_plan_stash_addr(&plan, i)], 'U');
        assert_int_equal(board.nor.bytes[molt_plan_stash_addr(&plan, i) + SECTOR - 1], 'U');
    }
}

static void slots_that_another_file_has_before_the_reset_are_left_to_it(void **state) {
    (void)state;
    prepare();
    use_slots();
    assert_int_equal(start(), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_RESTORED);
    assert_slots_used();
}

static void and_those_that_one_has_since_the_old_firmware_went_back(void **state) {
    (void)state;
    prepare();
    uint32_t run_size;
    uint8_t *patch = board.nor.bytes + molt_plan_source_addr(&plan, 600, &run_size);
    *patch ^= 1;
    assert_int_equal(start(), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_RESTORED);
    // The patch reads right again, and the first sector has gone.
    *patch ^= 1;
    memset(board.nor.bytes + IMAGE_ADDR, 0, 64);
    use_slots();
    (void)start();
    assert_slots_used();
}

// ---- the log of starts

static void an_entry_that_was_torn_does_not_make_the_next_one_the_first(void **state) {
    (void)state;
    static const uint32_t waits[] = { 0, 0, 1, 2, 4 };
    static const uint32_t torn = 0x00ffffff;
    prepare();
    for (uint32_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(molt_boot_open(&board.nor.flash, PLAN_ADDR, &plan, plan_sector, board.buf), 0);
        assert_int_equal(molt_starts_note(&board.nor.flash, PLAN_ADDR, &plan, MOLT_STARTS_DELTA | 5), waits[i]);
        uint32_t addr = PLAN_ADDR + plan.journal_off + plan.set_size;
        while (load32_le(board.nor.bytes + addr) != UINT32_MAX) {
            addr += 4;
        }
        assert_true(addr < PLAN_ADDR + plan.journal_off + plan.set_size + plan.log_size);
        assert_int_equal(board.nor.flash.prog(board.nor.flash.ctx, addr, &torn, sizeof torn), 0);
    }
}

// ---- what is said of it

static void an_upgrade_that_nothing_disturbed_is_said_to_be_one(void **state) {
    (void)state;
    molt_status_t status;
    prepare();
    assert_int_equal(start(), SIM_FIRMWARE);
    target = fixture_standby_target(SHAPE, &board.nor);
    assert_int_equal(molt_status_read(&target, &board.nor.flash, NULL, board.buf, &status), 0);
    assert_int_equal(status.outcome, MOLT_OUTCOME_DONE);
    assert_int_equal(status.boot_count, 1);
    standby_rig_put_original();
    prepare();
    start_with_cut(false, 6);
    assert_int_equal(start(), SIM_FIRMWARE);
    assert_int_equal(molt_status_read(&target, &board.nor.flash, NULL, board.buf, &status), 0);
    assert_int_equal(status.boot_count, 2);
}

int main(void) {
    standby_shape = &fixture_small_standby_delta;
#define TEST(name) cmocka_unit_test_setup_teardown(name, standby_rig_set_up, standby_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_bit_of_the_header_that_is_read_wrong_once_changes_nothing),
        TEST(a_lost_journal_and_one_reading_that_fails_bring_nothing_back),
        TEST(a_firmware_that_came_by_the_serial_line_meanwhile_stays),
        TEST(a_start_that_finds_all_done_leaves_the_firmware_alone),
        TEST(slots_that_another_file_has_before_the_reset_are_left_to_it),
        TEST(and_those_that_one_has_since_the_old_firmware_went_back),
        TEST(an_entry_that_was_torn_does_not_make_the_next_one_the_first),
        TEST(an_upgrade_that_nothing_disturbed_is_said_to_be_one),
    };
    return standby_rig_run(tests, sizeof tests / sizeof tests[0]);
}
