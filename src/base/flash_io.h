// What is asked of any flash chip.
#ifndef MOLT_BASE_FLASH_IO_H
#define MOLT_BASE_FLASH_IO_H

#include "molt/flash.h"

// Program `size` bytes at `addr`, page by page; `data` is RAM, any number of pages, addresses and sizes as molt_flash_t's prog has them.
// Returns 0 or the driver's error. Power cut: each page may have any subset of its bits.
int molt_flash_prog(const molt_flash_t *flash, uint32_t addr, const void *data, uint32_t size);

// Whether [addr, addr + size) reads as erased: 1, 0 or the driver's error. A sector whose erase was torn can do so now and not
// later, so nothing is built on that but what has its own reading back.
int molt_flash_is_blank(const molt_flash_t *flash, uint32_t addr, uint32_t size);

#endif
