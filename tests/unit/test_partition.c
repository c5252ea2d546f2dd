// Partition tables: every committed vector (tests/vectors/partition, made without molt's code), the pieces that they
// make, then what happens to a good table with a bit changed, cut short, or on another chip.
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
#include "map/partition.h"
#include "molt/error.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define BOOT_ADDR 0x1000u

static const char *folder = "tests/vectors/partition";
static uint8_t bytes[SECTOR];

static uint32_t load(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail_msg("%s cannot be opened", path);
    }
    uint32_t size = (uint32_t)fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return size;
}

static int open_vector(molt_partition_table_t *table, const char *name, uint32_t flash_size) {
    uint32_t size = load(name);
    return molt_partition_open(table, bytes, size, flash_size, BOOT_ADDR);
}

// The pieces follow each other from 0 to the end of flash.
static void check_pieces(const molt_partition_table_t *table) {
    uint32_t addr = 0;
    uint32_t row_count = 0;
    molt_partition_t partition;
    for (; molt_partition_next(table, addr, &partition); addr += partition.piece.region.size) {
        assert_int_equal(partition.piece.region.addr, addr);
        assert_int_equal(partition.piece.region.size % SECTOR, 0);
        assert_true(partition.piece.region.size > 0);
        row_count += partition.type != 0xff;
    }
    assert_int_equal(addr, table->flash_size);
    assert_int_equal(row_count, table->count);
}

static void each_good_table_is_read_and_its_pieces_are_the_whole_flash(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint32_t count;
        uint32_t flash_size;
        bool has_md5;
    } cases[] = {
        { "micropython-4M", 4, 0x400000, true },
        { "micropython-4M-plus", 3, 0x200000, true },
        { "micropython-2M", 4, 0x200000, true },
        { "micropython-romfs", 4, 0x200000, true },
        { "micropython-ota", 6, 0x400000, true },
        { "all-kinds", 12, 0x100000, true },
        { "boot-and-table-rows", 4, 0x200000, true },
        { "no-md5", 3, 0x200000, false },
        { "unordered", 4, 0x400000, true },
        { "gaps", 3, 0x200000, true },
        { "label-16", 2, 0x200000, true },
        { "label-odd", 2, 0x200000, true },
        { "odd-size", 3, 0x200000, true },
        { "encrypted", 2, 0x200000, true },
        { "signed", 4, 0x400000, true },
        { "32M", 4, 0x2000000, true },
        { "94-rows", 94, 0x100000, true },
        { "95-rows", 95, 0x100000, false },
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        molt_partition_table_t table;
        if (open_vector(&table, cases[i].name, 0) != 0) {
            fail_msg("%s: %s", cases[i].name, molt_map_defect_text(table.defect));
        }
        assert_int_equal(table.defect, MOLT_MAP_FINE);
        assert_int_equal(table.count, cases[i].count);
        assert_int_equal(table.flash_size, cases[i].flash_size);
        assert_int_equal(table.has_md5, cases[i].has_md5);
        check_pieces(&table);
        // On a larger chip the rest is nobody's.
        assert_int_equal(open_vector(&table, cases[i].name, 0x4000000), 0);
        check_pieces(&table);
    }
}

