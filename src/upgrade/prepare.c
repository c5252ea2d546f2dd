// Prepare: check, compare, write the boot sector. Runs in the firmware or in a tool, never in the boot loader.

#include "upgrade/prepare.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/reader.h"
#include "base/sector.h"
#include "molt/error.h"
#include "upgrade/plan_layout.h"

#define FIRST_PIECE_SIZE 64u

static int tell_progress(molt_progress_t progress, void *ctx, uint32_t done, uint32_t total) {
    return progress ? progress(ctx, done, total) : 0;
}

bool molt_prepare_is_pending(const molt_flash_t *flash, uint32_t boot_addr, uint8_t *sector) {
    for (uint32_t try = 0; try < 2; try++) {
        molt_plan_t plan;
        if (flash->read(flash->ctx, boot_addr, sector, molt_sector_size(&flash->geometry)) == 0
            && molt_plan_open(&plan, &flash->geometry, sector) != MOLT_ERR_NOENT) {
            return true;
        }
    }
    return false;
}

int molt_prepare_source(
    const molt_reader_t *source, uint32_t crc, uint8_t *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx) {
    uint32_t sum;
    int err = molt_reader_crc(source, buf, buf_size, progress, progress_ctx, &sum);
    return err || sum == crc ? err : MOLT_ERR_CORRUPT;
}

// Whether the sector at `addr` differs from what it is to hold, the image's bytes from `begin` on: in *differs.
static int compare_sector(const molt_flash_t *flash, const molt_reader_t *image, uint32_t begin, uint32_t addr, uint8_t *buf,
    uint32_t half, bool *differs) {
    uint32_t end = begin + molt_sector_size(&flash->geometry);
    *differs = false;
    uint32_t size;
    for (uint32_t off = begin; off < end && !*differs; off += size) {
        // A little first: sectors that differ do so soon.
        size = min_u32(off == begin ? min_u32(FIRST_PIECE_SIZE, half) : half, end - off);
        uint32_t image_size = off < image->size ? min_u32(size, image->size - off) : 0;
        int err = image_size ? image->read(image->ctx, off, buf, image_size) : 0;
        if (!err) {
            err = flash->read(flash->ctx, addr + (off - begin), buf + half, size);
        }
        if (err) {
            return err;
        }
        memset(buf + image_size, 0xff, size - image_size);
        *differs = memcmp(buf, buf + half, size) != 0;
    }
    return 0;
}

// One look at the image's first sector as it goes into flash: its CRC, and whether it stands at `first_addr` already.
static int look_at_first(
    const molt_flash_t *flash, molt_plan_t *plan, const molt_reader_t *image, uint32_t first_addr, uint8_t *buf, uint32_t half) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    uint32_t size;
    plan->first_crc = 0;
    plan->first_differs = false;
    for (uint32_t off = 0; off < sector_size; off += size) {
        size = min_u32(half, sector_size - off);
        uint32_t image_size = off < image->size ? min_u32(size, image->size - off) : 0;
        int err = image_size ? image->read(image->ctx, off, buf, image_size) : 0;
        if (!err) {
            err = flash->read(flash->ctx, first_addr + off, buf + half, size);
        }
        if (err) {
            return err;
        }
        memset(buf + image_size, 0xff, size - image_size);
        if (off == 0) {
            store16_le(buf + 2, (uint16_t)plan->flash_params);
        }
        plan->first_crc = molt_crc32(plan->first_crc, buf, size);
        plan->first_differs = plan->first_differs || memcmp(buf, buf + half, size) != 0;
    }
    return 0;
}

int molt_prepare_compare_first(const molt_flash_t *flash, molt_plan_t *plan, const molt_reader_t *image, uint32_t first_addr,
    uint8_t *buf, uint32_t buf_size) {
    uint32_t half = buf_size / 2 & ~3u;
    // Twice: nothing goes into the first sector that does not have this CRC, so it must not be of a reading gone wrong.
    int err = look_at_first(flash, plan, image, first_addr, buf, half);
    uint32_t crc = plan->first_crc;
    if (!err) {
        err = look_at_first(flash, plan, image, first_addr, buf, half);
    }
    return err || crc == plan->first_crc ? err : MOLT_ERR_IO;
}

int molt_prepare_compare(const molt_flash_t *flash, molt_plan_t *plan, const molt_reader_t *image, uint32_t first_addr,
    uint8_t *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx) {
    uint32_t half = buf_size / 2 & ~3u;
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    int err = molt_prepare_compare_first(flash, plan, image, first_addr, buf, buf_size);
    if (err) {
        return err;
    }
    for (uint32_t off = sector_size; off < plan->image_size; off += sector_size) {
        bool differs;
        uint32_t addr = plan->image_addr + off;
        err = compare_sector(flash, image, off, addr, buf, half, &differs);
        if (!err) {
            err = tell_progress(progress, progress_ctx, off, plan->image_size);
        }
        if (err) {
            return err;
        }
        if (differs) {
            molt_plan_set_changed(plan, addr);
        }
    }
    return 0;
}

int molt_prepare_read_summary(const molt_flash_t *flash, uint32_t plan_addr, molt_plan_summary_t *summary) {
    uint32_t words[MOLT_PLAN_HEADER_SIZE / 4];
    const uint8_t *h = (const uint8_t *)words;
    uint32_t addr = plan_addr + molt_sector_size(&flash->geometry) - MOLT_PLAN_HEADER_SIZE;
    int err = flash->read(flash->ctx, addr, words, sizeof words);
    if (err) {
        return err;
    }
    *summary = (molt_plan_summary_t){
        .source_kind = load32_le(h + PLAN_OFF_WORDS),
        .extension_size = load32_le(h + PLAN_OFF_EXTENSION_SIZE),
        .extension_crc = load32_le(h + PLAN_OFF_EXTENSION_SIZE + 4),
    };
    return load32_le(h + PLAN_OFF_MAGIC) == PLAN_MAGIC ? 0 : MOLT_ERR_NOENT;
}

// Put the saved first sector back. plan->sector serves as the buffer: what it held is lost.
static int put_back(const molt_flash_t *flash, molt_plan_t *plan) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    int err = flash->read(flash->ctx, plan->saved.head_addr, plan->sector, sector_size);
    if (err) {
        return err;
    }
    if (molt_crc32(0, plan->sector, sector_size) != plan->saved.head_crc) {
        return MOLT_ERR_CORRUPT;
    }
    return molt_sector_write(flash, plan->boot_addr, plan->sector, false);
}

int molt_prepare_install(const molt_flash_t *flash, molt_plan_t *plan, const molt_loader_t *loader, uint16_t present_params) {
    if (loader->size > plan->journal_off) {
        return MOLT_ERR_NOSPC;
    }
    memcpy(plan->sector, loader->image, loader->size);
    store16_le(plan->sector + 2, present_params);
    int err = molt_sector_write(flash, plan->boot_addr, plan->sector, false);
    if (err) {
        // Whether this comes right shows at the next call; the error that is told is the first one.
        (void)put_back(flash, plan);
    }
    return err;
}

int molt_prepare_cancel(const molt_flash_t *flash, molt_plan_t *plan) {
    return put_back(flash, plan);
}
