// The ROM's flash functions: what they check, and the commands that they give.
//
// They check little: that a range ends within the size that the ROM's data has, by an addition that may wrap around, and that
// what is to be programmed is made of whole words. A program command takes 32 bytes [rom/spi_flash.h:
// ESP_ROM_SPIFLASH_BUFF_BYTE_WRITE_NUM]. Each waits until the chip is no longer busy, however long that takes.
#include <stdbool.h>

#include "board.h"
#include "chip.h"
#include "clock.h"
#include "crash.h"
#include "machine.h"
#include "nor.h"
#include "power.h"
#include "rom.h"
#include "rom_functions.h"
#include "watchdog.h"

enum { RESULT_OK = 0, RESULT_ERROR = 1 };
enum { PIECE_SIZE = 32, READ_SIZE = 4096 };
enum { READ_BYTE_NS = 100 };  // two lines at 40 MHz

// A mode as esp_rom_spiflash_config_readmode() has it: 0 and 1 use four lines.
enum { MODE_QIO = 0, MODE_QOUT = 1, MODES = 6 };
static bool is_quad;

void rom_flash_reset(void) {
    is_quad = false;
}

static struct flash_data flash_data(const char *function) {
    struct flash_data data;
    uint32_t vaddr;
    rom_load(function, soc->rom_flash_pointer_vaddr, &vaddr, sizeof vaddr);
    rom_load(function, vaddr, &data, sizeof data);
    if (data.page_size == 0 || data.sector_size == 0 || data.block_size == 0) {
        crash_call(function, "the ROM's data, at the end of the RAM, has been overwritten");
    }
    return data;
}

static void wait_idle(void) {
    while (power_is_on() && (chip_read_status() & CHIP_STATUS_WIP) != 0) {
        clock_look();
        if (chip_is_stuck() && !watchdog_is_armed()) {
            power_hang("the ROM waits for a flash chip that stays busy");
        }
    }
}

void rom_esp_rom_spiflash_wait_idle(void) {
    wait_idle();
    rom_return(RESULT_OK);
}

void rom_esp_rom_spiflash_read_status(void) {
    uint32_t status = chip_read_status();
    rom_store("esp_rom_spiflash_read_status", rom_arg(1), &status, sizeof status);
    rom_return(RESULT_OK);
}

// All bits of the status register but QE become 0.
void rom_esp_rom_spiflash_unlock(void) {
    wait_idle();
    uint8_t second = chip_read_second_status();
    chip_write_enable();
    chip_write_status((uint32_t)second << 8, 2);
    wait_idle();
    rom_return(RESULT_OK);
}

void rom_esp_rom_spiflash_config_readmode(void) {
    is_quad = rom_arg(0) == MODE_QIO || rom_arg(0) == MODE_QOUT;
    rom_return(rom_arg(0) < MODES ? RESULT_OK : RESULT_ERROR);
}

void rom_esp_rom_spiflash_config_param(void) {
    struct flash_data data = { rom_arg(0), rom_arg(1), rom_arg(2), rom_arg(3), rom_arg(4), rom_arg(5) };
    uint32_t vaddr;
    rom_load("esp_rom_spiflash_config_param", soc->rom_flash_pointer_vaddr, &vaddr, sizeof vaddr);
    rom_store("esp_rom_spiflash_config_param", vaddr, &data, sizeof data);
    rom_return(RESULT_OK);
}

// The buffer is one of words: the processor's exception, on the chip, or what nobody has tried.
static void must_be_aligned(const char *function, uint32_t vaddr) {
    if (vaddr % 4 != 0) {
        crash_call(function, "its buffer is not aligned to 4 bytes");
    }
}

void rom_esp_rom_spiflash_read(void) {
    static const char name[] = "esp_rom_spiflash_read";
    uint32_t addr = rom_arg(0), vaddr = rom_arg(1), size = rom_arg(2);
    if (addr + size > flash_data(name).chip_size) {
        rom_return(RESULT_ERROR);
        return;
    }
    must_be_aligned(name, vaddr);
    wait_idle();
    for (uint32_t done = 0; (int32_t)size > 0 && done < size;) {
        uint32_t buffer[READ_SIZE / 4];
        uint32_t piece = size - done < READ_SIZE ? (size - done + 3) & ~3u : READ_SIZE;  // whole words
        chip_read(addr + done, buffer, piece, is_quad);
        rom_store(name, vaddr + done, buffer, piece);
        nor_pass((uint64_t)piece * READ_BYTE_NS);
        done += piece;
    }
    rom_return(RESULT_OK);
}

static void program_piece(uint32_t addr, const uint8_t *data, uint32_t size) {
    wait_idle();
    chip_write_enable();
    chip_program(addr, data, size);
    wait_idle();
}

static int program_page(const struct flash_data *flash, uint32_t addr, uint32_t vaddr, uint32_t size) {
    static const char name[] = "esp_rom_spiflash_write";
    if (size % 4 != 0 || addr % flash->page_size + size > flash->page_size) {
        return RESULT_ERROR;
    }
    while (size > 0 && power_is_on()) {
        uint8_t data[PIECE_SIZE];
        uint32_t piece = size < PIECE_SIZE ? size : PIECE_SIZE;
        rom_load(name, vaddr, data, piece);
        program_piece(addr, data, piece);
        addr += piece;
        vaddr += piece;
        size -= piece;
    }
    return RESULT_OK;
}

void rom_esp_rom_spiflash_write(void) {
    static const char name[] = "esp_rom_spiflash_write";
    uint32_t addr = rom_arg(0), vaddr = rom_arg(1), size = rom_arg(2);
    struct flash_data flash = flash_data(name);
    int result = addr + size > flash.chip_size ? RESULT_ERROR : RESULT_OK;
    must_be_aligned(name, vaddr);
    while (result == RESULT_OK && (int32_t)size > 0 && power_is_on()) {
        uint32_t room = flash.page_size - addr % flash.page_size;
        uint32_t piece = size < room ? size : room;
        result = program_page(&flash, addr, vaddr, piece);
        addr += piece;
        vaddr += piece;
        size -= piece;
    }
    rom_return((uint32_t)result);
}

static void erase(uint32_t addr, uint32_t size) {
    wait_idle();
    chip_write_enable();
    chip_erase(addr, size);
    wait_idle();
    rom_return(RESULT_OK);
}

void rom_esp_rom_spiflash_erase_sector(void) {
    struct flash_data flash = flash_data("esp_rom_spiflash_erase_sector");
    if (rom_arg(0) >= flash.chip_size / flash.sector_size) {
        rom_return(RESULT_ERROR);
        return;
    }
    erase(rom_arg(0) * flash.sector_size, NOR_SECTOR_SIZE);
}

void rom_esp_rom_spiflash_erase_block(void) {
    struct flash_data flash = flash_data("esp_rom_spiflash_erase_block");
    if (rom_arg(0) >= flash.chip_size / flash.block_size) {
        rom_return(RESULT_ERROR);
        return;
    }
    erase(rom_arg(0) * flash.block_size, NOR_BLOCK_SIZE);
}

void rom_esp_rom_spiflash_erase_chip(void) {
    erase(0, nor_size());
}
