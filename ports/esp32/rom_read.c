// Reading flash by the mask ROM's function.

#include "loader_flash.h"
#include "rom.h"
#include "rom_result.h"

static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return rom_result(esp_rom_spiflash_read, addr, buf, size);
}
