// An upgrade from a file on littlefs: the order of things, and what can go wrong with each.

#include "upgrade.h"

#include "bytes.h"
#include "libc.h"
#include "molt/crc32.h"
#include "molt/error.h"
#include "molt/report.h"

static int trouble(molt_upgrade_t *upgrade, molt_upgrade_trouble_t kind, int err) {
    upgrade->trouble = kind;
    return err;
}

static int on_progress(void *ctx, uint32_t done, uint32_t total) {
    molt_upgrade_t *upgrade = ctx;
    return upgrade->progress ? upgrade->progress(upgrade->progress_ctx, upgrade->phase, done, total) : 0;
}

typedef struct file_reader {
    lfs2_t *lfs;
    lfs2_file_t file;
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
} file_reader_t;

static int read_file(void *ctx, uint32_t off, void *buf, uint32_t size) {
    file_reader_t *reader = ctx;
    lfs2_soff_t at = lfs2_file_seek(reader->lfs, &reader->file, (lfs2_soff_t)off, LFS2_SEEK_SET);
    if (at < 0) {
        return (int)at;
    }
    lfs2_ssize_t count = lfs2_file_read(reader->lfs, &reader->file, buf, size);
    if (count < 0) {
        return (int)count;
    }
    return (uint32_t)count == size ? 0 : MOLT_ERR_CORRUPT;
}

static int crc_of_file(molt_upgrade_t *upgrade, const molt_reader_t *reader) {
    uint32_t crc = 0;
    uint32_t size;
    for (uint32_t off = 0; off < reader->size; off += size) {
        size = min_u32(upgrade->work_size, reader->size - off);
        int err = reader->read(reader->ctx, off, upgrade->work, size);
        if (!err) {
            err = on_progress(upgrade, off, reader->size);
        }
        if (err) {
            return err;
        }
        crc = molt_crc32(crc, upgrade->work, size);
    }
    upgrade->image.crc32 = crc;
    return 0;
}

static int check_image(molt_upgrade_t *upgrade, const molt_reader_t *reader, bool safe_check) {
    upgrade->phase = MOLT_UPGRADE_PHASE_IMAGE;
    int err;
    if (safe_check) {
        err = molt_image_verify(reader, upgrade->work, upgrade->work_size, on_progress, upgrade, &upgrade->image);
    } else {
        err = molt_image_probe(reader, &upgrade->image);
        if (!err) {
            err = crc_of_file(upgrade, reader);
        }
    }
    if (err) {
        return trouble(upgrade,
            upgrade->image.defect != MOLT_IMAGE_FINE ? MOLT_UPGRADE_TROUBLE_IMAGE : MOLT_UPGRADE_TROUBLE_FILE, err);
    }
    if (upgrade->image.chip != MOLT_CHIP_ESP8266) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_CHIP, MOLT_ERR_NOTSUP);
    }
    if (upgrade->image.kind == MOLT_IMAGE_ESP8266_V2) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_NO_HEAD, MOLT_ERR_NOTSUP);
    }
    return 0;
}

int molt_upgrade_open(molt_upgrade_t *upgrade, const char *path, const molt_upgrade_options_t *options) {
    upgrade->trouble = MOLT_UPGRADE_TROUBLE_NONE;
    int err = molt_extents_open(&upgrade->extents, upgrade->volume, path);
    if (err) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_FILE, err);
    }
    file_reader_t reader = { .lfs = &upgrade->volume->lfs };
    struct lfs2_file_config config = { .buffer = reader.cache };
    err = lfs2_file_opencfg(reader.lfs, &reader.file, path, LFS2_O_RDONLY, &config);
    if (err) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_FILE, err);
    }
    molt_reader_t source = { &reader, upgrade->extents.file_size, read_file };
    err = check_image(upgrade, &source, options->safe_check);
    (void)lfs2_file_close(reader.lfs, &reader.file);
    return err;
}

static int on_extent(void *ctx, const molt_extent_t *extent) {
    molt_upgrade_t *upgrade = ctx;
    uint32_t per_block = upgrade->extents.block_size / molt_sector_size(&upgrade->flash->geometry);
    return molt_plan_set_run(&upgrade->plan, extent->index * per_block, extent->addr, extent->size, &upgrade->refusal);
}

