// The door: the programs of docs/using-from-c.md upgrade a device; what became of it can be read; a step that is left out is
// refused.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "molt.h"
#include "molt_esp8266.h"
#include "rig.h"
#include "upgrade/boot.h"
#include "upgrade/report.h"

#define SECTOR 4096u

int upgrade_from_littlefs(const molt_region_t *fs, lfs2_t *lfs, const char *path);
int upgrade_from_partition(const molt_region_t *image, const molt_region_t *head);

extern molt_flash_t board_flash;
molt_flash_t board_flash;

static rig_t rig;
static uint32_t sector[SECTOR / 4];

static int set_up(void **state) {
    rig_init(&rig, *state ? *state : &fixture_short);
    sim_nor_power_on(&rig.nor);
    board_flash = rig.nor.flash;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rig_free(&rig);
    return 0;
}

static molt_status_t status_now(const molt_source_t *head) {
    molt_status_t status;
    assert_int_equal(molt_status_read(&rig.host.target, &rig.nor.flash, head, (uint8_t *)sector, &status), 0);
    return status;
}

static int upgrade_by_example(const char *path) {
    molt_volume_t volume;
    assert_int_equal(molt_volume_mount(&volume, &rig.nor.flash, &rig.host.fs, 0, true), 0);
    int err = upgrade_from_littlefs(&rig.host.fs, &volume.lfs, path);
    molt_volume_unmount(&volume);
    return err;
}

static void the_program_for_littlefs_upgrades(void **state) {
    (void)state;
    assert_int_equal(upgrade_by_example(FIXTURE_PATH), 0);
    assert_true(status_now(NULL).is_prepared);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
    assert_true(rig_outside_is_same(&rig));
    molt_volume_t volume;
    molt_lfs_source_t head;
    assert_int_equal(molt_volume_mount(&volume, &rig.nor.flash, &rig.host.fs, 0, false), 0);
    assert_int_equal(molt_lfs_source_open(&head, NULL, &volume, "molt.head"), 0);
    molt_status_t status = status_now(&head.source);
    assert_int_equal(status.outcome, MOLT_OUTCOME_DONE);
    assert_int_equal(status.boot_count, 1);
    assert_false(status.is_prepared || status.is_resident || status.is_on_trial);
}

static void it_says_what_is_wrong_and_changes_nothing(void **state) {
    (void)state;
    assert_int_equal(upgrade_by_example("missing.bin"), MOLT_ERR_NOENT);
    assert_int_equal(upgrade_by_example("fw"), MOLT_ERR_ISDIR);
    assert_true(rig_is_old(&rig));
    assert_int_equal(status_now(NULL).outcome, MOLT_OUTCOME_NONE);
}

static void in_resident_mode_it_upgrades_and_the_outcome_is_known(void **state) {
    (void)state;
    assert_int_equal(upgrade_by_example(FIXTURE_PATH), 0);
    molt_status_t status = status_now(NULL);
    assert_true(status.is_resident && status.is_prepared);
    assert_int_equal(status.outcome, MOLT_OUTCOME_PENDING);
    // Taken back, and prepared once more.
    assert_int_equal(molt_status_cancel(&rig.host.target, &rig.nor.flash, (uint8_t *)sector), 0);
    assert_int_equal(molt_status_cancel(&rig.host.target, &rig.nor.flash, (uint8_t *)sector), MOLT_ERR_NOENT);
    assert_int_equal(upgrade_by_example(FIXTURE_PATH), 0);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(status_now(NULL).outcome, MOLT_OUTCOME_DONE);
    assert_false(status_now(NULL).is_prepared);
}

static void a_trial_is_told_until_it_is_confirmed(void **state) {
    (void)state;
    rig.host.fallback_path = FIXTURE_OLD_PATH;
    rig.host.trial_starts = 3;
    assert_int_equal(rig_prepare(&rig), 0);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    molt_status_t status = status_now(NULL);
    assert_true(status.is_on_trial);
    uint32_t left = status.starts_left;
    assert_in_range(left, 1, 3);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_int_equal(status_now(NULL).starts_left, left - 1);
    assert_int_equal(molt_status_confirm(&rig.host.target, &rig.nor.flash, (uint8_t *)sector), 0);
    assert_int_equal(molt_status_confirm(&rig.host.target, &rig.nor.flash, (uint8_t *)sector), MOLT_ERR_NOENT);
    assert_int_equal(status_now(NULL).outcome, MOLT_OUTCOME_CONFIRMED);
    assert_false(status_now(NULL).is_on_trial);
}

