// The boot loader where flash or supply are not what they should be: readings gone wrong, bits that change after they were
// written, a source that changes, starts that get no further.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "molt/error.h"
#include "prepared.h"
#include "seal.h"
#include "upgrade/apply.h"

static molt_report_t report(void) {
    molt_report_t result;
    assert_int_equal(report_read(&result), 0);
    return result;
}

// Until it comes to a firmware, as a device does that is reset after each failure.
static sim_outcome_t start_until_it_runs(void) {
    sim_outcome_t outcome = sim_device_start(&rig.device);
    for (int start = 0; start < 4 && outcome == SIM_STUCK; start++) {
        outcome = rig_start(&rig);
    }
    return outcome;
}

// Steps that are marked and were never done, whatever marked them: each one, and all of them.
static void a_journal_that_says_too_much_is_found_out_before_the_first_sector(void **state) {
    (void)state;
    for (uint32_t marked = 1; marked < plan.verify_step; marked++) {
        memcpy(rig.nor.bytes, before, sizeof before);
        for (uint32_t step = marked == plan.verify_step - 1 ? 0 : marked; step <= marked; step++) {
            rig.nor.bytes[plan.journal_off + step / 8] &= (uint8_t) ~(1u << step % 8);
        }
        sim_nor_power_on(&rig.nor);
        assert_int_equal(start_until_it_runs(), SIM_FIRMWARE);
        assert_true(rig_is_new(&rig));
        assert_int_equal(rig.device.boot_result, MOLT_BOOT_DONE);
    }
    // Sectors of a block that was not erased are programmed as blank ones first.
    rig.nor.overwrite_count = 0;
}

// ---- nothing that was read or programmed once is believed

static struct {
    uint32_t addr;  // where a bit is turned when the image in flash is checked for the first time
    uint32_t turned;
    bool is_whole;  // the image was, when the first sector went in
} decay;

static void turn_a_bit(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    if (event == MOLT_BOOT_CHECK && arg == 1 && decay.turned++ == 0) {
        rig.nor.bytes[decay.addr] ^= 0x08;
    }
    if (event == MOLT_BOOT_FINISH) {
        decay.is_whole = memcmp(rig.nor.bytes + SECTOR, rig.image + SECTOR, rig.image_end - SECTOR) == 0;
    }
}

static void a_bit_that_changes_after_its_sector_was_written_is_put_right(void **state) {
    (void)state;
    static const molt_boot_io_t turning = { .event = turn_a_bit, .wait = no_wait };
    rig.device.io = &turning;
    for (uint32_t addr = SECTOR; addr < plan.image_size; addr += 173) {
        memcpy(rig.nor.bytes, before, sizeof before);
        memset(&decay, 0, sizeof decay);
        decay.addr = addr;
        sim_nor_power_on(&rig.nor);
        assert_int_equal(start_until_it_runs(), SIM_FIRMWARE);
        assert_true(decay.turned > 1);
        assert_true(decay.is_whole);
        assert_true(rig_is_new(&rig));
        assert_int_equal(report().result, MOLT_REPORT_DONE);
    }
}

