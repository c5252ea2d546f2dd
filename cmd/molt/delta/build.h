// Making a patch: the bytes of a delta file (docs/format.md) that turns one image into another.
#ifndef MOLT_DELTA_BUILD_H
#define MOLT_DELTA_BUILD_H

#include <stdint.h>

#include "delta/delta.h"
#include "match.h"
#include "molt/target.h"

typedef struct build_request {
    const uint8_t *old_bytes;
    const uint8_t *new_bytes;
    uint32_t old_size;
    uint32_t new_size;
    uint32_t sector_size;
    uint32_t window_size;  // bytes, a power of 2 from 512 to 32768: what the device has for unpacking
    uint32_t fs_addr;      // where the new image looks for its filesystem; 0: not known
    molt_chip_t chip;      // whose images they are
    uint32_t map_max;  // entries that the map may have, 8 bytes of the device's memory each; up to MOLT_DELTA_MAP_MAX. 0: none
    const char *old_name;  // what the images call themselves, or "": "v1.25.0 on 2025-04-15". The date is left out
    const char *new_name;
    match_progress_t *progress;  // or NULL
    void *progress_ctx;
} build_request_t;

typedef struct build_result {
    uint8_t *bytes;  // the file; to be freed
    uint32_t size;
    uint32_t window_size;  // bytes, of both streams' windows and the map
    uint32_t map_count;    // entries of the map that changes are predicted with; 0: it is smaller without
    uint32_t plain_size;   // of the smallest file without a map
    uint32_t slot_count;
    uint32_t write_count;  // sectors that are written, the first one not among them
    uint32_t stash_count;
    uint32_t cover_count;
} build_result_t;

typedef enum build_err {
    BUILD_OK = 0,
    BUILD_NO_MEMORY = -1,
    BUILD_TOO_LARGE = -2,  // the images have more sectors than a device takes
    BUILD_TOO_MIXED =
        1,  // more slots would be needed than a patch can have: the images have little in common, or all in other places
    BUILD_WRONG = 2,  // what was built does not make the new image: a fault of this program
} build_err_t;

// The smallest that is found. result->bytes are to be freed, whatever is returned.
build_err_t build_delta(build_result_t *result, const build_request_t *request);

// Do with it what a device does before it writes anything. BUILD_OK, BUILD_WRONG or BUILD_NO_MEMORY.
build_err_t build_prove(const build_result_t *result, const build_request_t *request);

#endif