static void what_is_prepared_can_be_taken_back(void **state) {
    (void)state;
    assert_int_equal(molt_status_cancel(&rig.host.target, &rig.nor.flash, (uint8_t *)sector), MOLT_ERR_NOENT);
    assert_int_equal(upgrade_by_example(FIXTURE_PATH), 0);
    molt_volume_t volume;
    molt_lfs_source_t head;
    assert_int_equal(molt_volume_mount(&volume, &rig.nor.flash, &rig.host.fs, 0, false), 0);
    assert_int_equal(molt_lfs_source_open(&head, NULL, &volume, "molt.head"), 0);
    assert_int_equal(status_now(&head.source).outcome, MOLT_OUTCOME_PENDING);
    assert_int_equal(molt_status_cancel(&rig.host.target, &rig.nor.flash, (uint8_t *)sector), 0);
    assert_false(status_now(NULL).is_prepared);
    assert_int_equal(status_now(&head.source).outcome, MOLT_OUTCOME_NONE);
    assert_true(rig_is_old(&rig));
}

// Above the filesystem; the flash has room for nothing more.
static molt_region_t put_image(uint32_t addr) {
    for (uint32_t off = 0; off < rig.image_end; off += SECTOR) {
        assert_int_equal(rig.nor.flash.erase_sector(&rig.nor, addr + off), 0);
        for (uint32_t page = 0; page < SECTOR; page += 256) {
            assert_int_equal(rig.nor.flash.prog(&rig.nor, addr + off + page, rig.image + off + page, 256), 0);
        }
    }
    return (molt_region_t){ addr, rig.shape->image_size };
}

static void the_program_for_a_raw_partition_upgrades(void **state) {
    (void)state;
    // Where the filesystem was.
    molt_region_t image = put_image(rig.shape->fs_addr + 3 * SECTOR);
    molt_region_t head = { rig.shape->fs_addr, 3 * SECTOR };
    assert_int_equal(upgrade_from_partition(&image, &head), 0);
    assert_int_equal(rig_start(&rig), SIM_FIRMWARE);
    assert_true(rig_is_new(&rig));
    molt_region_source_t saved;
    molt_region_source(&saved, &rig.nor.flash, head.addr, head.size);
    assert_int_equal(status_now(&saved.source).outcome, MOLT_OUTCOME_DONE);
}

static void a_raw_partition_is_refused_where_the_image_would_run_over_it(void **state) {
    (void)state;
    molt_region_t image = put_image(rig.shape->fs_addr + 3 * SECTOR);
    molt_region_t head = { rig.image_end - SECTOR, 3 * SECTOR };
    assert_int_equal(upgrade_from_partition(&image, &head), MOLT_ERR_FBIG);
    assert_false(status_now(NULL).is_prepared);
    head = (molt_region_t){ rig.shape->fs_addr, SECTOR };
    assert_int_equal(upgrade_from_partition(&image, &head), MOLT_ERR_NOSPC);
    assert_true(rig_is_old(&rig));
}

static void a_refusal_has_its_numbers(void **state) {
    (void)state;
    uint32_t need, limit;
    rig.host.options.mapped_size = rig.image_end - SECTOR;
    assert_int_equal(sim_upgrade_plan(&rig.host), MOLT_ERR_FBIG);
    assert_true(molt_job_numbers(&rig.host.job, &need, &limit));
    assert_int_equal(need, rig.shape->image_size);
    assert_int_equal(limit, rig.image_end - SECTOR);
    rig.host.path = "missing.bin";
    assert_int_equal(sim_upgrade_plan(&rig.host), MOLT_ERR_NOENT);
    assert_false(molt_job_numbers(&rig.host.job, &need, &limit));
}

static void a_step_that_is_left_out_is_refused(void **state) {
    (void)state;
    molt_job_t *job = &rig.host.job;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    assert_int_equal(molt_job_commit(job, 0), MOLT_ERR_INVAL);
    assert_int_equal(molt_job_store(job, NULL), MOLT_ERR_INVAL);
    assert_int_equal(job->stage, MOLT_JOB_PLANNED);
    assert_int_equal(rig.nor.op_count, 0);
    assert_string_equal(molt_job_text(job, MOLT_ERR_INVAL),
        "a step of the upgrade was left out, or a number of its configuration is out of its range");
    molt_job_facts_t facts;
    molt_job_facts(job, &facts);
    assert_int_equal(facts.image_size, rig.shape->image_size);
    assert_int_equal(facts.sector_count, rig.image_end / SECTOR);
    assert_false(facts.is_gzip || facts.is_resident || facts.is_in_place);
}

static void each_trouble_has_a_sentence_of_its_own(void **state) {
    (void)state;
    molt_job_t job = { .image = { .defect = MOLT_IMAGE_BAD_MAGIC }, .refusal = { .reason = MOLT_REFUSAL_UNALIGNED_EXTENT } };
    for (int i = MOLT_JOB_TROUBLE_NONE + 1; i <= MOLT_JOB_TROUBLE_EXTENSIONS; i++) {
        job.trouble = (molt_job_trouble_t)i;
        const char *text = molt_job_text(&job, MOLT_ERR_CORRUPT);
        assert_string_not_equal(text, "unknown error");
        for (int j = MOLT_JOB_TROUBLE_NONE + 1; j < i; j++) {
            job.trouble = (molt_job_trouble_t)j;
            assert_string_not_equal(text, molt_job_text(&job, MOLT_ERR_CORRUPT));
        }
    }
}

