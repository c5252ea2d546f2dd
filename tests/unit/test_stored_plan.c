// A stored plan: the committed vectors (tests/vectors/plan, made without molt's code) are what molt writes and
// reads, and whatever else stands there is refused before a step is taken.
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
#include "molt/error.h"
#include "seal.h"
#include "upgrade/plan.h"
#include "upgrade/report.h"

#define KB 1024u
#define SECTOR 4096u
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const char *folder = "tests/vectors/plan";
static const molt_geometry_t chip = { 4096 * KB, SECTOR, 64 * KB, 256 };

static uint32_t words[SECTOR / 4];
static uint32_t vector_words[SECTOR / 4];
static uint8_t *const sector = (uint8_t *)words;
static uint8_t *const vector = (uint8_t *)vector_words;
static uint8_t *const header = (uint8_t *)words + SECTOR - MOLT_PLAN_HEADER_SIZE;

static uint32_t load(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        fail_msg("%s cannot be opened", path);
    }
    uint32_t size = (uint32_t)fread(vector, 1, SECTOR, stream);
    fclose(stream);
    memcpy(sector, vector, SECTOR);
    return size;
}

static int open_sector(molt_plan_t *plan) {
    return molt_plan_open(plan, &chip, sector);
}

// SHA-1 of "the image".
static const uint8_t image_sha1[MOLT_SHA1_SIZE] = { 0x1a, 0x5d, 0xce, 0x34, 0xe9, 0x6e, 0x5f, 0xcc, 0xaa, 0xad, 0xe7, 0x1b, 0xe2,
    0x36, 0x0e, 0xb7, 0x9a, 0xfb, 0xc3, 0xb9 };

// The plan of the vector "2-ordinary", built by molt. What it says of it is the vectors' table.
static void build_ordinary(molt_plan_t *plan, uint32_t loader_size, const molt_saved_t *saved) {
    static const uint32_t runs[][3] = {
        // extent, address, size: a file of 40 KB less 100 bytes, of which littlefs took blocks here and there
        { 0, 0x100000, 4096 },
        { 1, 0x105004, 4092 },
        { 2, 0x106008, 4088 },
        { 3, 0x130004, 4092 },
        { 4, 0x13100c, 4084 },
        { 5, 0x3f0004, 4092 },
        { 6, 0x200008, 4088 },
        { 7, 0x201004, 4092 },
        { 8, 0x202010, 4080 },
        { 9, 0x203004, 4092 },
        { 10, 0x107008, 64 },
    };
    molt_plan_request_t request = {
        .image_crc = 0x89abcdef,
        .kept_size = SECTOR,
        .extent_count = COUNT_OF(runs),
        .loader_size = loader_size,
        .mapped_size = 1024 * KB,
        .fs = { 1024 * KB, 3052 * KB },
        .flash_params = 0x4f02,
    };
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        request.source_size += runs[i][2];
    }
    request.image_size = request.source_size;
    if (saved->extension_size) {
        request.source_kind = MOLT_SOURCE_GZIP;
        request.image_size = 70 * KB + 1;
        request.kept_size = 2345;
    }
    memcpy(request.image_sha1, image_sha1, sizeof image_sha1);
    molt_refusal_t refusal;
    assert_int_equal(molt_plan_begin(plan, &chip, &request, sector, &refusal), 0);
    for (size_t i = COUNT_OF(runs); i-- > 0;) {
        assert_int_equal(molt_plan_set_run(plan, runs[i][0], runs[i][1], runs[i][2], &refusal), 0);
    }
    molt_plan_set_changed(plan, 0x1000);
    molt_plan_set_changed(plan, saved->extension_size ? 0x11000 : 0x9000);
    plan->first_crc = 0x0badcafe;
    assert_int_equal(molt_plan_set_saved(plan, saved, &refusal), 0);
    molt_plan_finish(plan);
}

static void plans_are_written_as_the_vectors_say(void **state) {
    (void)state;
    molt_plan_t plan;
    molt_saved_t saved = { .head_addr = 0x300000, .head_crc = 0x13572468, .report_addr = 0x301008 };
    assert_int_equal(load("2-ordinary"), SECTOR);
    build_ordinary(&plan, 2800, &saved);
    assert_memory_equal(sector, vector, SECTOR);
    // No room for a page of the journal's own.
    assert_int_equal(load("2-packed"), SECTOR);
    build_ordinary(&plan, 3585, &saved);
    assert_memory_equal(sector, vector, SECTOR);
    saved.extension_addr = 0x302010;
    saved.extension_size = 1400;
    saved.extension_crc = 0xfedcba98;
    assert_int_equal(load("2-gzip"), SECTOR);
    build_ordinary(&plan, 2800, &saved);
    assert_memory_equal(sector, vector, SECTOR);
}

