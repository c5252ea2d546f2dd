// Delta files: what is refused, and what the log says.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/reader.h"
#include "begun.h"
#include "delta/delta_format.h"
#include "delta/delta_log.h"
#include "molt/error.h"
#include "rig.h"

#define SECTOR 512u

static rig_t rig;

// The patch of the device, read through its littlefs.
static uint8_t *load_patch(uint32_t *size) {
    molt_volume_t volume;
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    const molt_region_t fs = fixture_fs(rig.shape);
    assert_int_equal(molt_volume_mount(&volume, &rig.nor.flash, &fs, 0, false), 0);
    assert_int_equal(lfs2_file_opencfg(&volume.lfs, &file, FIXTURE_PATH, LFS2_O_RDONLY, &config), 0);
    *size = (uint32_t)lfs2_file_size(&volume.lfs, &file);
    uint8_t *bytes = malloc(*size);
    assert_int_equal(lfs2_file_read(&volume.lfs, &file, bytes, *size), *size);
    (void)lfs2_file_close(&volume.lfs, &file);
    return bytes;
}

static void set_target(void) {
    rig.host.target.delta = fixture_delta(rig.shape);
    rig.host.target.delta_rest = fixture_delta_rest(rig.shape);
}

static int setup(void **state) {
    (void)state;
    rig_init(&rig, &fixture_small_delta);
    set_target();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rig_free(&rig);
    return 0;
}

static void begin(begun_t *b) {
    uint32_t size;
    uint8_t *bytes = load_patch(&size);
    begun_init(b, &rig, bytes, size, 0);
}

static int check(begun_t *b) {
    int err = molt_delta_check(&b->delta, (uint8_t *)b->buf, NULL, NULL);
    free(b->bytes);
    return err;
}

static void a_patch_is_right_as_it_was_made(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    assert_true(b.delta.header.slot_count > 0);
    assert_int_equal(check(&b), 0);
}

static void the_map_is_kept_behind_the_windows(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    const molt_delta_header_t *header = &b.delta.header;
    uint32_t windows = header->main_window_size + header->fix_window_size;
    assert_true(header->map_count > 0);
    assert_true(header->map_has_calls);
    assert_int_equal(molt_delta_window_size(header), windows + 8 * header->map_count);
    assert_ptr_equal(b.delta.map.moves, b.window + windows);
    // In as much memory as it asks for, and not in less.
    uint8_t *memory = malloc(molt_delta_window_size(header));
    uint32_t size = molt_delta_window_size(header);
    assert_int_equal(molt_delta_begin(&b.delta, &b.patch, &b.place, memory, size), 0);
    assert_int_equal(molt_delta_check(&b.delta, (uint8_t *)b.buf, NULL, NULL), 0);
    assert_int_equal(molt_delta_begin(&b.delta, &b.patch, &b.place, memory, size - 1), MOLT_ERR_NOSPC);
    free(memory);
    free(b.bytes);
}

static void what_destroys_what_it_needs_is_refused(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    // It is of the sector that is written next.
    begun_stash_another(&b);
    assert_int_equal(check(&b), MOLT_ERR_CORRUPT);
}

static void what_stashes_a_sector_that_was_written_is_refused(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    uint32_t i = 0;
    while (MOLT_DELTA_OP_SLOT(b.delta.ops[i]) != 0) {
        i++;
    }
    uint32_t written = MOLT_DELTA_OP_SECTOR(b.delta.ops[i]);
    while (MOLT_DELTA_OP_SLOT(b.delta.ops[i]) == 0) {
        i++;
    }
    b.delta.ops[i] = (molt_delta_op_t)(written | MOLT_DELTA_OP_SLOT(b.delta.ops[i]) << 10);
    assert_int_equal(check(&b), MOLT_ERR_CORRUPT);
}

