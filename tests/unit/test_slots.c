// OTA slots: which one an upgrade goes to, what it leaves alone, trials, and devices that have no slots to use.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/md5.h"
#include "molt/error.h"
#include "molt/job.h"
#include "molt/slots.h"
#include "molt/status.h"
#include "second_stage.h"
#include "slots/slots.h"
#include "standby_rig.h"

#define SLOT_SIZE 0x10000u
#define SLOT(i) (IMAGE_ADDR + (i)*SLOT_SIZE)
#define ROW_SIZE 32u
#define NEW_SIZE (SHAPE->image_size)

// With room for a factory partition and three slots.
static const fixture_shape_t wide_shape = { "wide.slots", { 512 * 1024, 1024, 4096, 128 }, 9904, 150, 320 * 1024, 40 * 1024, 2,
    900, .slot_size = SLOT_SIZE };
static const fixture_shape_t delta_shape = { "slots.delta", { 256 * 1024, 1024, 4096, 128 }, 9904, 600, 192 * 1024, 40 * 1024, 2,
    900, .is_delta = true, .slot_size = SLOT_SIZE };

static molt_status_t status;
static molt_slots_t slots;
static sim_upgrade_t host;

static const molt_standby_chip_t *chip(void) {
    return fixture_esp32(SHAPE)->standby;
}

static int read_slots(void) {
    return molt_slots_read(&board.nor.flash, chip(), board.buf, &slots);
}

// A reset, and what the firmware does first. Returns the address of the one that runs.
static uint32_t start(void) {
    sim_app_t app;
    sim_nor_power_on(&board.nor);
    assert_true(sim_second_stage(&board.nor.flash, chip(), &app));
    molt_target_t target = fixture_slots_target(SHAPE, &board.nor, app.addr);
    assert_int_equal(molt_slots_settle(&target, &board.nor.flash), 0);
    return app.addr;
}

static void read_status(uint32_t running_addr) {
    molt_target_t target = fixture_slots_target(SHAPE, &board.nor, running_addr);
    assert_int_equal(molt_status_read(&target, &board.nor.flash, NULL, board.buf, &status), 0);
}

static int confirm(uint32_t running_addr) {
    molt_target_t target = fixture_slots_target(SHAPE, &board.nor, running_addr);
    return molt_otadata_confirm(&board.nor.flash, &target);
}

static int cancel(uint32_t running_addr) {
    molt_target_t target = fixture_slots_target(SHAPE, &board.nor, running_addr);
    return molt_status_cancel(&target, &board.nor.flash, board.buf);
}

static int prepare_with(uint32_t running_addr, const char *path, const char *fallback_path, uint32_t trial_starts) {
    molt_region_t fs = fixture_fs(SHAPE);
    sim_upgrade_init(&host, &board.nor, &fs, path);
    host.target = fixture_slots_target(SHAPE, &board.nor, running_addr);
    host.fallback_path = fallback_path;
    host.trial_starts = trial_starts;
    int err = sim_upgrade_prepare(&host);
    sim_upgrade_free(&host);
    return err;
}

static int prepare(uint32_t running_addr, const char *path) {
    return prepare_with(running_addr, path, NULL, 0);
}

static int prepare_trial(uint32_t running_addr, const char *path) {
    return prepare_with(running_addr, path, NULL, 1);
}

// Where a firmware is the same as what is in the file FIXTURE_OLD_PATH: as the device was set up.
static bool is_old(uint32_t addr) {
    return memcmp(board.nor.bytes + addr, board.original + IMAGE_ADDR, NEW_SIZE) == 0;
}

// Everything but a slot and otadata is as it was.
static void check_rest(uint32_t slot_addr) {
    memcpy(board.nor.bytes + slot_addr, board.original + slot_addr, SLOT_SIZE);
    memcpy(board.nor.bytes + FIXTURE_OTADATA_ADDR, board.original + FIXTURE_OTADATA_ADDR, 2 * SECTOR);
    assert_memory_equal(board.nor.bytes, board.original, SHAPE->geometry.size);
}

