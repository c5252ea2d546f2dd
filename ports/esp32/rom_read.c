// Reading flash by the mask ROM's function. Its result: rom_flash.c.

#include "loader_flash.h"
#include "rom.h"

static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return -esp_rom_spiflash_read(addr, buf, size);
}