static void a_wrong_bit_anywhere_in_the_patch_is_found(void **state) {
    (void)state;
    uint32_t size;
    uint32_t buf[SECTOR / 4];
    uint8_t *bytes = load_patch(&size);
    const molt_reader_t patch = molt_memory_reader(bytes, size);
    assert_int_equal(molt_delta_check_file(&patch, (uint8_t *)buf, sizeof buf, NULL, NULL), 0);
    for (uint32_t bit = 0; bit < 8 * size; bit += 3) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(molt_delta_check_file(&patch, (uint8_t *)buf, sizeof buf, NULL, NULL), MOLT_ERR_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(bytes);
}

static void each_field_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    static const struct {
        uint32_t off;
        uint32_t value;
        int err;
    } fields[] = {
        { DELTA_OFF_MAGIC, 0x324C444D, MOLT_ERR_NOTSUP },
        { DELTA_OFF_MAP, 1, MOLT_ERR_NOTSUP },
        { DELTA_OFF_MAP, 258, MOLT_ERR_NOTSUP },
        { DELTA_OFF_SECTOR_SIZE, 500, MOLT_ERR_CORRUPT },
        { DELTA_OFF_SECTOR_SIZE, 0, MOLT_ERR_CORRUPT },
        { DELTA_OFF_FILE_SIZE, 1000, MOLT_ERR_CORRUPT },
        { DELTA_OFF_OLD_SIZE, 0, MOLT_ERR_CORRUPT },
        { DELTA_OFF_NEW_SIZE, 0xffffffff, MOLT_ERR_NOTSUP },
        { DELTA_OFF_OP_COUNT, 0xffff, MOLT_ERR_NOTSUP },
        { DELTA_OFF_WINDOW_BITS, 16, MOLT_ERR_CORRUPT },
        { DELTA_OFF_WINDOW_BITS, 15 | 15 << 8, MOLT_ERR_NOTSUP },
        { DELTA_OFF_MAIN_OFF, 0x10000, MOLT_ERR_CORRUPT },
        { DELTA_OFF_FIX_OFF, 130, MOLT_ERR_CORRUPT },
    };
    uint32_t size;
    uint8_t *bytes = load_patch(&size);
    const molt_reader_t patch = molt_memory_reader(bytes, size);
    molt_delta_header_t header;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        uint32_t kept = load32_le(bytes + fields[i].off);
        store32_le(bytes + fields[i].off, fields[i].value);
        assert_int_equal(molt_delta_read_header(&patch, &header), fields[i].err);
        store32_le(bytes + fields[i].off, kept);
    }
    assert_int_equal(molt_delta_read_header(&patch, &header), 0);
    free(bytes);
}

static void another_firmware_is_told_and_nothing_is_written(void **state) {
    (void)state;
    rig.nor.bytes[3 * SECTOR + 7] ^= 0x10;
    assert_int_equal(rig_prepare(&rig), MOLT_ERR_NOTSUP);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_DELTA_OTHER);
    assert_int_equal(rig.nor.op_count, 0);
}

static void one_that_was_larger_than_this_chip_is_another(void **state) {
    (void)state;
    uint32_t patch_size;
    uint8_t *bytes = load_patch(&patch_size);
    const molt_reader_t patch = molt_memory_reader(bytes, patch_size);
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    rig.nor.flash.geometry.size = 8 * SECTOR;
    molt_source_t source = { .file = patch, .sector_count = 4, .block_size = SECTOR };
    assert_int_equal(molt_job_open(&rig.host.job, &source), MOLT_ERR_NOTSUP);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_DELTA_OTHER);
    rig.nor.flash.geometry.size = rig.shape->geometry.size;
    free(bytes);
}

static void the_devices_own_flash_parameters_do_not_make_it_another(void **state) {
    (void)state;
    rig.nor.bytes[2] = 3;
    rig.nor.bytes[3] = 0x2f;
    assert_int_equal(rig_prepare(&rig), 0);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(rig.nor.bytes[2], 3);
    assert_int_equal(rig.nor.bytes[3], 0x2f);
}

