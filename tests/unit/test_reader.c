// Readers: of memory, and their CRC in pieces of any size.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/reader.h"
#include "molt/error.h"

static uint8_t bytes[1000];
static uint32_t told_count;
static uint32_t stop_at;

static int set_up(void **state) {
    (void)state;
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 256);
    }
    told_count = 0;
    stop_at = UINT32_MAX;
    return 0;
}

static int tell(void *ctx, uint32_t done, uint32_t total) {
    assert_ptr_equal(ctx, bytes);
    assert_int_equal(total, sizeof bytes);
    told_count++;
    return done >= stop_at ? MOLT_ERR_BUSY : 0;
}

static void memory_is_read_from_any_offset(void **state) {
    (void)state;
    uint8_t got[17];
    molt_reader_t reader = molt_memory_reader(bytes, sizeof bytes);
    assert_int_equal(reader.size, sizeof bytes);
    for (uint32_t off = 0; off + sizeof got <= sizeof bytes; off++) {
        assert_int_equal(reader.read(reader.ctx, off, got, sizeof got), 0);
        assert_memory_equal(got, bytes + off, sizeof got);
    }
}

static void the_crc_does_not_depend_on_the_pieces(void **state) {
    (void)state;
    uint32_t whole = molt_crc32(0, bytes, sizeof bytes);
    molt_reader_t reader = molt_memory_reader(bytes, sizeof bytes);
    for (uint32_t piece = 4; piece <= 1024; piece += 4) {
        uint32_t buf[256];
        uint32_t crc = 1;
        assert_int_equal(molt_reader_crc(&reader, buf, piece, NULL, NULL, &crc), 0);
        assert_int_equal(crc, whole);
    }
    uint32_t buf[4];
    uint32_t crc = 1;
    reader.size = 0;
    assert_int_equal(molt_reader_crc(&reader, buf, sizeof buf, NULL, NULL, &crc), 0);
    assert_int_equal(crc, 0);
}

static void progress_is_told_and_can_stop_it(void **state) {
    (void)state;
    uint32_t buf[64];
    uint32_t crc;
    molt_reader_t reader = molt_memory_reader(bytes, sizeof bytes);
    assert_int_equal(molt_reader_crc(&reader, buf, sizeof buf, tell, bytes, &crc), 0);
    assert_int_equal(told_count, 4);
    stop_at = 300;
    assert_int_equal(molt_reader_crc(&reader, buf, sizeof buf, tell, bytes, &crc), MOLT_ERR_BUSY);
    assert_int_equal(told_count, 7);
}

static int fail_behind(void *ctx, uint32_t off, void *buf, uint32_t size) {
    memset(buf, 0, size);
    return off >= *(uint32_t *)ctx ? MOLT_ERR_CORRUPT : 0;
}

static void an_error_of_the_reader_is_handed_on(void **state) {
    (void)state;
    uint32_t limit = 512;
    uint32_t buf[64];
    uint32_t crc;
    molt_reader_t reader = { &limit, 1000, fail_behind };
    assert_int_equal(molt_reader_crc(&reader, buf, sizeof buf, NULL, NULL, &crc), MOLT_ERR_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(memory_is_read_from_any_offset, set_up),
        cmocka_unit_test_setup(the_crc_does_not_depend_on_the_pieces, set_up),
        cmocka_unit_test_setup(progress_is_told_and_can_stop_it, set_up),
        cmocka_unit_test_setup(an_error_of_the_reader_is_handed_on, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