// A number that is out of its range: not less room to work in, and no region that is left out of the account.
static void a_configuration_that_cannot_be_is_refused(void **state) {
    (void)state;
    static const uint32_t sizes[] = { 0, 4, 508, 514 };
    molt_region_t reserved[MOLT_JOB_RESERVED_MAX + 1] = { { 0 } };
    molt_job_memory_t memory;
    molt_source_t source = { .file = { .size = 4 } };
    molt_job_config_t config = { .target = &rig.host.target,
        .flash = &rig.nor.flash,
        .sector = (uint8_t *)sector,
        .work = (uint8_t *)sector,
        .options.reserved = reserved };
    for (uint32_t i = 0; i <= sizeof sizes / sizeof sizes[0]; i++) {
        config.work_size = i ? sizes[i - 1] : MOLT_JOB_WORK_SIZE_MIN;
        config.options.reserved_count = i ? 0 : MOLT_JOB_RESERVED_MAX + 1;
        assert_int_equal(molt_job_open(molt_job_init(&memory, &config), &source), MOLT_ERR_INVAL);
    }
}

static void a_delta_whose_stash_is_not_set_can_be_stored_when_it_is(void **state) {
    (void)state;
    assert_int_equal(sim_upgrade_plan(&rig.host), 0);
    assert_true(rig.host.job.is_delta);
    assert_int_equal(molt_job_store(&rig.host.job, &(molt_source_t){ .block_size = 0 }), MOLT_ERR_INVAL);
    assert_int_equal(rig.host.job.stage, MOLT_JOB_PLANNED);
    assert_int_equal(rig.nor.op_count, 0);
}

static void a_gzip_file_is_refused_where_the_boot_loader_takes_none(void **state) {
    (void)state;
    rig.host.target.extension.size = 0;
    assert_int_equal(sim_upgrade_plan(&rig.host), MOLT_ERR_NOTSUP);
    assert_int_equal(rig.host.job.trouble, MOLT_JOB_TROUBLE_NO_GZIP);
    assert_int_equal(rig.nor.op_count, 0);
}

static void ignore(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    (void)event;
    (void)arg;
}

// On a chip whose image begins at 128 KB, and which starts from there.
static void an_image_that_begins_elsewhere_is_upgraded_there(void **state) {
    (void)state;
    const uint32_t begin = 128 * 1024;
    assert_true(begin + rig.image_end <= rig.shape->fs_addr);
    memcpy(rig.nor.bytes + begin, rig.original, rig.image_end);
    memset(rig.nor.bytes, 0x5a, begin);
    rig.host.target.image_addr = begin;
    rig.host.target.boot_addr = begin;
    assert_int_equal(rig_prepare(&rig), 0);
    assert_true(status_now(NULL).is_prepared);
    assert_int_equal(rig.host.job.plan.saved.head_crc, molt_crc32(0, rig.original, SECTOR));
    static uint32_t plan[SECTOR / 4], buf[SECTOR / 4];
    const molt_boot_place_t place = { begin, begin };
    const molt_boot_io_t io = { .event = ignore };
    assert_int_equal(molt_boot_run(&rig.nor.flash, &place, (uint8_t *)plan, (uint8_t *)buf, &io), MOLT_BOOT_DONE);
    assert_memory_equal(rig.nor.bytes + begin, rig.image, rig.image_end);
    for (uint32_t i = 0; i < begin; i++) {
        assert_int_equal(rig.nor.bytes[i], 0x5a);
    }
    assert_false(status_now(NULL).is_prepared);
}

int main(void) {
    void *resident = (void *)(uintptr_t)&fixture_short_resident;
    void *gzip = (void *)(uintptr_t)&fixture_short_gzip;
    void *delta = (void *)(uintptr_t)&fixture_short_delta;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_program_for_littlefs_upgrades, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_says_what_is_wrong_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_prestate_setup_teardown(
            in_resident_mode_it_upgrades_and_the_outcome_is_known, set_up, tear_down, resident),
        cmocka_unit_test_prestate_setup_teardown(a_trial_is_told_until_it_is_confirmed, set_up, tear_down, resident),
        cmocka_unit_test_setup_teardown(what_is_prepared_can_be_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_program_for_a_raw_partition_upgrades, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_raw_partition_is_refused_where_the_image_would_run_over_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_has_its_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_step_that_is_left_out_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_trouble_has_a_sentence_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_configuration_that_cannot_be_is_refused, set_up, tear_down),
        cmocka_unit_test_prestate_setup_teardown(
            a_delta_whose_stash_is_not_set_can_be_stored_when_it_is, set_up, tear_down, delta),
        cmocka_unit_test_prestate_setup_teardown(
            a_gzip_file_is_refused_where_the_boot_loader_takes_none, set_up, tear_down, gzip),
        cmocka_unit_test_setup_teardown(an_image_that_begins_elsewhere_is_upgraded_there, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
