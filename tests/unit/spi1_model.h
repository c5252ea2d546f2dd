// A model of SPI1's registers and of the chip behind them, for the driver in ports/esp32/spi1_flash.c, which it includes. It is no kinder than
// they are: what a command reads lands in the data words, the status too, and leaves nothing sound beside it; commands take a while;
// a busy chip hears nothing but the question for its status; one command is all that a write enable is good for; a program that comes to
// its page's end goes on at its beginning.
//
// Before it: chip.h; MODEL_CHECK(condition), for what a chip or a controller would not have understood; MODEL_FLASH_SIZE; and that
// arch.h's arch_read() and arch_write() are the ones declared here.
#ifndef MOLT_TESTS_SPI1_MODEL_H
#define MOLT_TESTS_SPI1_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static uint32_t arch_read(uint32_t addr);
static void arch_write(uint32_t addr, uint32_t value);

#include "spi1_flash.c"

#define REGISTERS 0x100u

// Of the bits in SPI_USER that the driver has to leave: clock and chip select, in either layout.
#define EDGES 0x3f0u

static struct {
    uint8_t *bytes;
    uint32_t registers[REGISTERS / 4];
    uint32_t polls;     // until the command is through
    uint32_t busy;      // questions for the status until the chip is not busy any more
    bool is_enabled;    // for writing
    bool is_deaf;       // to write enables
    uint32_t commands;  // carried out
    uint32_t random;
} spi1;

static uint32_t *reg(uint32_t off) {
    return &spi1.registers[off / 4];
}

static uint32_t noise(void) {
    spi1.random = spi1.random * 1664525u + 1013904223u;
    return spi1.random >> 8 ^ spi1.random << 24;
}

// As others have left it: modes of several lines, both halves of the data words apart, all edges.
static void model_begin(uint8_t *bytes) {
    memset(&spi1, 0, sizeof spi1);
    memset(spi1.registers, 0xff, sizeof spi1.registers);
    *reg(SPI1_OFF_CMD) = 0;
    spi1.bytes = bytes;
    spi1.random = 7;
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
    MODEL_CHECK(spi1.is_enabled);
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
    MODEL_CHECK(is_set_up(command, size));
    MODEL_CHECK(!spi1.busy || command == 0x05);
    MODEL_CHECK(addr + size <= MODEL_FLASH_SIZE);
    if (command == 0x05) {
        uint8_t status = (uint8_t)((spi1.busy ? 1 : 0) | (spi1.is_enabled ? 2 : 0));
        spi1.busy -= spi1.busy > 0;
        answer(&status, 1);
    } else if (command == 0x03) {
        answer(spi1.bytes + addr, size);
    } else if (command == 0x06) {
        spi1.is_enabled = !spi1.is_deaf;
    } else {
        MODEL_CHECK(command == 0x02 || command == 0x20 || command == 0xd8);
        change(command, addr, size);
    }
}

static uint32_t arch_read(uint32_t addr) {
    uint32_t off = addr - SPI1_ADDR;
    MODEL_CHECK(off < REGISTERS && off % 4 == 0);
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
    MODEL_CHECK(off < REGISTERS && off % 4 == 0);
    MODEL_CHECK(spi1.polls == 0);
    *reg(off) = value;
    if (off == SPI1_OFF_CMD) {
        MODEL_CHECK(value == 0x00040000u);
        spi1.polls = 1 + noise() % 4;
    }
}

#endif
