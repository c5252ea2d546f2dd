// Every call of the flash driver fails once: each read, program and erase of preparing, of cancelling and of the boot
// loader's work, one after the other. The error comes back or is made up for, nothing else breaks, and trying again
// leads where an undisturbed upgrade leads.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "molt/error.h"
#include "rig.h"

static rig_t rig;
static uint8_t *wanted;  // the whole chip after an undisturbed upgrade
static uint8_t *prepared;

static uint32_t size(void) {
    return rig.shape->geometry.size;
}

static uint8_t *copy_of_chip(void) {
    uint8_t *copy = malloc(size());
    assert_non_null(copy);
    memcpy(copy, rig.nor.bytes, size());
    return copy;
}

static int set_up(void **state) {
    rig_init(&rig, &fixture_small);
    rig.host.options.erase_all = *state != NULL;
    int err = rig_prepare(&rig);
    prepared = copy_of_chip();
    if (!err && rig_start(&rig) != SIM_FIRMWARE) {
        err = -1;
    }
    wanted = copy_of_chip();
    rig_reset(&rig);
    return err;
}

static int tear_down(void **state) {
    (void)state;
    free(wanted);
    free(prepared);
    rig_free(&rig);
    return 0;
}

static void expect_upgrade(uint64_t call) {
    sim_outcome_t outcome = rig_start(&rig);
    if (outcome != SIM_FIRMWARE || !rig_is_new(&rig) || !rig_outside_is_same(&rig)) {
        fail_msg("call %llu: outcome %d", (unsigned long long)call, (int)outcome);
    }
}

// The other files, through littlefs: how it laid out what was tried twice is its own business.
static void expect_files(void) {
    molt_volume_t volume;
    molt_region_t fs = fixture_fs(rig.shape);
    struct lfs2_info info;
    assert_int_equal(molt_volume_mount(&volume, &rig.nor.flash, &fs, 0, false), 0);
    assert_int_equal(lfs2_stat(&volume.lfs, "file1.txt", &info), 0);
    assert_int_equal(info.size, rig.shape->file_size / 2);
    assert_int_equal(lfs2_stat(&volume.lfs, FIXTURE_PATH, &info), 0);
    assert_int_equal(info.size, rig.shape->image_size);
}

static void a_failing_call_of_preparing_leaves_a_device_that_can_try_again(void **state) {
    (void)state;
    uint64_t call;
    uint64_t absorbed = 0;
    uint64_t missing = 0;
    for (call = 0;; call++) {
        rig_reset(&rig);
        rig.nor.fail_call = (int64_t)call;
        int err = sim_upgrade_prepare(&rig.host);
        if (!rig.nor.has_failed) {
            assert_int_equal(err, 0);
            break;
        }
        if (err) {
            // littlefs takes a tag that it cannot read for the end of a directory: the file is not there.
            assert_true(err == MOLT_ERR_IO || err == MOLT_ERR_NOENT);
            assert_int_not_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_NONE);
            missing += err == MOLT_ERR_NOENT;
            // The old firmware is as it was and can start over.
            assert_true(rig_is_old(&rig));
            assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
            assert_int_equal(rig_prepare(&rig), 0);
        }
        absorbed += err == 0;
        expect_upgrade(call);
        if (!rig.host.options.erase_all) {
            expect_files();
        }
    }
    // Writing the boot sector is tried again, and littlefs looks at a second superblock; the rest is told.
    assert_true(absorbed >= 9 && absorbed < call / 2);
    assert_true(call > 300 && missing < 8);
}

static void a_failing_call_of_the_boot_loader_is_made_up_for(void **state) {
    (void)state;
    uint64_t call;
    for (call = 0;; call++) {
        memcpy(rig.nor.bytes, prepared, size());
        sim_nor_power_on(&rig.nor);
        rig.nor.fail_call = (int64_t)call;
        sim_outcome_t outcome = sim_device_start(&rig.device);
        bool has_failed = rig.nor.has_failed;
        // It tries again by itself.
        assert_int_equal(outcome, SIM_FIRMWARE);
        assert_true(rig_is_new(&rig));
        expect_upgrade(call);
        // Everything is as if nothing had happened but for the report, which may count one start more or less.
        uint32_t differ = 0;
        for (uint32_t off = 0; off < size(); off += 16) {
            differ += memcmp(rig.nor.bytes + off, wanted + off, 16) != 0;
        }
        assert_true(differ <= 1);
        if (!has_failed) {
            assert_int_equal(differ, 0);
            break;
        }
    }
    assert_true(call > 100);
}

static void a_failing_call_of_cancelling_leaves_a_device_that_can_try_again(void **state) {
    (void)state;
    static uint32_t words[512 / 4];
    for (int64_t call = 0;; call++) {
        molt_plan_t plan;
        memcpy(rig.nor.bytes, prepared, size());
        sim_nor_power_on(&rig.nor);
        assert_int_equal(rig_open_plan(&rig, &plan, (uint8_t *)words), 0);
        rig.nor.fail_call = call;
        int err = molt_prepare_cancel(&rig.nor.flash, &plan);
        if (err) {
            assert_int_equal(err, MOLT_ERR_IO);
            assert_memory_equal(rig.nor.bytes, prepared, size());
            assert_int_equal(rig_open_plan(&rig, &plan, (uint8_t *)words), 0);
            assert_int_equal(molt_prepare_cancel(&rig.nor.flash, &plan), 0);
        }
        assert_true(rig_is_old(&rig));
        if (!rig.nor.has_failed) {
            break;
        }
    }
}

int main(void) {
    static int erase_all;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failing_call_of_preparing_leaves_a_device_that_can_try_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_call_of_the_boot_loader_is_made_up_for, set_up, tear_down),
        cmocka_unit_test_prestate_setup_teardown(a_failing_call_of_the_boot_loader_is_made_up_for, set_up, tear_down, &erase_all),
        cmocka_unit_test_setup_teardown(a_failing_call_of_cancelling_leaves_a_device_that_can_try_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
