// The flash chip as the core sees it: geometry and four callbacks.
//
// A port provides one `static const molt_flash_t`, so that a boot loader compiled as one translation unit sees
// through the pointers.
#ifndef MOLT_FLASH_H
#define MOLT_FLASH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Sizes in bytes. On every chip a sector has 4096, a block 65536 and a page 256; tests shrink them.
typedef struct molt_geometry {
    uint32_t size;         // capacity; a multiple of sector_size
    uint32_t sector_size;  // smallest erase unit
    uint32_t block_size;  // large erase unit, a multiple of sector_size; 0 where there is none. A plan counts by it, so it has to
                          // be the boot loader's: on an ESP8266 65536
    uint32_t page_size;   // largest unit of one program operation
} molt_geometry_t;

typedef struct molt_flash {
    // Handed to each callback; may be NULL.
    void *ctx;
    molt_geometry_t geometry;

    // Each callback returns 0 or MOLT_ERR_IO: other codes the core would take for findings of its own, and decide by them. `addr` counts
    // bytes from the beginning of the chip. Addresses and sizes are multiples of 4; buffers are 4-byte aligned RAM.

    // Read `size` bytes, at most a sector's worth, from anywhere.
    int (*read)(void *ctx, uint32_t addr, void *buf, uint32_t size);
    // Clear the bits that are 0 in `buf`; never crosses a page. A power cut leaves any subset cleared.
    int (*prog)(void *ctx, uint32_t addr, const void *buf, uint32_t size);
    // Set all bits of the sector at `addr`. A power cut leaves the sector in any state.
    int (*erase_sector)(void *ctx, uint32_t addr);
    // The same for the block at `addr`; unused where block_size is 0.
    int (*erase_block)(void *ctx, uint32_t addr);
} molt_flash_t;

// A piece of it.
typedef struct molt_region {
    uint32_t addr;
    uint32_t size;
} molt_region_t;

#ifdef __cplusplus
}
#endif

#endif
