// What is different about a job where there are OTA slots: the image is written into one of them here, as nobody needs that one; and the
// step that counts is a note for the chip's own boot loader.

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "job/job_parts.h"
#include "molt/error.h"
#include "molt/status.h"
#include "slots/slots.h"

// How often a sector is erased and programmed before flash counts as failing.
#define JOB_SLOT_TRIES 4u

// Of a block's sectors, from how many on it is erased at once.
#define JOB_SLOT_BLOCK_MIN 5u

static uint32_t sectors_of_image(const molt_job_t *job) {
    return ceil_div(job->image.size, job_sector_size(job));
}

int job_slots_check(molt_job_t *job) {
    molt_status_t status;
    int err = molt_status_read(job->config.target, job->config.flash, NULL, job->config.sector, &status);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err);
    }
    if (status.is_prepared) {
        return job_trouble(job, MOLT_JOB_TROUBLE_PENDING, MOLT_ERR_BUSY);
    }
    // The other slot has what it falls back on.
    if (status.is_on_trial) {
        return job_trouble(job, MOLT_JOB_TROUBLE_TRIAL, MOLT_ERR_BUSY);
    }
    job->present_addr = job->config.target->running.addr;
    if (job->config.options.erase_all) {
        return job_trouble(job, MOLT_JOB_TROUBLE_SLOT_ERASE, MOLT_ERR_NOTSUP);
    }
    bool is_fallback = job->config.options.is_fallback;
    return is_fallback ? job_trouble(job, MOLT_JOB_TROUBLE_SLOT_FALLBACK, MOLT_ERR_NOTSUP) : 0;
}

// Whether the image is the one that runs: of one that is not the first sector differs soon.
int job_slots_compare(molt_job_t *job, const molt_reader_t *image) {
    const molt_flash_t *flash = job->config.flash;
    uint32_t half = job->config.work_size / 2 & ~3u;
    uint8_t *other = job->config.work + half;
    uint32_t size;
    job->phase = MOLT_JOB_PHASE_COMPARE;
    job->is_running = true;
    for (uint32_t off = 0; job->is_running && off < image->size; off += size) {
        size = min_u32(half, image->size - off);
        int err = image->read(image->ctx, off, job->config.work, size);
        if (!err) {
            err = flash->read(flash->ctx, job->config.target->running.addr + off, other, (size + 3) & ~3u);
        }
        err = err ? err : job_progress(job, off, image->size);
        if (err) {
            return job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err);
        }
        job->is_running = memcmp(job->config.work, other, size) == 0;
    }
    return 0;
}

void job_slots_facts(const molt_job_t *job, molt_job_facts_t *facts) {
    const molt_geometry_t *geometry = &job->config.flash->geometry;
    uint32_t in_block = geometry->block_size ? geometry->block_size / job_sector_size(job) : 0;
    uint32_t rest = in_block && job->config.flash->erase_block ? facts->sector_count % in_block : facts->sector_count;
    uint32_t blocks = in_block ? (facts->sector_count - rest) / in_block : 0;
    bool is_block = blocks && rest >= JOB_SLOT_BLOCK_MIN;
    facts->is_in_place = job->is_running;
    facts->equal_count = 0;
    facts->program_count = facts->sector_count;
    facts->block_erase_count = blocks + (is_block ? 1 : 0);
    // The other one is otadata's.
    facts->sector_erase_count = (is_block ? 0 : rest) + 1;
}

// Erase the block that begins with this sector, if the image has so much of it. *blank_until: the sector that is not erased by that any more.
static int erase_ahead(const molt_job_t *job, uint32_t sector, uint32_t *blank_until) {
    const molt_flash_t *flash = job->config.flash;
    uint32_t size = job_sector_size(job);
    uint32_t block_size = flash->geometry.block_size;
    uint32_t off = sector * size;
    uint32_t left = sectors_of_image(job) - sector;
    bool is_begin = flash->erase_block && block_size && (job->config.target->image_addr + off) % block_size == 0;
    if (!is_begin || left < JOB_SLOT_BLOCK_MIN || off + block_size > job->config.target->mapped_size) {
        return 0;
    }
    int err = flash->erase_block(flash->ctx, job->config.target->image_addr + off);
    *blank_until = err ? *blank_until : sector + block_size / size;
    return err;
}

