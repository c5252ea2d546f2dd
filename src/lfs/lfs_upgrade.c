// An upgrade from a file on littlefs: the order of things, and what can go wrong with each.

#include "lfs_upgrade.h"

#include "bytes.h"
#include "head_file.h"
#include "libc.h"
#include "molt/apply.h"
#include "molt/crc32.h"
#include "molt/error.h"

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

static int check_image(molt_upgrade_t *upgrade, const molt_reader_t *reader, bool safe_check) {
    upgrade->phase = MOLT_UPGRADE_PHASE_IMAGE;
    int err;
    if (safe_check) {
        err = molt_image_verify(reader, upgrade->work, upgrade->work_size, on_progress, upgrade, &upgrade->image);
    } else {
        err = molt_image_probe(reader, &upgrade->image);
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

// CRC-32 and SHA-1 of all that `reader` reads.
static int sum(molt_upgrade_t *upgrade, const molt_reader_t *reader, uint32_t *crc, uint8_t sha1[MOLT_SHA1_SIZE]) {
    molt_sha1_t hash;
    uint32_t size;
    *crc = 0;
    molt_sha1_init(&hash);
    for (uint32_t off = 0; off < reader->size; off += size) {
        size = min_u32(upgrade->work_size, reader->size - off);
        int err = reader->read(reader->ctx, off, upgrade->work, size);
        if (!err) {
            err = on_progress(upgrade, off, reader->size);
        }
        if (err) {
            return trouble(upgrade, MOLT_UPGRADE_TROUBLE_FILE, err);
        }
        *crc = molt_crc32(*crc, upgrade->work, size);
        molt_sha1_update(&hash, upgrade->work, size);
    }
    molt_sha1_finish(sha1, &hash);
    return 0;
}

static int check_raw(molt_upgrade_t *upgrade, const molt_reader_t *file, const molt_upgrade_options_t *options) {
    upgrade->kept_size = molt_sector_size(&upgrade->flash->geometry);
    int err = check_image(upgrade, file, options->safe_check);
    if (!err && options->safe_check) {
        upgrade->source_crc = upgrade->image.crc32;
    } else if (!err) {
        err = sum(upgrade, file, &upgrade->source_crc, upgrade->image.sha1);
        upgrade->image.crc32 = upgrade->source_crc;
    }
    return err;
}

// So many bytes of what is unpacked tell whether it is an image at all, and need no window to speak of.
#define FIRST_SIZE 8u

// Whether a gzip file begins with an image: before the window turns out to be too small, and its user makes a smaller file of
// what is no image. What is wrong with the gzip file itself is found later.
static int check_first_bytes(molt_upgrade_t *upgrade, molt_reader_t image) {
    image.size = FIRST_SIZE;
    int err = molt_image_probe(&image, &upgrade->image);
    molt_image_defect_t defect = upgrade->image.defect;
    bool is_none = defect == MOLT_IMAGE_BAD_MAGIC || defect == MOLT_IMAGE_ERASED || defect == MOLT_IMAGE_COMPRESSED;
    return is_none ? trouble(upgrade, MOLT_UPGRADE_TROUBLE_IMAGE, err) : 0;
}

// A gzip file is unpacked twice: for its size and CRC, and for the checks and the SHA-1 of the image.
static int check_gzip(molt_upgrade_t *upgrade, const molt_reader_t *file, const molt_upgrade_options_t *options) {
    if (upgrade->unpack == NULL) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_NO_WINDOW, MOLT_ERR_NOSPC);
    }
    upgrade->phase = MOLT_UPGRADE_PHASE_IMAGE;
    molt_unpacked_t unpacked;
    molt_reader_t image = molt_unpack_reader(upgrade->unpack, file, upgrade->window, upgrade->window_size, 0);
    int err = check_first_bytes(upgrade, image);
    if (err) {
        return err;
    }
    err = molt_unpack_measure(upgrade->unpack, molt_sector_size(&upgrade->flash->geometry), options->mapped_size,
        upgrade->work, upgrade->work_size, on_progress, upgrade, &unpacked);
    if (err) {
        molt_upgrade_trouble_t kind = err == MOLT_ERR_NOSPC  ? MOLT_UPGRADE_TROUBLE_WINDOW
                                      : err == MOLT_ERR_FBIG ? MOLT_UPGRADE_TROUBLE_BOMB
                                                             : MOLT_UPGRADE_TROUBLE_GZIP;
        return trouble(upgrade, kind, err);
    }
    image.size = unpacked.size;
    upgrade->kept_size = unpacked.head_used;
    err = check_image(upgrade, &image, options->safe_check);
    upgrade->image.size = unpacked.size;
    if (!err && !options->safe_check) {
        err = sum(upgrade, &image, &upgrade->image.crc32, upgrade->image.sha1);
    }
    if (!err && upgrade->image.crc32 != unpacked.crc) {
        // Unpacked twice, with two results.
        err = trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, MOLT_ERR_IO);
    }
    uint8_t sha1_of_file[MOLT_SHA1_SIZE];
    return err ? err : sum(upgrade, file, &upgrade->source_crc, sha1_of_file);
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
    molt_reader_t file = { &reader, upgrade->extents.file_size, read_file };
    uint8_t magic[2] = { 0, 0 };
    if (file.size >= sizeof magic) {
        err = file.read(file.ctx, 0, magic, sizeof magic);
    }
    if (err) {
        (void)trouble(upgrade, MOLT_UPGRADE_TROUBLE_FILE, err);
    } else {
        upgrade->is_gzip = molt_unpack_is_gzip(magic);
        err = upgrade->is_gzip ? check_gzip(upgrade, &file, options) : check_raw(upgrade, &file, options);
    }
    (void)lfs2_file_close(reader.lfs, &reader.file);
    return err;
}

