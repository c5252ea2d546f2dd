// The flash cache: what makes the first, or another, megabyte of flash readable at 0x40200000.
#ifndef VBOARD_ROM_CACHE_H
#define VBOARD_ROM_CACHE_H

#include <stdint.h>

void cache_reset(void);  // off, as after any reset

// Operations change the flash under the window.
void cache_flash_changed(uint32_t addr, uint32_t size);

// A flash command is given; with the cache on, it and the cache would fight over the chip.
void cache_note_command(const char *function);

#endif
