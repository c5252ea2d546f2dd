// Standby mode: what install() makes of a device, and of one that it should leave alone; the power cut in each of its operations and
// of uninstall()'s.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/md5.h"
#include "molt/error.h"
#include "second_stage.h"
#include "standby/standby.h"
#include "standby_rig.h"

static molt_standby_t standby;

static const molt_standby_chip_t *chip(void) {
    return fixture_esp32(SHAPE)->standby;
}

static int read_standby(void) {
    return molt_standby_read(&board.nor.flash, chip(), board.buf, &standby);
}

static int install(void) {
    return molt_standby_install(&board.nor.flash, chip(), board.buf, &standby);
}

static bool starts_firmware(void) {
    sim_app_t app;
    return sim_second_stage(&board.nor.flash, chip(), &app) && app.addr == IMAGE_ADDR;
}

static bool starts_loader(void) {
    sim_app_t app;
    return sim_second_stage(&board.nor.flash, chip(), &app) && app.addr == LOADER_ADDR;
}

// The firmware's first byte is broken while the boot loader is asked.
static bool falls_back(void) {
    uint8_t magic = board.nor.bytes[IMAGE_ADDR];
    board.nor.bytes[IMAGE_ADDR] = 0;
    bool is_so = starts_loader();
    board.nor.bytes[IMAGE_ADDR] = magic;
    return is_so;
}

static void installed_the_boot_loader_falls_back_to_it_and_nothing_else_has_changed(void **state) {
    (void)state;
    assert_int_equal(read_standby(), MOLT_ERR_NOENT);
    assert_false(falls_back());
    assert_int_equal(install(), 0);
    assert_true(starts_firmware());
    assert_true(falls_back());
    assert_int_equal(standby.loader_addr, LOADER_ADDR);
    assert_int_equal(standby.app.addr, IMAGE_ADDR);
    memset(board.nor.bytes + LOADER_ADDR, 0xff, SECTOR);
    memset(board.nor.bytes + MD5_ROW + 32, 0xff, 64);
    assert_memory_equal(board.nor.bytes, board.original, SHAPE->geometry.size);
}

static void installing_twice_says_so_and_writes_nothing(void **state) {
    (void)state;
    sim_nor_power_on(&board.nor);
    assert_int_equal(install(), MOLT_ERR_EXIST);
    assert_int_equal(board.nor.op_count, 0);
}

static void a_damaged_loader_is_repaired(void **state) {
    (void)state;
    board.nor.bytes[LOADER_ADDR + 300] ^= 1;
    assert_int_equal(read_standby(), MOLT_ERR_CORRUPT);
    assert_int_equal(standby.defect, MOLT_STANDBY_LOADER_DAMAGED);
    assert_false(falls_back());
    assert_int_equal(install(), 0);
    assert_memory_equal(board.nor.bytes, board.original, SHAPE->geometry.size);
}

// Of the cuts in install() those after which nothing boots: in its last 4 bytes only.
static void a_cut_in_installing_is_fatal_in_its_last_program_only(void **state) {
    (void)state;
    assert_int_equal(install(), 0);
    uint64_t op_count = board.nor.op_count;
    uint32_t lost_count = 0;
    for (uint32_t op = 0; op < op_count; op++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            standby_rig_put_original();
            board.nor.cut_op = op;
            board.nor.cut_tear = tear;
            (void)install();
            assert_true(board.nor.is_cut);
            sim_nor_power_on(&board.nor);
            bool boots = starts_firmware();
            lost_count += !boots;
            assert_true(boots || op + 1 == op_count);
            if (boots) {
                int err = install();
                assert_true(err == 0 || err == MOLT_ERR_EXIST);
                assert_true(falls_back() && starts_firmware());
            }
        }
    }
    // It is a window, and no larger one.
    assert_true(lost_count > 0);
    assert_true(lost_count <= SIM_TEAR_COUNT);
}

static void a_cut_in_uninstalling_is_never_fatal(void **state) {
    (void)state;
    sim_nor_power_on(&board.nor);
    assert_int_equal(molt_standby_uninstall(&board.nor.flash, chip(), board.buf), 0);
    assert_int_equal(board.nor.op_count, 1);
    assert_true(starts_firmware());
    assert_false(falls_back());
    assert_int_equal(read_standby(), MOLT_ERR_NOENT);
    for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
        standby_rig_put_original();
        board.nor.cut_op = 0;
        board.nor.cut_tear = tear;
        (void)molt_standby_uninstall(&board.nor.flash, chip(), board.buf);
        assert_true(board.nor.is_cut);
        sim_nor_power_on(&board.nor);
        assert_true(starts_firmware());
    }
}

