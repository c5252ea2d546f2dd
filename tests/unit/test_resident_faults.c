// Resident mode where flash is not what it should be: heads, overlay and records that are damaged, plans that are finished
// already, sectors that are worn out, and readings gone wrong.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "molt/error.h"
#include "resident/resident.h"
#include "rig.h"

#define SECTOR 512u
#define PAGE 128u
#define RESERVED (fixture_small_resident.reserved_addr)
#define FLASH_SIZE (64u * 1024)

static rig_t rig;
static uint8_t prepared[FLASH_SIZE];
static uint32_t old_head;

static int set_up(void **state) {
    (void)state;
    rig_init(&rig, &fixture_small_resident);
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

static uint8_t *head(uint32_t index) {
    return rig.nor.bytes + molt_state_head_addr(&rig.nor.flash, RESERVED, index);
}

static uint8_t *overlay(void) {
    return rig.nor.bytes + molt_state_sector_addr(&rig.nor.flash, RESERVED, 7);
}

// An upgrade; with trial starts one that falls back on the old firmware.
static void prepare(uint32_t trial_starts) {
    old_head = ask().head;
    rig.host.fallback_path = trial_starts ? FIXTURE_OLD_PATH : NULL;
    rig.host.trial_starts = trial_starts;
    assert_int_equal(rig_prepare(&rig), 0);
    memcpy(prepared, rig.nor.bytes, FLASH_SIZE);
}

// The byte at `off` of the file that the plan in `slot` takes the image from.
static uint8_t *source_byte(uint32_t slot, uint32_t off) {
    static uint32_t words[SECTOR / 4];
    molt_plan_t plan;
    uint32_t run_size;
    memcpy(words, rig.nor.bytes + molt_state_plan_addr(&rig.nor.flash, RESERVED, slot), SECTOR);
    assert_int_equal(molt_plan_open(&plan, &rig.shape->geometry, (uint8_t *)words), 0);
    return rig.nor.bytes + molt_plan_source_addr(&plan, off, &run_size);
}

static bool is_behind_the_head(const uint8_t *image) {
    return memcmp(rig.nor.bytes + SECTOR, image + SECTOR, rig.shape->image_size - SECTOR) == 0;
}

static void expect_new(void) {
    assert_true(is_behind_the_head(rig.image));
    assert_memory_equal(rig.nor.bytes + rig.device.head_addr, rig.image, SECTOR);
    assert_int_not_equal(ask().head, old_head);
}

static void expect_old(void) {
    assert_true(is_behind_the_head(rig.original));
    // The heads take turns; the first sector is the old one.
    assert_memory_equal(rig.nor.bytes + rig.device.head_addr + 4,
        rig.original + molt_state_head_addr(&rig.nor.flash, RESERVED, old_head) + 4, SECTOR - 4);
}

// Until a firmware runs, as a device that is reset after each failure.
static sim_outcome_t start_until_it_runs(uint32_t starts_max) {
    sim_outcome_t outcome = sim_device_start(&rig.device);
    for (uint32_t start = 1; start < starts_max && outcome == SIM_STUCK; start++) {
        outcome = rig_start(&rig);
    }
    return outcome;
}

// ---- heads

static void where_a_head_does_not_load_the_other_one_is_started(void **state) {
    (void)state;
    uint32_t index = ask().head;
    memcpy(head(index ^ 1), head(index), SECTOR);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_ptr_equal(rig.nor.bytes + rig.device.head_addr, head(index));
    head(index)[40] ^= 4;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_ptr_equal(rig.nor.bytes + rig.device.head_addr, head(index ^ 1));
    assert_int_equal(rig.nor.op_count, 0);
    head(index ^ 1)[0] = 0;
    assert_int_equal(rig_start(&rig), SIM_STUCK);
    assert_int_equal(rig.device.boot_result, MOLT_ERR_CORRUPT);
    assert_int_equal(rig.nor.op_count, 0);
}

// ---- the overlay

static void a_damaged_overlay_stops_no_firmware_while_nothing_was_begun(void **state) {
    (void)state;
    prepare(0);
    for (uint32_t off = 0; off < MOLT_OVERLAY_HEADER_SIZE + 4; off++) {
        overlay()[off] ^= 0x40;
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        expect_old();
        assert_int_equal(rig.nor.op_count, 0);
        assert_int_equal(ask().kind, MOLT_STATE_UPGRADE);
        overlay()[off] ^= 0x40;
    }
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    expect_new();
}

static void a_damaged_overlay_stops_no_firmware_on_trial(void **state) {
    (void)state;
    prepare(3);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    overlay()[22] ^= 0x40;
    for (int start = 0; start < 5; start++) {
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        expect_new();
        assert_int_equal(ask().tally, 1);
    }
    overlay()[22] ^= 0x40;
    for (int start = 0; start < 3; start++) {
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    }
    assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
    expect_old();
}

static void a_damaged_overlay_in_the_middle_of_an_upgrade_starts_nothing(void **state) {
    (void)state;
    prepare(0);
    for (int64_t cut = 3; cut < 40; cut += 6) {
        memcpy(rig.nor.bytes, prepared, FLASH_SIZE);
        sim_nor_power_on(&rig.nor);
        rig.nor.cut_op = cut;
        assert_int_equal(sim_device_start(&rig.device), SIM_CUT);
        overlay()[22] ^= 0x40;
        for (int start = 0; start < 3; start++) {
            assert_int_equal(rig_start(&rig), SIM_STUCK);
            assert_int_equal(rig.device.boot_result, MOLT_ERR_NOENT);
            assert_int_equal(rig.nor.op_count, 0);
        }
        overlay()[22] ^= 0x40;
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        expect_new();
    }
}

static uint32_t placed_count;
static uint8_t placed[SECTOR];

static void *place(void *ctx, uint32_t vaddr, uint32_t size) {
    (void)ctx;
    (void)vaddr;
    (void)size;
    placed_count++;
    return placed;
}

// An overlay that begins what the state asks for, and then finds something damaged.
static int begin_and_fail(void *ctx, uint32_t reserved_addr, molt_state_t *state) {
    (void)ctx;
    if (state->kind == MOLT_STATE_TRIAL) {
        molt_state_t next = *state;
        next.kind = MOLT_STATE_UPGRADE;
        next.result = MOLT_STATE_RESULT_ROLLED_BACK;
        assert_int_equal(molt_state_append(&rig.nor.flash, reserved_addr, state, &next), 0);
    }
    assert_int_equal(molt_state_count(&rig.nor.flash, state), 0);
    return MOLT_ERR_CORRUPT;
}

// What it leaves is a firmware of which a part is the old one's and a part the new one's.
static void nothing_starts_where_the_overlay_failed_after_it_had_begun(void **state) {
    (void)state;
    const molt_start_io_t io = { NULL, place, begin_and_fail };
    uint32_t head_addr;
    uint32_t entry_vaddr;
    prepare(1);
    placed_count = 0;
    assert_int_equal(molt_resident_start(&rig.nor.flash, &io, &head_addr, &entry_vaddr), MOLT_ERR_CORRUPT);
    assert_int_equal(placed_count, 0);
    memcpy(rig.nor.bytes, prepared, FLASH_SIZE);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(ask().kind, MOLT_STATE_TRIAL);
    assert_int_equal(molt_resident_start(&rig.nor.flash, &io, &head_addr, &entry_vaddr), MOLT_ERR_CORRUPT);
    assert_int_equal(placed_count, 0);
}

// ---- plans that are finished

// Let the newest record be none, for one start or for ever; the one before it asks for what is done already.
static void forget_the_newest_record(bool for_ever) {
    uint8_t kept[2 * PAGE];
    molt_state_t newest = ask();
    uint8_t *slot = rig.nor.bytes + newest.addr;
    memcpy(kept, slot, sizeof kept);
    slot[12] = slot[13] = slot[PAGE + 12] = slot[PAGE + 13] = 0;
    assert_int_equal(ask().kind, MOLT_STATE_UPGRADE);
    uint64_t erases = rig.nor.counts.erase_sector_count + rig.nor.counts.erase_block_count;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    // But for a sector of the log.
    assert_in_range(rig.nor.counts.erase_sector_count + rig.nor.counts.erase_block_count - erases, 0, 1);
    if (!for_ever) {
        memcpy(slot, kept, sizeof kept);
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    }
}

static void a_plan_that_is_finished_is_never_carried_out_again(void **state) {
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        rig_reset(&rig);
        prepare(0);
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        // The file is the user's again.
        *source_byte(0, 700) ^= 0xff;
        *source_byte(0, 20) ^= 0xff;
        forget_the_newest_record(for_ever);
        assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
        assert_int_equal(ask().result, MOLT_STATE_RESULT_DONE);
        expect_new();
    }
}