static void what_is_in_place_is_left_alone(void **state) {
    (void)state;
    assert_int_equal(rig_prepare(&rig), 0);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    sim_nor_power_on(&rig.nor);
    molt_job_facts_t facts;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    molt_job_facts(&rig.host.job, &facts);
    assert_true(facts.is_in_place);
    assert_int_equal(rig.nor.op_count, 0);
}

static void it_keeps_the_filesystem_and_is_no_fallback(void **state) {
    (void)state;
    rig.host.options.erase_all = true;
    assert_int_equal(sim_upgrade_plan(&rig.host), MOLT_ERR_NOTSUP);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_DELTA_ERASE);
    rig.host.options.erase_all = false;
    rig.host.target.delta.size = 0;
    assert_int_equal(sim_upgrade_plan(&rig.host), MOLT_ERR_NOTSUP);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_NO_DELTA);
    set_target();
}

static void without_its_stash_nothing_is_stored(void **state) {
    (void)state;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    assert_int_equal(molt_job_store(&rig.host.job, NULL), MOLT_ERR_INVAL);
}

static void a_patch_that_is_another_at_the_reset_leaves_the_old_firmware(void **state) {
    (void)state;
    assert_int_equal(rig_prepare(&rig), 0);
    uint32_t size;
    uint8_t *patch = load_patch(&size);
    // The file's first block lies somewhere: let a bit of it be another one.
    uint32_t addr = rig.shape->fs_addr;
    assert_true(size > 300);
    while (memcmp(rig.nor.bytes + addr, patch, 300) != 0) {
        addr += SECTOR;
        assert_true(addr < rig.shape->fs_addr + rig.shape->fs_size);
    }
    rig.nor.bytes[addr + 290] ^= 1;
    free(patch);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(rig.device.boot_result, MOLT_BOOT_RESTORED);
    assert_memory_equal(rig.nor.bytes, rig.original, rig.shape->image_size);
}

// Where sector `index` of the stash that was prepared lies.
static uint32_t stash_addr(uint32_t index) {
    uint32_t sector[SECTOR / 4];
    molt_plan_t plan;
    assert_int_equal(rig_open_plan(&rig, &plan, (uint8_t *)sector), 0);
    return molt_plan_stash_addr(&plan, index);
}

static void a_stash_that_is_another_at_the_reset_leaves_the_old_firmware(void **state) {
    (void)state;
    static const uint32_t indexes[] = { MOLT_DELTA_STASH_FIRST, MOLT_DELTA_STASH_CODE };
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        rig_reset(&rig);
        assert_int_equal(rig_prepare(&rig), 0);
        rig.nor.bytes[stash_addr(indexes[i]) + 40] ^= 8;
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(rig.device.boot_result, MOLT_BOOT_RESTORED);
        assert_memory_equal(rig.nor.bytes, rig.original, rig.shape->image_size);
    }
}

static void logs_that_are_gone_at_the_reset_leave_the_old_firmware(void **state) {
    (void)state;
    assert_int_equal(rig_prepare(&rig), 0);
    for (uint32_t i = 0; i < MOLT_DELTA_LOG_COUNT; i++) {
        memset(rig.nor.bytes + stash_addr(MOLT_DELTA_STASH_LOG + i), 0x5a, SECTOR);
    }
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(rig.device.boot_result, MOLT_BOOT_RESTORED);
    assert_memory_equal(rig.nor.bytes, rig.original, rig.shape->image_size);
}

// A bit that is read as the other one, so and so many times from the moment on that the new image is checked in its place.
static struct {
    int (*read)(void *ctx, uint32_t addr, void *buf, uint32_t size);
    uint32_t addr;
    uint32_t left;
} flicker;

static int read_flickering(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    int err = flicker.read(ctx, addr, buf, size);
    if (flicker.left && flicker.addr - addr < size) {
        ((uint8_t *)buf)[flicker.addr - addr] ^= 4;
        flicker.left--;
    }
    return err;
}