static void a_first_sector_with_another_crc_is_never_written(void **state) {
    (void)state;
    uint8_t *header = rig.nor.bytes + SECTOR - MOLT_PLAN_HEADER_SIZE;
    store32_le(header + 32, load32_le(header + 32) ^ 1);
    assert_true(seal_plan(&rig.shape->geometry, rig.nor.bytes, false));
    for (int start = 0; start < 3; start++) {
        told.count = 0;
        assert_int_equal(rig_start(&rig), SIM_STUCK);
        assert_int_equal(rig.device.boot_result, MOLT_ERR_CORRUPT);
        assert_int_equal(told_count(MOLT_BOOT_FINISH), 0);
        assert_true(sim_device_has_loader(&rig.device));
    }
    store32_le(header + 32, load32_le(header + 32) ^ 1);
    assert_true(seal_plan(&rig.shape->geometry, rig.nor.bytes, false));
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

static void a_source_that_changes_once_steps_are_done_writes_no_wrong_firmware(void **state) {
    (void)state;
    for (int64_t cut = 6; cut < 50; cut += 11) {
        for (uint32_t off = 0; off < plan.source_size; off += 450) {
            uint32_t run_size;
            memcpy(rig.nor.bytes, before, sizeof before);
            sim_nor_power_on(&rig.nor);
            rig.nor.cut_op = cut;
            assert_int_equal(sim_device_start(&rig.device), SIM_CUT);
            uint8_t *byte = rig.nor.bytes + molt_plan_source_addr(&plan, off, &run_size);
            *byte ^= 0x10;
            sim_outcome_t outcome = SIM_STUCK;
            for (int start = 0; start < 3 && outcome == SIM_STUCK; start++) {
                outcome = rig_start(&rig);
                // What is in place already may be right to the last bit; nothing else starts.
                assert_true(outcome == SIM_FIRMWARE ? rig_is_new(&rig) : sim_device_has_loader(&rig.device));
            }
            if (outcome == SIM_STUCK) {
                assert_int_equal(rig.device.boot_result, MOLT_ERR_CORRUPT);
                *byte ^= 0x10;
                sim_nor_power_on(&rig.nor);
                assert_int_equal(start_until_it_runs(), SIM_FIRMWARE);
                assert_true(rig_is_new(&rig));
            }
        }
    }
}

// Each read of a start once, with a wrong bit; the device is reset where that stopped it.
static void expect_no_misread_to_matter(const uint8_t *from) {
    for (uint32_t salt = 0; salt < 3; salt++) {
        for (int64_t read = 0;; read++) {
            memcpy(rig.nor.bytes, from, sizeof before);
            sim_nor_power_on(&rig.nor);
            rig.nor.misread = read;
            rig.nor.misread_salt = salt;
            sim_outcome_t outcome = sim_device_start(&rig.device);
            bool has_misread = rig.nor.has_misread;
            int first_result = rig.device.boot_result;
            for (int start = 0; start < 4 && outcome == SIM_STUCK; start++) {
                outcome = rig_start(&rig);
            }
            if (outcome != SIM_FIRMWARE || rig.device.boot_result != MOLT_BOOT_DONE || !rig_is_new(&rig)) {
                fail_msg("read %d, salt %u: outcome %d, results %d, %d", (int)read, salt, (int)outcome, first_result,
                    rig.device.boot_result);
            }
            assert_int_equal(rig.nor.overwrite_count, 0);
            if (!has_misread) {
                break;
            }
        }
    }
}

static void one_misread_of_an_upgrade_changes_nothing(void **state) {
    (void)state;
    expect_no_misread_to_matter(before);
}

static void one_misread_of_a_restart_changes_nothing(void **state) {
    (void)state;
    static uint8_t cut[sizeof before];
    for (int64_t op = 0;; op += 7) {
        memcpy(rig.nor.bytes, before, sizeof before);
        sim_nor_power_on(&rig.nor);
        rig.nor.cut_op = op;
        rig.nor.cut_tear = SIM_TEAR_RANDOM;
        if (sim_device_start(&rig.device) != SIM_CUT || !sim_device_has_loader(&rig.device)) {
            break;
        }
        memcpy(cut, rig.nor.bytes, sizeof cut);
        expect_no_misread_to_matter(cut);
    }
}

// The file's own code to unpack it is read, too.
static void one_misread_of_an_upgrade_from_a_gzip_file_changes_nothing(void **state) {
    (void)state;
    expect_no_misread_to_matter(before);
}

// What is read wrong while an upgrade is prepared is refused, or does not matter: neither to the upgrade nor to taking it
// back.
static void one_misread_while_preparing_is_refused_or_changes_nothing(void **state) {
    (void)state;
    static uint8_t after[sizeof before];
    uint32_t refused_count = 0;
    int64_t read;
    for (read = 0;; read++) {
        rig_reset(&rig);
        rig.nor.misread = read;
        rig.nor.misread_salt = (uint32_t)read % 5;
        int err = sim_upgrade_prepare(&rig.host);
        if (!rig.nor.has_misread) {
            assert_int_equal(err, 0);
            break;
        }
        if (err) {
            refused_count++;
            assert_true(rig_is_old(&rig));
            continue;
        }
        memcpy(after, rig.nor.bytes, sizeof after);
        sim_nor_power_on(&rig.nor);
        assert_int_equal(rig_open_plan(&rig, &plan, (uint8_t *)plan_words), 0);
        assert_int_equal(molt_prepare_cancel(&rig.nor.flash, &plan), 0);
        if (!rig_is_old(&rig)) {
            fail_msg("read %d: taken back, it is not the old firmware", (int)read);
        }
        memcpy(rig.nor.bytes, after, sizeof after);
        sim_nor_power_on(&rig.nor);
        if (start_until_it_runs() != SIM_FIRMWARE || !rig_is_new(&rig)) {
            fail_msg("read %d: result %d", (int)read, rig.device.boot_result);
        }
    }
    assert_true(read > 200 && refused_count > 10);
}

// In resident mode the bit behind the last step's says that the plan is finished. A boot loader that is there for one
// upgrade is itself the sign that it is not.
static void a_plan_in_the_boot_sector_is_never_finished(void **state) {
    (void)state;
    static uint32_t buffers[2 * SECTOR / 4];
    static const molt_boot_place_t place = { 0, 0 };
    rig.nor.bytes[plan.journal_off + plan.step_count / 8] &= (uint8_t) ~(1u << plan.step_count % 8);
    sim_nor_power_on(&rig.nor);
    int err = molt_boot_run(&rig.nor.flash, &place, (uint8_t *)buffers, (uint8_t *)buffers + SECTOR, &io);
    assert_int_equal(err, MOLT_BOOT_DONE);
    assert_true(rig_is_new(&rig));
}

// ---- a supply that does not bear an erase

static uint32_t erases_left;

static void cut_an_erase(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    sim_nor_t *nor = ctx;
    (void)addr;
    (void)data;
    (void)size;
    if (kind != 'p' && erases_left-- == 0) {
        nor->cut_op = (int64_t)nor->op_count;
        nor->cut_tear = SIM_TEAR_BEFORE;
    }
}

// One start that is cut when so many erases are done. Returns the seconds that it waited.
static uint32_t wait_of_a_start(uint32_t erase_count) {
    uint32_t waited_s = rig.device.waited_s;
    erases_left = erase_count;
    rig.nor.watch = cut_an_erase;
    rig.nor.watch_ctx = &rig.nor;
    assert_int_equal(rig_start(&rig), SIM_CUT);
    rig.nor.watch = NULL;
    return rig.device.waited_s - waited_s;
}

static void starts_that_get_no_further_wait_ever_longer(void **state) {
    (void)state;
    static const uint32_t waits[] = { 0, 0, 1, 2, 4, 8, 16, 32, 64, 64, 64, 64 };
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(wait_of_a_start(0), waits[i]);
    }
    uint32_t waited_s = rig.device.waited_s;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(rig.device.waited_s - waited_s, 64);
    assert_true(rig_is_new(&rig));
}

