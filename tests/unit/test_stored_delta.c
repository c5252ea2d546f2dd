// Delta files: every committed vector (tests/vectors/delta, made without molt's code) makes what it is to make, or is refused for
// what is wrong with it.
//
// Run from the root of the repository, or with the folder of the vectors as the only argument.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "delta/delta.h"
#include "molt/error.h"

#define SECTOR 256u
#define FLASH_SIZE 0x10000u
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const char *folder = "tests/vectors/delta";

static uint8_t flash_bytes[FLASH_SIZE];
static uint8_t patch_bytes[FLASH_SIZE];
static uint8_t wanted[FLASH_SIZE];
static uint8_t made[FLASH_SIZE];
static _Alignas(4) uint8_t window[MOLT_DELTA_WINDOWS_MAX];
static uint32_t buf[SECTOR / 4];
static molt_delta_t delta;

static int read_flash(void *ctx, uint32_t addr, void *out, uint32_t size) {
    (void)ctx;
    if (!range_within(addr, size, FLASH_SIZE)) {
        return MOLT_ERR_IO;
    }
    memcpy(out, flash_bytes + addr, size);
    return 0;
}

static const molt_flash_t flash = { .geometry = { FLASH_SIZE, SECTOR, 4096, 64 }, .read = read_flash };
static const molt_delta_place_t place = { &flash, 0, 0, NULL };

// Bytes of the file, or UINT32_MAX where there is none.
static uint32_t load(uint8_t *out, const char *name, const char *tail) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s.bin", folder, name, tail);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return UINT32_MAX;
    }
    uint32_t size = (uint32_t)fread(out, 1, FLASH_SIZE, stream);
    fclose(stream);
    return size;
}

// The patch, and in flash its old image as a device has it, with flash parameters of its own.
static molt_reader_t set_up(const char *name) {
    uint32_t size = load(patch_bytes, name, "");
    if (size == UINT32_MAX) {
        fail_msg("there is no vector %s", name);
    }
    memset(flash_bytes, 0xff, sizeof flash_bytes);
    if (load(flash_bytes, name, "-old") == UINT32_MAX && load(flash_bytes, "old", "") == UINT32_MAX) {
        fail_msg("there is no old image");
    }
    store16_le(flash_bytes + 2, 0x2003);
    return molt_memory_reader(patch_bytes, size);
}

typedef enum stage { IN_HEADER, IN_FILE, IN_BEGIN, IN_CHECK, NOWHERE } stage_t;

// What a device does before it writes anything: *stage is where an error came from.
static int look(const molt_reader_t *patch, stage_t *stage) {
    molt_delta_header_t header;
    *stage = IN_HEADER;
    int err = molt_delta_read_header(patch, &header);
    if (!err) {
        *stage = IN_FILE;
        err = molt_delta_check_file(patch, (uint8_t *)buf, sizeof buf, NULL, NULL);
    }
    if (!err) {
        *stage = IN_BEGIN;
        err = molt_delta_begin(&delta, patch, &place, window, sizeof window);
    }
    if (!err) {
        *stage = IN_CHECK;
        err = molt_delta_check(&delta, (uint8_t *)buf, NULL, NULL);
    }
    *stage = err ? *stage : NOWHERE;
    return err;
}

// The new image in `made`; flash keeps the old one.
static void make(const molt_reader_t *patch) {
    memcpy(made, flash_bytes, sizeof made);
    assert_int_equal(molt_delta_begin(&delta, patch, &place, window, sizeof window), 0);
    assert_int_equal(molt_delta_first(&delta, (uint8_t *)buf), 0);
    memcpy(made, buf, SECTOR);
    for (uint32_t i = 0; i < delta.header.op_count; i++) {
        molt_delta_write_t write;
        assert_int_equal(molt_delta_next(&delta, (uint8_t *)buf, true, &write), 0);
        if (write.old_addr == UINT32_MAX) {
            memcpy(made + write.addr, buf, SECTOR);
        }
    }
}