#define NVS \
    { 1, 2, 0x9000, 0x4000, "nvs" }
#define OTADATA \
    { 1, 0, FIXTURE_OTADATA_ADDR, 0x2000, "otadata" }
#define OTA(i, addr) \
    { 0, 0x10 + (i), addr, SLOT_SIZE, "ota" #i }
#define FACTORY \
    { 0, 0, IMAGE_ADDR, SLOT_SIZE, "factory" }

static void the_image_goes_into_the_slot_that_does_not_run_and_nothing_else_is_touched(void **state) {
    (void)state;
    assert_int_equal(start(), SLOT(0));
    assert_int_equal(prepare(SLOT(0), FIXTURE_PATH), 0);
    assert_true(is_old(SLOT(0)));
    read_status(SLOT(0));
    assert_true(status.is_prepared);
    assert_int_equal(status.outcome, MOLT_OUTCOME_PENDING);
    assert_int_equal(start(), SLOT(1));
    read_status(SLOT(1));
    assert_false(status.is_prepared || status.is_on_trial);
    assert_int_equal(status.outcome, MOLT_OUTCOME_DONE);
    assert_int_equal(status.image_crc, molt_crc32(0, board.nor.bytes + SLOT(1), NEW_SIZE));
    check_rest(SLOT(1));
}

static void the_slots_take_turns(void **state) {
    (void)state;
    uint32_t running = start();
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(prepare(running, i % 2 ? FIXTURE_OLD_PATH : FIXTURE_PATH), 0);
        uint32_t before = running;
        running = start();
        assert_int_equal(running, before == SLOT(0) ? SLOT(1) : SLOT(0));
        assert_int_equal(is_old(running), i % 2);
        // At rest nothing is written.
        assert_int_equal(start(), running);
        assert_int_equal(board.nor.op_count, 0);
    }
    // The numbers have gone up, and have the CRCs that a boot loader holds them to.
    for (uint32_t i = 0; i < 2; i++) {
        const uint8_t *entry = board.nor.bytes + FIXTURE_OTADATA_ADDR + i * SECTOR;
        assert_in_range(load32_le(entry), 5, 6);
        assert_int_equal(load32_le(entry + 28), molt_crc32(UINT32_MAX, entry, 4));
    }
}

static void with_a_factory_partition_and_three_slots_they_follow_each_other(void **state) {
    (void)state;
    static const fixture_row_t rows[] = { NVS, OTADATA, FACTORY, OTA(0, SLOT(1)), OTA(1, SLOT(3)), OTA(2, SLOT(2)) };
    fixture_esp32_table(&board.nor, rows, 6);
    uint32_t running = start();
    assert_int_equal(running, IMAGE_ADDR);
    assert_int_equal(read_slots(), 0);
    assert_int_equal(slots.count, 3);
    assert_int_equal(slots.selected_addr, IMAGE_ADDR);
    static const uint32_t order[] = { SLOT(1), SLOT(3), SLOT(2), SLOT(1), SLOT(3) };
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(prepare_trial(running, i % 2 ? FIXTURE_OLD_PATH : FIXTURE_PATH), 0);
        running = start();
        assert_int_equal(running, order[i]);
        assert_int_equal(confirm(running), 0);
        assert_int_equal(start(), running);
        assert_int_equal(read_slots(), 0);
        assert_int_equal(slots.selected_addr, running);
    }
    assert_true(is_old(IMAGE_ADDR));
}

static void a_trial_that_is_not_confirmed_ends_with_what_ran_before(void **state) {
    (void)state;
    // Otadata is blank, as a cable leaves it; and once more when it is not.
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(prepare_trial(SLOT(0), FIXTURE_PATH), 0);
        assert_int_equal(start(), SLOT(1));
        read_status(SLOT(1));
        assert_true(status.is_on_trial && status.is_counted);
        assert_int_equal(status.outcome, MOLT_OUTCOME_NONE);
        assert_int_equal(start(), SLOT(0));
        read_status(SLOT(0));
        assert_false(status.is_on_trial);
        assert_int_equal(status.outcome, MOLT_OUTCOME_ROLLED_BACK);
        assert_int_equal(status.image_crc, molt_crc32(0, board.nor.bytes + SLOT(1), NEW_SIZE));
        assert_int_equal(confirm(SLOT(0)), MOLT_ERR_NOENT);
        assert_int_equal(start(), SLOT(0));
        assert_int_equal(board.nor.op_count, 0);
    }
}

