// The flash driver of ports/esp32 that uses SPI1's registers, on a model of them and of the chip behind them (spi1_model.h).
//
// The registers are those of the ESP32. test_spi1_mem.c has the same for the other chips' layout.

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chip.h"

// In place of xtensa/arch.h.
#define MOLT_ESP32_ARCH_H
static uint32_t arch_block(uint32_t addr) {
    return addr;
}

#define MODEL_CHECK(condition) assert_true(condition)
#define MODEL_FLASH_SIZE (3 * 0x10000u)
#include "spi1_model.h"

static uint8_t flash[MODEL_FLASH_SIZE];
static uint8_t expected[MODEL_FLASH_SIZE];
static uint32_t buf[2 * SECTOR_SIZE / 4];

static int set_up(void **state) {
    (void)state;
    model_begin(flash);
    for (uint32_t i = 0; i < MODEL_FLASH_SIZE; i++) {
        flash[i] = (uint8_t)noise();
    }
    memcpy(expected, flash, sizeof expected);
    flash_begin();
    return 0;
}

static void check_all(void) {
    assert_memory_equal(flash, expected, sizeof expected);
}

static void what_is_read_is_what_is_there(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t size = noise() % 600 * 4;
        uint32_t addr = noise() % ((MODEL_FLASH_SIZE - 2400) / 4) * 4;
        memset(buf, 0, sizeof buf);
        assert_int_equal(flash_read(NULL, addr, buf, size), 0);
        assert_memory_equal(buf, expected + addr, size);
        assert_int_equal(buf[size / 4], 0);
    }
    check_all();
}

static void what_is_programmed_is_there_and_nothing_else_has_changed(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t size = noise() % 300 * 4;
        uint32_t addr = noise() % ((MODEL_FLASH_SIZE - 1200) / 4) * 4;
        for (uint32_t j = 0; j < size / 4; j++) {
            buf[j] = noise() | noise();
        }
        for (uint32_t j = 0; j < size; j++) {
            expected[addr + j] &= ((const uint8_t *)buf)[j];
        }
        assert_int_equal(flash_prog(NULL, addr, buf, size), 0);
        assert_int_equal(spi1.busy, 0);
    }
    check_all();
}

static void a_whole_sector_takes_64_programs(void **state) {
    (void)state;
    assert_int_equal(flash_erase_sector(NULL, SECTOR_SIZE), 0);
    for (uint32_t i = 0; i < SECTOR_SIZE / 4; i++) {
        buf[i] = noise();
    }
    memcpy(expected + SECTOR_SIZE, buf, SECTOR_SIZE);
    assert_int_equal(flash_prog(NULL, SECTOR_SIZE, buf, SECTOR_SIZE), 0);
    check_all();
    spi1.commands = 0;
    assert_int_equal(flash_read(NULL, SECTOR_SIZE, buf, SECTOR_SIZE), 0);
    assert_int_equal(spi1.commands, SECTOR_SIZE / BUFFER_SIZE);
}

static void an_erase_erases_its_sector_or_its_block(void **state) {
    (void)state;
    assert_int_equal(flash_erase_sector(NULL, 5 * SECTOR_SIZE), 0);
    memset(expected + 5 * SECTOR_SIZE, 0xff, SECTOR_SIZE);
    check_all();
    assert_int_equal(flash_erase_block(NULL, BLOCK_SIZE), 0);
    memset(expected + BLOCK_SIZE, 0xff, BLOCK_SIZE);
    check_all();
    assert_int_equal(spi1.busy, 0);
}

// As after a reset in the middle of an erase.
static void a_chip_that_is_busy_yet_is_waited_for(void **state) {
    (void)state;
    uint32_t word = 0;
    spi1.busy = 100;
    memset(expected, 0, 4);
    assert_int_equal(flash_prog(NULL, 0, &word, 4), 0);
    check_all();
}

static void a_chip_that_lets_nothing_be_written_is_an_error(void **state) {
    (void)state;
    spi1.is_deaf = true;
    memset(buf, 0, sizeof buf);
    assert_int_equal(flash_prog(NULL, 0, buf, SECTOR_SIZE), MOLT_ERR_IO);
    assert_int_equal(flash_erase_sector(NULL, 0), MOLT_ERR_IO);
    assert_int_equal(flash_erase_block(NULL, 0), MOLT_ERR_IO);
    check_all();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_read_is_what_is_there, set_up),
        cmocka_unit_test_setup(what_is_programmed_is_there_and_nothing_else_has_changed, set_up),
        cmocka_unit_test_setup(a_whole_sector_takes_64_programs, set_up),
        cmocka_unit_test_setup(an_erase_erases_its_sector_or_its_block, set_up),
        cmocka_unit_test_setup(a_chip_that_is_busy_yet_is_waited_for, set_up),
        cmocka_unit_test_setup(a_chip_that_lets_nothing_be_written_is_an_error, set_up),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