static void a_start_after_one_that_got_further_does_not_wait(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        (void)wait_of_a_start(0);
    }
    assert_int_equal(wait_of_a_start(5), 8);
    assert_int_equal(wait_of_a_start(0), 0);
    assert_int_equal(wait_of_a_start(0), 0);
    assert_int_equal(wait_of_a_start(0), 1);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

static void starts_that_get_two_steps_further_do_not_wait(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        (void)wait_of_a_start(0);
    }
    assert_int_equal(wait_of_a_start(2), 8);
    assert_int_equal(wait_of_a_start(2), 0);
}

// The mark can be one that was torn, and read as not made when the start began with that step.
static void the_step_that_a_start_began_with_is_done_again_whatever_its_mark_says(void **state) {
    (void)state;
    (void)wait_of_a_start(0);
    uint32_t step = 1;
    while (!molt_plan_is_todo(&plan, step)) {
        step++;
    }
    uint8_t *log = rig.nor.bytes + plan.journal_off + plan.set_size;
    assert_int_equal(load32_le(log), step | (uint32_t)(uint16_t)~step << 16);
    assert_int_equal(load32_le(log + 4), UINT32_MAX);
    rig.nor.bytes[plan.journal_off + step / 8] &= (uint8_t) ~(1u << step % 8);
    // A word that was torn is no entry.
    store32_le(log + 4, 0xffff0003);
    told.count = 0;
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
    for (uint32_t i = 0; i < told.count; i++) {
        if (told.events[i] == MOLT_BOOT_STEP) {
            assert_int_equal(told.args[i], step);
            break;
        }
    }
    assert_true(told.count > 5);
}