static int on_extent(void *ctx, const molt_extent_t *extent) {
    molt_upgrade_t *upgrade = ctx;
    uint32_t per_block = upgrade->extents.block_size / molt_sector_size(&upgrade->flash->geometry);
    return molt_plan_set_run(&upgrade->plan, extent->index * per_block, extent->addr, extent->size, &upgrade->refusal);
}

// What the plan needs to know of the device: the header bytes that it starts with now. Read twice: with wrong ones it would
// not start again.
static int read_present(molt_upgrade_t *upgrade) {
    uint32_t word;
    uint32_t again;
    int err = upgrade->flash->read(upgrade->flash->ctx, 0, &word, sizeof word);
    if (!err) {
        err = upgrade->flash->read(upgrade->flash->ctx, 0, &again, sizeof again);
    }
    upgrade->present_params = load16_le((const uint8_t *)&word + 2);
    return !err && word != again ? MOLT_ERR_IO : err;
}

static uint16_t image_params(const molt_image_t *image) {
    uint8_t bytes[2] = { image->flash_mode, image->flash_size_freq };
    return load16_le(bytes);
}

// The caller's reserved regions and, in resident mode, molt's own.
#define RESERVED_MAX 8u

static int begin_plan(molt_upgrade_t *upgrade, const molt_upgrade_options_t *options) {
    const molt_geometry_t *geometry = &upgrade->flash->geometry;
    uint32_t sector_size = molt_sector_size(geometry);
    if (upgrade->extents.block_size % sector_size != 0) {
        upgrade->refusal = (molt_refusal_t){ MOLT_REFUSAL_UNALIGNED_EXTENT, upgrade->extents.block_size, sector_size };
        return MOLT_ERR_NOTSUP;
    }
    // The last block counts only as far as the file reaches into it.
    molt_region_t reserved[RESERVED_MAX + 1];
    uint32_t reserved_count = min_u32(options->reserved_count, RESERVED_MAX);
    for (uint32_t i = 0; i < reserved_count; i++) {
        reserved[i] = options->reserved[i];
    }
    if (upgrade->is_resident) {
        reserved[reserved_count++] = (molt_region_t){ upgrade->reserved_addr, MOLT_RESERVED_SECTOR_COUNT * sector_size };
    }
    molt_plan_request_t request = {
        .source_kind = upgrade->is_gzip ? MOLT_SOURCE_GZIP : MOLT_SOURCE_COPY,
        .image_size = upgrade->image.size,
        .image_crc = upgrade->image.crc32,
        .source_size = upgrade->extents.file_size,
        .kept_size = upgrade->kept_size,
        .extent_count = molt_extents_sector_count(&upgrade->extents, sector_size),
        .loader_size = upgrade->is_resident ? 0 : options->loader_size,
        .mapped_size = options->mapped_size,
        .fs = upgrade->volume->region,
        .erase_all = options->erase_all,
        .reserved = reserved,
        .reserved_count = reserved_count,
        .flash_params = options->image_params
                            ? image_params(&upgrade->image) : upgrade->present_params,
        .whole_image = options->whole_image || options->is_fallback,
    };
    memcpy(request.image_sha1, upgrade->image.sha1, MOLT_SHA1_SIZE);
    int err = molt_plan_begin(&upgrade->plan, geometry, &request, upgrade->sector, &upgrade->refusal);
    uint32_t fs_addr = upgrade->image.fs_addr;
    if (!err && fs_addr && options->fs_addr && fs_addr != options->fs_addr && !options->erase_all) {
        upgrade->refusal = (molt_refusal_t){ MOLT_REFUSAL_OTHER_MAP, fs_addr, options->fs_addr };
        err = MOLT_ERR_NOTSUP;
    }
    return err;
}

