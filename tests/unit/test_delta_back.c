// Delta files to fall back on, in resident mode.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "begun.h"
#include "delta/delta_format.h"
#include "molt/error.h"
#include "resident/resident.h"
#include "rig.h"

#define SECTOR 512u
#define RESERVED (fixture_small_resident_back.reserved_addr)

static rig_t rig;

static void set_up_as(const fixture_shape_t *shape) {
    rig_init(&rig, shape);
    rig.host.target.delta = fixture_delta(shape);
    rig.host.target.delta_rest = fixture_delta_rest(shape);
    rig.host.fallback_path = FIXTURE_OLD_PATH;
    rig.host.trial_starts = 2;
}

static int set_up(void **state) {
    (void)state;
    set_up_as(&fixture_small_resident_back);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rig_free(&rig);
    return 0;
}

static molt_state_t ask(void) {
    molt_state_t found;
    assert_int_equal(molt_state_read(&rig.nor.flash, RESERVED, &found), 0);
    return found;
}

// The firmware that is there as it was, the first sector in the head.
static void expect_old(void) {
    const uint8_t *head = rig.nor.bytes + molt_state_head_addr(&rig.nor.flash, RESERVED, ask().head);
    uint32_t old_head_addr = molt_state_head_addr(&rig.nor.flash, RESERVED, 0);
    assert_memory_equal(head, rig.original + old_head_addr, SECTOR);
    assert_memory_equal(rig.nor.bytes + SECTOR, rig.original + SECTOR, rig.shape->image_size - SECTOR);
}

// What the file of the present firmware held.
static uint8_t *present_image(void) {
    uint8_t *image = malloc(rig.shape->image_size);
    memcpy(image, rig.original, rig.shape->image_size);
    memcpy(image, rig.original + molt_state_head_addr(&rig.nor.flash, RESERVED, 0), SECTOR);
    return image;
}

static void put_patch(const char *path, const uint8_t *old_image, const uint8_t *new_image) {
    build_result_t result = begun_build(&rig, old_image, new_image);
    assert_int_equal(rig_put(&rig, path, result.bytes, result.size), 0);
    free(result.bytes);
}

static void refuse(molt_job_trouble_t trouble) {
    int err = rig_prepare(&rig);
    assert_int_equal(err, MOLT_ERR_NOTSUP);
    assert_int_equal(rig.host.job.trouble, trouble);
    assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    expect_old();
}

static void a_trial_of_a_patch_falls_back_by_a_patch(void **state) {
    (void)state;
    assert_int_equal(rig_prepare(&rig), 0);
    for (uint32_t start = 0; start < 2; start++) {
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(ask().kind, MOLT_STATE_TRIAL);
        assert_memory_equal(rig.nor.bytes + SECTOR, rig.image + SECTOR, rig.shape->image_size - SECTOR);
    }
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
    assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
    expect_old();
}

static void a_trial_of_an_image_falls_back_by_a_patch(void **state) {
    (void)state;
    assert_int_equal(rig_put(&rig, FIXTURE_PATH, rig.image, rig.shape->image_size), 0);
    uint8_t *old_image = present_image();
    put_patch(FIXTURE_OLD_PATH, rig.image, old_image);
    free(old_image);
    assert_int_equal(rig_prepare(&rig), 0);
    for (uint32_t start = 0; start < 3; start++) {
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    }
    assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
    expect_old();
}

static void one_that_leads_elsewhere_is_refused(void **state) {
    (void)state;
    // There, not back.
    rig.host.fallback_path = FIXTURE_PATH;
    refuse(MOLT_JOB_TROUBLE_DELTA_BACK);
}

static void one_that_leads_back_from_another_firmware_is_refused(void **state) {
    (void)state;
    uint8_t *old_image = present_image();
    rig.image[1000] ^= 1;
    put_patch(FIXTURE_OLD_PATH, rig.image, old_image);
    free(old_image);
    refuse(MOLT_JOB_TROUBLE_DELTA_BACK);
}

static void a_gzip_file_beside_it_is_refused(void **state) {
    (void)state;
    rig_free(&rig);
    set_up_as(&fixture_small_resident_gzip);
    uint8_t *old_image = present_image();
    // Flash parameters of the file, which for this device are the device's own.
    put_patch(FIXTURE_OLD_PATH, rig.image, old_image);
    free(old_image);
    refuse(MOLT_JOB_TROUBLE_EXTENSIONS);
}

