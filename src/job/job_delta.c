// What is different about a job whose file is a delta file: it is checked against the firmware in flash, and needs sectors beside it.

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "delta/delta_log.h"
#include "job/head_file.h"
#include "job/job_parts.h"
#include "molt/error.h"
#include "resident/state.h"
#include "upgrade/prepare.h"

uint32_t molt_job_unpack_size(const molt_job_t *job) {
    return job->is_delta ? sizeof(molt_job_delta_t) : MOLT_JOB_UNPACK_SIZE;
}

uint32_t molt_job_window_size(const molt_job_t *job) {
    return job->is_delta ? job->window_size : 0;
}

// Where a decoded sector is.
static uint8_t *sector_of(const molt_job_t *job) {
    return job->window + molt_delta_window_size(&job->delta->patch.header);
}

// Where the old image is.
static uint32_t old_addr_of(const molt_job_t *job) {
    const molt_target_t *target = job->config.target;
    return job_is_slots(target) ? target->running.addr : target->image_addr;
}

static molt_delta_place_t place_of(const molt_job_t *job) {
    return (molt_delta_place_t){ job->config.flash, old_addr_of(job), job->present_addr, NULL };
}

// Its own, so that the core's functions are called by their names only.
static int tell_delta(void *ctx, uint32_t done, uint32_t total) {
    return job_progress(ctx, done, total);
}

static int bad_patch(molt_job_t *job, int err) {
    molt_job_trouble_t kind = err == MOLT_ERR_CORRUPT  ? MOLT_JOB_TROUBLE_DELTA
                              : err == MOLT_ERR_NOTSUP ? MOLT_JOB_TROUBLE_DELTA_KIND
                                                       : MOLT_JOB_TROUBLE_FILE;
    return job_trouble(job, kind, err);
}

// What the header says of the new image. The rest comes when it can be decoded.
static void take_header(molt_job_t *job, const molt_delta_header_t *header) {
    job->image = (molt_image_t){
        .chip = job->config.target->chip,
        .size = header->new_size,
        .crc32 = header->new_crc,
        .fs_addr = header->fs_addr,
        .flash_mode = (uint8_t)header->new_params,
        .flash_size_freq = (uint8_t)(header->new_params >> 8),
    };
    memcpy(job->image.sha1, header->new_sha1, MOLT_SHA1_SIZE);
}

int job_delta_open(molt_job_t *job, const molt_reader_t *file) {
    molt_delta_header_t header;
    uint8_t sha1[MOLT_SHA1_SIZE];
    bool is_taken = MOLT_DELTA && (job->config.target->delta.size || job_is_slots(job->config.target));
    if (!is_taken) {
        return job_trouble(job, MOLT_JOB_TROUBLE_NO_DELTA, MOLT_ERR_NOTSUP);
    }
    if (job->config.options.erase_all) {
        return job_trouble(job, MOLT_JOB_TROUBLE_DELTA_ERASE, MOLT_ERR_NOTSUP);
    }
    int err = molt_delta_read_header(file, &header);
    err = err || header.sector_size == job_sector_size(job) ? err : MOLT_ERR_NOTSUP;
    if (err) {
        return bad_patch(job, err);
    }
    uint32_t needed = molt_delta_window_size(&header) + header.sector_size;
    if (job->delta == NULL || job->window_size < needed) {
        job->window_size = needed;
        return job_trouble(job, MOLT_JOB_TROUBLE_NO_WINDOW, MOLT_ERR_NOSPC);
    }
    job->phase = MOLT_JOB_PHASE_IMAGE;
    job->delta->stash_set[0] = job->delta->stash_set[1] = 0;
    job->delta->sector = UINT32_MAX;
    job->delta->patch.header = header;
    take_header(job, &header);
    if (header.old_size > job->config.flash->geometry.size) {
        return job_trouble(job, MOLT_JOB_TROUBLE_DELTA_OTHER, MOLT_ERR_NOTSUP);
    }
    err = molt_delta_check_file(file, job->config.work, job->config.work_size, tell_delta, job);
    return err ? bad_patch(job, err) : job_sum(job, file, &job->source_crc, sha1);
}