static void from_the_factory_partition_too(void **state) {
    (void)state;
    static const fixture_row_t rows[] = { NVS, OTADATA, FACTORY, OTA(0, SLOT(1)), OTA(1, SLOT(2)) };
    fixture_esp32_table(&board.nor, rows, 5);
    // From a slot to the factory partition, as esptool does it: otadata is erased.
    assert_int_equal(prepare(IMAGE_ADDR, FIXTURE_PATH), 0);
    assert_int_equal(start(), SLOT(1));
    memset(board.nor.bytes + FIXTURE_OTADATA_ADDR, 0xff, 2 * SECTOR);
    assert_int_equal(start(), IMAGE_ADDR);
    assert_int_equal(prepare_trial(IMAGE_ADDR, FIXTURE_PATH), 0);
    assert_int_equal(start(), SLOT(1));
    assert_int_equal(start(), IMAGE_ADDR);
    read_status(IMAGE_ADDR);
    assert_int_equal(status.outcome, MOLT_OUTCOME_ROLLED_BACK);
}

// By a boot loader that passes over a damaged slot, the firmware that runs is not the one that otadata says.
static void what_runs_though_otadata_says_otherwise_is_what_a_trial_falls_back_on(void **state) {
    (void)state;
    static const fixture_row_t with_factory[] = { NVS, OTADATA, FACTORY, OTA(0, SLOT(1)), OTA(1, SLOT(2)) };
    for (uint32_t i = 0; i < 2; i++) {
        standby_rig_put_original();
        uint32_t first = IMAGE_ADDR;
        if (i) {
            fixture_esp32_table(&board.nor, with_factory, 5);
        }
        assert_int_equal(prepare(first, FIXTURE_PATH), 0);
        uint32_t second = start();
        assert_int_equal(second, SLOT(1));
        board.nor.bytes[second + 900] ^= 1;
        assert_int_equal(start(), first);
        read_status(first);
        assert_true(status.is_prepared);
        assert_int_equal(cancel(first), 0);
        assert_int_equal(cancel(first), MOLT_ERR_NOENT);
        assert_int_equal(prepare_trial(first, FIXTURE_PATH), 0);
        assert_int_equal(start(), second);
        assert_int_equal(start(), first);
        assert_int_equal(start(), first);
    }
}

// The second entry is of the first slot, with the highest number that there can be for it.
static void use_up_numbers(void) {
    uint8_t *entry = board.nor.bytes + FIXTURE_OTADATA_ADDR + SECTOR;
    store32_le(entry, UINT32_MAX - 2);
    store32_le(entry + 24, 2);
    store32_le(entry + 28, molt_crc32(UINT32_MAX, entry, 4));
    standby_rig_keep();
}

static void numbers_that_are_used_up_are_begun_anew(void **state) {
    (void)state;
    use_up_numbers();
    assert_int_equal(start(), SLOT(0));
    assert_int_equal(prepare(SLOT(0), FIXTURE_PATH), 0);
    assert_int_equal(start(), SLOT(1));
    assert_true(load32_le(board.nor.bytes + FIXTURE_OTADATA_ADDR + SECTOR) < 10);
}

// One entry is written for it, and the other erased.
static void no_cut_in_that_starts_nothing(void **state) {
    (void)state;
    use_up_numbers();
    molt_target_t target = fixture_slots_target(SHAPE, &board.nor, SLOT(0));
    sim_nor_power_on(&board.nor);
    assert_int_equal(molt_otadata_commit(&board.nor.flash, &target, 1, false), 0);
    uint64_t op_count = board.nor.op_count;
    assert_true(op_count > 6);
    for (uint64_t op = 0; op < op_count; op++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            standby_rig_put_original();
            board.nor.cut_op = (int64_t)op;
            board.nor.cut_tear = tear;
            (void)molt_otadata_commit(&board.nor.flash, &target, 1, false);
            assert_true(board.nor.is_cut);
            // Nothing is in the other slot.
            assert_int_equal(start(), SLOT(0));
        }
    }
}