// What the plan needs to know of the device: the header bytes that it starts with now.
static int read_present(molt_upgrade_t *upgrade) {
    uint32_t word;
    int err = upgrade->flash->read(upgrade->flash->ctx, 0, &word, sizeof word);
    upgrade->present_params = load16_le((const uint8_t *)&word + 2);
    return err;
}

static int begin_plan(molt_upgrade_t *upgrade, const molt_upgrade_options_t *options) {
    const molt_geometry_t *geometry = &upgrade->flash->geometry;
    uint32_t sector_size = molt_sector_size(geometry);
    if (upgrade->extents.block_size % sector_size != 0) {
        upgrade->refusal = (molt_refusal_t){ MOLT_REFUSAL_UNALIGNED_EXTENT, upgrade->extents.block_size, sector_size };
        return MOLT_ERR_NOTSUP;
    }
    // The last block counts only as far as the file reaches into it.
    molt_plan_request_t request = {
        .image_size = upgrade->extents.file_size,
        .image_crc = upgrade->image.crc32,
        .extent_count = molt_extents_sector_count(&upgrade->extents, sector_size),
        .loader_size = options->loader_size,
        .mapped_size = options->mapped_size,
        .fs = upgrade->volume->region,
        .erase_all = options->erase_all,
        .reserved = options->reserved,
        .reserved_count = options->reserved_count,
        .flash_params = options->image_params
                            ? (uint16_t)(upgrade->image.flash_mode | upgrade->image.flash_size_freq << 8)
                            : upgrade->present_params,
        .whole_image = options->whole_image,
    };
    return molt_plan_begin(&upgrade->plan, geometry, &request, upgrade->sector, &upgrade->refusal);
}

int molt_upgrade_plan(molt_upgrade_t *upgrade, const molt_upgrade_options_t *options) {
    upgrade->refusal.reason = MOLT_REFUSAL_NONE;
    // A boot sector that is in place must not be taken for the firmware's own first sector.
    int err = upgrade->flash->read(upgrade->flash->ctx, 0, upgrade->sector, molt_sector_size(&upgrade->flash->geometry));
    if (err) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, err);
    }
    if (molt_plan_open(&upgrade->plan, &upgrade->flash->geometry, upgrade->sector) == 0) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_PENDING, MOLT_ERR_BUSY);
    }
    err = read_present(upgrade);
    if (err) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, err);
    }
    err = begin_plan(upgrade, options);
    if (!err) {
        err = molt_extents_walk(&upgrade->extents, on_extent, upgrade);
    }
    if (err) {
        bool refused = upgrade->refusal.reason != MOLT_REFUSAL_NONE;
        return trouble(upgrade, refused ? MOLT_UPGRADE_TROUBLE_REFUSED : MOLT_UPGRADE_TROUBLE_EXTENTS, err);
    }
    if (options->safe_check) {
        upgrade->phase = MOLT_UPGRADE_PHASE_SOURCE;
        err = molt_prepare_source(upgrade->flash, &upgrade->plan, upgrade->work, upgrade->work_size, on_progress, upgrade);
        if (err) {
            return trouble(upgrade, MOLT_UPGRADE_TROUBLE_EXTENTS, err);
        }
    }
    upgrade->phase = MOLT_UPGRADE_PHASE_COMPARE;
    err = molt_prepare_compare(upgrade->flash, &upgrade->plan, upgrade->work, upgrade->work_size, on_progress, upgrade);
    return err ? trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, err) : 0;
}

uint32_t molt_upgrade_saved_size(const molt_upgrade_t *upgrade) {
    return molt_sector_size(&upgrade->flash->geometry) + MOLT_REPORT_SIZE;
}

int molt_upgrade_saved_bytes(const molt_upgrade_t *upgrade, uint32_t off, uint8_t *buf, uint32_t size) {
    uint32_t sector_size = molt_sector_size(&upgrade->flash->geometry);
    uint32_t head_size = off < sector_size ? min_u32(size, sector_size - off) : 0;
    if (head_size) {
        int err = upgrade->flash->read(upgrade->flash->ctx, off, buf, head_size);
        if (err) {
            return err;
        }
    }
    uint8_t report[MOLT_REPORT_SIZE];
    molt_report_init(report, upgrade->plan.image_crc);
    if (size > head_size) {
        memcpy(buf + head_size, report + (off + head_size - sector_size), size - head_size);
    }
    return 0;
}

