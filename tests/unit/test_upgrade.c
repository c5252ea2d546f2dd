// An upgrade from a file, as firmware and tool prepare it: each trouble is told apart, with its code, and changes
// nothing; what is prepared can be carried out, refused a second time, or cancelled.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "molt/error.h"
#include "rig.h"

#define KB 1024u
#define SECTOR 512u

static rig_t rig;
static uint8_t bytes[24 * 1024];

static int set_up(void **state) {
    (void)state;
    rig_init(&rig, &fixture_small);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rig_free(&rig);
    return 0;
}

// Preparing fails so, with a sentence, and writes nothing.
static void expect_trouble(const char *path, molt_job_trouble_t trouble, int err) {
    char text[400] = "";
    rig.host.path = path;
    sim_nor_power_on(&rig.nor);
    int result = sim_upgrade_prepare(&rig.host);
    if (result != err || rig.host.job.trouble != trouble) {
        fail_msg("%s: error %d, trouble %d", path, result, (int)rig.host.job.trouble);
    }
    sim_upgrade_text(&rig.host, result, text, sizeof text);
    assert_true(strlen(text) > 15);
    assert_int_equal(rig.nor.op_count, 0);
}

static void expect_upgrade(void) {
    assert_int_equal(rig_prepare(&rig), 0);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
    assert_true(rig_outside_is_same(&rig));
}

// The flash address of the byte at `off` of the new image's file.
static uint32_t source_addr(uint32_t off) {
    uint32_t run_size;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    return molt_plan_source_addr(&rig.host.job.plan, off, &run_size);
}

static void what_is_no_file_with_blocks_is_told_apart(void **state) {
    (void)state;
    assert_int_equal(rig_put(&rig, "tiny", bytes, 30), 0);
    expect_trouble("missing.bin", MOLT_JOB_TROUBLE_FILE, MOLT_ERR_NOENT);
    expect_trouble("fw", MOLT_JOB_TROUBLE_FILE, MOLT_ERR_ISDIR);
    expect_trouble("/", MOLT_JOB_TROUBLE_FILE, MOLT_ERR_ISDIR);
    expect_trouble("tiny", MOLT_JOB_TROUBLE_FILE, MOLT_ERR_NOTSUP);
}

static void a_device_without_littlefs_is_told_so(void **state) {
    (void)state;
    memset(rig.nor.bytes + rig.shape->fs_addr, 0xff, rig.shape->fs_size);
    expect_trouble(FIXTURE_PATH, MOLT_JOB_TROUBLE_FILE, MOLT_ERR_CORRUPT);
}

static void what_is_no_image_for_this_chip_is_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *name;
        molt_job_trouble_t trouble;
        int err;
    } images[] = {
        { "bad-text", MOLT_JOB_TROUBLE_IMAGE, MOLT_ERR_CORRUPT },
        { "bad-checksum", MOLT_JOB_TROUBLE_IMAGE, MOLT_ERR_CORRUPT },
        { "bad-esp32-digest", MOLT_JOB_TROUBLE_IMAGE, MOLT_ERR_CORRUPT },
        { "esp32", MOLT_JOB_TROUBLE_CHIP, MOLT_ERR_NOTSUP },
        { "esp8266-v2", MOLT_JOB_TROUBLE_NO_HEAD, MOLT_ERR_NOTSUP },
    };
    for (size_t i = 0; i < sizeof images / sizeof images[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "tests/vectors/image/%s.bin", images[i].name);
        FILE *stream = fopen(path, "rb");
        assert_non_null(stream);
        uint32_t size = (uint32_t)fread(bytes, 1, sizeof bytes, stream);
        fclose(stream);
        // Less than that has no blocks.
        size = size < 100 ? 100 : size;
        rig_reset(&rig);
        assert_int_equal(rig_put(&rig, "other", bytes, size), 0);
        expect_trouble("other", images[i].trouble, images[i].err);
    }
}

static void without_the_safe_check_the_headers_are_still_looked_at(void **state) {
    (void)state;
    memcpy(bytes, rig.image, rig.shape->image_size);
    bytes[200] ^= 1;
    assert_int_equal(rig_put(&rig, "odd", bytes, rig.shape->image_size), 0);
    expect_trouble("odd", MOLT_JOB_TROUBLE_IMAGE, MOLT_ERR_CORRUPT);
    rig.host.options.safe_check = false;
    rig.host.path = "odd";
    assert_int_equal(rig_prepare(&rig), 0);
    rig_reset(&rig);
    bytes[0] = 0;
    assert_int_equal(rig_put(&rig, "odd", bytes, rig.shape->image_size), 0);
    expect_trouble("odd", MOLT_JOB_TROUBLE_IMAGE, MOLT_ERR_CORRUPT);
}