static void confirmed_it_stays(void **state) {
    (void)state;
    assert_int_equal(confirm(SLOT(0)), MOLT_ERR_NOENT);
    assert_int_equal(prepare_trial(SLOT(0), FIXTURE_PATH), 0);
    assert_int_equal(start(), SLOT(1));
    assert_int_equal(confirm(SLOT(1)), 0);
    read_status(SLOT(1));
    assert_int_equal(status.outcome, MOLT_OUTCOME_CONFIRMED);
    assert_int_equal(confirm(SLOT(1)), MOLT_ERR_NOENT);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(start(), SLOT(1));
    }
    read_status(SLOT(1));
    assert_int_equal(status.outcome, MOLT_OUTCOME_CONFIRMED);
    assert_int_equal(board.nor.op_count, 0);
}

static void taken_back_before_the_reset_nothing_has_happened(void **state) {
    (void)state;
    assert_int_equal(cancel(SLOT(0)), MOLT_ERR_NOENT);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(prepare_with(SLOT(0), FIXTURE_PATH, NULL, i), 0);
        assert_int_equal(cancel(SLOT(0)), 0);
        read_status(SLOT(0));
        assert_false(status.is_prepared);
        assert_int_equal(status.outcome, MOLT_OUTCOME_NONE);
        assert_int_equal(start(), SLOT(0));
        assert_int_equal(start(), SLOT(0));
    }
}

static void nothing_else_is_begun_while_one_is_prepared_or_on_trial(void **state) {
    (void)state;
    assert_int_equal(prepare_trial(SLOT(0), FIXTURE_PATH), 0);
    sim_nor_power_on(&board.nor);
    assert_int_equal(prepare(SLOT(0), FIXTURE_PATH), MOLT_ERR_BUSY);
    assert_int_equal(board.nor.op_count, 0);
    assert_int_equal(start(), SLOT(1));
    sim_nor_power_on(&board.nor);
    assert_int_equal(prepare(SLOT(1), FIXTURE_OLD_PATH), MOLT_ERR_BUSY);
    assert_int_equal(board.nor.op_count, 0);
}

static void the_firmware_that_runs_is_not_written_again(void **state) {
    (void)state;
    sim_nor_power_on(&board.nor);
    molt_region_t fs = fixture_fs(SHAPE);
    sim_upgrade_init(&host, &board.nor, &fs, FIXTURE_OLD_PATH);
    host.target = fixture_slots_target(SHAPE, &board.nor, SLOT(0));
    assert_int_equal(sim_upgrade_plan(&host), 0);
    molt_job_facts_t facts;
    molt_job_facts(&host.job, &facts);
    assert_true(facts.is_in_place);
    sim_upgrade_free(&host);
    assert_int_equal(board.nor.op_count, 0);
}

static const char *refusal_of(uint32_t running_addr, const char *path, const char *fallback_path, bool erases, int wanted) {
    static char text[300];
    molt_region_t fs = fixture_fs(SHAPE);
    sim_nor_power_on(&board.nor);
    sim_upgrade_init(&host, &board.nor, &fs, path);
    host.target = fixture_slots_target(SHAPE, &board.nor, running_addr);
    host.fallback_path = fallback_path;
    host.options.is_fallback = fallback_path != NULL;
    host.options.erase_all = erases;
    int err = sim_upgrade_plan(&host);
    assert_int_equal(err, wanted);
    sim_upgrade_text(&host, err, text, sizeof text);
    sim_upgrade_free(&host);
    assert_int_equal(board.nor.op_count, 0);
    return text;
}

