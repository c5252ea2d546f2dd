// Sector, block and page size: of the chip or, in a boot loader of one chip, constants.
#ifndef MOLT_BASE_GEOMETRY_H
#define MOLT_BASE_GEOMETRY_H

#include "base/config.h"
#include "molt/flash.h"

static inline uint32_t molt_sector_size(const molt_geometry_t *geometry) {
    return MOLT_FIXED_GEOMETRY ? 4096 : geometry->sector_size;
}

static inline uint32_t molt_block_size(const molt_geometry_t *geometry) {
    return MOLT_FIXED_GEOMETRY ? 65536 : geometry->block_size;
}

static inline uint32_t molt_page_size(const molt_geometry_t *geometry) {
    return MOLT_FIXED_GEOMETRY ? 256 : geometry->page_size;
}

#endif
