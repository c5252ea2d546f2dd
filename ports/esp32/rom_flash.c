// Programming and erasing flash by the mask ROM's functions.

#include "loader_flash.h"
#include "rom.h"
#include "rom_result.h"

// It is as the second-stage boot loader has set it up.
static void flash_begin(void) {
}

static int flash_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    return rom_result(esp_rom_spiflash_write, addr, (void *)(uintptr_t)buf, size);
}

static int flash_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    return rom_result(esp_rom_spiflash_erase_sector, addr / SECTOR_SIZE, 0, 0);
}

static int flash_erase_block(void *ctx, uint32_t addr) {
    (void)ctx;
    return rom_result(esp_rom_spiflash_erase_block, addr / BLOCK_SIZE, 0, 0);
}