static void what_is_in_the_way_is_refused_with_its_numbers(void **state) {
    (void)state;
    molt_region_t reserved = { 5 * KB, KB };
    rig.host.options.reserved = &reserved;
    rig.host.options.reserved_count = 1;
    expect_trouble(FIXTURE_PATH, MOLT_JOB_TROUBLE_REFUSED, MOLT_ERR_FBIG);
    assert_int_equal(rig.host.job.refusal.reason, MOLT_REFUSAL_INTO_RESERVED);
    assert_int_equal(rig.host.job.refusal.need, rig.image_end);
    assert_int_equal(rig.host.job.refusal.limit, 5 * KB);
    rig.host.options.reserved_count = 0;
    rig.host.options.mapped_size = 4 * KB;
    expect_trouble(FIXTURE_PATH, MOLT_JOB_TROUBLE_REFUSED, MOLT_ERR_FBIG);
    assert_int_equal(rig.host.job.refusal.reason, MOLT_REFUSAL_PAST_MAPPED);
    rig.host.options.mapped_size = 32 * KB;
    fixture_image(bytes, 8 * KB + 1, 9);
    assert_int_equal(rig_put(&rig, "fw/firmware.bin", bytes, 1), 0);
    assert_int_equal(rig_put(&rig, "long", bytes, 8 * KB + 1), 0);
    expect_trouble("long", MOLT_JOB_TROUBLE_REFUSED, MOLT_ERR_FBIG);
    assert_int_equal(rig.host.job.refusal.reason, MOLT_REFUSAL_INTO_FILESYSTEM);
    assert_int_equal(rig.host.job.refusal.limit, rig.shape->fs_addr);
}

static void an_image_for_another_flash_map_is_refused_unless_the_filesystem_is_given_up(void **state) {
    (void)state;
    // A vector of tests/vectors/image: its mark says 0x99000.
    static uint8_t image[40 * KB];
    rig_free(&rig);
    rig_init(&rig, &fixture_full);
    FILE *stream = fopen("tests/vectors/image/micropython-mark.bin", "rb");
    assert_non_null(stream);
    uint32_t size = (uint32_t)fread(image, 1, sizeof image, stream);
    fclose(stream);
    assert_int_equal(rig_put(&rig, "marked", image, size), 0);
    expect_trouble("marked", MOLT_JOB_TROUBLE_REFUSED, MOLT_ERR_NOTSUP);
    assert_int_equal(rig.host.job.refusal.reason, MOLT_REFUSAL_OTHER_MAP);
    assert_int_equal(rig.host.job.refusal.need, 0x99000);
    assert_int_equal(rig.host.job.refusal.limit, rig.shape->fs_addr);
    rig.host.options.fs_addr = 0x99000;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    rig.host.options.fs_addr = 0;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    rig.host.options.fs_addr = rig.shape->fs_addr;
    rig.host.options.erase_all = true;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
}

static void a_damaged_list_of_blocks_is_noticed_not_followed(void **state) {
    (void)state;
    uint32_t addr = source_addr(3000) / SECTOR * SECTOR;
    static const uint32_t pointers[] = { 0, 7, 42, 0x7fffffff, UINT32_MAX };
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        rig_reset(&rig);
        store32_le(rig.nor.bytes + addr, pointers[i]);
        sim_nor_power_on(&rig.nor);
        rig.host.path = FIXTURE_PATH;
        assert_true(sim_upgrade_prepare(&rig.host) != 0);
        assert_int_equal(rig.nor.op_count, 0);
    }
}

static void one_changed_bit_in_the_file_is_noticed(void **state) {
    (void)state;
    // The image has its checksum over the segment only; behind it, what is read twice has to be the same twice.
    uint32_t addr = source_addr(100);
    rig.nor.bytes[addr] ^= 1;
    expect_trouble(FIXTURE_PATH, MOLT_JOB_TROUBLE_IMAGE, MOLT_ERR_CORRUPT);
}