static int begin_delta(molt_job_t *job) {
    molt_delta_place_t place = place_of(job);
    molt_reader_t file = molt_plan_reader(&job->delta->source, job->config.flash, &job->plan);
    job->delta->sector = UINT32_MAX;
    return molt_delta_begin(&job->delta->patch, &file, &place, job->window, job->window_size);
}

// A patch to fall back on makes what is in flash now, of what will be there.
static bool leads_back(const molt_job_t *job) {
    return job->config.options.is_fallback;
}

// Decode the new image's sector: from the patch, or from its place in flash if the patch does not write it.
static int decode_new(molt_job_t *job, uint32_t sector) {
    uint32_t size = job_sector_size(job);
    int err = begin_delta(job);
    bool is_there = sector == 0;
    err = err || !is_there ? err : molt_delta_first(&job->delta->patch, sector_of(job));
    for (uint32_t i = 0; !err && !is_there && i < job->delta->patch.header.op_count; i++) {
        molt_delta_write_t write;
        is_there = job->delta->patch.ops[i] == sector;
        err = molt_delta_next(&job->delta->patch, sector_of(job), is_there, &write);
    }
    if (!err && !is_there) {
        uint32_t addr = old_addr_of(job) + sector * size;
        err = job->config.flash->read(job->config.flash->ctx, addr, sector_of(job), size);
    }
    return err;
}

// Have a sector of the new image in memory.
static int have_sector(molt_job_t *job, uint32_t sector) {
    const molt_delta_place_t place = place_of(job);
    if (sector == job->delta->sector) {
        return 0;
    }
    int err = !leads_back(job) ? decode_new(job, sector)
              : sector         ? molt_delta_read_sector(&job->delta->patch.header, &place, sector, sector_of(job))
                               : molt_delta_present_first(&job->delta->patch, sector_of(job));
    job->delta->sector = err ? UINT32_MAX : sector;
    return err;
}

static int read_delta_image(void *ctx, uint32_t off, void *buf, uint32_t size) {
    molt_job_t *job = ctx;
    uint32_t sector_size = job_sector_size(job);
    uint8_t *out = buf;
    int err = 0;
    while (!err && size) {
        uint32_t piece = min_u32(size, sector_size - off % sector_size);
        err = have_sector(job, off / sector_size);
        if (!err) {
            memcpy(out, sector_of(job) + off % sector_size, piece);
        }
        off += piece;
        out += piece;
        size -= piece;
    }
    return err;
}

// That the patch makes the image that it promises, of the firmware in flash; or, of one that leads back, what of that can be seen.
static int check_whole_patch(molt_job_t *job) {
    molt_delta_t *patch = &job->delta->patch;
    int err = begin_delta(job);
    if (!err) {
        err = leads_back(job) ? molt_delta_check_back(patch, sector_of(job), tell_delta, job)
                              : molt_delta_check(patch, sector_of(job), tell_delta, job);
    }
    job->delta->writes = 0;
    for (uint32_t i = 0; !err && i < patch->header.op_count; i++) {
        job->delta->writes += MOLT_DELTA_OP_SLOT(patch->ops[i]) == 0;
    }
    return err ? bad_patch(job, err) : 0;
}

// That this image is one for the device. What its headers say is kept; the rest the patch says.
static int check_image_of_patch(molt_job_t *job) {
    const molt_reader_t image = { job, job->image.size, read_delta_image };
    const molt_image_t stated = job->image;
    int err = job_check_kind(job, &image, false);
    if (err) {
        return err;
    }
    job->image.size = stated.size;
    job->image.crc32 = stated.crc32;
    job->image.fs_addr = stated.fs_addr;
    memcpy(job->image.sha1, stated.sha1, MOLT_SHA1_SIZE);
    return job_check_loadable(job);
}