static void a_trial_that_has_begun_is_not_begun_again_with_its_upgrade(void **state) {
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        rig_reset(&rig);
        prepare(4);
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        *source_byte(0, 700) ^= 0xff;
        forget_the_newest_record(for_ever);
        assert_int_equal(ask().kind, MOLT_STATE_TRIAL);
        assert_int_equal(ask().plan, 1);
        expect_new();
        assert_int_equal(molt_resident_confirm(&rig.nor.flash, RESERVED), 0);
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        expect_new();
    }
}

static void a_fallback_that_is_in_is_not_put_in_again(void **state) {
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        rig_reset(&rig);
        prepare(1);
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
        *source_byte(1, 700) ^= 0xff;
        forget_the_newest_record(for_ever);
        assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
        assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
        expect_old();
    }
}

// ---- flash that is worn out

static void an_upgrade_that_flash_does_not_bear_ends_in_the_fallback(void **state) {
    (void)state;
    prepare(3);
    rig_wear_out(&rig, 5 * SECTOR);
    sim_nor_power_on(&rig.nor);
    // Not at once: a supply that is weak for a moment looks the same.
    assert_int_equal(sim_device_start(&rig.device), SIM_STUCK);
    assert_int_equal(ask().kind, MOLT_STATE_UPGRADE);
    assert_int_equal(ask().plan, 0);
    assert_int_equal(start_until_it_runs(20), SIM_FIRMWARE);
    assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
    assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
    expect_old();
}

