// How long a chip takes for what was counted.
#ifndef MOLT_SIM_TIMING_H
#define MOLT_SIM_TIMING_H

#include <stdint.h>

// The mask ROM's SPIWrite() sends a program command for each 32 bytes, as many as the SPI unit's buffer takes at a
// time; each pays for its first byte. Seen by running the ROM's own instructions. SDK and boot loader both go through it.
#define SIM_COMMAND_SIZE 32u

// Typical or maximum times, from the data sheets.
typedef struct sim_timing {
    const char *name;
    uint32_t erase_sector_us;
    uint32_t erase_block_us;
    uint32_t prog_first_byte_us;  // a program command of one byte
    uint32_t prog_next_byte_ns;   // each byte more
    uint32_t bits_per_us;         // of the bus, one data line: reads, and what a program sends
} sim_timing_t;

extern const sim_timing_t sim_timings[];  // sim_timings[0] is W25Q32 typical; ends with a NULL name

typedef struct sim_counts {
    uint64_t erase_sector_count;
    uint64_t erase_block_count;
    uint64_t prog_count;          // of up to a page, as molt asks for them
    uint64_t prog_command_count;  // of up to SIM_COMMAND_SIZE bytes, as they are sent
    uint64_t prog_size;           // bytes
    uint64_t read_size;           // bytes
} sim_counts_t;

// Commands for a program of `size` bytes.
uint32_t sim_command_count(uint32_t size);

// Microseconds that `counts` take on a chip.
uint64_t sim_time_us(const sim_counts_t *counts, const sim_timing_t *timing);

#endif
