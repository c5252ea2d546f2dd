// A littlefs volume on a region of flash, mounted by littlefs itself. No heap: the caller owns the struct, which
// must stay where it is while mounted.
#ifndef MOLT_LFS_VOLUME_H
#define MOLT_LFS_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/littlefs/lfs2.h"
#include "molt/flash.h"

// Cache and program sizes in bytes, and lookahead size in bytes, as MicroPython's VfsLfs2 chooses them: volumes
// written by either look alike.
#define MOLT_VOLUME_CACHE_SIZE 128
#define MOLT_VOLUME_PROG_SIZE 32
#define MOLT_VOLUME_LOOKAHEAD_SIZE 32

typedef struct molt_volume {
    const molt_flash_t *flash;
    molt_region_t region;
    bool is_writable;
    struct lfs2_config config;
    lfs2_t lfs;
    uint32_t read_cache[MOLT_VOLUME_CACHE_SIZE / 4];
    uint32_t prog_cache[MOLT_VOLUME_CACHE_SIZE / 4];
    uint32_t lookahead[MOLT_VOLUME_LOOKAHEAD_SIZE / 4];
} molt_volume_t;

// Mount the volume in `region`, which has to be as large as the volume.
//   block_size   of the filesystem in bytes, or 0 to find it out
//                Its disk version stays what it is, whatever is written, if littlefs is built with LFS2_MULTIVERSION.
//   is_writable  false: nothing is ever programmed or erased, so that a volume which is mounted elsewhere can
//                be read beside it (what has been synced is seen)
// Returns 0, MOLT_ERR_CORRUPT (no littlefs there), MOLT_ERR_NOTSUP (a littlefs, but of another disk version or
// beyond the region), or the flash driver's error.
int molt_volume_mount(
    molt_volume_t *volume, const molt_flash_t *flash, const molt_region_t *region, uint32_t block_size, bool is_writable);

// What the superblock block at `addr` states of its volume: where it would be if this is its first block, and the
// size of its blocks. A hint for callers that have only a dump; molt_volume_mount() tells
// whether there is a volume.
// Returns 0, MOLT_ERR_NOENT (no superblock, or one that states nonsense), or the flash driver's error.
int molt_volume_find(const molt_flash_t *flash, uint32_t addr, molt_region_t *region, uint32_t *block_size);

// Make an empty volume in `region` and mount it for writing. Erases as littlefs does: only what it needs.
int molt_volume_format(molt_volume_t *volume, const molt_flash_t *flash, const molt_region_t *region, uint32_t block_size);

#ifdef LFS2_MULTIVERSION
// The same, of the disk version that `model`, mounted, has. (littlefs has to be built for more than one version.)
int molt_volume_format_like(molt_volume_t *volume, const molt_flash_t *flash, const molt_region_t *region, uint32_t block_size,
    const molt_volume_t *model);
#endif

void molt_volume_unmount(molt_volume_t *volume);

#endif
