// molt.head: what is in it, and where in flash that lies. docs/format.md has the layout.

#include "job/head_file.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/flash_io.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "molt/error.h"
#include "upgrade/report.h"

// Where things begin in the saved file: the first bytes of its first, second and third block, so that each lies in
// one piece. (A block begins with its pointers: none in the first, one in the second, two in the third.)
static uint32_t report_off(const molt_job_t *job) {
    return job->source->block_size;
}

// In standby mode what the boot loader did is to be seen in the plan's sector.
static uint32_t report_size(const molt_job_t *job) {
    return job_is_standby(job->config.target) ? 0 : MOLT_REPORT_SIZE;
}

static uint32_t extension_off(const molt_job_t *job) {
    return 2 * job->source->block_size - 4;
}

static uint32_t extension_size(const molt_job_t *job) {
    const molt_loader_t *extension = job_extension(job);
    return extension ? extension->size : 0;
}

uint32_t molt_job_head_size(const molt_job_t *job) {
    if (job->is_resident || job_is_slots(job->config.target) || job_is_standby_fallback(job)) {
        return 0;
    }
    uint32_t size = extension_size(job);
    if (size) {
        return extension_off(job) + size;
    }
    return report_size(job) ? report_off(job) + MOLT_REPORT_SIZE : molt_sector_size(&job->config.flash->geometry);
}

// Copy what of [part_off, part_off + part_size) falls into the `size` bytes at `off` of the file.
static void lay(uint8_t *buf, uint32_t off, uint32_t size, const uint8_t *part, uint32_t part_off, uint32_t part_size) {
    if (ranges_overlap(off, size, part_off, part_size)) {
        uint32_t begin = off > part_off ? off : part_off;
        uint32_t end = min_u32(off + size, part_off + part_size);
        memcpy(buf + (begin - off), part + (begin - part_off), end - begin);
    }
}

int molt_job_head_bytes(const molt_job_t *job, uint32_t off, uint8_t *buf, uint32_t size) {
    uint32_t sector_size = molt_sector_size(&job->config.flash->geometry);
    uint32_t head_size = off < sector_size ? min_u32(size, sector_size - off) : 0;
    int err = head_size ? job->config.flash->read(job->config.flash->ctx, job->config.target->boot_addr + off, buf, head_size)
                        : 0;
    if (err) {
        return err;
    }
    memset(buf + head_size, 0xff, size - head_size);
    uint8_t report[MOLT_REPORT_SIZE];
    molt_report_init(report, job->plan.image_crc);
    lay(buf, off, size, report, report_off(job), report_size(job));
    if (extension_size(job)) {
        lay(buf, off, size, job_extension(job)->image, extension_off(job), extension_size(job));
    }
    return 0;
}

typedef enum part_name {
    PART_HEAD,
    PART_REPORT,
    PART_EXTENSION,
    PART_COUNT,
} part_name_t;

typedef struct part_search {
    molt_head_part_t *parts;
    uint32_t count;
} part_search_t;

static int find_parts(void *ctx, const molt_extent_t *extent) {
    const part_search_t *search = ctx;
    for (uint32_t i = 0; i < search->count; i++) {
        molt_head_part_t *part = &search->parts[i];
        uint32_t off = part->off - extent->file_off;
        if (off <= extent->size && part->size <= extent->size - off) {
            part->addr = extent->addr + off;
        }
    }
    return 0;
}

int molt_head_parts_find(const molt_source_t *head, molt_head_part_t *parts, uint32_t count) {
    part_search_t search = { parts, count };
    return head->walk(head->ctx, find_parts, &search);
}

int molt_job_write_head(const molt_job_t *job, const molt_region_t *region) {
    const molt_flash_t *flash = job->config.flash;
    uint32_t size = molt_job_head_size(job);
    uint32_t piece[16];
    int err = size > region->size ? MOLT_ERR_NOSPC : 0;
    for (uint32_t off = 0; !err && off < size; off += sizeof piece) {
        uint32_t piece_size = min_u32(sizeof piece, size - off);
        if (off % molt_sector_size(&flash->geometry) == 0) {
            err = flash->erase_sector(flash->ctx, region->addr + off);
        }
        err = err ? err : molt_job_head_bytes(job, off, (uint8_t *)piece, piece_size);
        err = err ? err : molt_flash_prog(flash, region->addr + off, piece, piece_size);
    }
    return err;
}

// Compare `size` bytes of flash at `addr` with those at `off` of what was to be saved; CRC of them in *crc.
static int check_saved_bytes(const molt_job_t *job, uint32_t addr, uint32_t off, uint32_t size, uint32_t *crc) {
    uint32_t half = job->config.work_size / 2 & ~3u;
    *crc = 0;
    uint32_t piece;
    for (uint32_t done = 0; done < size; done += piece) {
        piece = min_u32(half, size - done);
        int err = molt_job_head_bytes(job, off + done, job->config.work, piece);
        if (!err) {
            err = job->config.flash->read(job->config.flash->ctx, addr + done, job->config.work + half, piece);
        }
        if (err) {
            return err;
        }
        if (memcmp(job->config.work, job->config.work + half, piece) != 0) {
            return MOLT_ERR_CORRUPT;
        }
        *crc = molt_crc32(*crc, job->config.work, piece);
    }
    return 0;
}

int molt_head_file_find(const molt_job_t *job, const molt_source_t *head, molt_saved_t *saved) {
    molt_head_part_t parts[PART_COUNT] = {
        [PART_HEAD] = { 0, molt_sector_size(&job->config.flash->geometry), 0 },
        [PART_REPORT] = { report_off(job), report_size(job), 0 },
        [PART_EXTENSION] = { extension_off(job), extension_size(job), 0 },
    };
    int err = molt_head_parts_find(head, parts, PART_COUNT);
    uint32_t crcs[PART_COUNT] = { 0 };
    for (uint32_t i = 0; !err && i < PART_COUNT; i++) {
        if (parts[i].size) {
            err = parts[i].addr ? check_saved_bytes(job, parts[i].addr, parts[i].off, parts[i].size, &crcs[i]) : MOLT_ERR_CORRUPT;
        }
    }
    *saved = (molt_saved_t){
        .head_addr = parts[PART_HEAD].addr,
        .head_crc = crcs[PART_HEAD],
        .report_addr = parts[PART_REPORT].size ? parts[PART_REPORT].addr : 0,
        .extension_addr = parts[PART_EXTENSION].size ? parts[PART_EXTENSION].addr : 0,
        .extension_size = parts[PART_EXTENSION].size,
        .extension_crc = crcs[PART_EXTENSION],
    };
    return err;
}
