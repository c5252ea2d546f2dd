// A boot loader, or a part of one, as the bytes that a port has of it.
#ifndef MOLT_LOADER_H
#define MOLT_LOADER_H

#include <stdint.h>

#include "molt/flash.h"

typedef struct molt_loader {
    const uint8_t *image;
    uint32_t size;  // bytes, a multiple of 4
    // A resident one: the CPU addresses that it uses while it loads a firmware.
    const molt_region_t *memory;
    uint32_t memory_count;
} molt_loader_t;

#endif
