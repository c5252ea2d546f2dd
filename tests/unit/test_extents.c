// A file's blocks: together they hold the file's bytes, whatever its size and the size of the blocks; what has no
// blocks is told apart; damaged lists come to an end.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "lfs/extents.h"
#include "molt/error.h"
#include "nor.h"
#include "seal.h"

#define KB 1024u
#define FILE_MAX (40 * KB)

static const molt_region_t region = { 8 * KB, 120 * KB };
static sim_nor_t nor;
static molt_volume_t volume;
static uint8_t content[FILE_MAX];

static int set_up(void **state) {
    (void)state;
    static const molt_geometry_t geometry = { 128 * KB, 512, 0, 256 };
    for (uint32_t i = 0; i < FILE_MAX; i++) {
        content[i] = (uint8_t)(i * 13 + i / 251);
    }
    return sim_nor_init(&nor, &geometry);
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

static void format(uint32_t block_size) {
    assert_int_equal(molt_volume_format(&volume, &nor.flash, &region, block_size), 0);
}

static void put(const char *path, uint32_t size) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    assert_int_equal(lfs2_file_opencfg(&volume.lfs, &file, path, LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_TRUNC, &config), 0);
    assert_int_equal(lfs2_file_write(&volume.lfs, &file, content, size), size);
    assert_int_equal(lfs2_file_close(&volume.lfs, &file), 0);
}

typedef struct collected {
    uint8_t bytes[FILE_MAX];
    uint32_t size;
    uint32_t next_end;  // where the next extent has to end: they come from the last to the first
    uint32_t count;
    uint32_t last_index;
    uint32_t sectors_per_block;
} collected_t;

static collected_t collected;

static int collect(void *ctx, const molt_extent_t *extent) {
    collected_t *into = ctx;
    assert_int_equal(extent->file_off + extent->size, into->next_end);
    assert_true(into->count == 0 || extent->index + into->sectors_per_block == into->last_index);
    assert_true(extent->addr >= region.addr && extent->addr + extent->size <= region.addr + region.size);
    memcpy(into->bytes + extent->file_off, nor.bytes + extent->addr, extent->size);
    into->next_end = extent->file_off;
    into->last_index = extent->index;
    into->size += extent->size;
    into->count++;
    return 0;
}

static void expect_file(const char *path, uint32_t size) {
    molt_extents_t extents;
    assert_int_equal(molt_extents_open(&extents, &volume, path), 0);
    assert_int_equal(extents.file_size, size);
    memset(&collected, 0, sizeof collected);
    collected.next_end = size;
    collected.sectors_per_block = extents.block_size / nor.flash.geometry.sector_size;
    assert_int_equal(molt_extents_walk(&extents, collect, &collected), 0);
    assert_int_equal(collected.next_end, 0);
    assert_int_equal(collected.size, size);
    assert_int_equal(collected.count, extents.block_count);
    assert_memory_equal(collected.bytes, content, size);
}

static void extents_hold_the_files_bytes_whatever_the_sizes(void **state) {
    (void)state;
    static const uint32_t block_sizes[] = { 512, 4096, 8192 };
    // Around the ends of blocks, which hold 4 bytes less each, 8 every second, 12 every fourth.
    static const uint32_t sizes[] = { 129, 511, 512, 513, 1019, 1020, 1021, 1524, 1525, 4095, 4096, 4097, 8187, 8188, 8189, 20001,
        40000 };
    for (size_t b = 0; b < 3; b++) {
        format(block_sizes[b]);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            // At most an eighth of a block goes into the directory.
            if (sizes[i] > block_sizes[b] / 8) {
                put("file", sizes[i]);
                expect_file("file", sizes[i]);
            }
        }
        molt_volume_unmount(&volume);
    }
}

static void only_the_last_block_counts_less_than_its_sectors(void **state) {
    (void)state;
    molt_extents_t extents;
    format(4096);
    put("file", 4096 + 508);
    assert_int_equal(molt_extents_open(&extents, &volume, "file"), 0);
    assert_int_equal(extents.block_count, 2);
    assert_int_equal(molt_extents_sector_count(&extents, 4096), 2);
    assert_int_equal(molt_extents_sector_count(&extents, 512), 8 + 1);
    put("file", 4096 + 509);
    assert_int_equal(molt_extents_open(&extents, &volume, "file"), 0);
    assert_int_equal(molt_extents_sector_count(&extents, 512), 8 + 2);
}

