// Preparing: the check through the extents, the comparison, the boot sector that goes in and can be taken back.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "molt/error.h"
#include "rig.h"
#include "upgrade/apply.h"
#include "upgrade/prepare.h"

#define SECTOR 512u

static rig_t rig;
static uint32_t plan_words[SECTOR / 4];
static uint32_t work_words[4096 / 4];
static uint8_t *const sector = (uint8_t *)plan_words;
static uint8_t *const work = (uint8_t *)work_words;
static molt_plan_t plan;
static molt_plan_source_t source;
static molt_reader_t image;

static int (*good_prog)(void *ctx, uint32_t addr, const void *buf, uint32_t size);
static int bad_progs;

// Programs of sector 0 that do nothing, until as many have failed as shall.
static int deaf_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    if (addr < SECTOR && bad_progs > 0) {
        bad_progs--;
        return MOLT_ERR_IO;
    }
    return good_prog(ctx, addr, buf, size);
}

static int set_up(void **state) {
    (void)state;
    rig_init(&rig, &fixture_small);
    good_prog = rig.nor.flash.prog;
    rig.nor.flash.prog = deaf_prog;
    bad_progs = 0;
    return 0;
}

static int set_up_prepared(void **state) {
    int err = set_up(state);
    err = err ? err : rig_prepare(&rig);
    err = err ? err : rig_open_plan(&rig, &plan, sector);
    image = molt_plan_reader(&source, &rig.nor.flash, &plan);
    return err;
}

static int tear_down(void **state) {
    (void)state;
    rig_free(&rig);
    return 0;
}

static int count_calls(void *ctx, uint32_t done, uint32_t total) {
    uint32_t *calls = ctx;
    assert_true(done < total);
    return ++*calls == 3 ? -1234 : 0;
}

static void the_source_has_the_crc_in_the_plan_in_any_pieces(void **state) {
    (void)state;
    for (uint32_t size = 64; size <= SECTOR; size += 4) {
        assert_int_equal(molt_prepare_source(&image, plan.image_crc, work, size, NULL, NULL), 0);
    }
}

static void a_source_with_one_bit_changed_is_noticed(void **state) {
    (void)state;
    for (uint32_t off = 0; off < plan.source_size; off += 97) {
        uint32_t run_size;
        uint32_t addr = molt_plan_source_addr(&plan, off, &run_size);
        rig.nor.bytes[addr] ^= 0x20;
        assert_int_equal(molt_prepare_source(&image, plan.image_crc, work, SECTOR, NULL, NULL), MOLT_ERR_CORRUPT);
        rig.nor.bytes[addr] ^= 0x20;
    }
}

static void progress_can_stop_check_and_comparison(void **state) {
    (void)state;
    uint32_t calls = 0;
    assert_int_equal(molt_prepare_source(&image, plan.image_crc, work, SECTOR, count_calls, &calls), -1234);
    assert_int_equal(calls, 3);
    calls = 0;
    assert_int_equal(molt_prepare_compare(&rig.nor.flash, &plan, &image, 0, work, SECTOR, count_calls, &calls), -1234);
    assert_int_equal(calls, 3);
}

// Which sectors differ is decided here without molt.
static void exactly_the_sectors_that_differ_are_to_do_whatever_the_buffer(void **state) {
    (void)state;
    static const uint32_t sizes[] = { 64, 100, 132, 256, 512, 1000, 1024 };
    // The last sector, of which the image has but a part: the rest has to be erased.
    assert_true(plan.image_size % SECTOR != 0);
    for (uint32_t variant = 0; variant < 2; variant++) {
        memcpy(rig.nor.bytes + SECTOR, rig.original + SECTOR, rig.image_end - SECTOR);
        if (variant == 1) {
            memcpy(rig.nor.bytes + rig.image_end - SECTOR, rig.image + rig.image_end - SECTOR, SECTOR);
            rig.nor.bytes[rig.image_end - 1] = 0x7f;
        }
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            memset(sector + plan.todo_off, 0, SECTOR - MOLT_PLAN_HEADER_SIZE - plan.todo_off);
            assert_int_equal(molt_prepare_compare(&rig.nor.flash, &plan, &image, 0, work, sizes[i], NULL, NULL), 0);
            for (uint32_t step = 1; step < plan.step_count; step++) {
                molt_step_t what = molt_plan_step(&plan, step);
                bool differs = what.kind == MOLT_STEP_SECTOR && what.addr > 0 && what.addr < rig.image_end
                               && memcmp(rig.nor.bytes + what.addr, rig.image + what.addr, SECTOR) != 0;
                if (molt_plan_is_todo(&plan, step) != differs) {
                    fail_msg("variant %u, buffer %u, step %u at 0x%x", variant, sizes[i], step, what.addr);
                }
            }
        }
    }
}

static void preparing_changes_the_first_sector_and_the_filesystem_only(void **state) {
    (void)state;
    assert_memory_equal(rig.nor.bytes + SECTOR, rig.original + SECTOR, rig.image_end - SECTOR);
    assert_true(rig_outside_is_same(&rig));
    assert_true(sim_device_has_loader(&rig.device));
    assert_true(sim_device_boots(&rig.nor));
}

static void the_boot_sector_starts_with_the_devices_flash_parameters(void **state) {
    (void)state;
    // The mask ROM sets the chip up from them, so a QIO image must not take a DIO board with it.
    rig.nor.bytes[2] = 3;
    rig.nor.bytes[3] = 0x2f;
    assert_int_equal(rig_prepare(&rig), 0);
    assert_true(sim_device_has_loader(&rig.device));
    assert_int_equal(rig.nor.bytes[2], 3);
    assert_int_equal(rig.nor.bytes[3], 0x2f);
}