static void an_ordinary_plan_is_read_as_its_vector_says(void **state) {
    (void)state;
    molt_plan_t plan;
    load("2-ordinary");
    assert_int_equal(open_sector(&plan), 0);
    assert_int_equal(plan.geometry.size, 4096 * KB);
    assert_int_equal(plan.image_size, 40960);
    assert_int_equal(plan.source_size, 40960);
    assert_int_equal(plan.image_crc, 0x89abcdef);
    assert_int_equal(plan.first_crc, 0x0badcafe);
    assert_int_equal(plan.image_addr, 0);
    assert_int_equal(plan.boot_addr, 0);
    assert_memory_equal(molt_plan_image_sha1(&plan), image_sha1, sizeof image_sha1);
    assert_int_equal(plan.flash_params, 0x4f02);
    assert_int_equal(plan.extent_count, 11);
    assert_int_equal(plan.saved.head_addr, 0x300000);
    assert_int_equal(plan.saved.head_crc, 0x13572468);
    assert_int_equal(plan.saved.report_addr, 0x301008);
    assert_int_equal(plan.fs_addr, 1024 * KB);
    assert_int_equal(plan.fs_size, 0);
    assert_int_equal(plan.step_count, 19);
    assert_int_equal(plan.verify_step, 18);
    assert_int_equal(plan.journal_off, 3584);
    assert_int_equal(plan.log_size, 252);
    assert_int_equal(plan.source_kind, MOLT_SOURCE_COPY);
    uint32_t run_size;
    assert_int_equal(molt_plan_source_addr(&plan, 4096, &run_size), 0x105004);
    assert_int_equal(run_size, 4092);
    for (uint32_t step = 0; step < plan.step_count; step++) {
        assert_int_equal(molt_plan_is_todo(&plan, step), step == 0 || step == 3 || step == 11 || step == 18);
    }
}

static void other_plans_are_read_as_their_vectors_say(void **state) {
    (void)state;
    molt_plan_t plan;
    load("2-erase-all");
    assert_int_equal(open_sector(&plan), 0);
    assert_int_equal(plan.fs_size, 3052 * KB);
    assert_int_equal(plan.step_count, 19 + 1 + 48);
    for (uint32_t step = 19; step < plan.step_count; step++) {
        assert_int_equal(molt_plan_is_todo(&plan, step), step != 20);
    }
    assert_int_equal(molt_plan_step(&plan, 19).addr, 0x100000);
    assert_int_equal(molt_plan_step(&plan, 19).size, 2 * SECTOR);
    assert_int_equal(molt_plan_step(&plan, 20).addr, 0x100000);
    assert_int_equal(molt_plan_step(&plan, 20).size, 64 * KB);
    assert_int_equal(molt_plan_step(&plan, 19 + 48).size, 44 * KB);
    load("2-gzip");
    assert_int_equal(open_sector(&plan), 0);
    assert_int_equal(plan.source_kind, MOLT_SOURCE_GZIP);
    assert_int_equal(plan.image_size, 70 * KB + 1);
    assert_int_equal(plan.source_size, 40960);
    assert_int_equal(plan.saved.extension_addr, 0x302010);
    assert_int_equal(plan.saved.extension_size, 1400);
    assert_int_equal(plan.saved.extension_crc, 0xfedcba98);
    load("2-elsewhere");
    assert_int_equal(open_sector(&plan), 0);
    assert_int_equal(plan.image_addr, 0x10000);
    assert_int_equal(plan.boot_addr, 0x1000);
    assert_int_equal(molt_plan_step(&plan, 3).addr, 0x11000);
    assert_int_equal(molt_plan_step(&plan, 1).addr, 0x10000);
    load("2-page-before");
    assert_int_equal(open_sector(&plan), 0);
    assert_int_equal(plan.journal_off + plan.set_size + plan.log_size, 3840);
}

