// The state log: the newest whole record counts, whatever becomes of the power while one is appended.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "molt/error.h"
#include "nor.h"
#include "resident/state.h"

#define SECTOR 4096u
#define RESERVED 8192u
#define LOG (RESERVED + 4 * SECTOR)
#define PAGE 256u
#define SLOT (2 * PAGE)
#define SLOTS (SECTOR / SLOT)

static sim_nor_t nor;

static int set_up(void **state) {
    (void)state;
    static const molt_geometry_t geometry = { 65536, SECTOR, 0, 256 };
    return sim_nor_init(&nor, &geometry);
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

static molt_state_t read_state(void) {
    molt_state_t state;
    assert_int_equal(molt_state_read(&nor.flash, RESERVED, &state), 0);
    return state;
}

// Append a record that can be told from its neighbours.
static int append(const molt_state_t *present, uint8_t mark) {
    molt_state_t state = *present;
    molt_state_t next = {
        .kind = MOLT_STATE_TRIAL,
        .head = mark & 1,
        .plan = MOLT_STATE_NO_PLAN,
        .trial_plan = mark,
        .trial_starts = 7,
    };
    return molt_state_append(&nor.flash, RESERVED, &state, &next);
}

static void fill(uint32_t count) {
    molt_state_t present = { .number = 0, .addr = 0 };
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(append(&present, (uint8_t)i), 0);
        present = read_state();
    }
}

static void an_empty_log_has_no_state(void **state) {
    (void)state;
    molt_state_t found;
    assert_int_equal(molt_state_read(&nor.flash, RESERVED, &found), MOLT_ERR_NOENT);
}

static void every_record_of_two_rounds_is_found_when_it_is_the_last(void **state) {
    (void)state;
    molt_state_t present = { .number = 0, .addr = 0 };
    for (uint32_t i = 0; i < 4 * SLOTS + 3; i++) {
        assert_int_equal(append(&present, (uint8_t)i), 0);
        molt_state_t told = present;
        molt_state_t next = { .kind = MOLT_STATE_TRIAL, .plan = 0xee };
        sim_nor_push(&nor);
        assert_int_equal(molt_state_append(&nor.flash, RESERVED, &told, &next), 0);
        molt_state_t found = read_state();
        // What appending says is what reading finds.
        assert_int_equal(told.number, found.number);
        assert_int_equal(told.addr, found.addr);
        assert_int_equal(told.free_addr, found.free_addr);
        assert_int_equal(told.plan, 0xee);
        assert_int_equal(told.tally, 0);
        sim_nor_pop(&nor);
        present = read_state();
        assert_int_equal(present.number, i + 1);
        assert_int_equal(present.addr, LOG + i % (2 * SLOTS) * SLOT);
        assert_int_equal(present.kind, MOLT_STATE_TRIAL);
        assert_int_equal(present.head, i & 1);
        assert_int_equal(present.plan, MOLT_STATE_NO_PLAN);
        assert_int_equal(present.trial_plan, (uint8_t)i);
        assert_int_equal(present.trial_starts, 7);
        assert_int_equal(present.tally, 0);
    }
}

// Each blank slot is read several times before it is believed to be blank.
static void reading_the_log_costs_less_than_two_kilobytes(void **state) {
    (void)state;
    for (uint32_t count = 1; count <= 2 * SLOTS + 1; count++) {
        sim_nor_make_firm(&nor);
        memset(nor.bytes, 0xff, 65536);
        fill(count);
        nor.counts.read_size = 0;
        (void)read_state();
        assert_in_range(nor.counts.read_size, 1, 2048);
    }
}

static void starts_are_counted_up_to_thirty_two(void **state) {
    (void)state;
    fill(3);
    for (uint32_t i = 1; i <= 40; i++) {
        molt_state_t present = read_state();
        assert_int_equal(molt_state_count(&nor.flash, &present), 0);
        assert_int_equal(read_state().tally, i < 32 ? i : 32);
    }
}