static void each_good_one_makes_its_image(void **state) {
    (void)state;
    static const char *const names[] = { "first-alone", "short", "all-new", "moved", "carried", "shrunk", "of-the-first",
        "repeated", "few-changes", "names", "addresses", "pointers", "calls", "largest-map", "windows" };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const molt_reader_t patch = set_up(names[i]);
        uint32_t size = load(wanted, names[i], "-new");
        stage_t stage;
        molt_delta_standing_t standing;
        int err = look(&patch, &stage);
        if (err) {
            fail_msg("%s: %d in stage %d", names[i], err, (int)stage);
        }
        assert_int_equal(molt_delta_find_standing(&delta.header, &place, (uint8_t *)buf, sizeof buf, NULL, NULL, &standing), 0);
        assert_int_equal(standing, MOLT_DELTA_OLD);
        make(&patch);
        assert_int_equal(size, delta.header.new_size);
        if (memcmp(made, wanted, size) != 0) {
            fail_msg("%s makes another image", names[i]);
        }
        // With the parameters that the device had.
        memcpy(flash_bytes, wanted, size);
        store16_le(flash_bytes + 2, 0x2003);
        assert_int_equal(molt_delta_find_standing(&delta.header, &place, (uint8_t *)buf, sizeof buf, NULL, NULL, &standing), 0);
        assert_int_equal(standing, MOLT_DELTA_NEW);
    }
}

static void the_header_says_what_the_format_says(void **state) {
    (void)state;
    molt_delta_header_t header;
    molt_reader_t patch = set_up("moved");
    assert_int_equal(molt_delta_read_header(&patch, &header), 0);
    assert_int_equal(header.sector_size, SECTOR);
    assert_int_equal(header.file_size, patch.size);
    assert_int_equal(header.old_size, 1500);
    assert_int_equal(header.new_size, 1700);
    assert_int_equal(header.fs_addr, 0x1000);
    assert_int_equal(header.op_count, 10);
    assert_int_equal(header.slot_count, 2);
    assert_int_equal(header.main_window_size, 512);
    assert_int_equal(header.fix_window_size, 256);
    assert_int_equal(header.old_params, 0x4002);
    assert_int_equal(header.new_params, 0x1001);
    assert_string_equal(header.old_name, "v1.0");
    assert_string_equal(header.new_name, "v2.0");
    patch = set_up("names");
    assert_int_equal(molt_delta_read_header(&patch, &header), 0);
    assert_string_equal(header.old_name, "twenty letters, all.");
    assert_string_equal(header.new_name, "");
}

static void each_bad_one_is_refused_for_what_is_wrong_with_it(void **state) {
    (void)state;
    static const struct {
        const char *name;
        stage_t stage;
        int err;
    } cases[] = {
        { "bad-empty", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-short", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-file-unaligned", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-magic", IN_HEADER, MOLT_ERR_NOTSUP },
        { "bad-flag", IN_HEADER, MOLT_ERR_NOTSUP },
        { "bad-map-count", IN_HEADER, MOLT_ERR_NOTSUP },
        { "bad-map-twice", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-map-order", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-map-base", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-map-number", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-map-short", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-sector-size", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-file-size", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-old-size", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-new-size", IN_HEADER, MOLT_ERR_NOTSUP },
        { "bad-op-count", IN_HEADER, MOLT_ERR_NOTSUP },
        { "bad-slot-count", IN_HEADER, MOLT_ERR_NOTSUP },
        { "bad-window", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-windows", IN_HEADER, MOLT_ERR_NOTSUP },
        { "bad-main-offset", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-changes-offset", IN_HEADER, MOLT_ERR_CORRUPT },
        { "bad-crc", IN_FILE, MOLT_ERR_CORRUPT },
        { "bad-op-first", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-op-outside", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-op-slot", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-number", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-ops-crc", IN_BEGIN, MOLT_ERR_CORRUPT },
        { "bad-gone", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-itself", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-stash", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-slot-reused", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-piece-outside", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-piece-behind", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-piece-empty", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-piece-long", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-new-long", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-main-short", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-changes-short", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-sector", IN_CHECK, MOLT_ERR_CORRUPT },
        { "bad-image", IN_CHECK, MOLT_ERR_CORRUPT },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const molt_reader_t patch = set_up(cases[i].name);
        stage_t stage;
        int err = look(&patch, &stage);
        if (err != cases[i].err || stage != cases[i].stage) {
            fail_msg("%s: %d in stage %d", cases[i].name, err, (int)stage);
        }
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_good_one_makes_its_image),
        cmocka_unit_test(the_header_says_what_the_format_says),
        cmocka_unit_test(each_bad_one_is_refused_for_what_is_wrong_with_it),
    };
    folder = argc > 1 ? argv[1] : folder;
    return cmocka_run_group_tests_name("stored_delta", tests, NULL, NULL);
}
