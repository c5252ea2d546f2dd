// Writing a sector: what is programmed and in which order, what is read back, and flash that does not keep what it is given.
// And what src/base does with any flash.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/flash_io.h"
#include "base/sector.h"
#include "molt/error.h"
#include "nor.h"

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

static void a_sector_is_erased_then_programmed_from_its_end_header_last(void **state) {
    (void)state;
    assert_int_equal(molt_sector_write(&nor.flash, ADDR, data, false), 0);
    assert_memory_equal(nor.bytes + ADDR, data, SECTOR);
    assert_int_equal(seen.count, 18);
    assert_int_equal(seen.kinds[0], 's');
    assert_int_equal(seen.addrs[0], ADDR);
    for (uint32_t i = 1; i < 16; i++) {
        assert_int_equal(seen.addrs[i], ADDR + SECTOR - i * PAGE);
    }
    assert_int_equal(seen.addrs[16], ADDR + MOLT_SECTOR_HEADER_SIZE);
    assert_int_equal(seen.addrs[17], ADDR);
    assert_int_equal(nor.bytes[ADDR - 1], 0xff);
    assert_int_equal(nor.bytes[ADDR + SECTOR], 0xff);
}

// However a program is torn, but the last one: a boot ROM finds no header.
static void a_sector_that_is_not_complete_has_no_header(void **state) {
    (void)state;
    for (sim_tear_t tear = 0; tear < SIM_TEAR_NAME_COUNT; tear++) {
        for (int64_t op = 1; op < 17; op++) {
            memset(nor.bytes + ADDR, 0xff, SECTOR);
            sim_nor_power_on(&nor);
            nor.cut_op = op - 1;
            nor.cut_tear = tear;
            (void)molt_sector_write(&nor.flash, ADDR, data, true);
            assert_true(nor.is_cut);
            for (uint32_t i = 0; i < MOLT_SECTOR_HEADER_SIZE; i++) {
                assert_int_equal(nor.bytes[ADDR + i], 0xff);
            }
        }
    }
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
        // One of the 17 programs of each try is enough.
        bad_progs = (failures - 1) * 17 + 1;
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
    // An erase, 17 programs, 16 reads.
    assert_int_equal(call, 34 + 1);
}

static void a_range_is_programmed_page_by_page(void **state) {
    (void)state;
    assert_int_equal(molt_flash_prog(&nor.flash, ADDR + PAGE - 8, data, 2 * PAGE + 16), 0);
    assert_memory_equal(nor.bytes + ADDR + PAGE - 8, data, 2 * PAGE + 16);
    assert_int_equal(count_of('p'), 4);
    assert_int_equal(seen.addrs[0], ADDR + PAGE - 8);
    assert_int_equal(seen.addrs[1], ADDR + PAGE);
    assert_int_equal(seen.addrs[3], ADDR + 3 * PAGE);
    assert_int_equal(molt_flash_prog(&nor.flash, ADDR, data, 0), 0);
    nor.fail_call = 1;
    sim_nor_power_on(&nor);
    nor.fail_call = 1;
    assert_true(molt_flash_prog(&nor.flash, ADDR, data, 2 * PAGE) < 0);
}

static void one_bit_anywhere_is_not_blank(void **state) {
    (void)state;
    static const uint32_t places[] = { 0, 63, 64, 200, 299 };
    assert_int_equal(molt_flash_is_blank(&nor.flash, ADDR, 300), 1);
    for (uint32_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        nor.bytes[ADDR + places[i]] = 0x7f;
        assert_int_equal(molt_flash_is_blank(&nor.flash, ADDR, 300), 0);
        nor.bytes[ADDR + places[i]] = 0xff;
    }
    nor.bytes[ADDR + 300] = 0;
    nor.bytes[ADDR - 1] = 0;
    assert_int_equal(molt_flash_is_blank(&nor.flash, ADDR, 300), 1);
    sim_nor_power_on(&nor);
    nor.fail_call = 2;
    assert_true(molt_flash_is_blank(&nor.flash, ADDR, 300) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sector_is_erased_then_programmed_from_its_end_header_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sector_that_is_not_complete_has_no_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_blank_sector_is_not_erased_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sector_said_to_be_blank_that_is_not_comes_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erased_pages_are_not_programmed_but_still_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flash_that_fails_to_keep_a_bit_is_written_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flash_that_never_keeps_it_is_given_up_after_the_tries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_failure_of_the_driver_is_made_up_for_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_range_is_programmed_page_by_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_bit_anywhere_is_not_blank, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