static void bad_plans_are_refused_as_the_vectors_say(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int err;
    } bads[] = {
        { "bad-erased", MOLT_ERR_NOENT },
        { "bad-magic", MOLT_ERR_NOENT },
        { "bad-version", MOLT_ERR_NOTSUP },
        { "bad-version-1", MOLT_ERR_NOTSUP },
        { "bad-crc", MOLT_ERR_CORRUPT },
        { "bad-source-kind", MOLT_ERR_CORRUPT },
        { "bad-no-extension", MOLT_ERR_CORRUPT },
        { "bad-extension-size", MOLT_ERR_CORRUPT },
        { "bad-extent", MOLT_ERR_CORRUPT },
        { "bad-extent-elsewhere", MOLT_ERR_CORRUPT },
        { "bad-image-addr", MOLT_ERR_CORRUPT },
        { "bad-image-end", MOLT_ERR_CORRUPT },
        { "bad-head", MOLT_ERR_CORRUPT },
        { "bad-step-count", MOLT_ERR_CORRUPT },
        { "bad-verify-step", MOLT_ERR_CORRUPT },
        { "bad-set-size", MOLT_ERR_CORRUPT },
        { "bad-todo", MOLT_ERR_CORRUPT },
        { "bad-extents", MOLT_ERR_CORRUPT },
        { "bad-log-page", MOLT_ERR_CORRUPT },
        { "bad-log-odd", MOLT_ERR_CORRUPT },
        { "bad-log-huge", MOLT_ERR_CORRUPT },
        { "bad-journal-page", MOLT_ERR_CORRUPT },
        { "bad-journal-odd", MOLT_ERR_CORRUPT },
        { "bad-journal-late", MOLT_ERR_CORRUPT },
        { "bad-to-do-check", MOLT_ERR_CORRUPT },
        { "bad-to-do-verify", MOLT_ERR_CORRUPT },
        { "bad-to-do-first", MOLT_ERR_CORRUPT },
        { "bad-to-do-behind", MOLT_ERR_CORRUPT },
    };
    uint32_t taken_count = 0;
    for (size_t i = 0; i < COUNT_OF(bads); i++) {
        molt_plan_t plan;
        char name[64];
        snprintf(name, sizeof name, "2-%s", bads[i].name);
        load(name);
        int err = open_sector(&plan);
        if (err != bads[i].err) {
            print_error("%s: %d, not %d\n", name, err, bads[i].err);
            taken_count++;
        }
    }
    assert_int_equal(taken_count, 0);
}

// Journal and log of starts are all that may change, and they are not covered.
static void journal_and_log_may_say_anything(void **state) {
    (void)state;
    molt_plan_t plan;
    load("2-half-done");
    assert_int_equal(open_sector(&plan), 0);
    assert_int_equal(load32_le(sector + plan.journal_off), 0xfffff7f6);
    assert_int_equal(load32_le(sector + plan.journal_off + plan.set_size), 0xfffc0003);
    // In resident mode a finished plan stays, with the bit behind its last step's cleared.
    load("2-finished");
    assert_int_equal(open_sector(&plan), 0);
    assert_int_equal(load32_le(sector + plan.journal_off), 0xfff00000);
    assert_int_equal(plan.saved.report_addr, 0);
}

static void reports_are_as_the_vectors_say(void **state) {
    (void)state;
    static const struct {
        const char *name;
        molt_report_result_t result;
        uint32_t start_count;
    } goods[] = {
        { "report-fresh", MOLT_REPORT_PENDING, 0 },
        { "report-started", MOLT_REPORT_PENDING, 3 },
        { "report-done", MOLT_REPORT_DONE, 1 },
        { "report-restored", MOLT_REPORT_RESTORED, 32 },
        { "report-torn", MOLT_REPORT_DONE, 1 },
    };
    for (size_t i = 0; i < COUNT_OF(goods); i++) {
        molt_report_t report;
        assert_int_equal(load(goods[i].name), MOLT_REPORT_SIZE);
        assert_int_equal(molt_report_parse(&report, vector), 0);
        assert_int_equal(report.image_crc, 0x89abcdef);
        assert_int_equal(report.result, goods[i].result);
        assert_int_equal(report.start_count, goods[i].start_count);
    }
    uint8_t fresh[MOLT_REPORT_SIZE];
    molt_report_init(fresh, 0x89abcdef);
    load("report-fresh");
    assert_memory_equal(fresh, vector, sizeof fresh);
}

static void every_changed_byte_is_noticed(void **state) {
    (void)state;
    molt_plan_t plan;
    load("2-erase-all");
    assert_int_equal(open_sector(&plan), 0);
    uint32_t extents_off = plan.extents_off;
    for (uint32_t off = extents_off; off < SECTOR; off++) {
        for (unsigned value = 1; value < 256; value++) {
            sector[off] ^= (uint8_t)value;
            assert_int_not_equal(open_sector(&plan), 0);
            sector[off] ^= (uint8_t)value;
        }
    }
    assert_int_equal(open_sector(&plan), 0);
}

