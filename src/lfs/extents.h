// Where a file's bytes lie in flash. littlefs finds the file; the blocks of its list are followed from the last
// to the first by the pointer that begins each of them.
#ifndef MOLT_LFS_EXTENTS_H
#define MOLT_LFS_EXTENTS_H

#include <stdint.h>

#include "lfs/volume.h"
#include "molt/source.h"

typedef struct molt_extents {
    molt_volume_t *volume;
    uint32_t file_size;    // bytes
    uint32_t block_size;   // bytes
    uint32_t block_count;  // blocks of the file
    uint32_t last_block;   // the filesystem's number of the last one
} molt_extents_t;

// Find the file at `path` on a mounted volume.
// Returns 0, or
//   MOLT_ERR_NOENT    no such file
//   MOLT_ERR_ISDIR    a directory
//   MOLT_ERR_NOTSUP   so small that littlefs keeps it inside the directory: it has no blocks
//   MOLT_ERR_CORRUPT  damaged
//   the flash driver's error
int molt_extents_open(molt_extents_t *extents, molt_volume_t *volume, const char *path);

// Sectors that hold the file: the blocks' sectors, those of the last block only as far as the file reaches.
uint32_t molt_extents_sector_count(const molt_extents_t *extents, uint32_t sector_size);

// Call `emit` for each extent, from the last to the first.
// Returns 0, MOLT_ERR_CORRUPT (a pointer that leads out of the volume), or the error of flash or of `emit`.
int molt_extents_walk(const molt_extents_t *extents, molt_emit_t *emit, void *ctx);

#endif