static void each_bad_table_is_refused_and_it_is_said_why_and_where(void **state) {
    (void)state;
    static const struct {
        const char *name;
        molt_map_defect_t defect;
        uint32_t row;
    } cases[] = {
        { "bad-erased", MOLT_MAP_NO_TABLE, 0 },
        { "bad-empty", MOLT_MAP_NO_TABLE, 0 },
        { "bad-text", MOLT_MAP_NO_TABLE, 0 },
        { "bad-md5-only", MOLT_MAP_NO_TABLE, 1 },
        { "bad-short", MOLT_MAP_NO_END, 2 },
        { "bad-no-end", MOLT_MAP_NO_END, 3 },
        { "bad-95-rows", MOLT_MAP_NO_END, 96 },
        { "bad-96-rows", MOLT_MAP_NO_END, 96 },
        { "bad-row", MOLT_MAP_BAD_ROW, 1 },
        { "bad-md5", MOLT_MAP_BAD_MD5, 4 },
        { "bad-bit", MOLT_MAP_BAD_MD5, 4 },
        { "bad-two-md5", MOLT_MAP_BAD_ROW, 5 },
        { "bad-app-place", MOLT_MAP_UNALIGNED, 1 },
        { "bad-app-size", MOLT_MAP_UNALIGNED, 1 },
        { "bad-data-place", MOLT_MAP_UNALIGNED, 1 },
        { "bad-outside", MOLT_MAP_OUTSIDE, 3 },
        { "bad-wrap", MOLT_MAP_OUTSIDE, 2 },
        { "bad-wrap-sector", MOLT_MAP_OUTSIDE, 2 },
        { "bad-overlap", MOLT_MAP_OVERLAP, 3 },
        { "bad-overlap-odd", MOLT_MAP_OVERLAP, 2 },
        { "bad-low", MOLT_MAP_OVERLAP, 0 },
        { "bad-low-app", MOLT_MAP_OVERLAP, 0 },
        { "bad-same-label", MOLT_MAP_SAME_LABEL, 1 },
        { "bad-no-size", MOLT_MAP_NO_SIZE, 1 },
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        molt_partition_table_t table;
        assert_int_equal(open_vector(&table, cases[i].name, 0), MOLT_ERR_CORRUPT);
        if (table.defect != cases[i].defect || table.defect_row != cases[i].row) {
            fail_msg("%s: row %u: %s", cases[i].name, table.defect_row, molt_map_defect_text(table.defect));
        }
    }
}

static void every_type_of_partition_is_taken_for_what_it_is(void **state) {
    (void)state;
    static const struct {
        const char *label;
        molt_map_kind_t kind;
    } cases[] = {
        { "nvs", MOLT_MAP_KIND_SYSTEM },
        { "test", MOLT_MAP_KIND_FIRMWARE },
        { "keys", MOLT_MAP_KIND_SYSTEM },
        { "core", MOLT_MAP_KIND_SYSTEM },
        { "mine", MOLT_MAP_KIND_USER },
        { "fat", MOLT_MAP_KIND_FILESYSTEM },
        { "spiffs", MOLT_MAP_KIND_FILESYSTEM },
        { "lfs", MOLT_MAP_KIND_FILESYSTEM },
        { "custom", MOLT_MAP_KIND_USER },
        { "web", MOLT_MAP_KIND_USER },
        { "later", MOLT_MAP_KIND_SYSTEM },
        { "ffat", MOLT_MAP_KIND_FILESYSTEM },
    };
    molt_partition_table_t table;
    molt_partition_t partition;
    assert_int_equal(open_vector(&table, "all-kinds", 0), 0);
    for (uint32_t i = 0; i < table.count; i++) {
        molt_partition_get(&table, i, &partition);
        assert_string_equal(partition.label, cases[i].label);
        assert_int_equal(partition.piece.kind, cases[i].kind);
    }
    assert_int_equal(open_vector(&table, "micropython-romfs", 0), 0);
    molt_partition_get(&table, 3, &partition);
    assert_int_equal(partition.piece.kind, MOLT_MAP_KIND_ROMFS);
}

typedef struct expected {
    molt_map_kind_t kind;
    uint32_t addr;
    const char *label;
} expected_t;

static void assert_pieces(const molt_partition_table_t *table, const expected_t *expected, uint32_t count) {
    molt_partition_t partition;
    uint32_t addr = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(molt_partition_next(table, addr, &partition));
        assert_int_equal(partition.piece.region.addr, expected[i].addr);
        assert_int_equal(partition.piece.kind, expected[i].kind);
        assert_string_equal(partition.label, expected[i].label);
        addr += partition.piece.region.size;
    }
    assert_false(molt_partition_next(table, addr, &partition));
}