static void an_upgrade_that_is_stuck_does_not_fall_back_by_a_patch(void **state) {
    (void)state;
    // The firmware that the patch is made of never comes to be whole.
    assert_int_equal(rig_prepare(&rig), 0);
    rig_wear_out(&rig, 5 * SECTOR);
    for (uint32_t start = 0; start < 20; start++) {
        assert_int_equal(rig_start(&rig), SIM_STUCK);
        assert_int_equal(ask().kind, MOLT_STATE_UPGRADE);
        assert_int_equal(ask().plan, 0);
    }
    rig_mend(&rig);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(ask().kind, MOLT_STATE_TRIAL);
}

// ---- what can be seen of it before

static void begin(begun_t *b) {
    uint8_t *old_image = present_image();
    build_result_t result = begun_build(&rig, rig.image, old_image);
    free(old_image);
    begun_init(b, &rig, result.bytes, result.size, molt_state_head_addr(&rig.nor.flash, RESERVED, 0));
}

static int check(begun_t *b) {
    int err = molt_delta_check_back(&b->delta, (uint8_t *)b->buf, NULL, NULL);
    free(b->bytes);
    return err;
}

static void one_that_leads_back_is_seen_to(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    assert_true(b.delta.header.slot_count > 0);
    assert_int_equal(check(&b), 0);
}

static void one_that_reads_what_it_has_destroyed_is_refused(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    begun_stash_another(&b);
    assert_int_equal(check(&b), MOLT_ERR_CORRUPT);
}

static void one_that_makes_anything_else_is_refused(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    // Of a sector that it writes, in flash: what it makes is another one.
    uint32_t i = 0;
    while (MOLT_DELTA_OP_SLOT(b.delta.ops[i]) != 0) {
        i++;
    }
    rig.nor.bytes[MOLT_DELTA_OP_SECTOR(b.delta.ops[i]) * SECTOR + 9] ^= 4;
    assert_int_equal(check(&b), MOLT_ERR_CORRUPT);
}

static void the_first_sector_is_held_to_its_crc_at_each_reading(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    assert_int_equal(molt_delta_present_first(&b.delta, (uint8_t *)b.buf), 0);
    rig.nor.bytes[b.place.first_addr + 77] ^= 1;
    assert_int_equal(molt_delta_present_first(&b.delta, (uint8_t *)b.buf), MOLT_ERR_CORRUPT);
    free(b.bytes);
}

// With another list than was checked a sector that is needed would be written.
static void operations_that_are_read_wrong_are_found(void **state) {
    (void)state;
    static begun_t b;
    static molt_delta_op_t ops[MOLT_DELTA_OPS_MAX];
    begin(&b);
    uint32_t size = b.delta.header.op_count * sizeof *ops;
    uint32_t begun_count = 0;
    memcpy(ops, b.delta.ops, size);
    for (uint32_t bit = 8 * b.delta.header.main_off; bit < 8 * b.delta.header.fix_off; bit++) {
        b.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (molt_delta_begin(&b.delta, &b.patch, &b.place, b.window, sizeof b.window) == 0) {
            begun_count++;
            assert_memory_equal(b.delta.ops, ops, size);
        }
        b.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(begun_count > 0);
    free(b.bytes);
}

// Of the table of CRCs, which ends where the streams begin, nothing is read behind it.
static uint32_t table_end;

static int read_strictly(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const begun_t *b = ctx;
    assert_false(size == 4 && off >= table_end && off < b->delta.header.fix_off);
    memcpy(buf, b->bytes + off, size);
    return 0;
}

static void a_table_of_crcs_that_is_too_short_is_not_read_past_its_end(void **state) {
    (void)state;
    static begun_t b;
    begin(&b);
    assert_int_equal(molt_delta_check_made(&b.delta, 0, (const uint8_t *)b.buf), MOLT_ERR_CORRUPT);
    // As if only the first sector had one.
    table_end = b.delta.header.main_off = DELTA_OFF_CRCS + 4;
    b.delta.patch = (molt_reader_t){ &b, b.delta.patch.size, read_strictly };
    assert_int_equal(molt_delta_present_first(&b.delta, (uint8_t *)b.buf), 0);
    assert_int_equal(check(&b), MOLT_ERR_CORRUPT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_trial_of_a_patch_falls_back_by_a_patch),
        TEST(a_trial_of_an_image_falls_back_by_a_patch),
        TEST(one_that_leads_elsewhere_is_refused),
        TEST(one_that_leads_back_from_another_firmware_is_refused),
        TEST(a_gzip_file_beside_it_is_refused),
        TEST(an_upgrade_that_is_stuck_does_not_fall_back_by_a_patch),
        TEST(one_that_leads_back_is_seen_to),
        TEST(one_that_reads_what_it_has_destroyed_is_refused),
        TEST(one_that_makes_anything_else_is_refused),
        TEST(the_first_sector_is_held_to_its_crc_at_each_reading),
        TEST(operations_that_are_read_wrong_are_found),
        TEST(a_table_of_crcs_that_is_too_short_is_not_read_past_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