static void begin_to_flicker(void *ctx, molt_boot_event_t event, uint32_t arg) {
    uint32_t *count = ctx;
    if (event == MOLT_BOOT_CHECK && arg == 1 && *count) {
        flicker.left = *count;
        *count = 0;
    }
}

static void a_bit_that_is_read_wrong_again_and_again_does_not_become_what_it_was_read_as(void **state) {
    (void)state;
    // Four times it is checked; then it would be read to be written, and compared.
    uint32_t count = 5;
    const molt_boot_io_t io = { .ctx = &count, .event = begin_to_flicker };
    assert_int_equal(rig_prepare(&rig), 0);
    rig.device.io = &io;
    flicker.read = rig.nor.flash.read;
    flicker.addr = 7 * SECTOR + 30;
    rig.nor.flash.read = read_flickering;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    rig.nor.flash.read = flicker.read;
    assert_int_equal(count, 0);
    assert_int_equal(flicker.left, 0);
    assert_true(rig_is_new(&rig));
}

static void a_patch_of_which_no_sense_can_be_made_is_called_a_damaged_one(void **state) {
    (void)state;
    uint32_t size;
    uint8_t *bytes = load_patch(&size);
    // Its own CRC is right, and that of the whole new image is not.
    bytes[DELTA_OFF_NEW_CRC] ^= 1;
    store32_le(bytes + size - 4, molt_crc32(0, bytes, size - 4));
    assert_int_equal(rig_put(&rig, FIXTURE_PATH, bytes, size), 0);
    free(bytes);
    assert_int_equal(sim_upgrade_plan(&rig.host), MOLT_ERR_CORRUPT);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_DELTA);
}

static void an_image_that_would_not_start_is_told_as_what_it_is(void **state) {
    (void)state;
    // Of the old image, made into one that begins with another byte: a patch as nobody's tool makes it.
    uint8_t *image = malloc(rig.shape->image_size);
    memcpy(image, rig.nor.bytes, rig.shape->image_size);
    image[0] = 0x45;
    build_result_t result = begun_build(&rig, rig.nor.bytes, image);
    assert_int_equal(rig_put(&rig, FIXTURE_PATH, result.bytes, result.size), 0);
    assert_int_equal(sim_upgrade_plan(&rig.host), MOLT_ERR_CORRUPT);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_IMAGE);
    assert_int_equal(rig.host.job.image.defect, MOLT_IMAGE_BAD_MAGIC);
    free(result.bytes);
    free(image);
}

static void other_files_have_no_stash(void **state) {
    (void)state;
    fixture_shape_t plain = *rig.shape;
    plain.is_unpacked = true;
    rig_free(&rig);
    rig_init(&rig, &plain);
    set_target();
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    assert_int_equal(molt_job_stash_count(&rig.host.job), 0);
    assert_null(molt_job_stash_buffer(&rig.host.job));
    assert_int_equal(molt_job_stash_bytes(&rig.host.job, 0, NULL), MOLT_ERR_INVAL);
    sim_upgrade_free(&rig.host);
}

// ---- the log

static molt_delta_log_t make_log(uint32_t buf[SECTOR / 4]) {
    uint32_t fs = rig.shape->fs_addr;
    molt_delta_log_t log = { &rig.nor.flash, { fs, fs + SECTOR, fs + 2 * SECTOR }, 12345, { 0, 0 }, 0, 0 };
    for (uint32_t i = 0; i < MOLT_DELTA_LOG_COUNT; i++) {
        molt_delta_log_init(&rig.nor.flash.geometry, log.seed, i, (uint8_t *)buf);
        memcpy(rig.nor.bytes + log.addrs[i], buf, SECTOR);
    }
    return log;
}

