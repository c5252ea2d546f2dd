// Where the cells of the NOR flash chip are kept: each board has its own way to them.
#ifndef VBOARD_FLASH_CELLS_H
#define VBOARD_FLASH_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#define CELLS_SECTOR_SIZE 4096

// Open the flash file. Returns its size in bytes; ends the run with EXIT_BROKEN if there is none.
uint32_t cells_open(const char *path);

// Ranges end within the chip.
void cells_read(uint32_t addr, void *to, uint32_t size);

// A part of a sector: the bytes from addr on, to be changed in place, and stored by the second.
uint8_t *cells_borrow(uint32_t addr);
void cells_store(uint32_t addr, const uint8_t *borrowed, uint32_t size);

void cells_blank(uint32_t addr);  // a whole sector becomes 0xff

void cells_operation(uint32_t number);  // an operation begins

// The bytes at addr are now others, for whoever keeps a copy.
void cells_changed(uint32_t addr, uint32_t size);

// The power is gone in an operation, which has been torn. May return, if the board runs on after the next power-on; until
// nor_power_on() nothing is changed.
void cells_power_lost(void);

#endif