static void a_loader_that_would_overlap_the_plan_is_refused_before_anything_is_written(void **state) {
    (void)state;
    static const uint8_t large[SECTOR];
    molt_loader_t loader = { large, plan.journal_off + 4 };
    sim_nor_power_on(&rig.nor);
    assert_int_equal(molt_prepare_install(&rig.nor.flash, &plan, &loader, 0x4002), MOLT_ERR_NOSPC);
    assert_int_equal(rig.nor.op_count, 0);
}

// All tries of writing the boot sector fail; then the chip is well again, and the saved sector goes back.
static void a_boot_sector_that_cannot_be_written_is_taken_back(void **state) {
    (void)state;
    bad_progs = MOLT_SECTOR_TRIES;
    assert_int_equal(rig_prepare(&rig), MOLT_ERR_IO);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_FLASH);
    assert_int_equal(bad_progs, 0);
    assert_true(rig_is_old(&rig));
    assert_int_equal(rig_prepare(&rig), 0);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

static void cancelling_puts_the_old_first_sector_back(void **state) {
    (void)state;
    assert_int_equal(molt_prepare_cancel(&rig.nor.flash, &plan), 0);
    assert_true(rig_is_old(&rig));
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(rig.device.loader_starts, 0);
}

static void cancelling_without_a_sound_saved_sector_changes_nothing(void **state) {
    (void)state;
    rig.nor.bytes[plan.saved.head_addr + 100] ^= 1;
    sim_nor_power_on(&rig.nor);
    assert_int_equal(molt_prepare_cancel(&rig.nor.flash, &plan), MOLT_ERR_CORRUPT);
    assert_int_equal(rig.nor.op_count, 0);
    // The upgrade itself does not need it.
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
}

static int (*good_read)(void *ctx, uint32_t addr, void *buf, uint32_t size);
static uint32_t read_count;
static uint32_t wrong_reads;  // of these, one bit each for the first, the second, ...
static uint32_t failed_reads;

// Reads the plan's magic wrong, or not at all.
static int odd_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    int err = good_read(ctx, addr, buf, size);
    bool is_wrong = wrong_reads >> read_count & 1;
    bool has_failed = failed_reads >> read_count & 1;
    read_count++;
    if (is_wrong) {
        ((uint8_t *)buf)[SECTOR - MOLT_PLAN_HEADER_SIZE] ^= 1;
    }
    return has_failed ? MOLT_ERR_IO : err;
}

static bool is_pending(uint32_t wrong, uint32_t failed) {
    read_count = 0;
    wrong_reads = wrong;
    failed_reads = failed;
    return molt_prepare_is_pending(&rig.nor.flash, 0, work);
}

// Who takes a boot sector for the firmware's own first sector saves the boot loader as what to go back to.
static void that_nothing_is_prepared_is_read_twice_before_it_is_believed(void **state) {
    (void)state;
    good_read = rig.nor.flash.read;
    rig.nor.flash.read = odd_read;
    sim_nor_power_on(&rig.nor);
    assert_true(is_pending(0, 0));
    assert_true(is_pending(1, 0));
    assert_true(is_pending(0, 1));
    assert_true(is_pending(2, 0));
    assert_false(is_pending(3, 0));
    // A plan that is damaged, or another version's, is one all the same.
    rig.nor.bytes[SECTOR - 3] ^= 1;
    assert_true(is_pending(0, 0));
    assert_true(is_pending(1, 0));
    rig.nor.bytes[SECTOR - MOLT_PLAN_HEADER_SIZE + 4] = 9;
    assert_true(is_pending(1, 0));
    memset(rig.nor.bytes + SECTOR - MOLT_PLAN_HEADER_SIZE, 0xff, 4);
    assert_false(is_pending(0, 0));
    assert_int_equal(read_count, 2);
    assert_int_equal(rig.nor.op_count, 0);
}

// What goes into the first sector is not known from one reading.
static void an_images_first_sector_that_reads_otherwise_is_not_planned(void **state) {
    (void)state;
    uint32_t first_crc = plan.first_crc;
    uint32_t differ_count = 0;
    for (int64_t read = 0;; read++) {
        sim_nor_power_on(&rig.nor);
        rig.nor.misread = read;
        int err = molt_prepare_compare(&rig.nor.flash, &plan, &image, 0, work, SECTOR, NULL, NULL);
        if (!rig.nor.has_misread) {
            assert_int_equal(err, 0);
            break;
        }
        assert_true(err == 0 || err == MOLT_ERR_IO);
        differ_count += err != 0;
        if (!err) {
            assert_int_equal(plan.first_crc, first_crc);
        }
    }
    assert_true(differ_count > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_source_has_the_crc_in_the_plan_in_any_pieces, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(a_source_with_one_bit_changed_is_noticed, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(progress_can_stop_check_and_comparison, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(
            exactly_the_sectors_that_differ_are_to_do_whatever_the_buffer, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(preparing_changes_the_first_sector_and_the_filesystem_only, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(the_boot_sector_starts_with_the_devices_flash_parameters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_loader_that_would_overlap_the_plan_is_refused_before_anything_is_written, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(a_boot_sector_that_cannot_be_written_is_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(that_nothing_is_prepared_is_read_twice_before_it_is_believed, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(an_images_first_sector_that_reads_otherwise_is_not_planned, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(cancelling_puts_the_old_first_sector_back, set_up_prepared, tear_down),
        cmocka_unit_test_setup_teardown(cancelling_without_a_sound_saved_sector_changes_nothing, set_up_prepared, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
