// molt.head: what is in it, and where in flash that lies. docs/format.md has the layout.

#include "head_file.h"

#include "bytes.h"
#include "libc.h"
#include "molt/crc32.h"
#include "molt/error.h"
#include "molt/report.h"

// Where things begin in the saved file: the first bytes of its first, second and third block, so that each lies in
// one piece. (A block begins with its pointers: none in the first, one in the second, two in the third.)
static uint32_t report_off(const molt_upgrade_t *upgrade) {
    return upgrade->extents.block_size;
}

static uint32_t extension_off(const molt_upgrade_t *upgrade) {
    return 2 * upgrade->extents.block_size - 4;
}

static uint32_t extension_size(const molt_upgrade_t *upgrade) {
    return upgrade->is_gzip && upgrade->extension ? upgrade->extension->size : 0;
}

uint32_t molt_upgrade_saved_size(const molt_upgrade_t *upgrade) {
    if (upgrade->is_resident) {
        return 0;
    }
    uint32_t size = extension_size(upgrade);
    return size ? extension_off(upgrade) + size : report_off(upgrade) + MOLT_REPORT_SIZE;
}

// Copy what of [part_off, part_off + part_size) falls into the `size` bytes at `off` of the file.
static void lay(uint8_t *buf, uint32_t off, uint32_t size, const uint8_t *part, uint32_t part_off, uint32_t part_size) {
    if (ranges_overlap(off, size, part_off, part_size)) {
        uint32_t begin = off > part_off ? off : part_off;
        uint32_t end = min_u32(off + size, part_off + part_size);
        memcpy(buf + (begin - off), part + (begin - part_off), end - begin);
    }
}

int molt_upgrade_saved_bytes(const molt_upgrade_t *upgrade, uint32_t off, uint8_t *buf, uint32_t size) {
    uint32_t sector_size = molt_sector_size(&upgrade->flash->geometry);
    uint32_t head_size = off < sector_size ? min_u32(size, sector_size - off) : 0;
    int err = head_size ? upgrade->flash->read(upgrade->flash->ctx, off, buf, head_size) : 0;
    if (err) {
        return err;
    }
    memset(buf + head_size, 0xff, size - head_size);
    uint8_t report[MOLT_REPORT_SIZE];
    molt_report_init(report, upgrade->plan.image_crc);
    lay(buf, off, size, report, report_off(upgrade), MOLT_REPORT_SIZE);
    if (extension_size(upgrade)) {
        lay(buf, off, size, upgrade->extension->image, extension_off(upgrade), extension_size(upgrade));
    }
    return 0;
}

// The blocks of the saved file, by their flash addresses; 0 where there is none.
typedef struct saved_blocks {
    uint32_t addr[3];
    uint32_t size[3];
} saved_blocks_t;

static int on_saved_extent(void *ctx, const molt_extent_t *extent) {
    saved_blocks_t *blocks = ctx;
    if (extent->index < 3) {
        blocks->addr[extent->index] = extent->addr;
        blocks->size[extent->index] = extent->size;
    }
    return 0;
}

// Compare `size` bytes of flash at `addr` with those at `off` of what was to be saved; CRC of them in *crc.
static int check_saved_bytes(const molt_upgrade_t *upgrade, uint32_t addr, uint32_t off, uint32_t size, uint32_t *crc) {
    uint32_t half = upgrade->work_size / 2 & ~3u;
    *crc = 0;
    uint32_t piece;
    for (uint32_t done = 0; done < size; done += piece) {
        piece = min_u32(half, size - done);
        int err = molt_upgrade_saved_bytes(upgrade, off + done, upgrade->work, piece);
        if (!err) {
            err = upgrade->flash->read(upgrade->flash->ctx, addr + done, upgrade->work + half, piece);
        }
        if (err) {
            return err;
        }
        if (memcmp(upgrade->work, upgrade->work + half, piece) != 0) {
            return MOLT_ERR_CORRUPT;
        }
        *crc = molt_crc32(*crc, upgrade->work, piece);
    }
    return 0;
}

int molt_head_file_find(const molt_upgrade_t *upgrade, molt_volume_t *volume, const char *path, molt_saved_t *saved) {
    uint32_t sector_size = molt_sector_size(&upgrade->flash->geometry);
    saved_blocks_t blocks = { { 0, 0, 0 }, { 0, 0, 0 } };
    molt_extents_t extents;
    int err = molt_extents_open(&extents, volume, path);
    if (!err) {
        err = molt_extents_walk(&extents, on_saved_extent, &blocks);
    }
    if (err) {
        return err;
    }
    *saved = (molt_saved_t){ blocks.addr[0], 0, blocks.addr[1], 0, extension_size(upgrade), 0 };
    if (blocks.size[0] < sector_size || blocks.size[1] < MOLT_REPORT_SIZE || blocks.size[2] < saved->extension_size) {
        return MOLT_ERR_CORRUPT;
    }
    uint32_t report_crc;
    err = check_saved_bytes(upgrade, saved->report_addr, report_off(upgrade), MOLT_REPORT_SIZE, &report_crc);
    if (!err) {
        err = check_saved_bytes(upgrade, saved->head_addr, 0, sector_size, &saved->head_crc);
    }
    if (!err && saved->extension_size) {
        saved->extension_addr = blocks.addr[2];
        err = check_saved_bytes(upgrade, saved->extension_addr, extension_off(upgrade), saved->extension_size,
            &saved->extension_crc);
    }
    return err;
}