static void boot_loader_table_and_gaps_are_pieces_too(void **state) {
    (void)state;
    static const expected_t gaps[] = {
        { MOLT_MAP_KIND_UNUSED, 0, "" },
        { MOLT_MAP_KIND_BOOT, 0x1000, "" },
        { MOLT_MAP_KIND_TABLE, 0x8000, "" },
        { MOLT_MAP_KIND_SYSTEM, 0x9000, "nvs" },
        { MOLT_MAP_KIND_UNUSED, 0xf000, "" },
        { MOLT_MAP_KIND_FIRMWARE, 0x20000, "factory" },
        { MOLT_MAP_KIND_UNUSED, 0x30000, "" },
        { MOLT_MAP_KIND_FILESYSTEM, 0x100000, "vfs" },
        { MOLT_MAP_KIND_UNUSED, 0x180000, "" },
    };
    static const expected_t own_rows[] = {
        { MOLT_MAP_KIND_UNUSED, 0, "" },
        { MOLT_MAP_KIND_BOOT, 0x2000, "boot" },
        { MOLT_MAP_KIND_TABLE, 0x8000, "ptable" },
        { MOLT_MAP_KIND_SYSTEM, 0x9000, "nvs" },
        { MOLT_MAP_KIND_UNUSED, 0xf000, "" },
        { MOLT_MAP_KIND_FIRMWARE, 0x10000, "factory" },
    };
    static const expected_t from_0[] = {
        { MOLT_MAP_KIND_BOOT, 0, "" },
        { MOLT_MAP_KIND_TABLE, 0x8000, "" },
        { MOLT_MAP_KIND_SYSTEM, 0x9000, "nvs" },
        { MOLT_MAP_KIND_UNUSED, 0xf000, "" },
        { MOLT_MAP_KIND_FIRMWARE, 0x10000, "sixteen_letters!" },
    };
    molt_partition_table_t table;
    assert_int_equal(open_vector(&table, "gaps", 0), 0);
    assert_pieces(&table, gaps, sizeof gaps / sizeof gaps[0]);
    assert_int_equal(open_vector(&table, "boot-and-table-rows", 0), 0);
    assert_pieces(&table, own_rows, sizeof own_rows / sizeof own_rows[0]);
    uint32_t size = load("label-16");
    assert_int_equal(molt_partition_open(&table, bytes, size, 0x200000, 0), 0);
    assert_pieces(&table, from_0, sizeof from_0 / sizeof from_0[0]);
}

static void the_order_of_the_rows_does_not_matter(void **state) {
    (void)state;
    molt_partition_table_t table;
    molt_partition_t partition;
    uint32_t addrs[16];
    uint32_t count = 0;
    assert_int_equal(open_vector(&table, "micropython-4M", 0), 0);
    for (uint32_t addr = 0; molt_partition_next(&table, addr, &partition); addr += partition.piece.region.size) {
        addrs[count++] = addr;
    }
    assert_int_equal(open_vector(&table, "unordered", 0), 0);
    for (uint32_t addr = 0, i = 0; molt_partition_next(&table, addr, &partition); addr += partition.piece.region.size) {
        assert_int_equal(addr, addrs[i++]);
    }
}

static void a_partition_has_the_whole_of_its_last_sector(void **state) {
    (void)state;
    molt_partition_table_t table;
    molt_partition_t partition;
    assert_int_equal(open_vector(&table, "odd-size", 0), 0);
    molt_partition_get(&table, 1, &partition);
    assert_int_equal(partition.piece.region.size, 0x123);
    assert_true(molt_partition_next(&table, partition.piece.region.addr, &partition));
    assert_int_equal(partition.piece.region.size, SECTOR);
}

static void a_table_for_a_larger_chip_is_refused(void **state) {
    (void)state;
    molt_partition_table_t table;
    assert_int_equal(open_vector(&table, "micropython-4M", 0x200000), MOLT_ERR_CORRUPT);
    assert_int_equal(table.defect, MOLT_MAP_OUTSIDE);
    assert_int_equal(table.defect_row, 3);
    assert_int_equal(open_vector(&table, "micropython-4M", 0x400000), 0);
}

