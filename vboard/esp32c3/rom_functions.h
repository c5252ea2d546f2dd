// The mask ROM's functions: each takes its arguments from the registers and leaves its result there (rom.h).
#ifndef VBOARD_ESP32C3_ROM_FUNCTIONS_H
#define VBOARD_ESP32C3_ROM_FUNCTIONS_H

#include <stdint.h>

// The ROM's description of the flash chip, in its data. [rom/spi_flash.h: esp_rom_spiflash_chip_t]
struct flash_data {
    uint32_t device_id;
    uint32_t chip_size;
    uint32_t block_size;
    uint32_t sector_size;
    uint32_t page_size;
    uint32_t status_mask;
};

void rom_flash_reset(void);  // the mode in which the flash is read

#define ROM_ENTRY(vaddr, name) void rom_##name(void);
#define ROM_QUIET(vaddr, name)
#include "rom_entries.h"
#include "rom_entries_c2.h"
#include "rom_entries_c6.h"
#include "rom_entries_c61.h"
#include "rom_entries_h2.h"
#undef ROM_ENTRY
#undef ROM_QUIET

#endif
