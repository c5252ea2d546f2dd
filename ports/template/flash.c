// A flash chip for molt: copy this folder, and make each callback do what it says. docs/porting.md has the contract.
//
// As it stands the chip is an array in RAM, so that the file compiles, and shows with how little it can be done.

#include "flash.h"

#include "molt/error.h"

// What the data sheet says. A port for one board has constants here; one that finds out its chip at run time fills
// in a molt_flash_t of the caller's, as ports/esp8266/flash.c does.
#define CHIP_SIZE 0x40000u
#define SECTOR_SIZE 4096u
#define BLOCK_SIZE 65536u
#define PAGE_SIZE 256u

// In place of the chip.
static uint32_t chip[CHIP_SIZE / 4];

// Read `size` bytes at `addr`. Multiples of 4, `buf` 4-aligned, at most a sector's worth, never past the chip's end:
// the core sees to that. What the chip cannot do is MOLT_ERR_IO; a driver that knows better returns its own code
// below 0, and it comes out unchanged at the other end.
static int template_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    uint32_t *out = buf;
    for (uint32_t i = 0; i < size / 4; i++) {
        out[i] = chip[addr / 4 + i];
    }
    return 0;
}

// Clear the bits that are 0 in `buf`; leave the others. Within one page. Return when the chip is done, not when it
// has begun. Programming a word again with more of its bits cleared has to work: the journal lives on it, so a chip
// whose pages have a checksum of their own (most NAND) will not do.
static int template_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    const uint32_t *data = buf;
    for (uint32_t i = 0; i < size / 4; i++) {
        chip[addr / 4 + i] &= data[i];
    }
    return 0;
}

static int erase(uint32_t addr, uint32_t size) {
    for (uint32_t i = 0; i < size / 4; i++) {
        chip[addr / 4 + i] = UINT32_MAX;
    }
    return 0;
}

// Set all bits of the sector at `addr`.
static int template_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    return erase(addr, SECTOR_SIZE);
}

// The same for the block at `addr`. A chip without: geometry.block_size 0, and NULL here. Steps are planned sector by
// sector then.
static int template_erase_block(void *ctx, uint32_t addr) {
    (void)ctx;
    return erase(addr, BLOCK_SIZE);
}

// `static const` where that is possible: a boot loader compiled in one piece sees through the pointers.
const molt_flash_t molt_template_flash = {
    .ctx = 0,
    .geometry = { CHIP_SIZE, SECTOR_SIZE, BLOCK_SIZE, PAGE_SIZE },
    .read = template_read,
    .prog = template_prog,
    .erase_sector = template_erase_sector,
    .erase_block = template_erase_block,
};