static void without_a_fallback_it_is_tried_for_ever(void **state) {
    (void)state;
    prepare(0);
    rig_wear_out(&rig, 5 * SECTOR);
    sim_nor_power_on(&rig.nor);
    assert_int_equal(start_until_it_runs(40), SIM_STUCK);
    assert_int_equal(ask().kind, MOLT_STATE_UPGRADE);
    rig_mend(&rig);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    expect_new();
}

// There is no whole firmware in flash by then, so that nothing can be said to have been left as it was.
static void a_fallback_whose_file_has_changed_does_not_pass_for_restored(void **state) {
    (void)state;
    prepare(3);
    rig_wear_out(&rig, 5 * SECTOR);
    *source_byte(1, 3000) ^= 0x10;
    sim_nor_power_on(&rig.nor);
    for (int start = 0; start < 30; start++) {
        assert_int_equal(rig_start(&rig), SIM_STUCK);
        assert_int_equal(ask().kind, MOLT_STATE_UPGRADE);
        assert_int_not_equal(ask().result, MOLT_STATE_RESULT_RESTORED);
    }
    *source_byte(1, 3000) ^= 0x10;
    sim_nor_power_on(&rig.nor);
    assert_int_equal(start_until_it_runs(10), SIM_FIRMWARE);
    assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
    expect_old();
}

static void a_firmware_on_trial_whose_fallback_has_changed_stays(void **state) {
    (void)state;
    prepare(1);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    *source_byte(1, 3000) ^= 0x10;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(ask().kind, MOLT_STATE_NORMAL);
    assert_int_equal(ask().result, MOLT_STATE_RESULT_RESTORED);
    expect_new();
}

// ---- readings gone wrong

// One wrong bit in each read, one after the other, of what comes after `from`, and then a failure of each call; it ends in
// `kind` and `result`.
static void expect_no_misread_to_matter(const uint8_t *from, molt_state_kind_t kind, molt_state_result_t result, bool is_new) {
    for (uint32_t salt = 0; salt < 4; salt++) {
        bool is_failure = salt == 3;
        for (int64_t read = 0;; read++) {
            memcpy(rig.nor.bytes, from, FLASH_SIZE);
            sim_nor_power_on(&rig.nor);
            rig.nor.misread = is_failure ? -1 : read;
            rig.nor.misread_salt = salt;
            rig.nor.fail_call = is_failure ? read : -1;
            sim_outcome_t outcome = sim_device_start(&rig.device);
            bool has_misread = rig.nor.has_misread || rig.nor.has_failed;
            for (int start = 0; start < 5 && outcome == SIM_STUCK; start++) {
                outcome = rig_start(&rig);
            }
            sim_nor_power_on(&rig.nor);
            molt_state_t found = ask();
            if (outcome != SIM_FIRMWARE || found.kind != kind || found.result != result) {
                fail_msg(
                    "read %d, salt %u: outcome %d, kind %u, result %u", (int)read, salt, (int)outcome, found.kind, found.result);
            }
            (is_new ? expect_new : expect_old)();
            if (rig.nor.overwrite_count) {
                fail_msg("read %d, salt %u: 1 over 0 at 0x%x", (int)read, salt, rig.nor.overwrite_addr);
            }
            if (!has_misread) {
                break;
            }
        }
    }
}