static void what_has_no_blocks_is_told_apart(void **state) {
    (void)state;
    molt_extents_t extents;
    format(4096);
    assert_int_equal(lfs2_mkdir(&volume.lfs, "dir"), 0);
    put("tiny", 20);
    put("empty", 0);
    assert_int_equal(molt_extents_open(&extents, &volume, "gone"), MOLT_ERR_NOENT);
    assert_int_equal(molt_extents_open(&extents, &volume, "gone/file"), MOLT_ERR_NOENT);
    assert_int_equal(molt_extents_open(&extents, &volume, "dir"), MOLT_ERR_ISDIR);
    assert_int_equal(molt_extents_open(&extents, &volume, "/"), MOLT_ERR_ISDIR);
    assert_int_equal(molt_extents_open(&extents, &volume, "tiny"), MOLT_ERR_NOTSUP);
    assert_int_equal(molt_extents_open(&extents, &volume, "empty"), MOLT_ERR_NOTSUP);
}

static int ignore(void *ctx, const molt_extent_t *extent) {
    (void)extent;
    ++*(uint32_t *)ctx;
    return 0;
}

static void a_pointer_out_of_the_volume_is_noticed_and_a_circle_ends(void **state) {
    (void)state;
    molt_extents_t extents;
    uint32_t count = 0;
    format(512);
    put("file", 20000);
    assert_int_equal(molt_extents_open(&extents, &volume, "file"), 0);
    uint8_t *pointer = nor.bytes + region.addr + extents.last_block * 512;
    store32_le(pointer, 240);
    assert_int_equal(molt_extents_walk(&extents, ignore, &count), MOLT_ERR_CORRUPT);
    assert_int_equal(count, 1);
    store32_le(pointer, UINT32_MAX);
    assert_int_equal(molt_extents_walk(&extents, ignore, &count), MOLT_ERR_CORRUPT);
    // A block that points to itself: as many extents as the file's size makes, not more. The check of the source's
    // bytes finds out.
    store32_le(pointer, extents.last_block);
    count = 0;
    assert_int_equal(molt_extents_walk(&extents, ignore, &count), 0);
    assert_int_equal(count, extents.block_count);
}

// Let the directory say another size of the file, under CRCs that are right.
static void change_size(uint32_t head, uint32_t old_size, uint32_t new_size) {
    uint8_t entry[8];
    uint32_t changed = 0;
    store32_le(entry, head);
    store32_le(entry + 4, old_size);
    // The root directory's two blocks.
    for (uint32_t off = region.addr; off + 8 <= region.addr + 2 * 512; off++) {
        if (memcmp(nor.bytes + off, entry, 8) == 0) {
            store32_le(nor.bytes + off + 4, new_size);
            changed++;
        }
    }
    assert_true(changed > 0);
    seal_directory(nor.bytes + region.addr, 512);
    seal_directory(nor.bytes + region.addr + 512, 512);
}

static void a_file_larger_than_the_volume_is_damaged(void **state) {
    (void)state;
    static const uint32_t sizes[] = { 121 * KB, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
    molt_extents_t extents;
    uint32_t size = 20000;
    format(512);
    put("file", size);
    molt_volume_unmount(&volume);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(molt_volume_mount(&volume, &nor.flash, &region, 512, false), 0);
        int err = molt_extents_open(&extents, &volume, "file");
        assert_int_equal(err, i == 0 ? 0 : MOLT_ERR_CORRUPT);
        change_size(extents.last_block, size, sizes[i]);
        size = sizes[i];
    }
    assert_int_equal(molt_volume_mount(&volume, &nor.flash, &region, 512, false), 0);
    assert_int_equal(molt_extents_open(&extents, &volume, "file"), MOLT_ERR_CORRUPT);
}

static int stop(void *ctx, const molt_extent_t *extent) {
    (void)ctx;
    return extent->index == 3 ? -777 : 0;
}

static void errors_of_the_caller_and_of_the_driver_are_passed_on(void **state) {
    (void)state;
    molt_extents_t extents;
    uint32_t count = 0;
    format(512);
    put("file", 5000);
    assert_int_equal(molt_extents_open(&extents, &volume, "file"), 0);
    assert_int_equal(molt_extents_walk(&extents, stop, NULL), -777);
    nor.fail_call = (int64_t)nor.call_count + 2;
    assert_int_equal(molt_extents_walk(&extents, ignore, &count), MOLT_ERR_IO);
    assert_int_equal(count, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(extents_hold_the_files_bytes_whatever_the_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_last_block_counts_less_than_its_sectors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_blocks_is_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pointer_out_of_the_volume_is_noticed_and_a_circle_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_larger_than_the_volume_is_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_of_the_caller_and_of_the_driver_are_passed_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
