// Reading flash by SPI1 itself, where the mask ROM's function is not to be trusted: of an ESP32-C6 v0.0 it returns wrong bytes
// until it is set up in ways that ESP-IDF only hints at (bootloader_flash.c, "workarounds for the ROM SPI flash APIs").
//
// Command 03h, one line, at 20 MHz: no dummy cycles, and within what every flash chip takes. The registers are set as the second-stage
// boot loader sets them for its own commands (bootloader_flash_execute_command_common()), and are put back, as it does, but for the
// clock: programming and erasing are the ROM's, and 20 MHz will do for them. Source of the registers: the chip's Technical Reference
// Manual and ESP-IDF's soc/spi_mem_reg.h.

#include "chip.h"
#include "loader_flash.h"

enum {
    SPI1_CMD = 0x00 / 4,
    SPI1_FLASH_ADDR = 0x04 / 4,
    SPI1_CTRL = 0x08 / 4,
    SPI1_CLOCK = 0x14 / 4,
    SPI1_USER = 0x18 / 4,
    SPI1_USER1 = 0x1c / 4,
    SPI1_USER2 = 0x20 / 4,
    SPI1_MISO_LENGTH = 0x28 / 4,
    SPI1_DATA = 0x58 / 4,
};
#define SPI1_CMD_USER 0x00040000u       // begin; 0 again when it is done
#define SPI1_CTRL_WP 0x00200000u        // the line WP is high
#define SPI1_CLOCK_20_MHZ 0x00030103u   // a quarter of 80 MHz
#define SPI1_USER_READ 0xd0000000u      // a command, an address, bytes to be read
#define SPI1_USER_KEPT 0x000000ffu      // times of the line CS
#define SPI1_USER1_ADDR_24 0x5c000000u  // bits of the address, less 1
#define SPI1_USER2_COMMAND 0x70000003u  // 8 bits, less 1; 03h
#define SPI1_DATA_SIZE 64u

static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    volatile uint32_t *spi1 = (volatile uint32_t *)SPI1_ADDR;
    uint32_t *to = buf;
    (void)ctx;
    __asm__("" : "+r"(spi1));  // a register holds it: the code is smaller
    uint32_t ctrl = spi1[SPI1_CTRL];
    uint32_t user = spi1[SPI1_USER];
    uint32_t user1 = spi1[SPI1_USER1];
    uint32_t user2 = spi1[SPI1_USER2];
    spi1[SPI1_CTRL] = SPI1_CTRL_WP;
    spi1[SPI1_CLOCK] = SPI1_CLOCK_20_MHZ;
    spi1[SPI1_USER] = SPI1_USER_READ | (user & SPI1_USER_KEPT);
    spi1[SPI1_USER1] = SPI1_USER1_ADDR_24;
    spi1[SPI1_USER2] = SPI1_USER2_COMMAND;
    spi1[SPI1_MISO_LENGTH] = 8 * SPI1_DATA_SIZE - 1;
    while (size) {
        spi1[SPI1_FLASH_ADDR] = addr;
        spi1[SPI1_CMD] = SPI1_CMD_USER;
        while (spi1[SPI1_CMD]) {
        }
        for (uint32_t i = SPI1_DATA; size && i < SPI1_DATA + SPI1_DATA_SIZE / 4; i++) {
            *to++ = spi1[i];
            addr += 4;
            size -= 4;
        }
    }
    spi1[SPI1_CTRL] = ctrl;
    spi1[SPI1_USER] = user;
    spi1[SPI1_USER1] = user1;
    spi1[SPI1_USER2] = user2;
    return 0;
}
