// SPI1: see spi1.h. Commands of its own bits, and "user" commands, of which the chip has 01h to 06h, 15h, 20h, 35h, 5ah, 66h, 7ah, 99h, 9fh,
// d8h, and the reads. What a chip does with another nobody knows: a crash report.
#include "spi1.h"

#include <string.h>

#include "board.h"
#include "chip.h"
#include "clock.h"
#include "crash.h"
#include "machine.h"
#include "nor.h"
#include "peripherals.h"
#include "say.h"

// [ESP32-C3 Technical Reference, SPI1 registers]
enum {
    REG_ADDR = 0x04,
    REG_USER = 0x18,
    REG_USER1 = 0x1c,
    REG_USER2 = 0x20,
    REG_MOSI = 0x24,
    REG_MISO = 0x28,
    REG_STATUS = 0x2c
};
enum { REG_DATA = 0x58, DATA_SIZE = 64 };
#define COMMAND_WRITE_ENABLE 0x40000000u
#define COMMAND_WRITE_DISABLE 0x20000000u
#define COMMAND_READ_ID 0x10000000u
#define COMMAND_READ_STATUS 0x08000000u
#define COMMAND_WRITE_STATUS 0x04000000u
#define COMMAND_PROGRAM 0x02000000u
#define COMMAND_ERASE_SECTOR 0x01000000u
#define COMMAND_ERASE_BLOCK 0x00800000u
#define COMMAND_ERASE_CHIP 0x00400000u
#define COMMAND_USER 0x00040000u
#define USER_MOSI 0x08000000u
#define FLASH_MANUFACTURER 0xefu  // Winbond
#define FLASH_TYPE 0x40u

static uint32_t *reg(uint32_t off) {
    return peripheral_word(soc->spi1_vaddr + off);
}

static void give(const void *bytes, uint32_t size) {
    memcpy(reg(REG_DATA), bytes, size < DATA_SIZE ? size : DATA_SIZE);
}

// JEDEC: manufacturer, type, capacity as a power of two.
static uint32_t flash_id(void) {
    uint32_t capacity = 0;
    while (1u << capacity < nor_size()) {
        capacity++;
    }
    return FLASH_MANUFACTURER | FLASH_TYPE << 8 | capacity << 16;
}

static uint32_t user_addr(void) {
    // The bits of the address are the uppermost of the register, when they are 24 of 32.
    uint32_t bits = (*reg(REG_USER1) >> 26 & 0x3f) + 1;
    return bits >= 32 ? *reg(REG_ADDR) & 0xffffff : *reg(REG_ADDR) & ((1u << bits) - 1);
}

static void read_data(bool is_quad) {
    uint8_t bytes[DATA_SIZE];
    uint32_t size = ((*reg(REG_MISO) & 0x3ff) + 1) / 8;
    size = size < DATA_SIZE ? size : DATA_SIZE;
    chip_read(user_addr(), bytes, (size + 3) & ~3u, is_quad);
    give(bytes, size);
}

// The beginning of the chip's description of itself [JESD216]: signature, revision 1.5, one parameter header. The rest reads as erased.
static void read_description(void) {
    static const uint8_t head[] = { 'S', 'F', 'D', 'P', 5, 1, 0, 0xff };
    uint8_t bytes[DATA_SIZE];
    for (uint32_t i = 0; i < DATA_SIZE; i++) {
        uint32_t addr = user_addr() + i;
        bytes[i] = addr < sizeof head ? head[addr] : 0xff;
    }
    give(bytes, DATA_SIZE);
}

static void program(uint32_t addr, uint32_t size) {
    uint8_t bytes[DATA_SIZE];
    size = size < DATA_SIZE ? size : DATA_SIZE;
    memcpy(bytes, reg(REG_DATA), DATA_SIZE);
    chip_program(addr, bytes, size);
}

static void run_user(void) {
    uint32_t status = 0, command = *reg(REG_USER2) & 0xff;
    uint32_t sent = (*reg(REG_USER) & USER_MOSI) != 0 ? ((*reg(REG_MOSI) & 0x3ff) + 1) / 8 : 0;
    switch (command) {
        case 0x01:
            chip_write_status(*reg(REG_DATA), sent == 2 ? 2 : 1);
            break;
        case 0x02:
            program(user_addr(), sent);
            break;
        case 0x03:
        case 0x0b:
        case 0x3b:
        case 0xbb:
            read_data(false);
            break;
        case 0x6b:
        case 0xeb:
            read_data(true);
            break;
        case 0x04:
            chip_write_disable();
            break;
        case 0x05:
            status = chip_read_status();
            give(&status, 4);
            break;
        case 0x06:
            chip_write_enable();
            break;
        case 0x20:
            chip_erase(user_addr(), NOR_SECTOR_SIZE);
            break;
        case 0x15:  // the third status byte
            give(&status, 4);
            break;
        case 0x66:  // reset, and resume: of a chip that is idle
        case 0x7a:
        case 0x99:
            break;
        case 0x35:
            status = chip_read_second_status();
            give(&status, 4);
            break;
        case 0x5a:
            read_description();
            break;
        case 0x9f:
            status = flash_id();
            give(&status, 4);
            break;
        case 0xd8:
            chip_erase(user_addr(), NOR_BLOCK_SIZE);
            break;
        default:
            board_say("SPI1 user command 0x%02x", command);
            crash("a command that no flash chip here has", machine_pc());
    }
}

void spi1_run(uint32_t command) {
    uint32_t addr = *reg(REG_ADDR) & 0xffffff;
    *reg(0) = 0;
    if ((command & COMMAND_USER) != 0) {
        run_user();
    } else if ((command & COMMAND_READ_ID) != 0) {
        *reg(REG_DATA) = flash_id();
    } else if ((command & COMMAND_READ_STATUS) != 0) {
        *reg(REG_STATUS) = chip_read_status();
    } else if ((command & COMMAND_WRITE_STATUS) != 0) {
        chip_write_status(*reg(REG_STATUS), 1);
    } else if ((command & COMMAND_WRITE_ENABLE) != 0) {
        chip_write_enable();
    } else if ((command & COMMAND_WRITE_DISABLE) != 0) {
        chip_write_disable();
    } else if ((command & COMMAND_PROGRAM) != 0) {
        program(addr, *reg(REG_ADDR) >> 24);
    } else if ((command & COMMAND_ERASE_SECTOR) != 0) {
        chip_erase(addr, NOR_SECTOR_SIZE);
    } else if ((command & COMMAND_ERASE_BLOCK) != 0) {
        chip_erase(addr, NOR_BLOCK_SIZE);
    } else if ((command & COMMAND_ERASE_CHIP) != 0) {
        chip_erase(0, nor_size());
    }
    clock_look();
}
