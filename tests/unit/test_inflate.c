// Inflate and unpack: what zlib packs comes out as it went in, whatever the blocks, windows and pieces; what is cut short,
// changed, followed by something or too large is told apart.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "decode/unpack.h"
#include "molt/error.h"

#define PLAIN_SIZE 50000u
#define FILE_MAX 120000u

static uint8_t plain[PLAIN_SIZE];
static uint8_t out[PLAIN_SIZE + 4];
static uint8_t file[FILE_MAX];
static uint32_t file_size;
static uint8_t window[MOLT_INFLATE_WINDOW_MAX];
static molt_unpack_t unpack;
static uint32_t work[256];
static uint32_t reads_to_fail;  // so many reads succeed; 0: all

static int read_file(void *ctx, uint32_t off, void *buf, uint32_t size) {
    (void)ctx;
    assert_true(off <= file_size && size <= file_size - off);
    if (reads_to_fail && --reads_to_fail == 0) {
        return MOLT_ERR_IO;
    }
    memcpy(buf, file + off, size);
    return 0;
}

static int set_up(void **state) {
    (void)state;
    // Like code: repetitive in part, and over distances of all kinds.
    uint32_t random = 7;
    for (uint32_t i = 0; i < PLAIN_SIZE; i++) {
        random = random * 1664525u + 1013904223u;
        uint32_t back = 1 + (random >> 8) % 40000;
        plain[i] = (random >> 28) < 12 && back <= i ? plain[i - back] : (uint8_t)(random >> 20);
        for (uint32_t run = random >> 24 & 31; run && i + 1 < PLAIN_SIZE && back <= i; run--, i++) {
            plain[i + 1] = plain[i + 1 - back];
        }
    }
    reads_to_fail = 0;
    return 0;
}

static void pack(int level, int window_bits, int strategy) {
    enum { GZIP = 16, MEM_LEVEL = 8 };
    z_stream stream = { .next_in = plain, .avail_in = PLAIN_SIZE, .next_out = file, .avail_out = FILE_MAX };
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, GZIP + window_bits, MEM_LEVEL, strategy), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    file_size = (uint32_t)stream.total_out;
    assert_int_equal(deflateEnd(&stream), Z_OK);
}

static molt_reader_t reader_of(uint32_t window_size) {
    molt_reader_t source = { NULL, file_size, read_file };
    return molt_unpack_reader(&unpack, &source, window, window_size, PLAIN_SIZE);
}

static int measure(uint32_t window_size, uint32_t size_max, molt_unpacked_t *unpacked) {
    (void)reader_of(window_size);
    return molt_unpack_measure(&unpack, 4096, size_max, (uint8_t *)work, sizeof work, NULL, NULL, unpacked);
}

static int measured(void) {
    molt_unpacked_t unpacked;
    return measure(sizeof window, PLAIN_SIZE, &unpacked);
}

static void every_kind_of_block_and_window_comes_out_as_it_went_in(void **state) {
    (void)state;
    static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED };
    for (size_t i = 0; i < sizeof strategies / sizeof strategies[0]; i++) {
        for (int level = 0; level <= 9; level += 3) {
            for (int bits = 9; bits <= 15; bits += 2) {
                molt_unpacked_t unpacked;
                pack(level, bits, strategies[i]);
                assert_int_equal(measure(1u << bits, PLAIN_SIZE, &unpacked), 0);
                assert_int_equal(unpacked.size, PLAIN_SIZE);
                assert_int_equal(unpacked.crc, molt_crc32(0, plain, PLAIN_SIZE));
                assert_in_range(unpacked.head_used, 16, file_size);
            }
        }
    }
}

static void pieces_of_any_size_fit_together_and_a_step_back_begins_again(void **state) {
    (void)state;
    pack(9, 12, Z_DEFAULT_STRATEGY);
    molt_reader_t image = reader_of(4096);
    uint32_t size = 1;
    for (uint32_t off = 0; off < PLAIN_SIZE; off += size, size = size * 5 % 4099 + 1) {
        size = size < PLAIN_SIZE - off ? size : PLAIN_SIZE - off;
        assert_int_equal(image.read(image.ctx, off, out, size), 0);
        assert_memory_equal(out, plain + off, size);
    }
    static const uint32_t offs[] = { 40000, 0, 100, 30000, 29999, 45000, 44000 };
    for (size_t i = 0; i < sizeof offs / sizeof offs[0]; i++) {
        assert_int_equal(image.read(image.ctx, offs[i], out, 777), 0);
        assert_memory_equal(out, plain + offs[i], 777);
    }
    assert_int_equal(image.read(image.ctx, PLAIN_SIZE - 10, out, 11), MOLT_ERR_CORRUPT);
    assert_int_equal(image.read(image.ctx, 5, out, 10), 0);
    assert_memory_equal(out, plain + 5, 10);
}

static void a_window_that_is_too_small_is_told_apart_from_damage(void **state) {
    (void)state;
    molt_unpacked_t unpacked;
    pack(9, 15, Z_DEFAULT_STRATEGY);
    assert_int_equal(measure(4096, PLAIN_SIZE, &unpacked), MOLT_ERR_NOSPC);
    assert_int_equal(measure(sizeof window, PLAIN_SIZE, &unpacked), 0);
}

