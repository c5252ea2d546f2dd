// Writing a sector, and one step of a plan: what is programmed and in which order, what is read back, and flash that
// does not keep what it is given.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "molt/apply.h"
#include "molt/error.h"
#include "rig.h"

#define SECTOR 4096u
#define PAGE 256u
#define ADDR (3 * SECTOR)

static sim_nor_t nor;
static uint32_t data_words[SECTOR / 4];
static uint8_t *const data = (uint8_t *)data_words;

// What was done to the chip: 's' and 'b' erases, 'p' programs with their addresses.
static struct {
    char kinds[512];
    uint32_t addrs[512];
    uint32_t count;
} seen;

// Programs that lose a bit before the chip is well again; negative: never well.
static int bad_progs;
static int (*good_prog)(void *ctx, uint32_t addr, const void *buf, uint32_t size);

static void see(void *ctx, char kind, uint32_t addr, const void *bytes, uint32_t size) {
    (void)ctx;
    (void)bytes;
    (void)size;
    if (seen.count < sizeof seen.kinds) {
        seen.kinds[seen.count] = kind;
        seen.addrs[seen.count++] = addr;
    }
}

static int losing_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    sim_nor_t *chip = ctx;
    int err = good_prog(ctx, addr, buf, size);
    if (bad_progs != 0) {
        bad_progs -= bad_progs > 0;
        chip->bytes[addr + size / 2] ^= 4;
    }
    return err;
}

static int set_up(void **state) {
    (void)state;
    static const molt_geometry_t geometry = { 16 * SECTOR, SECTOR, 0x10000, PAGE };
    int err = sim_nor_init(&nor, &geometry);
    nor.watch = see;
    seen.count = 0;
    good_prog = nor.flash.prog;
    nor.flash.prog = losing_prog;
    bad_progs = 0;
    for (uint32_t i = 0; i < SECTOR; i++) {
        data[i] = (uint8_t)(i * 7 + i / 256);
    }
    return err;
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

static uint32_t count_of(char kind) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < seen.count; i++) {
        count += seen.kinds[i] == kind;
    }
    return count;
}

static void a_sector_is_erased_then_programmed_first_page_last(void **state) {
    (void)state;
    assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, false), 0);
    assert_memory_equal(nor.bytes + ADDR, data, SECTOR);
    assert_int_equal(seen.count, 17);
    assert_int_equal(seen.kinds[0], 's');
    assert_int_equal(seen.addrs[0], ADDR);
    for (uint32_t i = 1; i < 16; i++) {
        assert_int_equal(seen.addrs[i], ADDR + i * PAGE);
    }
    assert_int_equal(seen.addrs[16], ADDR);
    assert_int_equal(nor.bytes[ADDR - 1], 0xff);
    assert_int_equal(nor.bytes[ADDR + SECTOR], 0xff);
}

static void a_blank_sector_is_not_erased_again(void **state) {
    (void)state;
    assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, true), 0);
    assert_memory_equal(nor.bytes + ADDR, data, SECTOR);
    assert_int_equal(count_of('s'), 0);
}

static void a_sector_said_to_be_blank_that_is_not_comes_right(void **state) {
    (void)state;
    memset(nor.bytes + ADDR, 0, SECTOR);
    assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, true), 0);
    assert_memory_equal(nor.bytes + ADDR, data, SECTOR);
    assert_int_equal(count_of('s'), 1);
}

static void erased_pages_are_not_programmed_but_still_compared(void **state) {
    (void)state;
    memset(data, 0xff, 5 * PAGE);
    memset(data + 9 * PAGE, 0xff, PAGE);
    assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, false), 0);
    assert_int_equal(count_of('p'), 10);
    memset(data, 0xff, SECTOR);
    seen.count = 0;
    assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, false), 0);
    assert_int_equal(count_of('p'), 0);
    nor.bytes[ADDR + 17] = 0xfe;
    assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, true), 0);
    assert_int_equal(nor.bytes[ADDR + 17], 0xff);
}

static void flash_that_fails_to_keep_a_bit_is_written_again(void **state) {
    (void)state;
    for (int failures = 1; failures < MOLT_SECTOR_TRIES; failures++) {
        seen.count = 0;
        // One of the 16 pages of each try is enough.
        bad_progs = (failures - 1) * 16 + 1;
        assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, false), 0);
        assert_memory_equal(nor.bytes + ADDR, data, SECTOR);
        assert_int_equal(count_of('s'), failures + 1);
    }
}

static void flash_that_never_keeps_it_is_given_up_after_the_tries(void **state) {
    (void)state;
    bad_progs = -1;
    assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, false), MOLT_ERR_IO);
    assert_int_equal(count_of('s'), MOLT_SECTOR_TRIES);
}

static void one_failure_of_the_driver_is_made_up_for_anywhere(void **state) {
    (void)state;
    uint64_t call = 0;
    do {
        memset(nor.bytes + ADDR, 0x5a, SECTOR);
        sim_nor_power_on(&nor);
        nor.fail_call = (int64_t)call++;
        assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, false), 0);
        assert_memory_equal(nor.bytes + ADDR, data, SECTOR);
    } while (nor.has_failed);
    // An erase, 16 programs, 16 reads.
    assert_int_equal(call, 33 + 1);
}

// The rest on a device with a real plan.

static rig_t rig;
static uint32_t plan_words[512 / 4];
static uint32_t buf_words[512 / 4];
static molt_plan_t plan;
static molt_source_t source;
static molt_reader_t image;

static int set_up_rig(void **state) {
    bool erase_all = *state != NULL;
    rig_init(&rig, &fixture_small);
    rig.job.options.erase_all = erase_all;
    rig.job.options.whole_image = true;
    int err = rig_prepare(&rig);
    err = err ? err : rig_open_plan(&rig, &plan, (uint8_t *)plan_words);
    image = molt_source_reader(&source, &rig.nor.flash, &plan);
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
        cmocka_unit_test_setup_teardown(a_sector_is_erased_then_programmed_first_page_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_blank_sector_is_not_erased_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sector_said_to_be_blank_that_is_not_comes_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erased_pages_are_not_programmed_but_still_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flash_that_fails_to_keep_a_bit_is_written_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flash_that_never_keeps_it_is_given_up_after_the_tries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_failure_of_the_driver_is_made_up_for_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_source_is_read_across_its_extents, set_up_rig, tear_down_rig),
        cmocka_unit_test_setup_teardown(what_lies_behind_the_images_end_becomes_erased_flash, set_up_rig, tear_down_rig),
        cmocka_unit_test_setup_teardown(only_the_first_sector_gets_flash_parameters, set_up_rig, tear_down_rig),
        cmocka_unit_test_setup_teardown(steps_can_be_repeated_and_touch_nothing_else, set_up_rig, tear_down_rig),
        cmocka_unit_test_prestate_setup_teardown(
            erasing_the_filesystem_leaves_the_blocks_that_are_needed, set_up_rig, tear_down_rig, &erase_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