enum {
    FLASH_SIZE = 8,
    SOURCE_KIND = 12,
    IMAGE_SIZE = 16,
    IMAGE_CRC = 20,
    IMAGE_ADDR = 24,
    BOOT_ADDR = 28,
    SOURCE_SIZE = 36,
    EXTENT_COUNT = 44,
    HEAD_ADDR = 48,
    REPORT_ADDR = 56,
    EXTENSION_ADDR = 60,
    EXTENSION_SIZE = 64,
    FS_ADDR = 72,
    FS_SIZE = 76,
    STEP_COUNT = 80,
    JOURNAL_OFF = 100,
};

typedef struct field {
    uint32_t off;
    uint32_t value;
} field_t;

// A value that would lead a boot loader astray, under a CRC that is right.
static const field_t hostile_fields[] = {
    { FLASH_SIZE, 0 },
    { FLASH_SIZE, 0x400001 },
    { FLASH_SIZE, 0xffffffff },
    { FLASH_SIZE, 0x3f0000 },  // an extent and the filesystem behind it
    { IMAGE_SIZE, 0 },
    { IMAGE_SIZE, 40956 },  // not the source's
    { IMAGE_SIZE, 0xffffffff },
    { IMAGE_ADDR, 0x8000 },    // not a block's beginning
    { IMAGE_ADDR, 0x100000 },  // over extents and filesystem
    { IMAGE_ADDR, 0x400000 },
    { IMAGE_ADDR, 0xffff0000 },
    { BOOT_ADDR, 4 },
    { BOOT_ADDR, 0x100000 },
    { BOOT_ADDR, 0x300000 },  // over the saved first sector
    { BOOT_ADDR, 0x400000 },
    { BOOT_ADDR, 0xfffff000 },
    { SOURCE_SIZE, 0 },
    { SOURCE_SIZE, 40964 },
    { SOURCE_SIZE, 0xffffffff },
    { SOURCE_KIND, 2 },  // does not exist
    { SOURCE_KIND, 0x100 },
    { SOURCE_KIND, 1 },  // gzip without an extension
    { HEAD_ADDR, 0 },
    { HEAD_ADDR, 0x9000 },  // in the image
    { HEAD_ADDR, 0x300004 },
    { HEAD_ADDR, 0x400000 },
    { HEAD_ADDR, 0xfffff000 },
    { REPORT_ADDR, 4 },
    { REPORT_ADDR, 0x9ffc },
    { REPORT_ADDR, 0x300002 },
    { REPORT_ADDR, 0x3ffff4 },
    { REPORT_ADDR, 0xfffffffc },
    { EXTENSION_SIZE, 0x1004 },  // more than a sector
    { EXTENSION_SIZE, 6 },       // half words
    { EXTENSION_SIZE, 4 },       // in the boot sector
    { EXTENSION_SIZE, 0xfffffffc },
    { FS_ADDR, 0 },  // over the image
    { FS_ADDR, 0x9000 },
    { FS_ADDR, 0x100004 },
    { FS_ADDR, 0x106000 },  // past the end of flash
    { FS_ADDR, 0xfffff000 },
    { FS_SIZE, 0x2fb001 },
    { FS_SIZE, 0x301000 },
    { FS_SIZE, 0xfffff000 },
    { EXTENT_COUNT, 10 },  // fewer bytes than the source has
    { EXTENT_COUNT, 0 },
    { EXTENT_COUNT, 0xffff },
    { EXTENT_COUNT, 0x1000b },
    { EXTENT_COUNT, 0xffffffff },
};

static void hostile_fields_are_refused_whatever_the_crc_says(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hostile_fields); i++) {
        molt_plan_t plan;
        load("2-erase-all");
        store32_le(header + hostile_fields[i].off, hostile_fields[i].value);
        (void)seal_plan(&chip, sector, true);
        if (open_sector(&plan) != MOLT_ERR_CORRUPT) {
            fail_msg("0x%x at byte %u is taken", hostile_fields[i].value, hostile_fields[i].off);
        }
    }
    // The seal itself is not what is refused.
    molt_plan_t plan;
    load("2-erase-all");
    store32_le(header + IMAGE_CRC, 1);
    assert_int_equal(open_sector(&plan), MOLT_ERR_CORRUPT);
    assert_true(seal_plan(&chip, sector, true));
    assert_int_equal(open_sector(&plan), 0);
}