// What is programmed at once, and read back: with that it has to go into work_size bytes.
static uint32_t piece_bytes(const molt_job_t *job) {
    uint32_t piece = molt_page_size(&job->config.flash->geometry);
    while (piece > job->config.work_size / 2) {
        piece /= 2;
    }
    return piece;
}

static bool is_blank(const uint8_t *bytes, uint32_t size) {
    return bytes[0] == 0xff && memcmp(bytes, bytes + 1, size - 1) == 0;
}

// Program one sector from the image, and read it back: MOLT_ERR_IO if it is not what was programmed.
static int program_sector(molt_job_t *job, const molt_reader_t *image, uint32_t sector) {
    const molt_flash_t *flash = job->config.flash;
    uint32_t piece = piece_bytes(job);
    uint32_t begin = sector * job_sector_size(job);
    uint8_t *bytes = job->config.work;
    for (uint32_t off = begin; off < begin + job_sector_size(job); off += piece) {
        uint32_t addr = job->config.target->image_addr + off;
        uint32_t size = off < image->size ? min_u32(piece, image->size - off) : 0;
        int err = size ? image->read(image->ctx, off, bytes, size) : 0;
        memset(bytes + size, 0xff, piece - size);
        if (!err && !is_blank(bytes, piece)) {
            err = flash->prog(flash->ctx, addr, bytes, piece);
        }
        err = err ? err : flash->read(flash->ctx, addr, bytes + piece, piece);
        if (err) {
            return err;
        }
        if (memcmp(bytes, bytes + piece, piece) != 0) {
            return MOLT_ERR_IO;
        }
    }
    return 0;
}

static int write_image(molt_job_t *job, const molt_reader_t *image) {
    const molt_flash_t *flash = job->config.flash;
    uint32_t blank_until = 0;
    int err = 0;
    for (uint32_t sector = 0; !err && sector < sectors_of_image(job); sector++) {
        uint32_t addr = job->config.target->image_addr + sector * job_sector_size(job);
        err = erase_ahead(job, sector, &blank_until);
        for (uint32_t try = 0; !err && try < JOB_SLOT_TRIES; try++) {
            err = try || sector >= blank_until ? flash->erase_sector(flash->ctx, addr) : 0;
            err = err ? err : program_sector(job, image, sector);
            if (err != MOLT_ERR_IO) {
                break;
            }
            err = try + 1 < JOB_SLOT_TRIES ? 0 : err;
        }
        err = err ? err : job_progress(job, sector * job_sector_size(job), job->image.size);
    }
    return err;
}

static int read_written(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const molt_job_t *job = ctx;
    return job->config.flash->read(job->config.flash->ctx, job->config.target->image_addr + off, buf, (size + 3) & ~3u);
}

// The image as it stands in the slot. The boot loader would see what is wrong with it, too, but later.
static int verify_written(molt_job_t *job) {
    const molt_reader_t slot = { job, job->image.size, read_written };
    uint32_t crc;
    uint8_t sha1[MOLT_SHA1_SIZE];
    int err = job_sum(job, &slot, &crc, sha1);
    bool is_right = crc == job->image.crc32 && memcmp(sha1, job->image.sha1, MOLT_SHA1_SIZE) == 0;
    return err || is_right ? err : job_trouble(job, MOLT_JOB_TROUBLE_FLASH, MOLT_ERR_IO);
}

int job_slots_store(molt_job_t *job) {
    molt_plan_source_t source;
    molt_reader_t image = molt_plan_reader(&source, job->config.flash, &job->plan);
    job->phase = MOLT_JOB_PHASE_WRITE;
    int err;
    if (job->is_delta) {
        err = job_delta_write(job);
    } else {
        if (job->is_gzip) {
            image = molt_unpack_reader(job->unpack, &image, job->window, job->window_size, job->image.size);
        }
        err = write_image(job, &image);
    }
    err = err ? job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err) : verify_written(job);
    job->stage = err ? MOLT_JOB_OPEN : MOLT_JOB_STORED;
    return err;
}

int job_slots_commit(molt_job_t *job, uint32_t trial_starts) {
    int err = molt_otadata_commit(job->config.flash, job->config.target, job->image.crc32, trial_starts != 0);
    return err ? job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err) : 0;
}
