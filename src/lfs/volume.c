// littlefs on a region of flash: the block device callbacks, and finding out the block size.

#include "lfs/volume.h"

#include "base/bytes.h"
#include "base/flash_io.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "molt/error.h"

// Block sizes that are tried where it is not known, most usual first.
static const uint32_t block_sizes[] = { 4096, 8192, 16384, 32768, 65536, 2048, 1024, 512, 256, 128 };

#define BLOCK_SIZE_MIN 128u

static uint32_t block_addr(const struct lfs2_config *config, lfs2_block_t block) {
    const molt_volume_t *volume = config->context;
    return volume->region.addr + block * config->block_size;
}

// littlefs asks for blocks below block_count only, but a damaged volume states its own block_count.
static bool is_inside(const struct lfs2_config *config, lfs2_block_t block) {
    const molt_volume_t *volume = config->context;
    return block < volume->region.size / config->block_size;
}

static int device_read(const struct lfs2_config *config, lfs2_block_t block, lfs2_off_t off, void *buf, lfs2_size_t size) {
    const molt_volume_t *volume = config->context;
    if (!is_inside(config, block)) {
        return LFS2_ERR_CORRUPT;
    }
    return volume->flash->read(volume->flash->ctx, block_addr(config, block) + off, buf, size);
}

static int device_prog(const struct lfs2_config *config, lfs2_block_t block, lfs2_off_t off, const void *buf, lfs2_size_t size) {
    const molt_volume_t *volume = config->context;
    if (!volume->is_writable || !is_inside(config, block)) {
        return LFS2_ERR_IO;
    }
    return molt_flash_prog(volume->flash, block_addr(config, block) + off, buf, size);
}

static int device_erase(const struct lfs2_config *config, lfs2_block_t block) {
    const molt_volume_t *volume = config->context;
    const molt_flash_t *flash = volume->flash;
    if (!volume->is_writable || !is_inside(config, block)) {
        return LFS2_ERR_IO;
    }
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    uint32_t addr = block_addr(config, block);
    for (uint32_t off = 0; off < config->block_size; off += sector_size) {
        int err = flash->erase_sector(flash->ctx, addr + off);
        if (err) {
            return err;
        }
    }
    return 0;
}

static int device_sync(const struct lfs2_config *config) {
    (void)config;
    return 0;
}

static void configure(molt_volume_t *volume, uint32_t block_size) {
    volume->config = (struct lfs2_config){
        .context = volume,
        .read = device_read,
        .prog = device_prog,
        .erase = device_erase,
        .sync = device_sync,
        .read_size = MOLT_VOLUME_PROG_SIZE,
        .prog_size = MOLT_VOLUME_PROG_SIZE,
        .block_size = block_size,
        .block_count = volume->region.size / block_size,
        .block_cycles = 100,
        .cache_size = min_u32(MOLT_VOLUME_CACHE_SIZE, block_size),
        .lookahead_size = MOLT_VOLUME_LOOKAHEAD_SIZE,
        .read_buffer = volume->read_cache,
        .prog_buffer = volume->prog_cache,
        .lookahead_buffer = volume->lookahead,
    };
}

// Offsets in the first commit of a superblock block (littlefs's SPEC, "superblock"): the magic string, then after
// one more tag version, block size and block count.
enum { SUPER_OFF_MAGIC = 8, SUPER_OFF_BLOCK_SIZE = 24, SUPER_OFF_BLOCK_COUNT = 28, SUPER_SIZE = 32 };

int molt_volume_find(const molt_flash_t *flash, uint32_t addr, molt_region_t *region, uint32_t *block_size) {
    uint32_t words[SUPER_SIZE / 4];
    const uint8_t *bytes = (const uint8_t *)words;
    if (!range_within(addr, SUPER_SIZE, flash->geometry.size)) {
        return MOLT_ERR_NOENT;
    }
    int err = flash->read(flash->ctx, addr, words, SUPER_SIZE);
    if (err) {
        return err;
    }
    uint32_t size = load32_le(bytes + SUPER_OFF_BLOCK_SIZE);
    uint32_t count = load32_le(bytes + SUPER_OFF_BLOCK_COUNT);
    // The count cannot be checked against the room behind `addr`: this may be the second block.
    if (memcmp(bytes + SUPER_OFF_MAGIC, "littlefs", 8) != 0 || size < BLOCK_SIZE_MIN || size > flash->geometry.size || count < 2
        || count > flash->geometry.size / size) {
        return MOLT_ERR_NOENT;
    }
    *region = (molt_region_t){ addr, size * count };
    *block_size = size;
    return 0;
}

