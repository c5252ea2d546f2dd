// The end of sector 0 in resident mode, and the beginning of the overlay's sector. docs/format.md, "resident
// configuration" and "overlay".
#ifndef MOLT_UPGRADE_RESIDENT_CONFIG_H
#define MOLT_UPGRADE_RESIDENT_CONFIG_H

#include "base/geometry.h"
#include "resident/resident.h"

#define RESIDENT_OVERLAY_SECTOR 7u

// Flash address of the configuration.
static inline uint32_t resident_config_addr(const molt_flash_t *flash) {
    return molt_sector_size(&flash->geometry) - MOLT_RESIDENT_CONFIG_SIZE;
}

// Lay down what find() reads.
void resident_config_store(uint8_t config[MOLT_RESIDENT_CONFIG_SIZE], uint32_t reserved_addr, const molt_loader_t *loader);

#endif
