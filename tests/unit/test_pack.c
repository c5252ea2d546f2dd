// What the tool packs for a delta file: deflate that the device's inflater unpacks, within the window.

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/reader.h"
#include "codes.h"
#include "decode/inflate.h"
#include "pack.h"
#include "tokens.h"

#define SIZE_MAX_HERE 60000u

static uint8_t bytes[SIZE_MAX_HERE];
static uint8_t unpacked[SIZE_MAX_HERE + 1];

static uint32_t next_random(uint32_t *x) {
    *x = *x * 1664525u + 1013904223u;
    return *x >> 16;
}

typedef void make_t(uint32_t size);

static void make_zeros(uint32_t size) {
    memset(bytes, 0, size);
}

static void make_noise(uint32_t size) {
    uint32_t x = 1;
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)next_random(&x);
    }
}

// Some bytes are frequent, and pieces come again from near and far; its character changes in the middle.
static void make_code(uint32_t size) {
    uint32_t x = 7;
    for (uint32_t i = 0; i < size;) {
        uint32_t back = next_random(&x) % 12000 + 1;
        uint32_t piece = next_random(&x) % 40 + 1;
        bool is_copy = next_random(&x) % 3 != 0 && back <= i;
        for (; piece && i < size; piece--, i++) {
            uint8_t own = (uint8_t)((next_random(&x) & next_random(&x) & 0x3f) + (i > size / 2 ? 0x80 : 0));
            bytes[i] = is_copy ? bytes[i - back] : own;
        }
    }
}

// With the inflater of the device and a window of just so much.
static void require_unpacked(const uint8_t *packed, uint32_t packed_size, uint32_t size, uint32_t reach) {
    static uint8_t window[MOLT_INFLATE_WINDOW_MAX];
    uint32_t window_size = 256;
    while (window_size < reach) {
        window_size *= 2;
    }
    molt_inflate_t inflate;
    uint32_t got;
    // As in a delta file something stands behind it, 32 bits at least.
    static uint8_t file[SIZE_MAX_HERE + 1000];
    memcpy(file, packed, packed_size);
    memset(file + packed_size, 0, 4);
    const molt_reader_t reader = molt_memory_reader(file, packed_size + 4);
    memset(unpacked, 0x5a, sizeof unpacked);
    molt_inflate_begin_raw(&inflate, &reader, 0, window, window_size);
    assert_int_equal(molt_inflate_read(&inflate, unpacked, size + 1, &got), 0);
    assert_int_equal(got, size);
    assert_memory_equal(unpacked, bytes, size);
}

static uint32_t zlib_size(uint32_t size, int bits) {
    static uint8_t out[SIZE_MAX_HERE + 1000];
    z_stream z = { .next_in = bytes, .avail_in = size, .next_out = out, .avail_out = sizeof out };
    assert_int_equal(deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return (uint32_t)z.total_out;
}

static void what_is_packed_is_unpacked_within_the_window(void **state) {
    (void)state;
    static make_t *const makes[] = { make_zeros, make_noise, make_code };
    static const uint32_t sizes[] = { 1, 2, 3, 4, 257, 258, 259, 1000, 20000 };
    for (uint32_t i = 0; i < sizeof makes / sizeof makes[0]; i++) {
        for (uint32_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            for (uint32_t window_size = 256; window_size <= 32768; window_size *= 8) {
                uint32_t packed_size;
                uint32_t reach;
                makes[i](sizes[j]);
                uint8_t *packed = pack_deflate(bytes, sizes[j], window_size, NULL, NULL, &packed_size, &reach);
                assert_non_null(packed);
                assert_true(reach <= window_size);
                require_unpacked(packed, packed_size, sizes[j], reach);
                free(packed);
            }
        }
    }
}

static void it_is_smaller_than_what_zlib_makes(void **state) {
    (void)state;
    for (int bits = 9; bits <= 15; bits += 3) {
        uint32_t packed_size;
        uint32_t reach;
        make_code(SIZE_MAX_HERE);
        uint8_t *packed = pack_deflate(bytes, SIZE_MAX_HERE, 1u << bits, NULL, NULL, &packed_size, &reach);
        assert_non_null(packed);
        require_unpacked(packed, packed_size, SIZE_MAX_HERE, reach);
        free(packed);
        // By 2 % at least.
        assert_true(packed_size * 50 < zlib_size(SIZE_MAX_HERE, bits) * 49);
    }
}

static void require_further(void *ctx, uint32_t done, uint32_t total) {
    uint32_t *last = ctx;
    assert_true(done > *last && done <= total);
    *last = done;
}

static void it_says_how_far_it_is(void **state) {
    (void)state;
    uint32_t packed_size;
    uint32_t reach;
    uint32_t done = 0;
    make_code(SIZE_MAX_HERE);
    free(pack_deflate(bytes, SIZE_MAX_HERE, 4096, require_further, &done, &packed_size, &reach));
    // Each of its rounds is as long as the bytes.
    assert_true(done >= SIZE_MAX_HERE);
}

// Counts as of Fibonacci want codes longer than there can be.
static void codes_are_no_longer_than_they_can_be(void **state) {
    (void)state;
    uint32_t counts[30] = { 1, 1 };
    uint8_t lengths[30];
    for (uint32_t i = 2; i < 30; i++) {
        counts[i] = counts[i - 1] + counts[i - 2];
    }
    for (uint32_t bits_max = 5; bits_max <= CODE_BITS_MAX; bits_max++) {
        uint32_t left = 1u << bits_max;
        codes_limit(lengths, counts, 30, bits_max);
        for (uint32_t i = 0; i < 30; i++) {
            assert_in_range(lengths[i], 1, bits_max);
            assert_true(i == 0 || lengths[i] <= lengths[i - 1]);
            left -= 1u << (bits_max - lengths[i]);
        }
        assert_int_equal(left, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_is_unpacked_within_the_window),
        cmocka_unit_test(it_is_smaller_than_what_zlib_makes),
        cmocka_unit_test(it_says_how_far_it_is),
        cmocka_unit_test(codes_are_no_longer_than_they_can_be),
    };
    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