// As when a program goes on appending while the upgrade is prepared: what is synced counts.
static void a_file_that_is_being_written_counts_as_far_as_it_is_synced(void **state) {
    (void)state;
    molt_volume_t volume;
    molt_region_t fs = fixture_fs(rig.shape);
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    uint32_t size = rig.shape->image_size;
    assert_int_equal(molt_volume_mount(&volume, &rig.nor.flash, &fs, 0, true), 0);
    assert_int_equal(lfs2_file_opencfg(&volume.lfs, &file, "new", LFS2_O_WRONLY | LFS2_O_CREAT, &config), 0);
    assert_int_equal(lfs2_file_write(&volume.lfs, &file, rig.image, 3000), 3000);
    // Nothing of it is there for others: an empty file.
    expect_trouble("new", MOLT_JOB_TROUBLE_FILE, MOLT_ERR_NOTSUP);
    assert_int_equal(lfs2_file_sync(&volume.lfs, &file), 0);
    // What is there now is the front of an image: whole as far as its checksum goes.
    rig.host.path = "new";
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    assert_int_equal(rig.host.job.plan.image_size, 3000);
    assert_int_equal(lfs2_file_write(&volume.lfs, &file, rig.image + 3000, size - 3000), size - 3000);
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    assert_int_equal(rig.host.job.plan.image_size, 3000);
    assert_int_equal(lfs2_file_close(&volume.lfs, &file), 0);
    molt_volume_unmount(&volume);
    expect_upgrade();
}

static void a_full_filesystem_has_no_room_for_what_is_saved(void **state) {
    (void)state;
    char name[16];
    uint32_t count = 0;
    do {
        snprintf(name, sizeof name, "fill%u", count++);
    } while (rig_put(&rig, name, bytes, 300) == 0);
    assert_true(count > 3);
    sim_nor_power_on(&rig.nor);
    assert_int_equal(sim_upgrade_prepare(&rig.host), MOLT_ERR_NOSPC);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_SAVED);
    assert_true(rig_is_old(&rig));
    assert_true(rig_outside_is_same(&rig));
    // With room again it goes.
    assert_int_equal(rig_put(&rig, "fill0", bytes, 0), 0);
    assert_int_equal(rig_put(&rig, "fill1", bytes, 0), 0);
    assert_int_equal(rig_put(&rig, "fill2", bytes, 0), 0);
    expect_upgrade();
}

static void an_upgrade_that_is_prepared_is_not_prepared_again(void **state) {
    (void)state;
    assert_int_equal(rig_prepare(&rig), 0);
    expect_trouble(FIXTURE_PATH, MOLT_JOB_TROUBLE_PENDING, MOLT_ERR_BUSY);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

static void after_cancelling_it_can_be_prepared_again(void **state) {
    (void)state;
    static uint32_t words[SECTOR / 4];
    molt_plan_t plan;
    assert_int_equal(rig_prepare(&rig), 0);
    assert_int_equal(rig_open_plan(&rig, &plan, (uint8_t *)words), 0);
    assert_int_equal(molt_prepare_cancel(&rig.nor.flash, &plan), 0);
    assert_true(rig_is_old(&rig));
    expect_upgrade();
}

static void a_fallback_without_resident_mode_is_refused(void **state) {
    (void)state;
    char text[400];
    rig.host.fallback_path = FIXTURE_PATH;
    rig.host.trial_starts = 3;
    int err = rig_prepare(&rig);
    assert_int_equal(err, MOLT_ERR_NOTSUP);
    assert_true(rig_is_old(&rig));
    sim_upgrade_text(&rig.host, err, text, sizeof text);
}

static void what_was_saved_is_compared_byte_by_byte(void **state) {
    (void)state;
    uint32_t size;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    size = molt_job_head_size(&rig.host.job);
    assert_true(size <= sizeof bytes);
    for (uint32_t off = 0; off < size + 3; off += 3) {
        // The padding between the parts may be anything.
        if (off >= SECTOR && off < size - 16) {
            continue;
        }
        assert_int_equal(molt_job_head_bytes(&rig.host.job, 0, bytes, size), 0);
        if (off < size) {
            bytes[off] ^= 1;
        }
        rig_reset(&rig);
        // A byte less is not enough either.
        assert_int_equal(rig_put(&rig, SIM_HEAD_PATH, bytes, off < size ? size : size - 1), 0);
        assert_int_equal(molt_volume_mount(&rig.host.volume, &rig.nor.flash, &rig.host.fs, 0, false), 0);
        molt_lfs_source_t head;
        assert_int_equal(molt_lfs_source_open(&head, NULL, &rig.host.volume, SIM_HEAD_PATH), 0);
        assert_int_equal(molt_job_store(&rig.host.job, &head.source), MOLT_ERR_CORRUPT);
        assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_SAVED);
    }
}

