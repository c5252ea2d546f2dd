// The memory cells of the NOR flash chip: a host file that is always the state after the last operation.
//
// An operation is the erase of a sector, of a 64 KB block or of the whole chip, or one program command, within one page.
// Programming clears bits and sets none. The run can be made to end at an operation, which is then torn (tear.h). What
// the chip does around its cells, its commands and its status register, is in chip.h.
#ifndef VBOARD_FLASH_NOR_H
#define VBOARD_FLASH_NOR_H

#include <stdbool.h>
#include <stdint.h>

#define NOR_PAGE_SIZE 256
#define NOR_SECTOR_SIZE 4096
#define NOR_BLOCK_SIZE 65536

void nor_power_on(void);
void nor_power_again(void);  // after a cut: operations are numbered, and counted, from 0 again
uint32_t nor_size(void);     // the file's size: 512 KB to 16 MB, a power of two

// Addresses beyond the chip wrap around, as address lines that do not exist are not decoded.
void nor_read(uint32_t addr, void *buffer, uint32_t size);         // counted as read by the program
void nor_peek(uint32_t addr, void *buffer, uint32_t size);         // the same, but not counted
void nor_count_read(uint32_t size);                                // read by the program, by another way
void nor_program(uint32_t addr, const void *data, uint32_t size);  // one command: at most a page's bytes
void nor_erase(uint32_t addr, uint32_t size);                      // a whole sector, 64 KB block, or the chip

uint32_t nor_operation_count(void);  // operations so far, which is the number of the next

// Cut the power at that operation. False: there is no such tear. The name has to stay.
bool nor_cut_at(uint32_t operation, const char *tear);

// A line of the log for a status register's write, which is no operation and has no number.
void nor_log_status(uint32_t value, uint32_t size, const char *writer);

void nor_end_log(void);  // the log is another process's

// The modelled clock: what the flash has taken so far.
void nor_pass(uint64_t ns);
uint64_t nor_time_ns(void);
uint64_t nor_time_us(void);

void nor_write_stats(int fd);  // members of a line of JSON

#endif
