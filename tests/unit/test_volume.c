// Mounting: block sizes are found out, what is no littlefs or does not fit is told apart, and a volume that is
// mounted for reading is never written to.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lfs/volume.h"
#include "molt/error.h"
#include "nor.h"

#define KB 1024u

static const molt_region_t region = { 32 * KB, 96 * KB };
static sim_nor_t nor;
static molt_volume_t volume;

static int set_up(void **state) {
    (void)state;
    static const molt_geometry_t geometry = { 128 * KB, 512, 0, 256 };
    return sim_nor_init(&nor, &geometry);
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

static void make(uint32_t block_size) {
    memset(nor.bytes, 0xff, 128 * KB);
    sim_nor_power_on(&nor);
    assert_int_equal(molt_volume_format(&volume, &nor.flash, &region, block_size), 0);
    assert_int_equal(lfs2_mkdir(&volume.lfs, "here"), 0);
    molt_volume_unmount(&volume);
}

static int mount(bool is_writable) {
    return molt_volume_mount(&volume, &nor.flash, &region, 0, is_writable);
}

static void the_block_size_is_found_out(void **state) {
    (void)state;
    for (uint32_t block_size = 512; block_size <= 16 * KB; block_size *= 2) {
        struct lfs2_info info;
        make(block_size);
        assert_int_equal(mount(false), 0);
        assert_int_equal(volume.config.block_size, block_size);
        assert_int_equal(lfs2_stat(&volume.lfs, "here", &info), 0);
        assert_int_equal(molt_volume_mount(&volume, &nor.flash, &region, block_size, false), 0);
        assert_int_equal(molt_volume_mount(&volume, &nor.flash, &region, block_size / 2, false), MOLT_ERR_CORRUPT);
    }
}

static void the_block_size_is_found_out_from_the_second_superblock_too(void **state) {
    (void)state;
    for (uint32_t block_size = 512; block_size <= 8 * KB; block_size *= 2) {
        make(block_size);
        memset(nor.bytes + region.addr, 0xff, block_size);
        assert_int_equal(mount(false), 0);
        assert_int_equal(volume.config.block_size, block_size);
    }
}

static void what_is_no_littlefs_is_told_so(void **state) {
    (void)state;
    assert_int_equal(mount(false), MOLT_ERR_CORRUPT);
    memset(nor.bytes, 0, 128 * KB);
    assert_int_equal(mount(false), MOLT_ERR_CORRUPT);
    for (uint32_t i = 0; i < 128 * KB; i++) {
        nor.bytes[i] = (uint8_t)(i * 31 + i / 977);
    }
    assert_int_equal(mount(false), MOLT_ERR_CORRUPT);
    memcpy(nor.bytes + region.addr + 8, "littlefs", 8);
    assert_int_equal(mount(false), MOLT_ERR_CORRUPT);
    // Both superblocks damaged.
    make(4096);
    nor.bytes[region.addr + 30] ^= 1;
    nor.bytes[region.addr + 4096 + 30] ^= 1;
    assert_int_equal(mount(false), MOLT_ERR_CORRUPT);
}

static void a_volume_larger_than_its_region_is_told_apart(void **state) {
    (void)state;
    make(4096);
    molt_region_t smaller = { region.addr, region.size - 4096 };
    assert_int_equal(molt_volume_mount(&volume, &nor.flash, &smaller, 0, false), MOLT_ERR_NOTSUP);
    molt_region_t one_block = { region.addr, 4096 };
    assert_int_equal(molt_volume_mount(&volume, &nor.flash, &one_block, 0, false), MOLT_ERR_CORRUPT);
    molt_region_t nothing = { region.addr, 0 };
    assert_int_equal(molt_volume_mount(&volume, &nor.flash, &nothing, 0, false), MOLT_ERR_CORRUPT);
}

static void a_superblock_states_where_its_volume_is(void **state) {
    (void)state;
    molt_region_t found;
    uint32_t block_size;
    make(4096);
    assert_int_equal(molt_volume_find(&nor.flash, region.addr, &found, &block_size), 0);
    assert_int_equal(found.addr, region.addr);
    assert_int_equal(found.size, region.size);
    assert_int_equal(block_size, 4096);
    assert_int_equal(molt_volume_find(&nor.flash, 0, &found, &block_size), MOLT_ERR_NOENT);
    assert_int_equal(molt_volume_find(&nor.flash, 128 * KB - 16, &found, &block_size), MOLT_ERR_NOENT);
    assert_int_equal(molt_volume_find(&nor.flash, 0xfffffff0, &found, &block_size), MOLT_ERR_NOENT);
    nor.fail_call = (int64_t)nor.call_count;
    assert_int_equal(molt_volume_find(&nor.flash, region.addr, &found, &block_size), MOLT_ERR_IO);
}

static void reading_never_writes(void **state) {
    (void)state;
    make(4096);
    sim_nor_power_on(&nor);
    assert_int_equal(mount(false), 0);
    assert_int_equal(lfs2_mkdir(&volume.lfs, "more"), MOLT_ERR_IO);
    assert_int_equal(lfs2_remove(&volume.lfs, "here"), MOLT_ERR_IO);
    assert_int_equal(nor.op_count, 0);
}

static int broken_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    (void)addr;
    (void)buf;
    (void)size;
    return MOLT_ERR_IO;
}

static void a_failing_driver_is_not_taken_for_a_missing_filesystem(void **state) {
    (void)state;
    make(4096);
    nor.flash.read = broken_read;
    assert_int_equal(mount(false), MOLT_ERR_IO);
}

static void blocks_that_are_no_whole_sectors_are_not_made(void **state) {
    (void)state;
    assert_int_equal(molt_volume_format(&volume, &nor.flash, &region, 256), MOLT_ERR_INVAL);
    assert_int_equal(molt_volume_format(&volume, &nor.flash, &region, 768), MOLT_ERR_INVAL);
    assert_int_equal(molt_volume_format(&volume, &nor.flash, &region, 96 * KB), MOLT_ERR_INVAL);
    assert_int_equal(nor.op_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_block_size_is_found_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_block_size_is_found_out_from_the_second_superblock_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_littlefs_is_told_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_volume_larger_than_its_region_is_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_superblock_states_where_its_volume_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_never_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_driver_is_not_taken_for_a_missing_filesystem, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blocks_that_are_no_whole_sectors_are_not_made, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
