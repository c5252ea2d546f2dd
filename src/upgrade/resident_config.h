// The end of sector 0 in resident mode. docs/format.md, "resident configuration". Version 1.
#ifndef MOLT_UPGRADE_RESIDENT_CONFIG_H
#define MOLT_UPGRADE_RESIDENT_CONFIG_H

#include "molt/flash.h"
#include "molt/resident.h"

// Where it is: the last bytes of sector 0.
static inline uint32_t resident_config_addr(const molt_flash_t *flash) {
    return molt_sector_size(&flash->geometry) - MOLT_RESIDENT_CONFIG_SIZE;
}

void resident_config_store(uint8_t config[MOLT_RESIDENT_CONFIG_SIZE], uint32_t reserved_addr);

#endif