static void a_file_that_is_cut_anywhere_is_damaged(void **state) {
    (void)state;
    pack(9, 15, Z_DEFAULT_STRATEGY);
    for (uint32_t whole = file_size, cut = 0; cut < whole; cut += cut < 300 || cut + 300 > whole ? 1 : 997) {
        file_size = cut;
        int err = measured();
        assert_true(err == MOLT_ERR_CORRUPT || (cut < 10 && err == MOLT_ERR_NOTSUP));
    }
}

static void a_changed_bit_does_not_go_unnoticed(void **state) {
    (void)state;
    pack(6, 15, Z_DEFAULT_STRATEGY);
    // Behind the header, of which time, flags of the compressor and system do not matter.
    for (uint32_t bit = 80; bit < file_size * 8; bit += 6007) {
        file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(measured(), 0);
        file[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    // The trailer, bit for bit.
    for (uint32_t bit = (file_size - 8) * 8; bit < file_size * 8; bit++) {
        file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(measured(), MOLT_ERR_CORRUPT);
        file[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(measured(), 0);
}

static void only_padding_may_follow(void **state) {
    (void)state;
    pack(9, 15, Z_DEFAULT_STRATEGY);
    uint32_t size = file_size;
    memset(file + size, 0, 5000);
    file_size = size + 5000;
    assert_int_equal(measured(), 0);
    file[size + 4999] = 1;
    assert_int_equal(measured(), MOLT_ERR_NOTSUP);
    // A second member.
    file_size = size * 2;
    memcpy(file + size, file, size);
    assert_int_equal(measured(), MOLT_ERR_NOTSUP);
}

// Put `more` bytes behind the ten of the header, and set its flags.
static void stretch_header(uint8_t flags, const void *more, uint32_t size) {
    pack(9, 15, Z_DEFAULT_STRATEGY);
    memmove(file + 10 + size, file + 10, file_size - 10);
    memcpy(file + 10, more, size);
    file[3] = flags;
    file_size += size;
}

static void optional_fields_of_the_header_are_passed_over(void **state) {
    (void)state;
    enum { CRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16 };
    stretch_header(NAME, "firmware.bin", 13);
    assert_int_equal(measured(), 0);
    stretch_header(EXTRA | NAME | COMMENT, "\3\0abcname\0comment", 18);
    assert_int_equal(measured(), 0);
    stretch_header(CRC, "xx", 2);
    assert_int_equal(measured(), 0);
}

static void another_method_or_magic_is_not_supported(void **state) {
    (void)state;
    pack(9, 15, Z_DEFAULT_STRATEGY);
    static const uint8_t at[] = { 0, 1, 2 };
    for (size_t i = 0; i < sizeof at; i++) {
        file[at[i]]++;
        assert_int_equal(measured(), MOLT_ERR_NOTSUP);
        file[at[i]]--;
    }
    file[3] = 0x20;
    assert_int_equal(measured(), MOLT_ERR_NOTSUP);
}

static void more_than_fits_is_refused_before_it_is_unpacked(void **state) {
    (void)state;
    molt_unpacked_t unpacked;
    pack(9, 15, Z_DEFAULT_STRATEGY);
    assert_int_equal(measure(sizeof window, PLAIN_SIZE - 1, &unpacked), MOLT_ERR_FBIG);
    assert_int_equal(measure(sizeof window, 10000, &unpacked), MOLT_ERR_FBIG);
    assert_in_range(unpacked.size, 10001, 10000 + sizeof work);
}

static int stop(void *ctx, uint32_t done, uint32_t total) {
    assert_true(done <= total && total == file_size);
    return --*(int *)ctx == 0 ? MOLT_ERR_BUSY : 0;
}

static void progress_can_stop_it_and_the_inputs_error_passes_through(void **state) {
    (void)state;
    molt_unpacked_t unpacked;
    int calls = 9;
    pack(9, 15, Z_DEFAULT_STRATEGY);
    (void)reader_of(sizeof window);
    assert_int_equal(
        molt_unpack_measure(&unpack, 4096, PLAIN_SIZE, (uint8_t *)work, sizeof work, stop, &calls, &unpacked), MOLT_ERR_BUSY);
    for (uint32_t n = 1; n < 400; n += 7) {
        reads_to_fail = n;
        int err = measured();
        assert_int_equal(err, reads_to_fail ? 0 : MOLT_ERR_IO);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_block_and_window_comes_out_as_it_went_in),
        TEST(pieces_of_any_size_fit_together_and_a_step_back_begins_again),
        TEST(a_window_that_is_too_small_is_told_apart_from_damage),
        TEST(a_file_that_is_cut_anywhere_is_damaged),
        TEST(a_changed_bit_does_not_go_unnoticed),
        TEST(only_padding_may_follow),
        TEST(optional_fields_of_the_header_are_passed_over),
        TEST(another_method_or_magic_is_not_supported),
        TEST(more_than_fits_is_refused_before_it_is_unpacked),
        TEST(progress_can_stop_it_and_the_inputs_error_passes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