static void one_misread_of_an_upgrade_changes_nothing(void **state) {
    (void)state;
    prepare(0);
    expect_no_misread_to_matter(prepared, MOLT_STATE_NORMAL, MOLT_STATE_RESULT_DONE, true);
}

static void one_misread_of_an_upgrade_on_trial_changes_nothing(void **state) {
    (void)state;
    prepare(2);
    expect_no_misread_to_matter(prepared, MOLT_STATE_TRIAL, MOLT_STATE_RESULT_DONE, true);
}

static void one_misread_of_a_fallback_changes_nothing(void **state) {
    (void)state;
    static uint8_t on_trial[FLASH_SIZE];
    prepare(1);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    memcpy(on_trial, rig.nor.bytes, FLASH_SIZE);
    expect_no_misread_to_matter(on_trial, MOLT_STATE_NORMAL, MOLT_STATE_RESULT_ROLLED_BACK, false);
}

static void one_misread_of_a_restart_changes_nothing(void **state) {
    (void)state;
    static uint8_t cut[FLASH_SIZE];
    prepare(0);
    for (int64_t op = 0; op < 60; op += 9) {
        memcpy(rig.nor.bytes, prepared, FLASH_SIZE);
        sim_nor_power_on(&rig.nor);
        rig.nor.cut_op = op;
        rig.nor.cut_tear = SIM_TEAR_RANDOM;
        if (sim_device_start(&rig.device) != SIM_CUT) {
            break;
        }
        memcpy(cut, rig.nor.bytes, FLASH_SIZE);
        expect_no_misread_to_matter(cut, MOLT_STATE_NORMAL, MOLT_STATE_RESULT_DONE, true);
    }
}

static void one_misread_of_an_upgrade_from_a_gzip_file_changes_nothing(void **state) {
    (void)state;
    rig_free(&rig);
    rig_init(&rig, &fixture_small_resident_gzip);
    prepare(0);
    expect_no_misread_to_matter(prepared, MOLT_STATE_NORMAL, MOLT_STATE_RESULT_DONE, true);
}

static void one_misread_while_preparing_is_refused_or_changes_nothing(void **state) {
    (void)state;
    uint32_t refused_count = 0;
    int64_t read;
    old_head = ask().head;
    rig.host.fallback_path = FIXTURE_OLD_PATH;
    rig.host.trial_starts = 1;
    for (read = 0;; read++) {
        rig_reset(&rig);
        rig.nor.misread = read;
        rig.nor.misread_salt = (uint32_t)read % 5;
        int err = sim_upgrade_prepare(&rig.host);
        if (!rig.nor.has_misread) {
            assert_int_equal(err, 0);
            break;
        }
        sim_nor_power_on(&rig.nor);
        assert_int_equal(start_until_it_runs(4), SIM_FIRMWARE);
        if (err) {
            refused_count++;
            expect_old();
            continue;
        }
        if (ask().kind != MOLT_STATE_TRIAL) {
            fail_msg("read %d: kind %u, result %u", (int)read, ask().kind, ask().result);
        }
        expect_new();
        assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
        assert_int_equal(ask().result, MOLT_STATE_RESULT_ROLLED_BACK);
        expect_old();
    }
    assert_true(read > 200 && refused_count > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(where_a_head_does_not_load_the_other_one_is_started),
        TEST(a_damaged_overlay_stops_no_firmware_while_nothing_was_begun),
        TEST(a_damaged_overlay_stops_no_firmware_on_trial),
        TEST(a_damaged_overlay_in_the_middle_of_an_upgrade_starts_nothing),
        TEST(nothing_starts_where_the_overlay_failed_after_it_had_begun),
        TEST(a_plan_that_is_finished_is_never_carried_out_again),
        TEST(a_trial_that_has_begun_is_not_begun_again_with_its_upgrade),
        TEST(a_fallback_that_is_in_is_not_put_in_again),
        TEST(an_upgrade_that_flash_does_not_bear_ends_in_the_fallback),
        TEST(without_a_fallback_it_is_tried_for_ever),
        TEST(a_fallback_whose_file_has_changed_does_not_pass_for_restored),
        TEST(a_firmware_on_trial_whose_fallback_has_changed_stays),
        TEST(one_misread_of_an_upgrade_changes_nothing),
        TEST(one_misread_of_an_upgrade_on_trial_changes_nothing),
        TEST(one_misread_of_a_fallback_changes_nothing),
        TEST(one_misread_of_a_restart_changes_nothing),
        TEST(one_misread_while_preparing_is_refused_or_changes_nothing),
        TEST(one_misread_of_an_upgrade_from_a_gzip_file_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
