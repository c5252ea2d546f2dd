// One step of a plan, on a device with a real one: what is read of the source, and what is written.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "upgrade/apply.h"

static rig_t rig;
static uint32_t plan_words[512 / 4];
static uint32_t buf_words[512 / 4];
static molt_plan_t plan;
static molt_plan_source_t source;
static molt_reader_t image;

static int set_up_rig(void **state) {
    bool erase_all = *state != NULL;
    rig_init(&rig, &fixture_small);
    rig.host.options.erase_all = erase_all;
    rig.host.options.whole_image = true;
    int err = rig_prepare(&rig);
    err = err ? err : rig_open_plan(&rig, &plan, (uint8_t *)plan_words);
    image = molt_plan_reader(&source, &rig.nor.flash, &plan);
    return err;
}

static int tear_down_rig(void **state) {
    (void)state;
    rig_free(&rig);
    return 0;
}

static void the_source_is_read_across_its_extents(void **state) {
    (void)state;
    uint8_t *buf = (uint8_t *)buf_words;
    for (uint32_t off = 0; off < plan.source_size; off += 4) {
        uint32_t size = plan.source_size - off < 512 ? plan.source_size - off : 512;
        assert_int_equal(image.read(image.ctx, off, buf, size), 0);
        assert_memory_equal(buf, rig.image + off, size);
    }
}

static void what_lies_behind_the_images_end_becomes_erased_flash(void **state) {
    (void)state;
    uint8_t *buf = (uint8_t *)buf_words;
    uint32_t last = rig.image_end - 512;
    assert_true(plan.image_size % 512 != 0);
    assert_int_equal(molt_target_read(&image, &plan, last, buf), 0);
    assert_memory_equal(buf, rig.image + last, 512);
    assert_int_equal(buf[511], 0xff);
}

static void only_the_first_sector_gets_flash_parameters(void **state) {
    (void)state;
    uint8_t *buf = (uint8_t *)buf_words;
    plan.flash_params = 0xa55a;
    assert_int_equal(molt_target_read(&image, &plan, 0, buf), 0);
    assert_int_equal(buf[2], 0x5a);
    assert_int_equal(buf[3], 0xa5);
    assert_memory_equal(buf + 4, rig.image + 4, 508);
    assert_int_equal(molt_target_read(&image, &plan, 512, buf), 0);
    assert_memory_equal(buf, rig.image + 512, 512);
}

static void steps_can_be_repeated_and_touch_nothing_else(void **state) {
    (void)state;
    uint32_t size = rig.shape->geometry.size;
    static uint8_t before[32 * 1024];
    for (uint32_t i = 1; i < plan.step_count; i++) {
        molt_step_t step = molt_plan_step(&plan, i);
        if (step.kind != MOLT_STEP_SECTOR || !molt_plan_is_todo(&plan, i)) {
            continue;
        }
        for (int time = 0; time < 2; time++) {
            memcpy(before, rig.nor.bytes, size);
            assert_int_equal(molt_apply_step(&rig.nor.flash, &plan, &image, &step, (uint8_t *)buf_words, false), 0);
            memcpy(before + step.addr, rig.image + step.addr, step.size);
            assert_memory_equal(rig.nor.bytes, before, size);
        }
    }
}

static void erasing_the_filesystem_leaves_the_blocks_that_are_needed(void **state) {
    (void)state;
    uint32_t fs_addr = rig.shape->fs_addr;
    uint32_t fs_end = fs_addr + rig.shape->fs_size;
    bool is_erased[64] = { false };
    uint32_t left = 0;
    for (uint32_t i = plan.verify_step + 1; i < plan.step_count; i++) {
        molt_step_t step = molt_plan_step(&plan, i);
        assert_int_equal(step.kind, MOLT_STEP_ERASE_FS);
        if (molt_plan_is_todo(&plan, i)) {
            assert_int_equal(molt_apply_step(&rig.nor.flash, &plan, &image, &step, (uint8_t *)buf_words, false), 0);
            for (uint32_t addr = step.addr; addr < step.addr + step.size; addr += 512) {
                is_erased[addr / 512] = true;
            }
        }
    }
    for (uint32_t addr = fs_addr; addr < fs_end; addr += 512) {
        bool is_blank = rig.nor.bytes[addr] == 0xff && memcmp(rig.nor.bytes + addr, rig.nor.bytes + addr + 1, 511) == 0;
        assert_true(is_blank || !is_erased[addr / 512]);
        left += !is_erased[addr / 512];
    }
    // Blocks of four sectors; the file's first bytes are in one or two.
    assert_true(left == 4 || left == 8);
    assert_true(rig_outside_is_same(&rig));
    assert_int_equal(molt_target_read(&image, &plan, 0, (uint8_t *)buf_words), 0);
    assert_memory_equal(buf_words, rig.image, 512);
}

int main(void) {
    static int erase_all;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_source_is_read_across_its_extents, set_up_rig, tear_down_rig),
        cmocka_unit_test_setup_teardown(what_lies_behind_the_images_end_becomes_erased_flash, set_up_rig, tear_down_rig),
        cmocka_unit_test_setup_teardown(only_the_first_sector_gets_flash_parameters, set_up_rig, tear_down_rig),
        cmocka_unit_test_setup_teardown(steps_can_be_repeated_and_touch_nothing_else, set_up_rig, tear_down_rig),
        cmocka_unit_test_prestate_setup_teardown(
            erasing_the_filesystem_leaves_the_blocks_that_are_needed, set_up_rig, tear_down_rig, &erase_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