// Resident mode: is it installed, is it at rest, and can its boot loader load the image?
static int check_resident(molt_upgrade_t *upgrade) {
    const molt_flash_t *flash = upgrade->flash;
    molt_resident_t resident;
    int err = molt_resident_read(flash, &resident);
    upgrade->is_resident = !err;
    upgrade->present_addr = 0;
    if (err == MOLT_ERR_NOENT) {
        return 0;
    }
    if (err || resident.version != MOLT_RESIDENT_VERSION || resident.overlay_abi != MOLT_OVERLAY_ABI
        || resident.state_version != MOLT_STATE_VERSION) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_RESIDENT, err ? err : MOLT_ERR_NOTSUP);
    }
    upgrade->reserved_addr = resident.reserved_addr;
    molt_state_t state;
    err = molt_state_read(flash, upgrade->reserved_addr, &state);
    if (err) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, err);
    }
    upgrade->present_addr = molt_state_head_addr(flash, upgrade->reserved_addr, state.head);
    if (state.kind != MOLT_STATE_NORMAL) {
        bool on_trial = state.kind == MOLT_STATE_TRIAL;
        return trouble(upgrade, on_trial ? MOLT_UPGRADE_TROUBLE_TRIAL : MOLT_UPGRADE_TROUBLE_PENDING, MOLT_ERR_BUSY);
    }
    bool fits = upgrade->image.kind != MOLT_IMAGE_ARDUINO;
    for (uint32_t i = 0; i < upgrade->image.segment_count; i++) {
        const molt_image_segment_t *segment = &upgrade->image.segments[i];
        fits = fits && ((segment->vaddr | segment->size) & 3) == 0
               && !molt_resident_collides(resident.memory, MOLT_RESIDENT_MEMORY_COUNT, segment->vaddr, segment->size);
    }
    return fits ? 0 : trouble(upgrade, MOLT_UPGRADE_TROUBLE_LOADER, MOLT_ERR_NOTSUP);
}

int molt_upgrade_plan(molt_upgrade_t *upgrade, const molt_upgrade_options_t *options) {
    upgrade->refusal.reason = MOLT_REFUSAL_NONE;
    upgrade->is_fallback = options->is_fallback;
    // A boot sector that is in place must not be taken for the firmware's own first sector.
    if (molt_prepare_is_pending(upgrade->flash, upgrade->sector)) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_PENDING, MOLT_ERR_BUSY);
    }
    int err = check_resident(upgrade);
    if (err) {
        return err;
    }
    // What it needs to have saved would take the place of what the upgrade itself has saved.
    if (upgrade->is_fallback && !upgrade->is_resident) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_FALLBACK, MOLT_ERR_NOTSUP);
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
    molt_source_t source;
    molt_reader_t image = molt_source_reader(&source, upgrade->flash, &upgrade->plan);
    if (options->safe_check) {
        upgrade->phase = MOLT_UPGRADE_PHASE_SOURCE;
        err = molt_prepare_source(&image, upgrade->source_crc, upgrade->work, upgrade->work_size, on_progress, upgrade);
        if (err) {
            return trouble(upgrade, MOLT_UPGRADE_TROUBLE_EXTENTS, err);
        }
    }
    if (upgrade->is_gzip) {
        image = molt_unpack_reader(upgrade->unpack, &image, upgrade->window, upgrade->window_size, upgrade->image.size);
    }
    upgrade->phase = MOLT_UPGRADE_PHASE_COMPARE;
    err = molt_prepare_compare(upgrade->flash, &upgrade->plan, &image, upgrade->present_addr, upgrade->work,
        upgrade->work_size, on_progress, upgrade);
    return err ? trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, err) : 0;
}

static int store_resident(molt_upgrade_t *upgrade) {
    const molt_loader_t *extension = upgrade->is_gzip ? upgrade->extension : NULL;
    uint32_t plan_slot = upgrade->is_fallback ? 1 : 0;
    int err = molt_resident_store(upgrade->flash, upgrade->reserved_addr, plan_slot, &upgrade->plan, upgrade->overlay, extension);
    return err ? trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, err) : 0;
}

int molt_upgrade_store(molt_upgrade_t *upgrade, molt_volume_t *volume, const char *path) {
    const molt_loader_t *extension = upgrade->is_gzip ? upgrade->extension : NULL;
    molt_saved_t saved;
    int err = upgrade->is_resident ? molt_resident_saved(upgrade->flash, upgrade->reserved_addr, extension, &saved)
                                   : molt_head_file_find(upgrade, volume, path, &saved);
    if (err) {
        return trouble(upgrade, upgrade->is_resident ? MOLT_UPGRADE_TROUBLE_FLASH : MOLT_UPGRADE_TROUBLE_SAVED, err);
    }
    err = molt_plan_set_saved(&upgrade->plan, &saved, &upgrade->refusal);
    if (err) {
        return trouble(upgrade, MOLT_UPGRADE_TROUBLE_REFUSED, err);
    }
    molt_plan_finish(&upgrade->plan);
    return upgrade->is_resident ? store_resident(upgrade) : 0;
}

int molt_upgrade_commit(molt_upgrade_t *upgrade, const molt_loader_t *loader, uint32_t trial_starts) {
    int err = upgrade->is_resident
                  ? molt_resident_commit(upgrade->flash, upgrade->reserved_addr, trial_starts)
                  : molt_prepare_install(upgrade->flash, &upgrade->plan, loader, upgrade->present_params);
    return err ? trouble(upgrade, MOLT_UPGRADE_TROUBLE_FLASH, err) : 0;
}