typedef struct saved_place {
    uint32_t sector_size;
    uint32_t head_addr;
    uint32_t report_addr;
} saved_place_t;

static int on_saved_extent(void *ctx, const molt_extent_t *extent) {
    saved_place_t *place = ctx;
    uint32_t end = extent->file_off + extent->size;
    if (extent->file_off == 0 && extent->size >= place->sector_size) {
        place->head_addr = extent->addr;
    }
    if (extent->file_off <= place->sector_size && end >= place->sector_size + MOLT_REPORT_SIZE) {
        place->report_addr = extent->addr + (place->sector_size - extent->file_off);
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

int molt_upgrade_saved(molt_upgrade_t *upgrade, molt_volume_t *volume, const char *path) {
    saved_place_t place = { molt_sector_size(&upgrade->flash->geometry), 0, 0 };
    molt_extents_t extents;
    int err = molt_extents_open(&extents, volume, path);
    if (!err) {
        err = molt_extents_walk(&extents, on_saved_extent, &place);
    }
    if (!err && (place.head_addr == 0 || place.report_addr == 0)) {
        err = MOLT_ERR_CORRUPT;
    }
    uint32_t report_crc;
    uint32_t head_crc;
    if (!err) {
        err = check_saved_bytes(upgrade, place.report_addr, place.sector_size, MOLT_REPORT_SIZE, &report_crc);
    }
    if (!err) {
        err = check_saved_bytes(upgrade, place.head_addr, 0, place.sector_size, &head_crc);
    }
    if (err) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_SAVED, err);
    }
    err = molt_plan_set_saved(&upgrade->plan, place.head_addr, head_crc, place.report_addr, &upgrade->refusal);
    if (err) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_REFUSED, err);
    }
    molt_plan_finish(&upgrade->plan);
    return 0;
}

int molt_upgrade_install(molt_upgrade_t *upgrade, const molt_loader_t *loader) {
    int err = molt_prepare_install(upgrade->flash, &upgrade->plan, loader, upgrade->present_params);
    return err ? trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, err) : 0;
}

static const char *file_text(int err) {
    switch (err) {
        case MOLT_ERR_NOENT:
            return "there is no such file on the device's littlefs";
        case MOLT_ERR_ISDIR:
            return "this is a directory; name the image file in it";
        case MOLT_ERR_NOTSUP:
            return "the file is so small that littlefs keeps it inside its directory; it cannot be a firmware";
        case MOLT_ERR_CORRUPT:
            return "the filesystem is damaged where the file is; copy the file again";
        default:
            return "the file cannot be read";
    }
}

const char *molt_upgrade_text(const molt_upgrade_t *upgrade, int err) {
    switch (upgrade->trouble) {
        case MOLT_UPGRADE_TROUBLE_NONE:
            break;
        case MOLT_UPGRADE_TROUBLE_FILE:
            return file_text(err);
        case MOLT_UPGRADE_TROUBLE_IMAGE:
            return molt_image_defect_text(upgrade->image.defect);
        case MOLT_UPGRADE_TROUBLE_CHIP:
            return "the image is for another chip, not for the ESP8266";
        case MOLT_UPGRADE_TROUBLE_NO_HEAD:
            return "the image needs Espressif's second-stage boot loader in front of it; the mask ROM cannot start it";
        case MOLT_UPGRADE_TROUBLE_REFUSED:
            return molt_refusal_text(upgrade->refusal.reason);
        case MOLT_UPGRADE_TROUBLE_EXTENTS:
            return "the file's blocks do not hold the file's bytes: it is being written, or the filesystem is damaged; "
                   "copy the file again";
        case MOLT_UPGRADE_TROUBLE_SAVED:
            return "the present first sector could not be saved on the filesystem";
        case MOLT_UPGRADE_TROUBLE_PENDING:
            return "an upgrade is prepared already; reset to carry it out, or cancel it";
        case MOLT_UPGRADE_TROUBLE_FLASH:
            return "the flash chip does not do what it is told";
    }
    return err ? "unknown error" : "no error";
}