int job_delta_plan(molt_job_t *job, const molt_reader_t *file) {
    molt_delta_place_t place = place_of(job);
    (void)file;
    job->phase = MOLT_JOB_PHASE_COMPARE;
    int err = molt_delta_find_standing(
        &job->delta->patch.header, &place, job->config.work, job->config.work_size, tell_delta, job, &job->delta->standing);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err);
    }
    if (leads_back(job) && job->delta->standing != MOLT_DELTA_NEW) {
        return job_trouble(job, MOLT_JOB_TROUBLE_DELTA_BACK, MOLT_ERR_NOTSUP);
    }
    job->is_running = job->delta->standing == MOLT_DELTA_NEW;
    if (!leads_back(job) && job->is_running) {
        return 0;
    }
    if (job->delta->standing == MOLT_DELTA_OTHER) {
        return job_trouble(job, MOLT_JOB_TROUBLE_DELTA_OTHER, MOLT_ERR_NOTSUP);
    }
    err = check_whole_patch(job);
    err = err ? err : check_image_of_patch(job);
    if (err || job_is_slots(job->config.target)) {
        return err;
    }
    const molt_reader_t image = { job, job->image.size, read_delta_image };
    err = molt_prepare_compare_first(
        job->config.flash, &job->plan, &image, job->present_addr, job->config.work, job->config.work_size);
    return err ? job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err) : 0;
}

// That a patch to fall back on is made of what the other plan puts in, and that no sector is in both plans.
int job_delta_check_back(molt_job_t *job) {
    const molt_flash_t *flash = job->config.flash;
    uint8_t *buf = sector_of(job);
    molt_plan_t first;
    job->delta->sector = UINT32_MAX;
    int err = flash->read(flash->ctx, molt_state_plan_addr(flash, job->reserved_addr, 0), buf, job_sector_size(job));
    err = err ? err : molt_plan_open(&first, &flash->geometry, buf);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err);
    }
    if (memcmp(molt_plan_image_sha1(&first), job->delta->patch.header.old_sha1, MOLT_SHA1_SIZE) != 0) {
        return job_trouble(job, MOLT_JOB_TROUBLE_DELTA_BACK, MOLT_ERR_NOTSUP);
    }
    bool is_apart = molt_plan_is_apart_from(&job->plan, &first);
    return is_apart ? 0 : job_trouble(job, MOLT_JOB_TROUBLE_SAVED, MOLT_ERR_CORRUPT);
}

// Write a sector of the new image: the one that was decoded.
static int write_new(molt_job_t *job, uint32_t sector) {
    uint32_t size = job_sector_size(job);
    int err = molt_sector_write(job->config.flash, job->config.target->image_addr + sector * size, sector_of(job), false);
    return err ? err : job_progress(job, sector * size, job->image.size);
}

int job_delta_write(molt_job_t *job) {
    molt_delta_t *patch = &job->delta->patch;
    uint32_t size = job_sector_size(job);
    uint32_t sector_count = ceil_div(job->image.size, size);
    int err = begin_delta(job);
    err = err ? err : molt_delta_first(patch, sector_of(job));
    err = err ? err : write_new(job, 0);
    for (uint32_t i = 0; !err && i < patch->header.op_count; i++) {
        molt_delta_write_t write;
        err = molt_delta_next(patch, sector_of(job), true, &write);
        if (!err && MOLT_DELTA_OP_SLOT(patch->ops[i]) == 0) {
            err = write_new(job, MOLT_DELTA_OP_SECTOR(patch->ops[i]));
        }
    }
    // What both images have in the same place.
    for (uint32_t sector = 1; !err && sector < sector_count; sector++) {
        if (!molt_delta_is_written(patch, sector)) {
            err = job->config.flash->read(job->config.flash->ctx, old_addr_of(job) + sector * size, sector_of(job), size);
            err = err ? err : write_new(job, sector);
        }
    }
    return err;
}

