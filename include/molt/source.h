// Where an image comes from: the bytes of a file, and the places in flash where they lie. The boot loader knows no filesystem;
// it reads the file by these places.
#ifndef MOLT_SOURCE_H
#define MOLT_SOURCE_H

#include <stdint.h>

#include "molt/flash.h"

#ifdef __cplusplus
extern "C" {
#endif

// Bytes of a file, of flash, of memory, or what is unpacked of another reader.
typedef struct molt_reader {
    void *ctx;
    uint32_t size;  // bytes that can be read
    // Read `size` bytes from `off` into `buf`; off + size never exceeds `size`. 0 or a negative molt_err_t.
    int (*read)(void *ctx, uint32_t off, void *buf, uint32_t size);
} molt_reader_t;

// Reports how far a long check has come; `done` and `total` in bytes. Non-zero stops the check with that code.
typedef int (*molt_progress_t)(void *ctx, uint32_t done, uint32_t total);

// A piece of flash that holds a piece of the file.
typedef struct molt_extent {
    uint32_t index;     // which of the sectors that hold the file, in its order, the first byte is in
    uint32_t file_off;  // the first byte's place in the file
    uint32_t addr;      // flash address of it
    uint32_t size;      // bytes; but for the file's last extent it ends where a sector does
} molt_extent_t;

typedef int molt_emit_t(void *ctx, const molt_extent_t *extent);

// A file that is not written to, moved or removed while a molt_source_t of it is in use. For littlefs src/lfs/molt_lfs.h makes one.
typedef struct molt_source {
    molt_reader_t file;     // its size and its bytes, which are read by molt_job_open() only
    uint32_t sector_count;  // sectors of flash that hold it
    uint32_t block_size;    // bytes of flash that the filesystem gives out at a time: a multiple of the sector size
    molt_region_t fs;       // the filesystem that it is on. The image may not reach into it; erase_all erases it
    // Calls `emit` for each extent, in any order. Returns 0, or the first error of `emit` or of its own.
    int (*walk)(void *ctx, molt_emit_t *emit, void *emit_ctx);
    void *ctx;  // walk's
} molt_source_t;

// A file that lies in one piece in flash, without a filesystem.
typedef struct molt_region_source {
    molt_source_t source;  // what a job is given
    const molt_flash_t *flash;
    uint32_t addr;
} molt_region_source_t;

// Make one of the `size` bytes at `addr`, which is the beginning of a sector.
void molt_region_source(molt_region_source_t *region, const molt_flash_t *flash, uint32_t addr, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
