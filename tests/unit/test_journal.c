// The journal: a mark is one bit, whatever becomes of the power while it is made.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "molt/error.h"
#include "nor.h"
#include "upgrade/journal.h"

#define STEPS 96u
#define ADDR 1024u

static sim_nor_t nor;
static uint32_t ram[STEPS / 32];

static molt_journal_t opened(void) {
    molt_journal_t journal = { ADDR, sizeof ram, (uint8_t *)ram };
    memcpy(ram, nor.bytes + ADDR, sizeof ram);
    return journal;
}

static int set_up(void **state) {
    (void)state;
    static const molt_geometry_t geometry = { 8192, 4096, 0, 256 };
    return sim_nor_init(&nor, &geometry);
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

static void a_fresh_journal_has_nothing_done(void **state) {
    (void)state;
    molt_journal_t journal = opened();
    for (uint32_t step = 0; step < STEPS; step++) {
        assert_false(molt_journal_is_done(&journal, step));
    }
}

static void a_mark_is_kept_and_concerns_no_other_step(void **state) {
    (void)state;
    for (uint32_t marked = 0; marked < STEPS; marked++) {
        // In an order that goes to and fro between the words.
        uint32_t step = marked * 37 % STEPS;
        molt_journal_t journal = opened();
        assert_false(molt_journal_is_done(&journal, step));
        assert_int_equal(molt_journal_mark(&nor.flash, &journal, step), 0);
        assert_true(molt_journal_is_done(&journal, step));
        journal = opened();
        for (uint32_t i = 0; i <= marked; i++) {
            assert_true(molt_journal_is_done(&journal, i * 37 % STEPS));
        }
        for (uint32_t i = marked + 1; i < STEPS; i++) {
            assert_false(molt_journal_is_done(&journal, i * 37 % STEPS));
        }
    }
}

static void a_mark_costs_one_program_of_the_whole_journal(void **state) {
    (void)state;
    molt_journal_t journal = opened();
    assert_int_equal(molt_journal_mark(&nor.flash, &journal, 50), 0);
    assert_int_equal(nor.counts.prog_count, 1);
    assert_int_equal(nor.counts.prog_size, sizeof ram);
    assert_int_equal(nor.counts.erase_sector_count, 0);
    assert_int_equal(nor.counts.read_size, 0);
}

static void marking_twice_is_marking_once(void **state) {
    (void)state;
    molt_journal_t journal = opened();
    assert_int_equal(molt_journal_mark(&nor.flash, &journal, 33), 0);
    uint8_t once[sizeof ram];
    memcpy(once, nor.bytes + ADDR, sizeof once);
    assert_int_equal(molt_journal_mark(&nor.flash, &journal, 33), 0);
    assert_memory_equal(nor.bytes + ADDR, once, sizeof once);
}

static void a_torn_mark_reads_back_as_done_or_not_done(void **state) {
    (void)state;
    uint32_t done_count = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            sim_nor_make_firm(&nor);
            memset(nor.bytes + ADDR, 0xff, sizeof ram);
            sim_nor_power_on(&nor);
            molt_journal_t journal = opened();
            // Others in the same word, so that there is something to lose.
            for (uint32_t i = step % 2; i < STEPS; i += 2) {
                if (i != step) {
                    assert_int_equal(molt_journal_mark(&nor.flash, &journal, i), 0);
                }
            }
            nor.cut_op = (int64_t)nor.op_count;
            nor.cut_tear = tear;
            nor.seed = step;
            assert_int_equal(molt_journal_mark(&nor.flash, &journal, step), SIM_ERR_CUT);
            sim_nor_power_on(&nor);
            journal = opened();
            done_count += molt_journal_is_done(&journal, step);
            for (uint32_t i = 0; i < STEPS; i++) {
                if (i != step) {
                    assert_int_equal(molt_journal_is_done(&journal, i), i % 2 == step % 2);
                }
            }
        }
    }
    // The tears were real ones.
    assert_in_range(done_count, STEPS, STEPS * (SIM_TEAR_COUNT - 1));
}

static void a_failing_driver_is_told_of_but_the_run_goes_on(void **state) {
    (void)state;
    molt_journal_t journal = opened();
    nor.fail_call = 0;
    assert_int_equal(molt_journal_mark(&nor.flash, &journal, 5), MOLT_ERR_IO);
    assert_true(molt_journal_is_done(&journal, 5));
    // The next mark makes up for it, whichever word it is in.
    assert_int_equal(molt_journal_mark(&nor.flash, &journal, 90), 0);
    journal = opened();
    assert_true(molt_journal_is_done(&journal, 5));
}

// A mark that was torn can read as made now and as not made at the next start. Each mark programs again what was read, so
// that what a run went by is so from then on.
static void a_mark_makes_firm_what_was_read_as_marked(void **state) {
    (void)state;
    uint32_t read_count = 0;
    for (uint32_t seed = 0; seed < 64; seed++) {
        sim_nor_make_firm(&nor);
        memset(nor.bytes + ADDR, 0xff, sizeof ram);
        sim_nor_power_on(&nor);
        molt_journal_t journal = opened();
        nor.cut_op = 0;
        nor.cut_tear = SIM_TEAR_WEAK;
        nor.seed = seed;
        assert_int_equal(molt_journal_mark(&nor.flash, &journal, 7), SIM_ERR_CUT);
        sim_nor_power_on(&nor);
        journal = opened();
        if (!molt_journal_is_done(&journal, 7)) {
            continue;
        }
        read_count++;
        assert_int_equal(molt_journal_mark(&nor.flash, &journal, 70), 0);
        for (int start = 0; start < 8; start++) {
            sim_nor_power_on(&nor);
            journal = opened();
            assert_true(molt_journal_is_done(&journal, 7));
        }
    }
    // The coin fell both ways.
    assert_in_range(read_count, 8, 56);
}

// No bit that is marked is ever asked to be a 1 again: some chips would store it.
static void marking_never_asks_for_a_one_over_a_zero(void **state) {
    (void)state;
    molt_journal_t journal = opened();
    for (uint32_t step = 0; step < STEPS; step++) {
        assert_int_equal(molt_journal_mark(&nor.flash, &journal, step * 37 % STEPS), 0);
    }
    assert_int_equal(nor.overwrite_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fresh_journal_has_nothing_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mark_is_kept_and_concerns_no_other_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mark_costs_one_program_of_the_whole_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(marking_twice_is_marking_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_mark_reads_back_as_done_or_not_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mark_makes_firm_what_was_read_as_marked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(marking_never_asks_for_a_one_over_a_zero, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_driver_is_told_of_but_the_run_goes_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
