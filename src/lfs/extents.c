// From a file to its flash addresses. What is known here of littlefs's disk format (its SPEC, "CTZ skip-list"):
// a file is a list of blocks; block n >= 1 begins with ctz(n) + 1 pointers of 4 bytes, little-endian, the first of
// which is the block before it; data fill the rest.

#include "lfs/extents.h"

#include "base/bytes.h"
#include "base/geometry.h"
#include "molt/error.h"

static uint32_t pointers_size(uint32_t index) {
    uint32_t count = 0;
    if (index) {
        for (count = 1; (index & 1) == 0; index >>= 1) {
            count++;
        }
    }
    return 4 * count;
}

// As littlefs marks it.
#define CACHE_IS_EMPTY ((lfs2_block_t)-1)

static int open_file(molt_volume_t *volume, lfs2_file_t *file, const char *path, struct lfs2_file_config *config) {
    struct lfs2_info info;
    int err = lfs2_stat(&volume->lfs, path, &info);
    if (err) {
        return err;
    }
    if (info.type != LFS2_TYPE_REG) {
        return MOLT_ERR_ISDIR;
    }
    return lfs2_file_opencfg(&volume->lfs, file, path, LFS2_O_RDONLY, config);
}

// Size and last block of the file, as its directory entry has them.
static int look_up(molt_extents_t *extents, molt_volume_t *volume, const char *path) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    int err = open_file(volume, &file, path, &config);
    if (err) {
        return err;
    }
    bool is_inline = (file.flags & LFS2_F_INLINE) != 0;
    *extents = (molt_extents_t){
        .volume = volume,
        .file_size = file.ctz.size,
        .block_size = volume->config.block_size,
        .last_block = file.ctz.head,
    };
    err = lfs2_file_close(&volume->lfs, &file);
    return err ? err : is_inline ? MOLT_ERR_NOTSUP : 0;
}

int molt_extents_open(molt_extents_t *extents, molt_volume_t *volume, const char *path) {
    // Twice, and from flash: littlefs reads the entry without its CRC, and an image that does not say itself how long it is would
    // be taken for a shorter one.
    molt_extents_t first;
    int err = look_up(&first, volume, path);
    volume->lfs.rcache.block = CACHE_IS_EMPTY;
    err = err ? err : look_up(extents, volume, path);
    if (err) {
        return err;
    }
    if (first.file_size != extents->file_size || first.last_block != extents->last_block) {
        return MOLT_ERR_IO;
    }
    // A damaged directory can state any size.
    uint32_t held = 0;
    while (held < extents->file_size) {
        if (extents->block_count == volume->config.block_count) {
            return MOLT_ERR_CORRUPT;
        }
        held += extents->block_size - pointers_size(extents->block_count);
        extents->block_count++;
    }
    return 0;
}

// Where the last block's data begin in the file.
static uint32_t last_file_off(const molt_extents_t *extents) {
    uint32_t off = 0;
    for (uint32_t i = 0; i + 1 < extents->block_count; i++) {
        off += extents->block_size - pointers_size(i);
    }
    return off;
}

uint32_t molt_extents_sector_count(const molt_extents_t *extents, uint32_t sector_size) {
    uint32_t last = extents->block_count - 1;
    uint32_t last_size = extents->file_size - last_file_off(extents) + pointers_size(last);
    return last * (extents->block_size / sector_size) + ceil_div(last_size, sector_size);
}

int molt_extents_walk(const molt_extents_t *extents, molt_emit_t *emit, void *ctx) {
    const molt_volume_t *volume = extents->volume;
    uint32_t block = extents->last_block;
    uint32_t file_off = last_file_off(extents);
    uint32_t end = extents->file_size;
    uint32_t sectors_per_block = extents->block_size / molt_sector_size(&volume->flash->geometry);
    for (uint32_t index = extents->block_count; index-- > 0;) {
        if (block >= volume->config.block_count) {
            return MOLT_ERR_CORRUPT;
        }
        uint32_t addr = volume->region.addr + block * extents->block_size;
        molt_extent_t extent = { index * sectors_per_block, file_off, addr + pointers_size(index), end - file_off };
        int err = emit(ctx, &extent);
        if (err) {
            return err;
        }
        if (index > 0) {
            uint32_t pointer;
            err = volume->flash->read(volume->flash->ctx, addr, &pointer, sizeof pointer);
            if (err) {
                return err;
            }
            block = load32_le((const uint8_t *)&pointer);
            end = file_off;
            file_off -= extents->block_size - pointers_size(index - 1);
        }
    }
    return 0;
}