static void what_does_not_fit_or_is_not_whole_is_refused_before_anything_is_written(void **state) {
    (void)state;
    assert_non_null(strstr(refusal_of(SLOT(0), FIXTURE_OLD_PATH, FIXTURE_OLD_PATH, false, MOLT_ERR_NOTSUP), "OTA slots"));
    assert_non_null(strstr(refusal_of(SLOT(0), FIXTURE_PATH, NULL, true, MOLT_ERR_NOTSUP), "erase_all"));
    // A slot of 8 KB, which the image is too large for.
    uint8_t *end = board.nor.bytes + TABLE_ADDR + 5 * ROW_SIZE;
    store32_le(board.nor.bytes + TABLE_ADDR + 4 * ROW_SIZE + 8, 0x2000);
    molt_md5_t md5;
    molt_md5_init(&md5);
    molt_md5_update(&md5, board.nor.bytes + TABLE_ADDR, 5 * ROW_SIZE);
    molt_md5_finish(end + 16, &md5);
    assert_non_null(strstr(refusal_of(SLOT(0), FIXTURE_PATH, NULL, false, MOLT_ERR_FBIG), "partition"));
    assert_int_equal(refusal_of(SLOT(1), FIXTURE_OLD_PATH, NULL, false, 0)[0] == '\0', 0);
}

// One call of the driver fails: it is said, and the firmware that runs goes on; or it was tried again, and all is well.
static void where_flash_fails_the_firmware_that_runs_stays(void **state) {
    (void)state;
    sim_nor_power_on(&board.nor);
    assert_int_equal(prepare_trial(SLOT(0), FIXTURE_PATH), 0);
    uint64_t call_count = board.nor.call_count;
    assert_true(call_count > 300);
    standby_rig_put_original();
    (void)fixture_slots_target(SHAPE, &board.nor, SLOT(0));
    for (uint64_t call = board.nor.call_count; call < call_count; call += 7) {
        standby_rig_put_original();
        board.nor.fail_call = (int64_t)call;
        int err = prepare_trial(SLOT(0), FIXTURE_PATH);
        assert_int_equal(start(), err ? SLOT(0) : SLOT(1));
        assert_true(is_old(SLOT(0)));
    }
}

// A cell that has gone bad, in the slot and in either entry of otadata: it is said, and what runs goes on, for good.
static void what_does_not_hold_what_is_written_to_it_is_not_started(void **state) {
    (void)state;
    static const uint32_t bad[] = { SLOT(1) + 5 * SECTOR + 40, SLOT(1) + 9000, FIXTURE_OTADATA_ADDR + 2,
        FIXTURE_OTADATA_ADDR + SECTOR + 24 };
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        standby_rig_put_original();
        board.nor.stuck_addr = bad[i];
        board.nor.stuck_mask = 0xff;
        assert_int_equal(prepare_trial(SLOT(0), FIXTURE_PATH), MOLT_ERR_IO);
        assert_int_equal(start(), SLOT(0));
        assert_int_equal(start(), SLOT(0));
        board.nor.stuck_mask = 0;
    }
}

static void a_gzip_file_and_a_delta_file_are_unpacked_into_the_slot(void **state) {
    (void)state;
    static const fixture_shape_t *const shapes[] = { &fixture_small_slots_gzip, &delta_shape };
    for (uint32_t i = 0; i < 2; i++) {
        standby_rig_tear_down(state);
        standby_shape = shapes[i];
        fixture_device(&board.nor, SHAPE);
        board.original = malloc(SHAPE->geometry.size);
        standby_rig_keep();
        assert_int_equal(prepare(SLOT(0), FIXTURE_PATH), 0);
        assert_int_equal(start(), SLOT(1));
        read_status(SLOT(1));
        assert_int_equal(status.outcome, MOLT_OUTCOME_DONE);
        assert_int_equal(status.image_crc, molt_crc32(0, board.nor.bytes + SLOT(1), NEW_SIZE));
        check_rest(SLOT(1));
    }
}

static void check_defect(molt_slots_defect_t defect, int wanted) {
    assert_int_equal(read_slots(), wanted);
    assert_int_equal(slots.defect, defect);
    assert_true(strlen(molt_slots_text(&slots)) > 10);
}

