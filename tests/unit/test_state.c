// The state log: the newest whole record counts, whatever becomes of the power while one is appended; and the committed
// vectors (tests/vectors/state, made without molt's code) are read as what they are.
//
// Run from the root of the repository, or with the folder of the vectors as the only argument.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "molt/error.h"
#include "molt/state.h"
#include "nor.h"

#define SECTOR 4096u
#define RESERVED 8192u
#define LOG (RESERVED + 4 * SECTOR)
#define RECORD 32u
#define RECORDS (SECTOR / RECORD)

static const char *folder = "tests/vectors/state";
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
    molt_state_t next = { .kind = MOLT_STATE_TRIAL, .head = mark & 1, .plan = MOLT_STATE_NO_PLAN, .trial_plan = mark, .trial_starts = 7 };
    return molt_state_append(&nor.flash, RESERVED, present, &next);
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
    for (uint32_t i = 0; i < 4 * RECORDS + 3; i++) {
        assert_int_equal(append(&present, (uint8_t)i), 0);
        present = read_state();
        assert_int_equal(present.number, i + 1);
        assert_int_equal(present.addr, LOG + i % (2 * RECORDS) * RECORD);
        assert_int_equal(present.kind, MOLT_STATE_TRIAL);
        assert_int_equal(present.head, i & 1);
        assert_int_equal(present.plan, MOLT_STATE_NO_PLAN);
        assert_int_equal(present.trial_plan, (uint8_t)i);
        assert_int_equal(present.trial_starts, 7);
        assert_int_equal(present.tally, 0);
    }
}

static void reading_a_full_log_costs_less_than_four_hundred_bytes(void **state) {
    (void)state;
    fill(2 * RECORDS);
    nor.counts.read_size = 0;
    (void)read_state();
    assert_in_range(nor.counts.read_size, 1, 400);
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
    static const uint32_t filled[] = { 1, 5, RECORDS - 1, RECORDS, 2 * RECORDS - 1, 2 * RECORDS, 3 * RECORDS };
    for (size_t i = 0; i < sizeof filled / sizeof filled[0]; i++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            for (int64_t op = 0; op < 2; op++) {
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
                    // One operation is all that most appends take.
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
    // Of the next one only the CRC was programmed.
    memset(nor.bytes + LOG + 4 * RECORD + 12, 0, 4);
    assert_int_equal(append(&present, 0x55), 0);
    assert_int_equal(read_state().trial_plan, 0x55);
    assert_int_equal(read_state().addr, LOG + 5 * RECORD);
}

static void a_failing_driver_is_told_of_and_the_old_record_stays(void **state) {
    (void)state;
    fill(RECORDS);
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

static void load(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        fail_msg("%s cannot be opened", path);
    }
    assert_int_equal(fread(nor.bytes + LOG, 1, 2 * SECTOR, stream), 2 * SECTOR);
    fclose(stream);
}

static void the_vectors_are_read_as_what_they_are(void **state) {
    (void)state;
    load("upgrade");
    molt_state_t found = read_state();
    assert_int_equal(found.number, 3);
    assert_int_equal(found.kind, MOLT_STATE_UPGRADE);
    assert_int_equal(found.result, MOLT_STATE_RESULT_DONE);
    assert_int_equal(found.head, 1);
    assert_int_equal(found.plan, 0);
    assert_int_equal(found.trial_plan, 1);
    assert_int_equal(found.trial_starts, 3);
    assert_int_equal(found.tally, 2);
    load("torn-record");
    assert_int_equal(read_state().number, 3);
    load("second-sector");
    assert_int_equal(read_state().number, 130);
    assert_int_equal(read_state().addr, LOG + SECTOR + RECORD);
    load("torn-erase");
    assert_int_equal(read_state().number, 256);
    load("nothing-whole");
    assert_int_equal(molt_state_read(&nor.flash, RESERVED, &found), MOLT_ERR_NOENT);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_log_has_no_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_record_of_two_rounds_is_found_when_it_is_the_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_a_full_log_costs_less_than_four_hundred_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(starts_are_counted_up_to_thirty_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_any_torn_append_the_old_record_counts_or_the_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_record_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_driver_is_told_of_and_the_old_record_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_vectors_are_read_as_what_they_are, set_up, tear_down),
    };
    folder = argc > 1 ? argv[1] : folder;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