// However little each start can do, as long as it is one step, it comes to an end.
static void expect_one_step_a_start_to_be_enough(void) {
    rig.nor.watch = cut_an_erase;
    rig.nor.watch_ctx = &rig.nor;
    sim_outcome_t outcome = SIM_CUT;
    for (uint32_t start = 0; start < 60 && outcome == SIM_CUT; start++) {
        erases_left = 1;
        outcome = rig_start(&rig);
    }
    rig.nor.watch = NULL;
    if (outcome != SIM_FIRMWARE) {
        fail_msg("it comes no further");
    }
    assert_true(rig_is_new(&rig));
}

static void a_supply_that_bears_one_step_a_start_comes_to_the_end(void **state) {
    (void)state;
    expect_one_step_a_start_to_be_enough();
}

// Words for so many entries are left in the log of starts.
static void so_it_does_when_the_log_of_starts_is_full(void **state) {
    (void)state;
    uint32_t word_count = plan.log_size / 4;
    for (uint32_t left = 0; left < 10; left++) {
        memcpy(rig.nor.bytes, before, sizeof before);
        uint8_t *log = rig.nor.bytes + plan.journal_off + plan.set_size;
        for (uint32_t i = 0; i < word_count - left; i++) {
            // Steps 1 and 2 are none here; bit 15: done.
            store32_le(log + 4 * i, i % 2 ? 0x7ffe8001 : 0xfffe0001);
        }
        expect_one_step_a_start_to_be_enough();
    }
}

// Each start comes one erase of the filesystem further.
static void starts_that_erase_a_little_more_of_the_filesystem_do_not_wait(void **state) {
    (void)state;
    uint32_t waited_s = rig.device.waited_s;
    bool in_fs = false;
    uint32_t in_fs_count = 0;
    for (uint32_t erase_count = 0; erase_count < 60 && in_fs_count < 4; erase_count++) {
        sim_nor_push(&rig.nor);
        (void)wait_of_a_start(erase_count);
        in_fs = memcmp(rig.nor.bytes + SECTOR, rig.image + SECTOR, rig.image_end - SECTOR) == 0;
        sim_nor_pop(&rig.nor);
        if (in_fs) {
            // From here on the image is in place.
            rig.device.waited_s = waited_s;
            (void)wait_of_a_start(in_fs_count++ ? 3 : erase_count);
            assert_int_equal(rig.device.waited_s, waited_s);
            erase_count--;
        }
    }
    assert_int_equal(in_fs_count, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_GZIP(name) cmocka_unit_test_setup_teardown(name, set_up_gzip, tear_down)
#define TEST_ERASE_ALL(name) cmocka_unit_test_setup_teardown(name, set_up_erase_all, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_journal_that_says_too_much_is_found_out_before_the_first_sector),
        TEST(a_bit_that_changes_after_its_sector_was_written_is_put_right),
        TEST(a_first_sector_with_another_crc_is_never_written),
        TEST(a_source_that_changes_once_steps_are_done_writes_no_wrong_firmware),
        TEST(one_misread_of_an_upgrade_changes_nothing),
        TEST(one_misread_of_a_restart_changes_nothing),
        TEST(one_misread_while_preparing_is_refused_or_changes_nothing),
        TEST_GZIP(one_misread_while_preparing_is_refused_or_changes_nothing),
        TEST_GZIP(one_misread_of_an_upgrade_from_a_gzip_file_changes_nothing),
        TEST(a_plan_in_the_boot_sector_is_never_finished),
        TEST(starts_that_get_no_further_wait_ever_longer),
        TEST(a_start_after_one_that_got_further_does_not_wait),
        TEST(starts_that_get_two_steps_further_do_not_wait),
        TEST(the_step_that_a_start_began_with_is_done_again_whatever_its_mark_says),
        TEST(a_supply_that_bears_one_step_a_start_comes_to_the_end),
        TEST(so_it_does_when_the_log_of_starts_is_full),
        TEST_ERASE_ALL(starts_that_erase_a_little_more_of_the_filesystem_do_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
