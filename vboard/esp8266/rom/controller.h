// The SPI controller between the processor and the flash chip: SPI0.
//
// Its registers are plain memory to QEMU. The ROM functions write them as the chip's do, and the controller looks at
// them when a command is given; what a program writes into them itself is seen then, and starts nothing.
#ifndef VBOARD_ROM_CONTROLLER_H
#define VBOARD_ROM_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

// [ESP8266 Technical Reference, SPI registers; the names are shorter]
struct spi_registers {
    uint32_t command;  // a bit of SPI_*; 0 when it is done
    uint32_t addr;     // 24 bits of address, and the number of data bytes above them
    uint32_t ctrl;
    uint32_t ctrl1;
    uint32_t status;  // read or to be written
    uint32_t ctrl2;
    uint32_t clock;
    uint32_t user;
    uint32_t others[8];
    uint32_t data[16];
};

enum {
    SPI_READ = 1u << 31,
    SPI_WRITE_ENABLE = 1u << 30,
    SPI_WRITE_DISABLE = 1u << 29,
    SPI_READ_STATUS = 1u << 27,
    SPI_WRITE_STATUS = 1u << 26,
    SPI_PROGRAM = 1u << 25,
    SPI_ERASE_SECTOR = 1u << 24,
    SPI_ERASE_BLOCK = 1u << 23,
    SPI_ERASE_CHIP = 1u << 22,
};

enum {
    SPI_CTRL_CLOCK = 0xfff,  // divider of the 80 MHz
    SPI_CTRL_UNDIVIDED = 1 << 12,
    SPI_CTRL_FAST = 1 << 13,
    SPI_CTRL_DOUT = 1 << 14,
    SPI_CTRL_QOUT = 1 << 20,
    SPI_CTRL_TWO_STATUS_BYTES = 1 << 22,
    SPI_CTRL_DIO = 1 << 23,
    SPI_CTRL_QIO = 1 << 24,
};

#define SPI0 ((volatile struct spi_registers *)(uintptr_t)SPI0_VADDR)

void controller_reset(void);

// Give the chip a command, with the registers as they are.
void controller_run(uint32_t command);

// The same as `size / piece` read commands, each of `piece` bytes, at once. Nothing goes through the data registers.
void controller_read_pieces(uint32_t addr, void *buffer, uint32_t size, uint32_t piece);

// What the flash cache reads.
void controller_fetch(uint32_t addr, void *buffer, uint32_t size);
bool controller_reads_noise(void);

#endif