// A filesystem with such blocks and the new image, made on a chip with such sectors.
static void put_foreign_volume(uint32_t block_size) {
    const molt_geometry_t geometry = { 256 * KB, block_size, 0, 256 };
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    molt_volume_t volume;
    sim_nor_t chip;
    assert_int_equal(sim_nor_init(&chip, &geometry), 0);
    assert_int_equal(molt_volume_format(&volume, &chip.flash, &rig.host.fs, block_size), 0);
    assert_int_equal(lfs2_file_opencfg(&volume.lfs, &file, "image", LFS2_O_WRONLY | LFS2_O_CREAT, &config), 0);
    assert_int_equal(lfs2_file_write(&volume.lfs, &file, rig.image, rig.shape->image_size), rig.shape->image_size);
    assert_int_equal(lfs2_file_close(&volume.lfs, &file), 0);
    memcpy(rig.nor.bytes + rig.host.fs.addr, chip.bytes + rig.host.fs.addr, rig.host.fs.size);
    sim_nor_free(&chip);
}

static void blocks_of_two_sectors_do_and_of_half_a_sector_do_not(void **state) {
    (void)state;
    static const fixture_shape_t shape = {
        .name = "large",
        .geometry = { 256 * KB, 4096, 64 * KB, 256 },
        .image_size = 50001,
        .fs_addr = 64 * KB,
        .fs_size = 192 * KB,
        .file_count = 2,
        .file_size = 5000,
    };
    rig_free(&rig);
    rig_init(&rig, &shape);
    rig.host.path = "image";
    // Filesystems made by somebody with other sectors.
    put_foreign_volume(8192);
    expect_upgrade();
    rig_reset(&rig);
    put_foreign_volume(512);
    expect_trouble("image", MOLT_JOB_TROUBLE_REFUSED, MOLT_ERR_NOTSUP);
    assert_int_equal(rig.host.job.refusal.reason, MOLT_REFUSAL_UNALIGNED_EXTENT);
    assert_int_equal(rig.host.job.refusal.need, 512);
    assert_int_equal(rig.host.job.refusal.limit, 4096);
}

static void an_image_that_is_there_already_costs_the_first_sector_only(void **state) {
    (void)state;
    expect_upgrade();
    assert_int_equal(rig_prepare(&rig), 0);
    uint64_t erases = rig.nor.counts.erase_sector_count;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(rig.nor.counts.erase_sector_count - erases, 1);
    assert_int_equal(rig.nor.counts.erase_block_count, 1);  // of the first upgrade
    assert_true(rig_is_new(&rig));
}

static uint32_t progress_calls;
static uint32_t progress_stop;
static molt_job_phase_t progress_phase;
static uint32_t progress_done;

static int on_progress(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total) {
    (void)ctx;
    assert_true(phase >= progress_phase && done <= total);
    assert_true(phase > progress_phase || done >= progress_done);
    progress_phase = phase;
    progress_done = done;
    return ++progress_calls == progress_stop ? -999 : 0;
}

static void progress_rises_in_each_phase_and_can_stop_it(void **state) {
    (void)state;
    rig.host.progress = on_progress;
    progress_stop = 0;
    progress_calls = 0;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    assert_int_equal(progress_phase, MOLT_JOB_PHASE_COMPARE);
    uint32_t all = progress_calls;
    assert_true(all > 3);
    for (progress_stop = 1; progress_stop <= all; progress_stop++) {
        progress_calls = 0;
        progress_done = 0;
        progress_phase = MOLT_JOB_PHASE_IMAGE;
        rig_reset(&rig);
        assert_int_equal(sim_upgrade_prepare(&rig.host), -999);
        assert_int_equal(rig.nor.op_count, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_no_file_with_blocks_is_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_device_without_littlefs_is_told_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_image_for_this_chip_is_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_the_safe_check_the_headers_are_still_looked_at, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_in_the_way_is_refused_with_its_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_image_for_another_flash_map_is_refused_unless_the_filesystem_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_list_of_blocks_is_noticed_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_changed_bit_in_the_file_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_being_written_counts_as_far_as_it_is_synced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_filesystem_has_no_room_for_what_is_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_upgrade_that_is_prepared_is_not_prepared_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_cancelling_it_can_be_prepared_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fallback_without_resident_mode_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_saved_is_compared_byte_by_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blocks_of_two_sectors_do_and_of_half_a_sector_do_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_image_that_is_there_already_costs_the_first_sector_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(progress_rises_in_each_phase_and_can_stop_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