static void a_log_says_what_it_was_told_last(void **state) {
    (void)state;
    uint32_t buf[SECTOR / 4];
    uint32_t said;
    molt_delta_log_t log = make_log(buf);
    assert_int_equal(molt_delta_log_read(&log, (uint8_t *)buf, &said), 0);
    assert_int_equal(said, MOLT_DELTA_LOG_FRESH);
    for (uint32_t i = 1; i < 300; i++) {
        assert_int_equal((i % 50 == 1 ? molt_delta_log_begin : molt_delta_log_add)(&log, (uint8_t *)buf, i), 0);
        assert_int_equal(molt_delta_log_read(&log, (uint8_t *)buf, &said), 0);
        assert_int_equal(said, i);
    }
}

static void a_log_is_not_lost_with_any_one_of_its_sectors(void **state) {
    (void)state;
    uint32_t buf[SECTOR / 4];
    uint32_t said;
    molt_delta_log_t log = make_log(buf);
    assert_int_equal(molt_delta_log_begin(&log, (uint8_t *)buf, 1), 0);
    assert_int_equal(molt_delta_log_add(&log, (uint8_t *)buf, 2), 0);
    for (uint32_t i = 0; i < MOLT_DELTA_LOG_COUNT; i++) {
        uint8_t kept[SECTOR];
        memcpy(kept, rig.nor.bytes + log.addrs[i], SECTOR);
        memset(rig.nor.bytes + log.addrs[i], 0xff, SECTOR);
        assert_int_equal(molt_delta_log_read(&log, (uint8_t *)buf, &said), 0);
        assert_int_equal(said, 2);
        memcpy(rig.nor.bytes + log.addrs[i], kept, SECTOR);
    }
}

static void records_of_another_patch_are_none(void **state) {
    (void)state;
    uint32_t buf[SECTOR / 4];
    uint32_t said;
    molt_delta_log_t log = make_log(buf);
    log.seed++;
    assert_int_equal(molt_delta_log_read(&log, (uint8_t *)buf, &said), MOLT_ERR_CORRUPT);
}

static void the_crc_of_a_whole_comes_of_those_of_its_parts(void **state) {
    (void)state;
    const uint8_t *bytes = rig.nor.bytes;
    for (uint32_t size = 1; size < 3000; size += 119) {
        uint32_t whole = molt_crc32(0, bytes, 777 + size);
        assert_int_equal(molt_crc32_shift(molt_crc32(0, bytes, 777), size) ^ molt_crc32(0, bytes + 777, size), whole);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_patch_is_right_as_it_was_made, setup, teardown),
        cmocka_unit_test_setup_teardown(the_map_is_kept_behind_the_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(what_destroys_what_it_needs_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_stashes_a_sector_that_was_written_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_bit_anywhere_in_the_patch_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(each_field_that_makes_no_sense_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(another_firmware_is_told_and_nothing_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_was_larger_than_this_chip_is_another, setup, teardown),
        cmocka_unit_test_setup_teardown(the_devices_own_flash_parameters_do_not_make_it_another, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_in_place_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(it_keeps_the_filesystem_and_is_no_fallback, setup, teardown),
        cmocka_unit_test_setup_teardown(without_its_stash_nothing_is_stored, setup, teardown),
        cmocka_unit_test_setup_teardown(a_patch_that_is_another_at_the_reset_leaves_the_old_firmware, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stash_that_is_another_at_the_reset_leaves_the_old_firmware, setup, teardown),
        cmocka_unit_test_setup_teardown(logs_that_are_gone_at_the_reset_leave_the_old_firmware, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_bit_that_is_read_wrong_again_and_again_does_not_become_what_it_was_read_as, setup, teardown),
        cmocka_unit_test_setup_teardown(a_patch_of_which_no_sense_can_be_made_is_called_a_damaged_one, setup, teardown),
        cmocka_unit_test_setup_teardown(an_image_that_would_not_start_is_told_as_what_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(other_files_have_no_stash, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_says_what_it_was_told_last, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_is_not_lost_with_any_one_of_its_sectors, setup, teardown),
        cmocka_unit_test_setup_teardown(records_of_another_patch_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(the_crc_of_a_whole_comes_of_those_of_its_parts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
