// A serial NOR flash chip: what it does with each command that reaches it over SPI. Programming only clears bits, erasing
// takes time, the status registers are the chip's own and survive a power cut, a command that comes while the chip is
// busy or not write-enabled is ignored, as chips do, and counted as a fault of whoever sent it.
//
// Power cuts: programs and erases are numbered from 0. A cut in operation n leaves its range in the state that the tear
// says, everything else as it was, and the chip dead. Writing a status register is no numbered operation.
#ifndef MASKROM_NOR_H
#define MASKROM_NOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// Bits of status register 1; in register 2 is NOR_SR2_QE.
#define NOR_SR1_WIP 0x01u
#define NOR_SR1_WEL 0x02u
#define NOR_SR1_PROTECT 0x3cu  // BP0 to BP2, and the fourth bit that goes with them; any of them protects everything here
#define NOR_SR1_QE 0x40u
#define NOR_SR2_QE 0x02u

// Where a chip has the bit that makes its two upper pins data lines.
typedef enum nor_quad {
    NOR_QUAD_SR2,     // bit 1 of status register 2
    NOR_QUAD_SR1,     // bit 6 of status register 1
    NOR_QUAD_ALWAYS,  // it has none, or needs none
} nor_quad_t;

// What a write of status register 1 (01h) does to register 2.
typedef enum nor_wrsr {
    NOR_WRSR_TWO,    // the second byte, if there is one, goes there
    NOR_WRSR_CLEAR,  // likewise; without one it is cleared
    NOR_WRSR_ONE,    // nothing: register 2 has a command of its own, 31h
} nor_wrsr_t;

typedef struct nor_kind {
    const char *name;  // as on the command line
    const char *text;
    nor_quad_t quad;
    nor_wrsr_t wrsr;
    uint8_t sr1_new;  // the registers of a chip that is new
    uint8_t sr2_new;
} nor_kind_t;

extern const nor_kind_t nor_kinds[];  // ends with a NULL name

// Of the data sheets of W25Q32JV, GD25Q32C and MX25L3233F: the longest typical one of each, in microseconds.
enum {
    NOR_SECTOR_US = 50000,
    NOR_BLOCK32_US = 150000,
    NOR_BLOCK_US = 200000,
    NOR_STATUS_US = 10000,
    NOR_PROGRAM_FIRST_NS = 30000,
    NOR_PROGRAM_NEXT_NS = 2500,
    NOR_PAGE_US = 600,
};

typedef enum nor_tear {
    NOR_BEFORE,  // nothing was done
    NOR_AFTER,   // all was done
    NOR_PREFIX,  // the first half
    NOR_SUFFIX,  // the second half
    NOR_RANDOM,  // each bit that was to change did or did not
    NOR_STRAY,   // all but one bit
    NOR_ZERO,    // an erase: all bits 0, as chips do that pre-program
    NOR_TEAR_COUNT,
} nor_tear_t;

typedef struct nor {
    const nor_kind_t *kind;
    uint8_t *bytes;
    uint32_t size;  // a power of two
    uint8_t sr1;    // without WIP and WEL, which are:
    uint8_t sr2;
    bool is_enabled;
    uint64_t busy_until_ns;
    uint32_t random;  // state of the generator of tears and noise
    // Power cut: in the operation with this number; -1 for none.
    int64_t cut_op;
    nor_tear_t cut_tear;
    bool is_cut;
    // Counted.
    uint64_t op_count;
    uint64_t program_count;
    uint64_t sector_count;
    uint64_t block_count;
    uint64_t status_write_count;
    uint64_t status_read_count;
    uint64_t read_size;
    uint64_t noise_count;  // quad reads while the chip was not in quad mode
    uint64_t fault_count;
    char fault[120];  // the first one, in words
    FILE *log;        // a line for each operation; NULL for none
} nor_t;

// One command, chip select to chip select.
typedef struct nor_command {
    uint8_t opcode;
    uint32_t addr;
    const uint8_t *out;  // data to the chip
    uint32_t out_size;
    uint8_t *in;  // data from the chip
    uint32_t in_size;
} nor_command_t;

// The kind of that name, or NULL.
const nor_kind_t *nor_kind(const char *name);

// A tear's number, or -1.
int nor_tear(const char *name);

void nor_do(nor_t *nor, const nor_command_t *command, uint64_t now_ns);

bool nor_is_busy(const nor_t *nor, uint64_t now_ns);

#endif