static void after_any_torn_append_the_old_record_counts_or_the_new(void **state) {
    (void)state;
    uint32_t new_count = 0;
    // The last place of a sector, the change to the other one, and a place in the middle.
    static const uint32_t filled[] = { 1, 5, SLOTS - 1, SLOTS, 2 * SLOTS - 1, 2 * SLOTS, 3 * SLOTS };
    for (size_t i = 0; i < sizeof filled / sizeof filled[0]; i++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            for (int64_t op = 0; op < 3; op++) {
                sim_nor_make_firm(&nor);
                memset(nor.bytes, 0xff, 65536);
                sim_nor_power_on(&nor);
                fill(filled[i]);
                molt_state_t before = read_state();
                sim_nor_power_on(&nor);
                nor.cut_op = op;
                nor.cut_tear = tear;
                nor.seed = (uint32_t)i;
                int err = append(&before, 0xaa);
                if (!nor.is_cut) {
                    // Two programs are all that most appends take.
                    assert_int_equal(err, 0);
                    continue;
                }
                sim_nor_power_on(&nor);
                molt_state_t after = read_state();
                bool is_new = after.number == before.number + 1;
                assert_true(is_new || after.number == before.number);
                assert_int_equal(after.trial_plan, is_new ? 0xaa : before.trial_plan);
                new_count += is_new;
                // And the log goes on from there.
                assert_int_equal(append(&after, 0xbb), 0);
                assert_int_equal(read_state().trial_plan, 0xbb);
            }
        }
    }
    assert_in_range(new_count, 1, 1000);
}

static void a_torn_record_is_passed_over(void **state) {
    (void)state;
    fill(4);
    molt_state_t present = read_state();
    // Of the next one only the CRC was programmed, in one of its copies.
    memset(nor.bytes + LOG + 4 * SLOT + PAGE + 12, 0, 4);
    present = read_state();
    assert_int_equal(present.number, 4);
    assert_int_equal(append(&present, 0x55), 0);
    assert_int_equal(read_state().trial_plan, 0x55);
    assert_int_equal(read_state().addr, LOG + 5 * SLOT);
    // It has the number that it would have if the one before it were a record.
    assert_int_equal(read_state().number, 6);
}

// What one start takes for torn the next one may read as a record.
static void a_torn_record_that_reads_as_valid_later_does_not_count(void **state) {
    (void)state;
    for (uint32_t count = 1; count <= 2 * SLOTS; count++) {
        sim_nor_make_firm(&nor);
        memset(nor.bytes, 0xff, 65536);
        fill(count);
        molt_state_t before = read_state();
        uint32_t torn_addr = before.free_addr % SECTOR ? before.free_addr : 0;
        if (torn_addr == 0) {
            // The next one goes into the other sector, which is erased first.
            continue;
        }
        assert_int_equal(append(&before, 0xaa), 0);
        uint8_t whole[SLOT];
        memcpy(whole, nor.bytes + torn_addr, SLOT);
        memset(nor.bytes + torn_addr + 12, 0, 2);
        memset(nor.bytes + torn_addr + PAGE + 12, 0, 2);
        molt_state_t present = read_state();
        assert_int_equal(present.number, before.number);
        assert_int_equal(append(&present, 0xbb), 0);
        if (read_state().addr / SECTOR == torn_addr / SECTOR) {
            memcpy(nor.bytes + torn_addr, whole, SLOT);
            assert_int_equal(read_state().trial_plan, 0xbb);
            present = read_state();
            assert_int_equal(append(&present, 0xcc), 0);
            assert_int_equal(read_state().trial_plan, 0xcc);
            continue;
        }
        // The last slot of its sector was the torn one: both are read now, and the later one has the higher number.
        memcpy(nor.bytes + torn_addr, whole, SLOT);
        assert_int_equal(read_state().trial_plan, 0xbb);
    }
}

