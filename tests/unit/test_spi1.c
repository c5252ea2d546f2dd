// The flash driver of ports/esp32 that uses SPI1's registers, on a model of them and of the chip behind them. The model is no kinder than
// they are: what a command reads lands in the data words, the status too, and leaves nothing sound beside it; commands take a while;
// a busy chip hears nothing but the question for its status; one command is all that a write enable is good for; a program that comes to
// its page's end goes on at its beginning.
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
static uint32_t arch_block(uint32_t addr);
static uint32_t arch_read(uint32_t addr);
static void arch_write(uint32_t addr, uint32_t value);

#include "spi1_flash.c"

#define FLASH_SIZE (3 * BLOCK_SIZE)
#define WORDS (BUFFER_SIZE / 4)
#define REGISTERS 0x100u

// Of the bits in SPI_USER that the driver has to leave: clock and chip select, in either layout.
#define EDGES 0x3f0u

static struct {
    uint8_t bytes[FLASH_SIZE];
    uint32_t registers[REGISTERS / 4];
    uint32_t polls;     // until the command is through
    uint32_t busy;      // questions for the status until the chip is not busy any more
    bool is_enabled;    // for writing
    bool is_deaf;       // to write enables
    uint32_t commands;  // carried out
} spi1;

static uint32_t *reg(uint32_t off) {
    return &spi1.registers[off / 4];
}

static uint32_t noise(void) {
    return (uint32_t)rand() * 2654435761u;
}

// The data words after a command: its answer, and whatever was there.
static void answer(const uint8_t *bytes, uint32_t size) {
    uint8_t words[BUFFER_SIZE];
    for (uint32_t i = 0; i < BUFFER_SIZE; i++) {
        words[i] = i < size ? bytes[i] : (uint8_t)noise();
    }
    memcpy(reg(SPI1_OFF_W0), words, sizeof words);
}

static void change(uint32_t command, uint32_t addr, uint32_t size) {
    const uint8_t *words = (const uint8_t *)reg(SPI1_OFF_W0);
    assert_true(spi1.is_enabled);
    spi1.is_enabled = false;
    spi1.busy = 1 + noise() % 5;
    if (command == 0x02) {
        for (uint32_t i = 0; i < size; i++) {
            spi1.bytes[addr / PAGE_SIZE * PAGE_SIZE + (addr + i) % PAGE_SIZE] &= words[i];
        }
    } else {
        uint32_t unit = command == 0x20 ? SECTOR_SIZE : BLOCK_SIZE;
        memset(spi1.bytes + addr / unit * unit, 0xff, unit);
    }
}

// Whether the controller is set up for what this command is.
static bool is_set_up(uint32_t command, uint32_t size) {
    bool has_addr = command != 0x05 && command != 0x06;
    uint32_t phases = 0x80000000u | (has_addr ? 0x40000000u : 0) | (command == 0x03 || command == 0x05 ? 0x10000000u : 0)
                      | (command == 0x02 ? 0x08000000u : 0);
    uint32_t user = *reg(SPI1_OFF_USER);
    return (user & ~EDGES) == phases && (user & EDGES) == EDGES && *reg(SPI1_OFF_CTRL) == 0x00200000u
           && *reg(SPI1_OFF_CLOCK) == SPI1_CLOCK && *reg(SPI1_OFF_USER2) >> 28 == 7
           && (!has_addr || *reg(SPI1_OFF_USER1) == 23u << 26) && size <= BUFFER_SIZE;
}

static void carry_out(void) {
    uint32_t command = *reg(SPI1_OFF_USER2) & 0xffff;
    uint32_t addr = *reg(SPI1_OFF_ADDR) >> SPI1_ADDR_SHIFT;
    uint32_t length_off = *reg(SPI1_OFF_USER) & 0x08000000u ? SPI1_OFF_MOSI_DLEN : SPI1_OFF_MISO_DLEN;
    bool has_data = (*reg(SPI1_OFF_USER) & 0x18000000u) != 0;
    uint32_t size = has_data ? (*reg(length_off) + 1) / 8 : 0;
    spi1.commands++;
    assert_true(is_set_up(command, size));
    assert_true(!spi1.busy || command == 0x05);
    assert_true(addr + size <= FLASH_SIZE);
    if (command == 0x05) {
        uint8_t status = (uint8_t)((spi1.busy ? 1 : 0) | (spi1.is_enabled ? 2 : 0));
        spi1.busy -= spi1.busy > 0;
        answer(&status, 1);
    } else if (command == 0x03) {
        answer(spi1.bytes + addr, size);
    } else if (command == 0x06) {
        spi1.is_enabled = !spi1.is_deaf;
    } else {
        assert_true(command == 0x02 || command == 0x20 || command == 0xd8);
        change(command, addr, size);
    }
}

static uint32_t arch_block(uint32_t addr) {
    return addr;
}

static uint32_t arch_read(uint32_t addr) {
    uint32_t off = addr - SPI1_ADDR;
    assert_true(off < REGISTERS && off % 4 == 0);
    if (off == SPI1_OFF_CMD) {
        if (spi1.polls && --spi1.polls == 0) {
            carry_out();
        }
        return spi1.polls ? 0x00040000u : 0;
    }
    // Nothing is there before the command is through.
    return spi1.polls && off >= SPI1_OFF_W0 ? noise() : *reg(off);
}

static void arch_write(uint32_t addr, uint32_t value) {
    uint32_t off = addr - SPI1_ADDR;
    assert_true(off < REGISTERS && off % 4 == 0);
    assert_int_equal(spi1.polls, 0);
    *reg(off) = value;
    if (off == SPI1_OFF_CMD) {
        assert_int_equal(value, 0x00040000u);
        spi1.polls = 1 + noise() % 4;
    }
}

static uint8_t expected[FLASH_SIZE];
static uint32_t buf[2 * SECTOR_SIZE / 4];

static int set_up(void **state) {
    (void)state;
    srand(7);
    memset(&spi1, 0, sizeof spi1);
    for (uint32_t i = 0; i < FLASH_SIZE; i++) {
        spi1.bytes[i] = (uint8_t)noise();
    }
    memcpy(expected, spi1.bytes, sizeof expected);
    // As others have left it: modes of several lines, both halves of the data words apart, all edges.
    for (uint32_t off = 4; off < REGISTERS; off += 4) {
        *reg(off) = UINT32_MAX;
    }
    flash_begin();
    return 0;
}

static void check_all(void) {
    assert_memory_equal(spi1.bytes, expected, sizeof expected);
}

static void what_is_read_is_what_is_there(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t size = noise() % 600 * 4;
        uint32_t addr = noise() % ((FLASH_SIZE - 2400) / 4) * 4;
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
        uint32_t addr = noise() % ((FLASH_SIZE - 1200) / 4) * 4;
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
