// The flash chip as the core sees it: geometry and four callbacks.
//
// A port provides one `static const molt_flash_t`, so that a boot loader compiled as one translation unit sees
// through the pointers.
#ifndef MOLT_FLASH_H
#define MOLT_FLASH_H

#include <stdint.h>

typedef struct molt_flash {
    // Handed to each callback; may be NULL.
    void *ctx;
    // Capacity in bytes; a multiple of sector_size.
    uint32_t size;
    // Smallest erase unit in bytes. 4096 on every chip; tests shrink it.
    uint32_t sector_size;
    // Large erase unit in bytes, a multiple of sector_size; 0 where there is none. 65536 on every chip.
    uint32_t block_size;
    // Largest unit of one program operation in bytes. 256 on every chip.
    uint32_t page_size;

    // Each callback returns 0 or a negative molt_err_t, which the core passes on. `addr` counts bytes from
    // the beginning of the chip. Addresses and sizes are multiples of 4; buffers are 4-byte aligned RAM.

    // Read `size` bytes, of any length up to sector_size.
    int (*read)(void *ctx, uint32_t addr, void *buf, uint32_t size);
    // Clear the bits that are 0 in `buf`; never crosses a page. A power cut leaves any subset cleared.
    int (*prog)(void *ctx, uint32_t addr, const void *buf, uint32_t size);
    // Set all bits of the sector at `addr`. A power cut leaves the sector in any state.
    int (*erase_sector)(void *ctx, uint32_t addr);
    // The same for the block at `addr`; unused where block_size is 0.
    int (*erase_block)(void *ctx, uint32_t addr);
} molt_flash_t;

#endif