static void either_copy_alone_is_enough(void **state) {
    (void)state;
    fill(5);
    molt_state_t whole = read_state();
    for (uint32_t gone = 0; gone < 2; gone++) {
        uint8_t *copy = nor.bytes + whole.addr + gone * PAGE;
        for (uint32_t off = 0; off < 16; off++) {
            for (uint32_t bit = 0; bit < 8; bit++) {
                copy[off] ^= (uint8_t)(1u << bit);
                molt_state_t found = read_state();
                assert_int_equal(found.number, whole.number);
                assert_int_equal(found.trial_plan, whole.trial_plan);
                assert_int_equal(found.addr, whole.addr);
                copy[off] ^= (uint8_t)(1u << bit);
            }
        }
        static const uint8_t fills[] = { 0, 0xff, 0xa5 };
        uint8_t kept[PAGE];
        memcpy(kept, copy, PAGE);
        for (size_t i = 0; i < sizeof fills; i++) {
            memset(copy, fills[i], PAGE);
            assert_int_equal(read_state().number, whole.number);
            molt_state_t present = read_state();
            assert_int_equal(present.free_addr, whole.addr + SLOT);
        }
        memcpy(copy, kept, PAGE);
    }
}

static void a_record_with_both_copies_damaged_leaves_the_one_before(void **state) {
    (void)state;
    for (uint32_t count = 2; count <= 2 * SLOTS + 2; count++) {
        sim_nor_make_firm(&nor);
        memset(nor.bytes, 0xff, 65536);
        fill(count);
        molt_state_t newest = read_state();
        nor.bytes[newest.addr + 3] ^= 2;
        nor.bytes[newest.addr + PAGE + 13] ^= 2;
        molt_state_t found = read_state();
        assert_int_equal(found.number, count - 1);
        assert_int_equal(found.trial_plan, (uint8_t)(count - 2));
        assert_int_equal(append(&found, 0xdd), 0);
        assert_int_equal(read_state().trial_plan, 0xdd);
        // Not over the damaged one, unless its sector has been erased.
        assert_true(read_state().addr != newest.addr || newest.addr % SECTOR == 0);
        assert_int_equal(nor.overwrite_count, 0);
    }
}

static void a_record_of_unknown_kind_is_refused(void **state) {
    (void)state;
    static const uint8_t kinds[] = { 0, 4, 5, 0x7f, 0x80, 0xff };
    for (size_t i = 0; i < sizeof kinds; i++) {
        sim_nor_make_firm(&nor);
        memset(nor.bytes, 0xff, 65536);
        fill(3);
        molt_state_t present = read_state();
        molt_state_t next = { .kind = kinds[i] };
        assert_int_equal(molt_state_append(&nor.flash, RESERVED, &present, &next), 0);
        assert_int_equal(molt_state_read(&nor.flash, RESERVED, &present), MOLT_ERR_NOTSUP);
    }
}

// Only then is the other sector erased, and the one that counts lies in this one.
static void the_record_that_counts_stays_until_the_next_is_there(void **state) {
    (void)state;
    for (uint32_t round = 1; round <= 3; round++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            sim_nor_make_firm(&nor);
            memset(nor.bytes, 0xff, 65536);
            sim_nor_power_on(&nor);
            fill(round * SLOTS);
            molt_state_t before = read_state();
            assert_int_equal(before.free_addr % SECTOR, 0);
            sim_nor_power_on(&nor);
            nor.cut_op = 0;  // the erase
            nor.cut_tear = tear;
            nor.seed = round;
            assert_int_equal(append(&before, 0xaa), SIM_ERR_CUT);
            for (int start = 0; start < 5; start++) {
                sim_nor_power_on(&nor);
                molt_state_t found = read_state();
                assert_int_equal(found.number, before.number);
                assert_int_equal(found.addr, before.addr);
            }
            assert_int_equal(append(&before, 0xbb), 0);
            assert_int_equal(read_state().trial_plan, 0xbb);
            assert_int_not_equal(read_state().addr / SECTOR, before.addr / SECTOR);
        }
    }
}

// A record that is read once may be torn: counting the start on its word programs it again.
static void a_record_that_was_counted_stays(void **state) {
    (void)state;
    uint32_t new_count = 0;
    for (uint32_t seed = 0; seed < 200; seed++) {
        sim_nor_make_firm(&nor);
        memset(nor.bytes, 0xff, 65536);
        sim_nor_power_on(&nor);
        fill(3);
        molt_state_t present = read_state();
        sim_nor_power_on(&nor);
        nor.seed = seed;
        nor.cut_op = seed % 2;
        nor.cut_tear = seed % 4 < 2 ? SIM_TEAR_MARGINAL : SIM_TEAR_WEAK;
        assert_int_equal(append(&present, 0xaa), SIM_ERR_CUT);
        sim_nor_power_on(&nor);
        molt_state_t found = read_state();
        if (found.number == present.number) {
            continue;
        }
        new_count++;
        assert_int_equal(molt_state_count(&nor.flash, &found), 0);
        for (int start = 0; start < 6; start++) {
            sim_nor_power_on(&nor);
            assert_int_equal(read_state().number, found.number);
            assert_int_equal(read_state().tally, 1);
        }
        assert_int_equal(nor.overwrite_count, 0);
    }
    assert_in_range(new_count, 20, 199);
}