// Numbers of steps and offsets, each a little off and far off, under a CRC that is right.
static void what_follows_from_the_sizes_is_refused_if_it_does_not(void **state) {
    (void)state;
    static const uint32_t wrongs[] = { 1, 4, 8, 32, 256, 4096, 0x80000000, UINT32_MAX };
    for (uint32_t off = STEP_COUNT; off < JOURNAL_OFF; off += 4) {
        for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
            molt_plan_t plan;
            load("2-erase-all");
            assert_int_equal(open_sector(&plan), 0);
            store32_le(header + off, load32_le(header + off) + wrongs[i]);
            (void)seal_plan(&chip, sector, false);
            if (open_sector(&plan) != MOLT_ERR_CORRUPT) {
                fail_msg("%u more at byte %u is taken", wrongs[i], off);
            }
        }
    }
}

// Not one bit of header, to-do set or extents can change unnoticed, in any of the plans.
static void every_changed_bit_of_every_word_is_noticed(void **state) {
    (void)state;
    static const char *const names[] = { "2-ordinary", "2-gzip", "2-packed", "2-page-before", "2-elsewhere", "2-finished" };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        molt_plan_t plan;
        load(names[i]);
        assert_int_equal(open_sector(&plan), 0);
        uint32_t extents_off = plan.extents_off;
        for (uint32_t bit = 8 * extents_off; bit < 8 * SECTOR; bit++) {
            sector[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(open_sector(&plan), 0);
            sector[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(open_sector(&plan), 0);
    }
}

static void extents_into_the_image_or_past_flash_are_refused(void **state) {
    (void)state;
    molt_plan_t plan;
    load("2-ordinary");
    assert_int_equal(open_sector(&plan), 0);
    uint32_t extents_off = plan.extents_off;
    for (uint32_t i = 0; i < 11; i++) {
        for (uint32_t place = 0; place <= 0xfff; place++) {
            load("2-ordinary");
            store16_le(sector + extents_off + 2 * i, (uint16_t)place);
            assert_true(seal_plan(&chip, sector, true));
            bool is_fine = place >= 10 && place < 1024;
            assert_int_equal(open_sector(&plan), is_fine ? 0 : MOLT_ERR_CORRUPT);
        }
    }
}

// A step that would erase the boot sector, or program what lies behind the image.
static void steps_outside_the_image_are_not_to_do(void **state) {
    (void)state;
    molt_plan_t plan;
    load("2-ordinary");
    assert_int_equal(open_sector(&plan), 0);
    uint32_t todo_off = plan.todo_off;
    for (uint32_t step = 1; step < plan.step_count; step++) {
        load("2-ordinary");
        sector[todo_off + step / 8] |= (uint8_t)(1u << step % 8);
        assert_true(seal_plan(&chip, sector, true));
        // Steps 1 and 2 are the first block and its first sector; the image has ten sectors; step 18 is to do anyway.
        bool is_fine = (step >= 3 && step < 12) || step == 18;
        assert_int_equal(open_sector(&plan), is_fine ? 0 : MOLT_ERR_CORRUPT);
    }
}

static void a_plan_for_a_smaller_flash_is_no_plan_for_a_larger_image(void **state) {
    (void)state;
    const molt_geometry_t half = { 2048 * KB, SECTOR, 64 * KB, 256 };
    molt_plan_t plan;
    load("2-ordinary");
    assert_int_equal(molt_plan_open(&plan, &half, sector), MOLT_ERR_CORRUPT);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        folder = argv[1];
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_written_as_the_vectors_say),
        cmocka_unit_test(an_ordinary_plan_is_read_as_its_vector_says),
        cmocka_unit_test(other_plans_are_read_as_their_vectors_say),
        cmocka_unit_test(bad_plans_are_refused_as_the_vectors_say),
        cmocka_unit_test(journal_and_log_may_say_anything),
        cmocka_unit_test(reports_are_as_the_vectors_say),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(hostile_fields_are_refused_whatever_the_crc_says),
        cmocka_unit_test(what_follows_from_the_sizes_is_refused_if_it_does_not),
        cmocka_unit_test(every_changed_bit_of_every_word_is_noticed),
        cmocka_unit_test(extents_into_the_image_or_past_flash_are_refused),
        cmocka_unit_test(steps_outside_the_image_are_not_to_do),
        cmocka_unit_test(a_plan_for_a_smaller_flash_is_no_plan_for_a_larger_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
