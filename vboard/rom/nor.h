// The NOR flash chip: a host file that is always the state after the last operation.
//
// An operation is one sector erase, one 64 KB block erase or the program of (part of) one page. Programming
// clears bits and sets none. The run can be made to end at an operation, which is then torn (tear.h).
#ifndef VBOARD_ROM_NOR_H
#define VBOARD_ROM_NOR_H

#include <stdbool.h>
#include <stdint.h>

#define NOR_PAGE_SIZE 256
#define NOR_SECTOR_SIZE 4096
#define NOR_BLOCK_SIZE 65536

void nor_power_on(void);
uint32_t nor_size(void);   // the file's size: 512 KB to 16 MB, a power of two

// Addresses beyond the chip wrap around, as address lines that do not exist are not decoded.
void nor_read(uint32_t addr, void *buffer, uint32_t size);
void nor_peek(uint32_t addr, void *buffer, uint32_t size);          // the same, but neither counted nor timed
void nor_program(uint32_t addr, const void *data, uint32_t size);  // as many operations as pages are met
void nor_erase(uint32_t addr, uint32_t size);                      // a whole sector or 64 KB block

// The chip's write protection (block-protect bits of its status register): on until SPIUnlock().
extern bool nor_is_protected;

uint64_t nor_time_us(void);       // modelled time of all operations and reads so far
void nor_write_stats(int fd);     // the rest of a line of JSON

#endif
