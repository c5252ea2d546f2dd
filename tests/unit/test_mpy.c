// The .mpy parser: what it says of damaged and foreign files.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reader.h"
#include "fixture/frozen.h"
#include "frozen/mpy.h"
#include "molt/error.h"

static uint8_t bytes[FROZEN_MPY_MAX];

static int parse(uint32_t size, molt_mpy_t *mpy) {
    molt_reader_t reader = molt_memory_reader(bytes, size);
    return molt_mpy_parse(mpy, &reader, &frozen_target, NULL);
}

static void a_whole_file_is_fine(void **state) {
    molt_mpy_t mpy;
    (void)state;
    for (uint32_t id = 0; id < 10; id++) {
        assert_int_equal(parse(frozen_make_mpy(bytes, id, id), &mpy), 0);
        assert_int_equal(mpy.defect, MOLT_MPY_FINE);
        assert_int_equal(mpy.header.object_count, 7);
    }
}

static void a_file_cut_anywhere_is_truncated(void **state) {
    molt_mpy_t mpy;
    (void)state;
    uint32_t size = frozen_make_mpy(bytes, 3, 1);
    for (uint32_t cut = 0; cut < size; cut++) {
        assert_int_equal(parse(cut, &mpy), MOLT_ERR_CORRUPT);
        assert_int_equal(mpy.defect, MOLT_MPY_TRUNCATED);
        assert_true(mpy.defect_off <= cut);
    }
}

static void a_byte_too_many_is_noticed(void **state) {
    molt_mpy_t mpy;
    (void)state;
    uint32_t size = frozen_make_mpy(bytes, 3, 1);
    bytes[size] = 0;
    assert_int_equal(parse(size + 1, &mpy), MOLT_ERR_CORRUPT);
    assert_int_equal(mpy.defect, MOLT_MPY_TRAILING);
}

static void no_changed_byte_leads_astray(void **state) {
    molt_mpy_t mpy;
    (void)state;
    uint32_t size = frozen_make_mpy(bytes, 4, 2);
    for (uint32_t i = 0; i < size; i++) {
        uint8_t was = bytes[i];
        for (unsigned value = 0; value < 256; value++) {
            bytes[i] = (uint8_t)value;
            int err = parse(size, &mpy);
            assert_true((err == 0) == (mpy.defect == MOLT_MPY_FINE));
            assert_true(mpy.off <= size);
        }
        bytes[i] = was;
    }
}

static void expect_header(uint32_t at, uint8_t value, int err, molt_mpy_defect_t defect) {
    molt_mpy_t mpy;
    uint32_t size = frozen_make_mpy(bytes, 1, 1);
    bytes[at] = value;
    assert_int_equal(parse(size, &mpy), err);
    assert_int_equal(mpy.defect, defect);
}

static void foreign_files_are_told_apart(void **state) {
    (void)state;
    expect_header(0, 'P', MOLT_ERR_CORRUPT, MOLT_MPY_NOT_MPY);
    expect_header(1, 5, MOLT_ERR_NOTSUP, MOLT_MPY_BAD_VERSION);
    expect_header(2, 0x40, MOLT_ERR_NOTSUP, MOLT_MPY_BAD_FEATURE);
    expect_header(2, 10 << 2 | 3, MOLT_ERR_NOTSUP, MOLT_MPY_BAD_ARCH);
    expect_header(2, 9 << 2 | 2, MOLT_ERR_NOTSUP, MOLT_MPY_BAD_SUB_VERSION);
    expect_header(3, 32, MOLT_ERR_NOTSUP, MOLT_MPY_BAD_SMALL_INT);
}

// One name of `size` bytes, and a function.
static uint32_t name_of(uint32_t size) {
    static const uint8_t end[] = { 0, 4 << 3, 0x10, 0x02, 0x51, 0x63 };
    static const uint8_t begin[] = { 'M', 6, 0, 31, 1, 0 };
    memcpy(bytes, begin, sizeof begin);
    bytes[6] = (uint8_t)(0x80 | size >> 6);
    bytes[7] = (uint8_t)(size << 1 & 0x7f);
    memset(bytes + 8, 'n', size);
    memcpy(bytes + 8 + size, end, sizeof end);
    return 8 + size + (uint32_t)sizeof end;
}