static void no_bit_of_a_table_with_an_md5_can_change(void **state) {
    (void)state;
    molt_partition_table_t table;
    uint32_t size = load("micropython-4M");
    uint32_t table_size = 5 * 32;
    for (uint32_t i = 0; i < table_size * 8; i++) {
        // Of the row of the MD5, bytes 2 to 15 say nothing.
        if (i / 8 >= 4 * 32 + 2 && i / 8 < 4 * 32 + 16) {
            continue;
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(molt_partition_open(&table, bytes, size, 0, BOOT_ADDR), MOLT_ERR_CORRUPT);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(molt_partition_open(&table, bytes, size, 0, BOOT_ADDR), 0);
}

static void a_table_cut_anywhere_before_its_end_mark_is_refused(void **state) {
    (void)state;
    molt_partition_table_t table;
    load("micropython-4M");
    for (uint32_t size = 0; size < 6 * 32; size++) {
        assert_int_equal(molt_partition_open(&table, bytes, size, 0, BOOT_ADDR), MOLT_ERR_CORRUPT);
        assert_int_equal(table.defect, size < 32 ? MOLT_MAP_NO_TABLE : MOLT_MAP_NO_END);
    }
    assert_int_equal(molt_partition_open(&table, bytes, 6 * 32, 0, BOOT_ADDR), 0);
}

static void what_is_behind_the_table_in_its_sector_is_no_part_of_it(void **state) {
    (void)state;
    molt_partition_table_t table;
    uint32_t size = load("bad-96-rows");
    memset(bytes + size, 0xff, sizeof bytes - size);
    assert_int_equal(molt_partition_open(&table, bytes, sizeof bytes, 0, BOOT_ADDR), MOLT_ERR_CORRUPT);
    assert_int_equal(table.defect, MOLT_MAP_NO_END);
}

// Its name is older than what is known of them: boot loaders read on there.
static void rows_behind_the_md5_are_counted_and_not_checked(void **state) {
    (void)state;
    molt_partition_table_t table;
    molt_partition_t partition;
    assert_int_equal(open_vector(&table, "bad-row-behind-md5", 0), 0);
    assert_int_equal(table.hidden_count, 1);
    assert_true(table.has_md5);
    molt_partition_get(&table, table.count, &partition);
    assert_string_equal(partition.label, "more");
    assert_int_equal(partition.piece.region.addr, 0x400000);
    molt_partition_get(&table, table.count - 1, &partition);
    assert_string_not_equal(partition.label, "more");
    check_pieces(&table);
}

static void the_largest_chip_has_128_mb(void **state) {
    (void)state;
    molt_partition_table_t table;
    uint32_t size = load("no-md5");
    uint8_t *app_size = bytes + 2 * 32 + 8;
    store32_le(app_size, 0x8000000 - 0x10000);
    assert_int_equal(molt_partition_open(&table, bytes, size, 0, BOOT_ADDR), 0);
    assert_int_equal(table.flash_size, 0x8000000);
    store32_le(app_size, 0x8000000 - 0x10000 + SECTOR);
    assert_int_equal(molt_partition_open(&table, bytes, size, 0, BOOT_ADDR), MOLT_ERR_CORRUPT);
    assert_int_equal(table.defect, MOLT_MAP_OUTSIDE);
}

int main(int argc, char **argv) {
    folder = argc > 1 ? argv[1] : folder;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_good_table_is_read_and_its_pieces_are_the_whole_flash),
        cmocka_unit_test(each_bad_table_is_refused_and_it_is_said_why_and_where),
        cmocka_unit_test(every_type_of_partition_is_taken_for_what_it_is),
        cmocka_unit_test(boot_loader_table_and_gaps_are_pieces_too),
        cmocka_unit_test(the_order_of_the_rows_does_not_matter),
        cmocka_unit_test(a_partition_has_the_whole_of_its_last_sector),
        cmocka_unit_test(a_table_for_a_larger_chip_is_refused),
        cmocka_unit_test(no_bit_of_a_table_with_an_md5_can_change),
        cmocka_unit_test(a_table_cut_anywhere_before_its_end_mark_is_refused),
        cmocka_unit_test(what_is_behind_the_table_in_its_sector_is_no_part_of_it),
        cmocka_unit_test(rows_behind_the_md5_are_counted_and_not_checked),
        cmocka_unit_test(the_largest_chip_has_128_mb),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