static void one_misread_changes_nothing(void **state) {
    (void)state;
    for (uint32_t count = 1; count <= 2 * SLOTS + 1; count += 3) {
        sim_nor_make_firm(&nor);
        memset(nor.bytes, 0xff, 65536);
        sim_nor_power_on(&nor);
        fill(count);
        molt_state_t whole = read_state();
        for (int64_t call = 0;; call++) {
            sim_nor_power_on(&nor);
            nor.misread = call;
            nor.seed = (uint32_t)call;
            molt_state_t found = read_state();
            if (!nor.has_misread) {
                break;
            }
            assert_int_equal(found.number, whole.number);
            assert_int_equal(found.addr, whole.addr);
            // At worst a slot that was read as torn is passed over.
            assert_in_range(found.free_addr, whole.free_addr, whole.free_addr + SLOT * SLOTS);
            assert_int_equal(found.trial_plan, whole.trial_plan);
        }
    }
}

static int (*good_prog)(void *ctx, uint32_t addr, const void *buf, uint32_t size);
static uint32_t worn_addr;
static uint32_t worn_size;

static int losing_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    int err = good_prog(ctx, addr, buf, size);
    if (addr - worn_addr < worn_size) {
        nor.bytes[addr + 5] ^= 0x40;
    }
    return err;
}

static void a_record_that_does_not_stick_goes_into_a_later_slot(void **state) {
    (void)state;
    fill(2);
    good_prog = nor.flash.prog;
    nor.flash.prog = losing_prog;
    worn_addr = LOG + 2 * SLOT;
    worn_size = 2 * SLOT;
    molt_state_t present = read_state();
    assert_int_equal(append(&present, 0x77), 0);
    assert_int_equal(read_state().trial_plan, 0x77);
    assert_int_equal(read_state().addr, LOG + 4 * SLOT);
    assert_int_equal(read_state().number, 5);
    // None does: the one that counts stays.
    worn_size = 2 * SECTOR;
    worn_addr = LOG;
    present = read_state();
    assert_int_equal(append(&present, 0x78), MOLT_ERR_IO);
    assert_int_equal(read_state().trial_plan, 0x77);
}

static void a_failing_driver_is_told_of_and_the_old_record_stays(void **state) {
    (void)state;
    fill(SLOTS);
    molt_state_t present = read_state();
    for (int64_t call = 0; call < 12; call++) {
        sim_nor_power_on(&nor);
        nor.fail_call = call;
        molt_state_t found;
        int err = molt_state_read(&nor.flash, RESERVED, &found);
        assert_int_equal(err, nor.has_failed ? MOLT_ERR_IO : 0);
    }
    nor.fail_call = -1;
    assert_int_equal(read_state().number, present.number);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_empty_log_has_no_state),
        TEST(every_record_of_two_rounds_is_found_when_it_is_the_last),
        TEST(reading_the_log_costs_less_than_two_kilobytes),
        TEST(starts_are_counted_up_to_thirty_two),
        TEST(after_any_torn_append_the_old_record_counts_or_the_new),
        TEST(a_torn_record_is_passed_over),
        TEST(a_failing_driver_is_told_of_and_the_old_record_stays),
        TEST(a_torn_record_that_reads_as_valid_later_does_not_count),
        TEST(either_copy_alone_is_enough),
        TEST(a_record_with_both_copies_damaged_leaves_the_one_before),
        TEST(a_record_of_unknown_kind_is_refused),
        TEST(the_record_that_counts_stays_until_the_next_is_there),
        TEST(a_record_that_was_counted_stays),
        TEST(one_misread_changes_nothing),
        TEST(a_record_that_does_not_stick_goes_into_a_later_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