static void a_name_has_255_bytes_at_most(void **state) {
    molt_mpy_t mpy;
    (void)state;
    assert_int_equal(parse(name_of(255), &mpy), 0);
    assert_int_equal(parse(name_of(256), &mpy), MOLT_ERR_CORRUPT);
    assert_int_equal(mpy.defect, MOLT_MPY_BAD_QSTR);
}

static void native_code_cut_anywhere_is_truncated(void **state) {
    // Viper code with relocations, constant and zeroed data, and a function in it.
    static const uint8_t file[] = { 'M', 6, 9 << 2 | 3, 31, 1, 0, 2, 'n', 0, 2 << 3 | 4 | 2, 1, 2, 0x70, 3, 4, 'a', 'b', 'c', 1,
        4 << 3, 0x10, 0x02, 0x51, 0x63, 0x01, 2, 0x06, 0x03, 4, 2, 0x12, 0xff };
    molt_mpy_t mpy;
    (void)state;
    memcpy(bytes, file, sizeof file);
    assert_int_equal(parse(sizeof file, &mpy), 0);
    for (uint32_t cut = 0; cut < sizeof file; cut++) {
        assert_int_equal(parse(cut, &mpy), MOLT_ERR_CORRUPT);
        assert_int_equal(mpy.defect, MOLT_MPY_TRUNCATED);
    }
}

// Tuples in tuples, `depth` of them.
static uint32_t nest(uint32_t depth) {
    static const uint8_t begin[] = { 'M', 6, 0, 31, 1, 1, 2, 'a', 0 };
    static const uint8_t end[] = { 1, 4 << 3, 0x10, 0x02, 0x51, 0x63 };
    uint32_t at = sizeof begin;
    memcpy(bytes, begin, sizeof begin);
    for (uint32_t i = 0; i < depth; i++) {
        bytes[at++] = 10;
        bytes[at++] = 1;
    }
    memcpy(bytes + at, end, sizeof end);
    return at + (uint32_t)sizeof end;
}

static void nesting_is_bounded(void **state) {
    molt_mpy_t mpy;
    (void)state;
    assert_int_equal(parse(nest(MOLT_MPY_DEPTH_MAX), &mpy), 0);
    assert_int_equal(parse(nest(MOLT_MPY_DEPTH_MAX + 1), &mpy), MOLT_ERR_CORRUPT);
    assert_int_equal(mpy.defect, MOLT_MPY_TOO_DEEP);
}

static void numbers_have_32_bits(void **state) {
    static const uint8_t header[] = { 'M', 6, 0, 31, 0x9f, 0xff, 0xff, 0xff, 0xff, 0x7f, 1 };
    molt_mpy_t mpy;
    (void)state;
    memcpy(bytes, header, sizeof header);
    assert_int_equal(parse(sizeof header, &mpy), MOLT_ERR_CORRUPT);
    assert_int_equal(mpy.defect, MOLT_MPY_BAD_NUMBER);
}

static int fail_read(void *ctx, uint32_t off, void *buf, uint32_t size) {
    (void)ctx;
    (void)off;
    (void)buf;
    (void)size;
    return MOLT_ERR_IO;
}

static void the_readers_error_passes_through(void **state) {
    molt_mpy_t mpy;
    (void)state;
    const molt_reader_t reader = { NULL, 100, fail_read };
    assert_int_equal(molt_mpy_parse(&mpy, &reader, NULL, NULL), MOLT_ERR_IO);
}

static void every_defect_has_a_sentence(void **state) {
    (void)state;
    for (int i = 0; i <= MOLT_MPY_DEFECT_COUNT; i++) {
        assert_true(strlen(molt_mpy_defect_text((molt_mpy_defect_t)i)) > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_fine),
        cmocka_unit_test(a_file_cut_anywhere_is_truncated),
        cmocka_unit_test(a_byte_too_many_is_noticed),
        cmocka_unit_test(no_changed_byte_leads_astray),
        cmocka_unit_test(foreign_files_are_told_apart),
        cmocka_unit_test(a_name_has_255_bytes_at_most),
        cmocka_unit_test(native_code_cut_anywhere_is_truncated),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(numbers_have_32_bits),
        cmocka_unit_test(the_readers_error_passes_through),
        cmocka_unit_test(every_defect_has_a_sentence),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
