// Writing a sector, on which everything else rests: what was written is read back.
#ifndef MOLT_SECTOR_H
#define MOLT_SECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"

// How often a sector is erased and programmed before flash counts as failing. Where the sector is the one that the chip
// starts from nothing boots until it is right, so it is not given up soon.
#define MOLT_SECTOR_TRIES 16

// Bytes at a sector's begin that are programmed last, by themselves: of a boot sector the header that says that it is an
// image. A checksum of one byte, as the ESP8266's mask ROM has it, takes one damaged sector in 256 for a good one; a sector
// without a header it takes for none. (What a cut leaves of the header itself no checksum sees.)
// 16: the most that flash chips of microcontrollers program at once.
#define MOLT_SECTOR_HEADER_SIZE 16u

// Make the sector at `addr` hold `data` (sector_size bytes, 4-aligned), read back and compared.
//   is_blank  the sector is known to be erased: the first try does without an erase
// Pages of 0xFF are not programmed. The header is programmed last, when all else is there: a boot sector is bootable when
// it is complete and not before.
// Returns 0, MOLT_ERR_IO (not what was programmed after MOLT_SECTOR_TRIES tries), or the driver's error.
// Power cut: the sector may hold anything.
// Cost: one sector erase, up to 17 page programs, one read of the sector.
int molt_sector_write(const molt_flash_t *flash, uint32_t addr, const uint8_t *data, bool is_blank);

// Whether the sector at `addr` holds `data` (sector_size bytes, 4-aligned).
// Returns 0, MOLT_ERR_IO if it does not, or the driver's error. Cost: one read of the sector.
int molt_sector_verify(const molt_flash_t *flash, uint32_t addr, const uint8_t *data);

#endif