// One of the two superblock blocks states this block size. littlefs 2.8 does not ask: it mounts any pair of blocks
// that look like a directory. Returns 0, MOLT_ERR_CORRUPT if neither does, or the driver's error.
static int check_stated(const molt_volume_t *volume, uint32_t block_size) {
    int result = MOLT_ERR_CORRUPT;
    for (uint32_t i = 0; i < 2; i++) {
        molt_region_t region;
        uint32_t stated_size;
        int err = molt_volume_find(volume->flash, volume->region.addr + i * block_size, &region, &stated_size);
        if (!err && stated_size == block_size) {
            return 0;
        }
        if (err && err != MOLT_ERR_NOENT) {
            result = err;
        }
    }
    return result;
}

// A volume stays of the disk version that it has: left to itself littlefs makes it one of its own version at the first
// write, and a firmware with an older littlefs mounts it no more. Mounts once more where that is needed. A littlefs built
// without LFS2_MULTIVERSION (MicroPython's) cannot do this; molt mounts for reading there.
static int keep_version(molt_volume_t *volume) {
#ifdef LFS2_MULTIVERSION
    struct lfs2_fsinfo info;
    int err = lfs2_fs_stat(&volume->lfs, &info);
    if (!err && info.disk_version != LFS2_DISK_VERSION) {
        (void)lfs2_unmount(&volume->lfs);
        volume->config.disk_version = info.disk_version;
        err = lfs2_mount(&volume->lfs, &volume->config);
    }
    return err;
#else
    (void)volume;
    return 0;
#endif
}

static int try_mount(molt_volume_t *volume, uint32_t block_size) {
    if (volume->region.size / block_size < 2) {
        return MOLT_ERR_CORRUPT;
    }
    int err = check_stated(volume, block_size);
    if (err) {
        return err;
    }
    // The number of blocks is given, not left to littlefs to find out: littlefs 2.8 divides by the number that it
    // finds, also where it finds none.
    configure(volume, block_size);
    err = lfs2_mount(&volume->lfs, &volume->config);
    if (!err) {
        err = keep_version(volume);
    }
    return err == LFS2_ERR_INVAL ? MOLT_ERR_NOTSUP : err;
}

int molt_volume_mount(
    molt_volume_t *volume, const molt_flash_t *flash, const molt_region_t *region, uint32_t block_size, bool is_writable) {
    *volume = (molt_volume_t){ .flash = flash, .region = *region, .is_writable = is_writable };
    if (block_size) {
        return try_mount(volume, block_size);
    }
    int err = MOLT_ERR_CORRUPT;
    for (uint32_t i = 0; i < sizeof block_sizes / sizeof block_sizes[0]; i++) {
        int result = try_mount(volume, block_sizes[i]);
        if (result == 0) {
            return 0;
        }
        // Of all the failures the one that says most.
        if (result != MOLT_ERR_CORRUPT) {
            err = result;
        }
    }
    return err;
}

static int format(
    molt_volume_t *volume, const molt_flash_t *flash, const molt_region_t *region, uint32_t block_size, uint32_t disk_version) {
    *volume = (molt_volume_t){ .flash = flash, .region = *region, .is_writable = true };
    if (region->size / block_size < 2 || block_size % molt_sector_size(&flash->geometry) != 0) {
        return MOLT_ERR_INVAL;
    }
    configure(volume, block_size);
#ifdef LFS2_MULTIVERSION
    volume->config.disk_version = disk_version;
#else
    (void)disk_version;
#endif
    int err = lfs2_format(&volume->lfs, &volume->config);
    return err ? err : lfs2_mount(&volume->lfs, &volume->config);
}

int molt_volume_format(molt_volume_t *volume, const molt_flash_t *flash, const molt_region_t *region, uint32_t block_size) {
    return format(volume, flash, region, block_size, 0);
}

#ifdef LFS2_MULTIVERSION
int molt_volume_format_like(molt_volume_t *volume, const molt_flash_t *flash, const molt_region_t *region, uint32_t block_size,
    const molt_volume_t *model) {
    return format(volume, flash, region, block_size, model->config.disk_version);
}
#endif

void molt_volume_unmount(molt_volume_t *volume) {
    (void)lfs2_unmount(&volume->lfs);
}
