// CRC-32: the check value that catalogues of CRCs give, and what a running CRC must be good for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"

// The boot loaders' implementation, beside the other one.
uint32_t crc32_small(uint32_t crc, const void *data, uint32_t size);
#define molt_crc32 crc32_small
#include "base/crc32_small.c"
#undef molt_crc32

static void the_check_value_is_right(void **state) {
    (void)state;
    assert_int_equal(molt_crc32(0, "123456789", 9), 0xCBF43926);
}

static void no_bytes_leave_it_as_it_is(void **state) {
    (void)state;
    assert_int_equal(molt_crc32(0, "", 0), 0);
    assert_int_equal(molt_crc32(0x12345678, NULL, 0), 0x12345678);
}

// Values of zlib's crc32().
static void erased_and_blank_sectors_have_the_values_of_zlib(void **state) {
    (void)state;
    uint8_t sector[4096];
    memset(sector, 0xff, sizeof sector);
    assert_int_equal(molt_crc32(0, sector, sizeof sector), 0xF154670A);
    memset(sector, 0, sizeof sector);
    assert_int_equal(molt_crc32(0, sector, sizeof sector), 0xC71C0011);
}

static void it_can_be_continued_anywhere(void **state) {
    (void)state;
    const char text[] = "the journal records durably which steps are finished";
    uint32_t size = sizeof text - 1;
    uint32_t whole = molt_crc32(0, text, size);
    for (uint32_t cut = 0; cut <= size; cut++) {
        assert_int_equal(molt_crc32(molt_crc32(0, text, cut), text + cut, size - cut), whole);
    }
}

static void every_single_bit_counts(void **state) {
    (void)state;
    uint8_t bytes[64] = { 0 };
    uint32_t blank = molt_crc32(0, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(molt_crc32(0, bytes, sizeof bytes), blank);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static void the_boot_loaders_own_gives_the_same(void **state) {
    (void)state;
    uint8_t bytes[300];
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * i * 7 + i);
    }
    assert_int_equal(crc32_small(0, "123456789", 9), 0xCBF43926);
    for (uint32_t size = 0; size <= sizeof bytes; size++) {
        assert_int_equal(crc32_small(size, bytes, size), molt_crc32(size, bytes, size));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_value_is_right),
        cmocka_unit_test(no_bytes_leave_it_as_it_is),
        cmocka_unit_test(erased_and_blank_sectors_have_the_values_of_zlib),
        cmocka_unit_test(the_boot_loaders_own_gives_the_same),
        cmocka_unit_test(it_can_be_continued_anywhere),
        cmocka_unit_test(every_single_bit_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
