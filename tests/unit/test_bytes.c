// Little-endian loads and stores, and the arithmetic on sizes that must not overflow.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static void the_lowest_byte_comes_first(void **state) {
    (void)state;
    const uint8_t bytes[] = { 0x78, 0x56, 0x34, 0xf2 };
    uint8_t stored[4];
    assert_int_equal(load16_le(bytes), 0x5678);
    assert_int_equal(load32_le(bytes), 0xf2345678);
    store16_le(stored, 0x5678);
    assert_memory_equal(stored, bytes, 2);
    store32_le(stored, 0xf2345678);
    assert_memory_equal(stored, bytes, 4);
}

static void addresses_need_not_be_aligned(void **state) {
    (void)state;
    uint8_t bytes[13];
    for (size_t off = 0; off < 8; off++) {
        memset(bytes, 0xee, sizeof bytes);
        store32_le(bytes + off, 0x80000001);
        assert_int_equal(load32_le(bytes + off), 0x80000001);
        assert_int_equal(bytes[off + 4], 0xee);
    }
}

static void ceil_div_does_not_overflow(void **state) {
    (void)state;
    assert_int_equal(ceil_div(0, 4096), 0);
    assert_int_equal(ceil_div(1, 4096), 1);
    assert_int_equal(ceil_div(4096, 4096), 1);
    assert_int_equal(ceil_div(4097, 4096), 2);
    assert_int_equal(ceil_div(UINT32_MAX, 4096), 0x100000);
    assert_int_equal(ceil_div(UINT32_MAX, 1), UINT32_MAX);
}

static void the_smaller_one_is_the_minimum(void **state) {
    (void)state;
    assert_int_equal(min_u32(1, 2), 1);
    assert_int_equal(min_u32(2, 1), 1);
    assert_int_equal(min_u32(UINT32_MAX, 0), 0);
}

static void ranges_that_touch_do_not_overlap(void **state) {
    (void)state;
    assert_false(ranges_overlap(0, 10, 10, 10));
    assert_false(ranges_overlap(10, 10, 0, 10));
    assert_true(ranges_overlap(0, 11, 10, 10));
    assert_true(ranges_overlap(10, 10, 0, 11));
    assert_true(ranges_overlap(0, 100, 10, 1));
    assert_true(ranges_overlap(10, 1, 0, 100));
    assert_true(ranges_overlap(5, 1, 5, 1));
}

static void an_empty_range_overlaps_nothing(void **state) {
    (void)state;
    assert_false(ranges_overlap(5, 0, 0, 10));
    assert_false(ranges_overlap(0, 10, 5, 0));
    assert_false(ranges_overlap(5, 0, 5, 0));
}

static void ranges_up_to_the_last_address_do_not_overflow(void **state) {
    (void)state;
    assert_true(ranges_overlap(0xfffff000, 0x1000, 0xffffffff, 1));
    assert_false(ranges_overlap(0xfffff000, 0x1000, 0, 0xfffff000));
    assert_true(ranges_overlap(0, UINT32_MAX, 0xfffffffe, 1));
    assert_true(ranges_overlap(0xfffffff0, 0xffffffff, 0xffffffff, 0xffffffff));
}

static void a_range_within_a_limit_may_end_at_it(void **state) {
    (void)state;
    assert_true(range_within(0, 10, 10));
    assert_true(range_within(10, 0, 10));
    assert_false(range_within(10, 1, 10));
    assert_false(range_within(11, 0, 10));
    assert_false(range_within(1, UINT32_MAX, 10));
    assert_false(range_within(0xfffffff8, 0x10, UINT32_MAX));
    assert_true(range_within(0, UINT32_MAX, UINT32_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_byte_comes_first),
        cmocka_unit_test(addresses_need_not_be_aligned),
        cmocka_unit_test(ceil_div_does_not_overflow),
        cmocka_unit_test(the_smaller_one_is_the_minimum),
        cmocka_unit_test(ranges_that_touch_do_not_overlap),
        cmocka_unit_test(an_empty_range_overlaps_nothing),
        cmocka_unit_test(ranges_up_to_the_last_address_do_not_overflow),
        cmocka_unit_test(a_range_within_a_limit_may_end_at_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