static void after_uninstalling_it_can_be_installed_again(void **state) {
    (void)state;
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    assert_int_equal(molt_standby_uninstall(&board.nor.flash, chip(), board.buf), MOLT_ERR_BUSY);
    assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(molt_standby_uninstall(&board.nor.flash, chip(), board.buf), 0);
    assert_int_equal(install(), 0);
    assert_int_equal(standby.loader_addr, LOADER_ADDR);
    assert_int_equal(standby.row_addr, MD5_ROW + 3 * 32);
    assert_true(starts_firmware() && falls_back());
    assert_int_equal(molt_standby_uninstall(&board.nor.flash, chip(), board.buf), 0);
    assert_int_equal(molt_standby_uninstall(&board.nor.flash, chip(), board.buf), MOLT_ERR_NOENT);
}

// What install() says of a device, and that it writes nothing there.
static void check_refusal(molt_standby_defect_t defect) {
    sim_nor_make_firm(&board.nor);
    standby_rig_keep();
    sim_nor_power_on(&board.nor);
    assert_int_equal(install(), MOLT_ERR_NOTSUP);
    assert_int_equal(standby.defect, defect);
    assert_int_equal(board.nor.op_count, 0);
    assert_memory_equal(board.nor.bytes, board.original, SHAPE->geometry.size);
}

// The table's MD5 made right again.
static void seal_table(void) {
    molt_md5_t md5;
    molt_md5_init(&md5);
    molt_md5_update(&md5, board.nor.bytes + TABLE_ADDR, MD5_ROW - TABLE_ADDR);
    molt_md5_finish(board.nor.bytes + MD5_ROW + 16, &md5);
}

static void a_device_that_it_is_not_for_is_refused_with_the_reason_and_left_alone(void **state) {
    (void)state;
    uint8_t *table = board.nor.bytes + TABLE_ADDR;
    uint8_t *boot_loader = board.nor.bytes + chip()->boot_addr;
    boot_loader[0] = 0xff;
    check_refusal(MOLT_STANDBY_NO_BOOT_LOADER);
    boot_loader[0] = 0xe9;
    boot_loader[12] ^= 1;
    check_refusal(MOLT_STANDBY_OTHER_CHIP);
    boot_loader[12] ^= 1;
    table[40] ^= 1;
    check_refusal(MOLT_STANDBY_BAD_TABLE);
    table[40] ^= 1;
    memset(board.nor.bytes + MD5_ROW, 0xff, 32);
    check_refusal(MOLT_STANDBY_NO_MD5);
    store16_le(board.nor.bytes + MD5_ROW, 0xebeb);
    table[67] = 0x10;
    seal_table();
    check_refusal(MOLT_STANDBY_OTA);
    table[67] = 0x20;
    seal_table();
    check_refusal(MOLT_STANDBY_NO_FACTORY);
    table[67] = 0;
    seal_table();
    memcpy(board.nor.bytes + MD5_ROW + 32, table, 32);
    check_refusal(MOLT_STANDBY_OTHER_ROWS);
    memset(board.nor.bytes + MD5_ROW + 32, 0xff, 32);
    board.nor.bytes[MD5_ROW + 32 + 5] = 0;
    assert_int_equal(install(), MOLT_ERR_NOTSUP);
    assert_int_equal(standby.defect, MOLT_STANDBY_OTHER_ROWS);
}

static void a_row_of_the_loader_s_name_at_another_place_is_not_believed(void **state) {
    (void)state;
    static const uint32_t addrs[4] = { 0, IMAGE_ADDR - SECTOR, IMAGE_ADDR + SECTOR, 0xffffff00 };
    for (uint32_t i = 0; i < 4; i++) {
        store32_le(board.nor.bytes + MD5_ROW + 32 + 4, addrs[i]);
        check_refusal(MOLT_STANDBY_OTHER_ROWS);
        assert_true(standby.app.size <= SHAPE->fs_addr - IMAGE_ADDR);
    }
}

static void a_boot_loader_that_has_grown_over_the_loader_is_left_alone(void **state) {
    (void)state;
    uint32_t boot_addr = chip()->boot_addr;
    fixture_esp32_image(board.nor.bytes + boot_addr, LOADER_ADDR - boot_addr + 64, 9);
    check_refusal(MOLT_STANDBY_NO_ROOM);
}

