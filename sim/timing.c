// Times of flash chips.

#include "timing.h"

#include <stddef.h>

// Bytes of a program command before its data: the command and 3 of address.
#define COMMAND_HEADER_SIZE 4u

// Sources: Winbond W25Q32JV (rev. H), GigaDevice GD25Q32C, Macronix MX25L3233F, ISSI IS25LP032: typical and maximum
// times of sector erase, 64 KB block erase, first byte of a program and each byte more. Macronix and ISSI state the first
// byte and the page only (30 and 400 us): a byte more is then what is left of the page, shared out.
//
// The bus: one data line at 20 MHz. The real mask ROM takes the mode from byte 2 of the image's header (so most devices
// read with two lines or four) and leaves the clock alone; what clock that is on a given board nobody has measured here.
// So times of reads are on the careful side.
const sim_timing_t sim_timings[] = {
    { "W25Q32", 45000, 150000, 30, 2500, 20 },
    { "W25Q32 max", 400000, 2000000, 50, 12000, 20 },
    { "GD25Q32", 50000, 200000, 30, 2500, 20 },
    { "GD25Q32 max", 400000, 3000000, 50, 12000, 20 },
    { "MX25L3233F", 45000, 150000, 30, 1451, 20 },
    { "IS25LP032", 25000, 70000, 30, 1451, 20 },
    { NULL, 0, 0, 0, 0, 0 },
};

uint32_t sim_command_count(uint32_t size) {
    return (size + SIM_COMMAND_SIZE - 1) / SIM_COMMAND_SIZE;
}

uint64_t sim_time_us(const sim_counts_t *counts, const sim_timing_t *timing) {
    uint64_t next_byte_count = counts->prog_size - counts->prog_command_count;
    uint64_t prog_us = counts->prog_command_count * timing->prog_first_byte_us
                       + next_byte_count * timing->prog_next_byte_ns / 1000;
    uint64_t sent_size = counts->prog_size + counts->prog_command_count * COMMAND_HEADER_SIZE;
    return counts->erase_sector_count * timing->erase_sector_us + counts->erase_block_count * timing->erase_block_us + prog_us
           + (sent_size + counts->read_size) * 8 / timing->bits_per_us;
}