uint32_t molt_job_stash_count(const molt_job_t *job) {
    return job_is_slots(job->config.target) ? 0
           : job->is_delta                  ? molt_delta_stash_count(&job->delta->patch.header)
           : job_is_standby_fallback(job)   ? 1
                                            : 0;
}

bool job_delta_is_stashed(const molt_job_t *job) {
    _Static_assert(MOLT_DELTA_STASH_SLOT + MOLT_DELTA_SLOTS_MAX <= 64, "stash_set");
    bool is_stashed = true;
    for (uint32_t i = 0; i < molt_job_stash_count(job); i++) {
        is_stashed = is_stashed && (job->delta->stash_set[i / 32] >> i % 32 & 1) != 0;
    }
    return is_stashed;
}

uint8_t *molt_job_stash_buffer(molt_job_t *job) {
    return job->is_delta ? sector_of(job) : NULL;
}

int molt_job_stash_bytes(molt_job_t *job, uint32_t index, uint8_t *buf) {
    uint32_t size = job_sector_size(job);
    if (index >= molt_job_stash_count(job) || job->stage != MOLT_JOB_PLANNED) {
        return MOLT_ERR_INVAL;
    }
    if (job_is_standby_fallback(job)) {
        return job_trial_bytes(job, buf);
    }
    if (buf == sector_of(job)) {
        job->delta->sector = UINT32_MAX;
    }
    memset(buf, 0xff, size);
    if (index == MOLT_DELTA_STASH_FIRST) {
        // As it is in the file, which is what its SHA-1 is of; the boot loader puts in the flash parameters.
        int err = have_sector(job, 0);
        if (!err && buf != sector_of(job)) {
            memcpy(buf, sector_of(job), size);
        }
        return err;
    }
    if (index - MOLT_DELTA_STASH_LOG < MOLT_DELTA_LOG_COUNT) {
        uint32_t seed = molt_delta_log_seed(job->image.crc32, job->source->file.size);
        molt_delta_log_init(&job->config.flash->geometry, seed, index - MOLT_DELTA_STASH_LOG, buf);
    } else if (index == MOLT_DELTA_STASH_CODE) {
        memcpy(buf, job->config.target->delta_rest.image, min_u32(size, job->config.target->delta_rest.size));
        if (job_is_standby(job->config.target)) {
            store32_le(buf + size - MOLT_DELTA_CODE_PLAN_ADDR, job->config.target->plan_addr);
            store32_le(buf + size - 4, molt_crc32(0, buf, size - 4));
        }
    }
    return 0;
}

int molt_job_set_stash(molt_job_t *job, uint32_t index, const molt_source_t *file, uint8_t *buf) {
    uint32_t size = job_sector_size(job);
    molt_head_part_t part = { 0, size, 0 };
    int err = molt_job_stash_bytes(job, index, buf);
    uint32_t crc = molt_crc32(0, buf, size);
    err = err ? err : molt_head_parts_find(file, &part, 1);
    if (!err && part.addr) {
        if (!job_is_standby_fallback(job)) {
            job->delta->sector = UINT32_MAX;
        }
        err = job->config.flash->read(job->config.flash->ctx, part.addr, buf, size);
    }
    if (!err && (part.addr == 0 || molt_crc32(0, buf, size) != crc)) {
        err = MOLT_ERR_CORRUPT;
    }
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_SAVED, err);
    }
    if (job_is_standby_fallback(job)) {
        return job_trial_set(job, part.addr);
    }
    err = molt_plan_set_stash(&job->plan, index, part.addr, &job->refusal);
    job->delta->stash_set[index / 32] |= err ? 0 : 1u << index % 32;
    return err ? job_trouble(job, MOLT_JOB_TROUBLE_REFUSED, err) : 0;
}
