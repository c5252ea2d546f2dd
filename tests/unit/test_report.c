// The report: what is read back is what was noted, a torn note included; nobody else's bytes are touched.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "molt/error.h"
#include "nor.h"
#include "upgrade/report.h"

#define ADDR 4352u
#define CRC 0xcafe0001u

static sim_nor_t nor;

static int set_up(void **state) {
    (void)state;
    static const molt_geometry_t geometry = { 8192, 4096, 0, 256 };
    int err = sim_nor_init(&nor, &geometry);
    molt_report_init(nor.bytes + ADDR, CRC);
    return err;
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

static int note(molt_report_result_t result) {
    return molt_report_note(&nor.flash, ADDR, CRC, result);
}

static void expect(molt_report_result_t result, uint32_t start_count) {
    molt_report_t report;
    assert_int_equal(molt_report_parse(&report, nor.bytes + ADDR), 0);
    assert_int_equal(report.image_crc, CRC);
    assert_int_equal(report.result, result);
    assert_int_equal(report.start_count, start_count);
}

static void a_fresh_record_is_pending_and_never_started(void **state) {
    (void)state;
    expect(MOLT_REPORT_PENDING, 0);
}

static void starts_are_counted_up_to_32(void **state) {
    (void)state;
    for (uint32_t start = 1; start <= 40; start++) {
        assert_int_equal(note(MOLT_REPORT_PENDING), 0);
        expect(MOLT_REPORT_PENDING, start < 32 ? start : 32);
    }
}

// As it is behind a cut that left a weak bit, or where a start that had put the image in finds another file.
static void no_note_sets_a_bit_that_is_cleared(void **state) {
    (void)state;
    static const uint32_t words[] = { 0xfffffffd, 0xfffffffa, 0x7fffffff, 0xffff0000, 0x0000ffff, 0xfffe0fff, 0 };
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (molt_report_result_t result = MOLT_REPORT_PENDING; result <= MOLT_REPORT_RESTORED; result++) {
            memcpy(nor.bytes + ADDR + 8, &words[i], 4);
            memcpy(nor.bytes + ADDR + 12, &words[i], 4);
            assert_int_equal(note(result), 0);
            assert_int_equal(nor.overwrite_count, 0);
        }
    }
}

static void a_result_is_kept_beside_the_starts(void **state) {
    (void)state;
    assert_int_equal(note(MOLT_REPORT_PENDING), 0);
    assert_int_equal(note(MOLT_REPORT_DONE), 0);
    expect(MOLT_REPORT_DONE, 1);
    assert_int_equal(note(MOLT_REPORT_PENDING), 0);
    assert_int_equal(note(MOLT_REPORT_RESTORED), 0);
    expect(MOLT_REPORT_RESTORED, 2);
}

static void a_torn_note_says_what_was_to_be_noted_or_nothing(void **state) {
    (void)state;
    for (molt_report_result_t result = MOLT_REPORT_DONE; result <= MOLT_REPORT_RESTORED; result++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            molt_report_t report;
            sim_nor_make_firm(&nor);
            molt_report_init(nor.bytes + ADDR, CRC);
            sim_nor_power_on(&nor);
            nor.cut_op = 0;
            nor.cut_tear = tear;
            assert_int_equal(note(result), SIM_ERR_CUT);
            assert_int_equal(molt_report_parse(&report, nor.bytes + ADDR), 0);
            assert_true(report.result == result || report.result == MOLT_REPORT_PENDING);
        }
    }
}

static void another_images_record_is_left_alone(void **state) {
    (void)state;
    assert_int_equal(molt_report_note(&nor.flash, ADDR, CRC + 1, MOLT_REPORT_DONE), MOLT_ERR_NOENT);
    nor.bytes[ADDR] ^= 1;
    assert_int_equal(note(MOLT_REPORT_DONE), MOLT_ERR_NOENT);
    molt_report_t report;
    assert_int_equal(molt_report_parse(&report, nor.bytes + ADDR), MOLT_ERR_NOENT);
    assert_int_equal(nor.op_count, 0);
}

static void a_note_reads_16_bytes_and_programs_4(void **state) {
    (void)state;
    assert_int_equal(note(MOLT_REPORT_DONE), 0);
    assert_int_equal(nor.counts.read_size, 16);
    assert_int_equal(nor.counts.prog_count, 1);
    assert_int_equal(nor.counts.prog_size, 4);
}

static void a_failing_driver_is_told_of(void **state) {
    (void)state;
    for (int64_t call = 0; call < 2; call++) {
        sim_nor_power_on(&nor);
        nor.fail_call = call;
        assert_int_equal(note(MOLT_REPORT_DONE), MOLT_ERR_IO);
        expect(MOLT_REPORT_PENDING, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fresh_record_is_pending_and_never_started, set_up, tear_down),
        cmocka_unit_test_setup_teardown(starts_are_counted_up_to_32, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_result_is_kept_beside_the_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_note_sets_a_bit_that_is_cleared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_note_says_what_was_to_be_noted_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_images_record_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_note_reads_16_bytes_and_programs_4, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_driver_is_told_of, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
