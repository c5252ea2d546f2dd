// An ESP8266 as far as its mask ROM and a boot loader see it: CPU, ROM, RAM, SPI0 with a flash chip, UART0, watchdog, reset.
//
// It is strict where the chip is: IRAM and ROM take aligned words only, nothing is where nothing is, and the mapped flash
// is not there at all (whoever uses it has left what this board is for). Cold RAM holds noise.
// Time is made of instructions, one for each cycle of 52 MHz, which is where the ROM leaves the clock with the usual crystal
// of 26 MHz; while a program waits for the flash chip or the UART, the clock goes on to the end of the wait at its first
// look.
// Source of addresses: the memory map and register tables of the ESP8266 Technical Reference, and Espressif's SDKs.
#ifndef MASKROM_BOARD_H
#define MASKROM_BOARD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lx106.h"
#include "nor.h"
#include "spi.h"

#define BOARD_ROM_SIZE 0x10000u
#define BOARD_IRAM_SIZE 0x10000u
#define BOARD_RAM_SIZE 0x18000u
#define BOARD_REGISTERS_SIZE 0x10000u
#define BOARD_DPORT_SIZE 0x1000u
// The interpreter may read so far behind the end of what it executes.
#define BOARD_MARGIN 3u

// What a register says about the cause of the last reset, as the ROM prints it.
enum {
    BOARD_CAUSE_POWER = 1,
    BOARD_CAUSE_SOFTWARE = 2,
    BOARD_CAUSE_WATCHDOG = 4,
};

typedef enum board_end {
    BOARD_AT_VADDR,        // the instruction that was asked for is next
    BOARD_HANGS,           // the program waits for ever; board_text() says for what
    BOARD_CRASHES,         // it did what the chip, or this model of it, does not have
    BOARD_CUT,             // the power cut that was asked for
    BOARD_TAKES_TOO_LONG,  // instruction_max
    BOARD_RESETS_TOO_OFTEN,
} board_end_t;

typedef struct board {
    // Set by the caller; see board_power_on() for the rest.
    uint8_t rom[BOARD_ROM_SIZE + BOARD_MARGIN];
    nor_t nor;
    FILE *uart;               // what UART0 sends; NULL for nowhere
    uint32_t seed;            // of the noise in RAM; not 0
    uint32_t software_cause;  // of a reset by software
    bool keeps_registers;     // at a reset; else they are cleared (which of both is not documented)
    uint64_t instruction_max;
    uint32_t reset_max;

    lx106_t cpu;
    lx106_bus_t bus;
    spi_t spi;
    uint8_t ram[BOARD_RAM_SIZE];
    uint8_t iram[BOARD_IRAM_SIZE + BOARD_MARGIN];
    uint32_t registers[BOARD_REGISTERS_SIZE / 4];  // 0x60000000
    uint32_t dport[BOARD_DPORT_SIZE / 4];          // 0x3ff00000
    uint64_t uart_until_ns;
    bool has_reset;  // asked for by a register
    uint64_t watchdog_since_ns;
    uint32_t watchdog_stage;  // 0, 1
    uint64_t reset_count;
    uint64_t bite_count;
    uint32_t wrong_vaddr;  // the first access that nothing answered
} board_t;

// A cold start: RAM is noise, registers are cleared.
void board_power_on(board_t *board);

board_end_t board_run(board_t *board);

// How it ended, in words.
void board_text(const board_t *board, board_end_t end, char *text, size_t text_size);

uint64_t board_now_ns(const board_t *board);

#endif
