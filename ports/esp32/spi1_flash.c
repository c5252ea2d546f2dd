// Flash by the registers of SPI1, on chips whose mask ROM's functions are not to be trusted with it. Every command is a "user" command:
// one byte, perhaps an address, perhaps up to 64 bytes of data in the controller's buffer, W0 to W15. What a command reads lands in that
// buffer, the status register too: so a program's data go in last, when nothing is to be asked any more.
//
// Sources: ESP32 Technical Reference Manual, "SPI Controller", and the ones of ESP32-S2 and ESP32-S3; ESP-IDF, spi_reg.h and
// spi_mem_reg.h. The chips' register blocks differ in their offsets (chip.h); these fields are the same. The chip's commands: any data
// sheet of a 25-series flash, such as Winbond W25Q32.

#include "arch.h"
#include "chip.h"
#include "loader_flash.h"
#include "molt/error.h"

// SPI_CMD: begin a user command; reads as 0 when that is through.
#define CMD_USER 0x00040000u

// SPI_CTRL: one line in each phase, and the chip's write protection pin high.
#define CTRL_PLAIN 0x00200000u

// SPI_USER: the phases of a user command. Of the rest only the edges of clock and chip select are kept as they are.
#define USER_COMMAND 0x80000000u
#define USER_ADDR 0x40000000u
#define USER_IN 0x10000000u
#define USER_OUT 0x08000000u
#define USER_PHASES 0xf8000000u
#define USER_EDGES 0x000003f0u

// SPI_USER1: 24 bits of address, no dummy cycles. SPI_USER2: 8 bits of command.
#define USER1_ADDR_24 (23u << 26)
#define USER2_COMMAND_8 (7u << 28)

#define BUFFER_SIZE 64u

// Commands of the chip, with their phases. READ goes without dummy cycles, and up to 33 MHz on any chip; SPI1_CLOCK keeps below that.
enum {
    CHIP_PROGRAM = 0x02,
    CHIP_READ = 0x03,
    CHIP_READ_STATUS = 0x05,
    CHIP_ENABLE_WRITE = 0x06,
    CHIP_ERASE_SECTOR = 0x20,
    CHIP_ERASE_BLOCK = 0xd8,
    CHIP_COMMANDS = 0xff,
};
#define STATUS_BUSY 0x01u
#define STATUS_WRITE_ENABLED 0x02u

static void spi1_command(uint32_t what, uint32_t addr, uint32_t size) {
    uint32_t spi1 = arch_block(SPI1_ADDR);
    arch_write(spi1 + SPI1_OFF_USER, (arch_read(spi1 + SPI1_OFF_USER) & USER_EDGES) | USER_COMMAND | (what & USER_PHASES));
    arch_write(spi1 + SPI1_OFF_USER2, USER2_COMMAND_8 | (what & CHIP_COMMANDS));
    arch_write(spi1 + SPI1_OFF_ADDR, addr << SPI1_ADDR_SHIFT);
    // Of a phase that there is.
    arch_write(spi1 + SPI1_OFF_MOSI_DLEN, size * 8 - 1);
    arch_write(spi1 + SPI1_OFF_MISO_DLEN, size * 8 - 1);
    arch_write(spi1 + SPI1_OFF_CMD, CMD_USER);
    while (arch_read(spi1 + SPI1_OFF_CMD) & CMD_USER) {
    }
}

static uint32_t read_status(void) {
    spi1_command(CHIP_READ_STATUS | USER_IN, 0, 1);
    return arch_read(SPI1_ADDR + SPI1_OFF_W0);
}

// For ever, if need be: the watchdog ends that.
static void wait_idle(void) {
    while (read_status() & STATUS_BUSY) {
    }
}

// A program or an erase, whose data are at `data`, from its first command to the end of what the chip does.
static int spi1_change(uint32_t what, uint32_t addr, const uint32_t *data, uint32_t size) {
    wait_idle();
    spi1_command(CHIP_ENABLE_WRITE, 0, 1);
    if (!(read_status() & STATUS_WRITE_ENABLED)) {
        return MOLT_ERR_IO;
    }
    uint32_t buffer = SPI1_ADDR + SPI1_OFF_W0;
    for (uint32_t left = size; left; left -= 4) {
        arch_write(buffer, *data++);
        buffer += 4;
    }
    spi1_command(what, addr, size);
    wait_idle();
    return 0;
}

// Bytes from `addr` to where the buffer would reach into the next page, at most `size`.
static uint32_t piece_size(uint32_t addr, uint32_t size) {
    uint32_t room = BUFFER_SIZE - addr % BUFFER_SIZE;
    return size < room ? size : room;
}

static void flash_begin(void) {
    uint32_t spi1 = arch_block(SPI1_ADDR);
    arch_write(spi1 + SPI1_OFF_CTRL, CTRL_PLAIN);
    arch_write(spi1 + SPI1_OFF_CLOCK, SPI1_CLOCK);
    arch_write(spi1 + SPI1_OFF_USER1, USER1_ADDR_24);
}

static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    uint32_t *words = buf;
    while (size) {
        uint32_t piece = piece_size(addr, size);
        spi1_command(CHIP_READ | USER_ADDR | USER_IN, addr, piece);
        addr += piece;
        size -= piece;
        uint32_t buffer = SPI1_ADDR + SPI1_OFF_W0;
        for (; piece; piece -= 4) {
            *words++ = arch_read(buffer);
            buffer += 4;
        }
    }
    return 0;
}

static int flash_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    const uint32_t *words = buf;
    int err = 0;
    while (size && !err) {
        uint32_t piece = piece_size(addr, size);
        err = spi1_change(CHIP_PROGRAM | USER_ADDR | USER_OUT, addr, words, piece);
        words += piece / 4;
        addr += piece;
        size -= piece;
    }
    return err;
}

static int flash_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    return spi1_change(CHIP_ERASE_SECTOR | USER_ADDR, addr, 0, 0);
}

static int flash_erase_block(void *ctx, uint32_t addr) {
    (void)ctx;
    return spi1_change(CHIP_ERASE_BLOCK | USER_ADDR, addr, 0, 0);
}