static void where_the_gap_is_full_the_end_of_the_app_partition_is_taken(void **state) {
    (void)state;
    uint32_t end = SHAPE->fs_addr;
    board.nor.bytes[PLAN_ADDR + 5] = 0;
    check_refusal(MOLT_STANDBY_NO_ROOM);
    memset(board.nor.bytes + end - 2 * SECTOR, 0xff, 2 * SECTOR);
    assert_int_equal(install(), 0);
    assert_int_equal(standby.loader_addr, end - 2 * SECTOR);
    assert_int_equal(standby.app.addr + standby.app.size, end - 2 * SECTOR);
    assert_true(starts_firmware());
    sim_device_t device;
    molt_target_t target;
    assert_int_equal(standby_rig_prepare(FIXTURE_PATH), 0);
    assert_int_equal(standby_rig_start(&device, &target), SIM_FIRMWARE);
    assert_int_equal(device.boot_result, MOLT_BOOT_DONE);
    assert_true(starts_firmware());
}

static void a_boot_loader_that_reaches_into_the_gap_is_noticed_though_its_end_is_erased(void **state) {
    (void)state;
    // Its third and last segment, of 0xFF, up to the table.
    const uint32_t begin = chip()->boot_addr + 308;
    store32_le(board.nor.bytes + begin - 4, PLAN_ADDR - begin);
    memset(board.nor.bytes + begin, 0xff, PLAN_ADDR - begin);
    check_refusal(MOLT_STANDBY_NO_ROOM);
}

static void committing_checks_loader_and_rows_first(void **state) {
    (void)state;
    static const uint32_t places[] = { LOADER_ADDR + 40, MD5_ROW + 32 + 5, MD5_ROW + 64 + 12 };
    for (uint32_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        standby_rig_put_original();
        molt_target_t target = fixture_standby_target(SHAPE, &board.nor);
        board.nor.bytes[places[i]] ^= 4;
        assert_int_equal(molt_standby_commit(&board.nor.flash, &target, board.buf), MOLT_ERR_CORRUPT);
        assert_int_equal(board.nor.op_count, 0);
    }
}

// With sectors of the real size it is the loader that is shipped.
static void the_loader_that_is_shipped_fits_its_sector_and_is_an_image_that_the_boot_loader_starts(void **state) {
    sim_nor_t nor;
    sim_app_t app;
    fixture_esp32_choose(*state);
    fixture_device(&nor, &fixture_short_standby);
    const molt_standby_chip_t *shipped = fixture_esp32(&fixture_short_standby)->standby;
    uint32_t addr = shipped->trial.size ? 0x5000 : 0x6000;
    assert_in_range(molt_standby_image(shipped, addr, 0x7000, 4096, board.buf), shipped->code_size, 4096);
    nor.bytes[IMAGE_ADDR] = 0;
    assert_true(sim_second_stage(&nor.flash, shipped, &app) && app.addr == addr);
    assert_memory_equal(nor.bytes + addr, board.buf, 4096);
    sim_nor_free(&nor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loader_that_is_shipped_fits_its_sector_and_is_an_image_that_the_boot_loader_starts),
        cmocka_unit_test_setup_teardown(installed_the_boot_loader_falls_back_to_it_and_nothing_else_has_changed,
            standby_rig_set_up_stock, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(installing_twice_says_so_and_writes_nothing, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_loader_is_repaired, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            a_cut_in_installing_is_fatal_in_its_last_program_only, standby_rig_set_up_stock, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_cut_in_uninstalling_is_never_fatal, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(after_uninstalling_it_can_be_installed_again, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_device_that_it_is_not_for_is_refused_with_the_reason_and_left_alone,
            standby_rig_set_up_stock, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            where_the_gap_is_full_the_end_of_the_app_partition_is_taken, standby_rig_set_up_stock, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_boot_loader_that_reaches_into_the_gap_is_noticed_though_its_end_is_erased,
            standby_rig_set_up_stock, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(committing_checks_loader_and_rows_first, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            a_row_of_the_loader_s_name_at_another_place_is_not_believed, standby_rig_set_up, standby_rig_tear_down),
        cmocka_unit_test_setup_teardown(
            a_boot_loader_that_has_grown_over_the_loader_is_left_alone, standby_rig_set_up, standby_rig_tear_down),
    };
    return standby_rig_run(tests, sizeof tests / sizeof tests[0]);
}