static void why_a_device_has_no_slots_to_use_is_said(void **state) {
    (void)state;
    static const fixture_row_t none[] = { NVS, OTADATA, FACTORY };
    static const fixture_row_t holes[] = { NVS, OTADATA, OTA(0, SLOT(0)), OTA(2, SLOT(1)) };
    static const fixture_row_t late[] = { NVS, OTADATA, OTA(1, SLOT(0)), OTA(2, SLOT(1)) };
    static const fixture_row_t no_otadata[] = { NVS, OTA(0, SLOT(0)), OTA(1, SLOT(1)) };
    static const fixture_row_t one[] = { NVS, OTADATA, OTA(0, SLOT(0)) };
    fixture_esp32_table(&board.nor, none, 3);
    check_defect(MOLT_SLOTS_NONE, MOLT_ERR_NOENT);
    fixture_esp32_table(&board.nor, holes, 4);
    check_defect(MOLT_SLOTS_HOLES, MOLT_ERR_NOTSUP);
    fixture_esp32_table(&board.nor, late, 4);
    check_defect(MOLT_SLOTS_HOLES, MOLT_ERR_NOTSUP);
    fixture_esp32_table(&board.nor, no_otadata, 3);
    check_defect(MOLT_SLOTS_NO_OTADATA, MOLT_ERR_NOTSUP);
    uint8_t *end = fixture_esp32_table(&board.nor, one, 3);
    assert_int_equal(read_slots(), 0);
    molt_target_t target;
    assert_int_equal(molt_slots_target(&target, fixture_esp32(SHAPE), &slots, SLOT(0)), MOLT_ERR_NOTSUP);
    assert_int_equal(slots.defect, MOLT_SLOTS_ONLY_ONE);
    assert_int_equal(read_slots(), 0);
    assert_int_equal(molt_slots_target(&target, fixture_esp32(SHAPE), &slots, SLOT(1)), MOLT_ERR_NOTSUP);
    assert_int_equal(slots.defect, MOLT_SLOTS_ELSEWHERE);
    memcpy(end, board.nor.bytes + TABLE_ADDR, ROW_SIZE);
    check_defect(MOLT_SLOTS_OTHER_ROWS, MOLT_ERR_NOTSUP);
    end[-1] ^= 1;
    check_defect(MOLT_SLOTS_BAD_TABLE, MOLT_ERR_NOTSUP);
}

static int set_up_wide(void **state) {
    standby_shape = &wide_shape;
    return standby_rig_set_up(state);
}

static int set_up(void **state) {
    standby_shape = &fixture_small_slots;
    return standby_rig_set_up(state);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, standby_rig_tear_down)
#define WIDE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_wide, standby_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_image_goes_into_the_slot_that_does_not_run_and_nothing_else_is_touched),
        TEST(the_slots_take_turns),
        WIDE_TEST(with_a_factory_partition_and_three_slots_they_follow_each_other),
        TEST(a_trial_that_is_not_confirmed_ends_with_what_ran_before),
        WIDE_TEST(from_the_factory_partition_too),
        WIDE_TEST(what_runs_though_otadata_says_otherwise_is_what_a_trial_falls_back_on),
        TEST(numbers_that_are_used_up_are_begun_anew),
        TEST(no_cut_in_that_starts_nothing),
        TEST(confirmed_it_stays),
        TEST(taken_back_before_the_reset_nothing_has_happened),
        TEST(nothing_else_is_begun_while_one_is_prepared_or_on_trial),
        TEST(the_firmware_that_runs_is_not_written_again),
        TEST(what_does_not_fit_or_is_not_whole_is_refused_before_anything_is_written),
        TEST(where_flash_fails_the_firmware_that_runs_stays),
        TEST(what_does_not_hold_what_is_written_to_it_is_not_started),
        TEST(a_gzip_file_and_a_delta_file_are_unpacked_into_the_slot),
        TEST(why_a_device_has_no_slots_to_use_is_said),
    };
    return standby_rig_run(tests, sizeof tests / sizeof tests[0]);
}
