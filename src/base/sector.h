// Writing a sector, on which everything else rests: what was written is read back.
#ifndef MOLT_SECTOR_H
#define MOLT_SECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"

// How often a sector is erased and programmed before flash counts as failing. Where the sector is the one that the chip
// starts from nothing boots until it is right, so it is not given up soon.
#define MOLT_SECTOR_TRIES 16

// Make the sector at `addr` hold `data` (sector_size bytes, 4-aligned), read back and compared.
//   is_blank  the sector is known to be erased: the first try does without an erase
// Pages of 0xFF are not programmed. The sector's first page is programmed last, so that a boot sector is
// bootable when it is complete and not before.
// Returns 0, MOLT_ERR_IO (not what was programmed after MOLT_SECTOR_TRIES tries), or the driver's error.
// Power cut: the sector may hold anything.
// Cost: one sector erase, up to 16 page programs, one read of the sector.
int molt_sector_write(const molt_flash_t *flash, uint32_t addr, const uint8_t *data, bool is_blank);

// Whether the sector at `addr` holds `data` (sector_size bytes, 4-aligned).
// Returns 0, MOLT_ERR_IO if it does not, or the driver's error. Cost: one read of the sector.
int molt_sector_verify(const molt_flash_t *flash, uint32_t addr, const uint8_t *data);

#endif
