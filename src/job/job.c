// The order of an upgrade's preparation, and what can go wrong with each step.

#include "job/job_parts.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "job/head_file.h"
#include "molt/error.h"
#include "resident/resident.h"
#include "standby/standby.h"
#include "upgrade/apply.h"
#include "upgrade/marks.h"
#include "upgrade/prepare.h"

int job_trouble(molt_job_t *job, molt_job_trouble_t kind, int err) {
    job->trouble = kind;
    return err;
}

static uint32_t mapped_size(const molt_job_t *job) {
    uint32_t limit = job->config.options.mapped_size;
    return limit ? min_u32(limit, job->config.target->mapped_size) : job->config.target->mapped_size;
}

int job_progress(void *ctx, uint32_t done, uint32_t total) {
    molt_job_t *job = ctx;
    return job->config.progress ? job->config.progress(job->config.progress_ctx, job->phase, done, total) : 0;
}

int job_check_kind(molt_job_t *job, const molt_reader_t *reader, bool safe_check) {
    job->phase = MOLT_JOB_PHASE_IMAGE;
    int err;
    if (safe_check) {
        err = molt_image_verify(reader, job->config.work, job->config.work_size, job_progress, job, &job->image);
    } else {
        err = molt_image_probe(reader, &job->image);
    }
    if (err) {
        return job_trouble(job, job->image.defect != MOLT_IMAGE_FINE ? MOLT_JOB_TROUBLE_IMAGE : MOLT_JOB_TROUBLE_FILE, err);
    }
    if (job->image.chip != job->config.target->chip) {
        return job_trouble(job, MOLT_JOB_TROUBLE_CHIP, MOLT_ERR_NOTSUP);
    }
    if (job->image.kind == MOLT_IMAGE_KIND_ESP8266_V2) {
        return job_trouble(job, MOLT_JOB_TROUBLE_NO_HEAD, MOLT_ERR_NOTSUP);
    }
    if (job_is_second_stage(job->config.target) && !job->image.has_sha256) {
        return job_trouble(job, MOLT_JOB_TROUBLE_NO_HASH, MOLT_ERR_NOTSUP);
    }
    uint32_t revision = job->config.options.chip_revision;
    if (job_is_second_stage(job->config.target) && revision
        && (revision < job->image.revision_min || revision > job->image.revision_max)) {
        return job_trouble(job, MOLT_JOB_TROUBLE_REVISION, MOLT_ERR_NOTSUP);
    }
    return 0;
}

// CRC-32 and SHA-1 of all that `reader` reads.
int job_sum(molt_job_t *job, const molt_reader_t *reader, uint32_t *crc, uint8_t sha1[MOLT_SHA1_SIZE]) {
    molt_sha1_t hash;
    uint32_t size;
    *crc = 0;
    molt_sha1_init(&hash);
    for (uint32_t off = 0; off < reader->size; off += size) {
        size = min_u32(job->config.work_size, reader->size - off);
        int err = reader->read(reader->ctx, off, job->config.work, size);
        if (!err) {
            err = job_progress(job, off, reader->size);
        }
        if (err) {
            return job_trouble(job, MOLT_JOB_TROUBLE_FILE, err);
        }
        *crc = molt_crc32(*crc, job->config.work, size);
        molt_sha1_update(&hash, job->config.work, size);
    }
    molt_sha1_finish(sha1, &hash);
    return 0;
}

static int check_raw(molt_job_t *job, const molt_reader_t *file) {
    job->kept_size = molt_sector_size(&job->config.flash->geometry);
    int err = job_check_kind(job, file, job->config.options.safe_check);
    if (!err && job->config.options.safe_check) {
        job->source_crc = job->image.crc32;
    } else if (!err) {
        err = job_sum(job, file, &job->source_crc, job->image.sha1);
        job->image.crc32 = job->source_crc;
    }
    return err;
}

// So many bytes of what is unpacked tell whether it is an image at all, and need no window to speak of.
#define FIRST_SIZE 8u

// Whether a gzip file begins with an image. Asked first, so that nobody is told to pack a file anew that is no image at all. What is wrong
// with the gzip file itself is found later.
static int check_first_bytes(molt_job_t *job, molt_reader_t image) {
    image.size = FIRST_SIZE;
    int err = molt_image_probe(&image, &job->image);
    molt_image_defect_t defect = job->image.defect;
    bool is_none = defect == MOLT_IMAGE_BAD_MAGIC || defect == MOLT_IMAGE_ERASED || defect == MOLT_IMAGE_COMPRESSED;
    return is_none ? job_trouble(job, MOLT_JOB_TROUBLE_IMAGE, err) : 0;
}

// A gzip file is unpacked twice: for its size and CRC, and for the checks and the SHA-1 of the image.
static int check_gzip(molt_job_t *job, const molt_reader_t *file) {
    if (job->config.target->extension.size == 0 && !job_is_slots(job->config.target)) {
        return job_trouble(job, MOLT_JOB_TROUBLE_NO_GZIP, MOLT_ERR_NOTSUP);
    }
    if (job->unpack == NULL) {
        return job_trouble(job, MOLT_JOB_TROUBLE_NO_WINDOW, MOLT_ERR_NOSPC);
    }
    job->phase = MOLT_JOB_PHASE_IMAGE;
    molt_unpacked_t unpacked;
    molt_reader_t image = molt_unpack_reader(job->unpack, file, job->window, job->window_size, 0);
    int err = check_first_bytes(job, image);
    if (err) {
        return err;
    }
    err = molt_unpack_measure(job->unpack, molt_sector_size(&job->config.flash->geometry), mapped_size(job), job->config.work,
        job->config.work_size, job_progress, job, &unpacked);
    if (err) {
        molt_job_trouble_t kind = err == MOLT_ERR_NOSPC  ? MOLT_JOB_TROUBLE_WINDOW
                                  : err == MOLT_ERR_FBIG ? MOLT_JOB_TROUBLE_BOMB
                                                         : MOLT_JOB_TROUBLE_GZIP;
        return job_trouble(job, kind, err);
    }
    image.size = unpacked.size;
    job->kept_size = unpacked.head_used;
    err = job_check_kind(job, &image, job->config.options.safe_check);
    job->image.size = unpacked.size;
    if (!err && !job->config.options.safe_check) {
        err = job_sum(job, &image, &job->image.crc32, job->image.sha1);
    }
    if (!err && job->image.crc32 != unpacked.crc) {
        // Unpacked twice, with two results.
        err = job_trouble(job, MOLT_JOB_TROUBLE_FLASH, MOLT_ERR_IO);
    }
    uint8_t sha1_of_file[MOLT_SHA1_SIZE];
    return err ? err : job_sum(job, file, &job->source_crc, sha1_of_file);
}

molt_job_t *molt_job_init(molt_job_memory_t *memory, const molt_job_config_t *config) {
    _Static_assert(sizeof(molt_job_t) <= sizeof(molt_job_memory_t), "MOLT_JOB_SIZE");
    _Static_assert(sizeof(molt_unpack_t) <= MOLT_JOB_UNPACK_SIZE, "MOLT_JOB_UNPACK_SIZE");
    molt_job_t *job = (molt_job_t *)(void *)memory;
    *job = (molt_job_t){ .config = *config };
    return job;
}

void molt_job_set_window(molt_job_t *job, void *unpack, uint8_t *window, uint32_t window_size) {
    job->unpack = unpack;
    job->window = window;
    job->window_size = window_size;
}

bool molt_job_needs_window(const molt_job_t *job) {
    return job->trouble == MOLT_JOB_TROUBLE_NO_WINDOW;
}

int molt_job_open(molt_job_t *job, const molt_source_t *source) {
    job->trouble = MOLT_JOB_TROUBLE_NONE;
    job->stage = MOLT_JOB_NEW;
    job->source = source;
    if (job->config.work_size < MOLT_JOB_WORK_SIZE_MIN || job->config.work_size % 4 != 0
        || job->config.options.reserved_count > MOLT_JOB_RESERVED_MAX) {
        return MOLT_ERR_INVAL;
    }
    uint8_t magic[4] = { 0 };
    int err = source->file.size >= sizeof magic ? source->file.read(source->file.ctx, 0, magic, sizeof magic) : 0;
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FILE, err);
    }
    job->is_gzip = molt_unpack_is_gzip(magic);
    job->is_delta = molt_delta_is_patch(magic);
    err = job->is_gzip    ? check_gzip(job, &source->file)
          : job->is_delta ? job_delta_open(job, &source->file)
                          : check_raw(job, &source->file);
    job->stage = err ? MOLT_JOB_NEW : MOLT_JOB_OPEN;
    return err;
}

static int add_extent(void *ctx, const molt_extent_t *extent) {
    molt_job_t *job = ctx;
    return molt_plan_set_run(&job->plan, extent->index, extent->addr, extent->size, &job->refusal);
}

// What the plan needs to know of the device: the header bytes that it starts with now. Read twice: with wrong ones it would
// not start again.
static int read_present(molt_job_t *job) {
    const molt_flash_t *flash = job->config.flash;
    uint32_t boot_addr = job->config.target->boot_addr;
    uint32_t word;
    uint32_t again;
    int err = flash->read(flash->ctx, boot_addr, &word, sizeof word);
    if (!err) {
        err = flash->read(flash->ctx, boot_addr, &again, sizeof again);
    }
    job->present_params = load16_le((const uint8_t *)&word + 2);
    return !err && word != again ? MOLT_ERR_IO : err;
}

static uint16_t image_params(const molt_image_t *image) {
    uint8_t bytes[2] = { image->flash_mode, image->flash_size_freq };
    return load16_le(bytes);
}

static int begin_plan(molt_job_t *job) {
    const molt_geometry_t *geometry = &job->config.flash->geometry;
    uint32_t sector_size = molt_sector_size(geometry);
    if (job->source->block_size % sector_size != 0) {
        job->refusal = (molt_refusal_t){ MOLT_REFUSAL_UNALIGNED_EXTENT, job->source->block_size, sector_size };
        return MOLT_ERR_NOTSUP;
    }
    // The caller's and, in resident mode, molt's own.
    molt_region_t reserved[MOLT_JOB_RESERVED_MAX + 1];
    // An image of an ESP32 has a SHA-256 over its header, and its flash parameters are the boot loader's business.
    bool takes_params = job->config.options.image_params || job_is_second_stage(job->config.target);
    bool on_trial = job_is_standby(job->config.target) && job->config.options.is_on_trial;
    uint32_t loader_size = job_is_standby(job->config.target) ? molt_trial_front_size(geometry, on_trial)
                                                              : job->config.target->transient.size;
    uint32_t reserved_count = job->config.options.reserved_count;
    for (uint32_t i = 0; i < reserved_count; i++) {
        reserved[i] = job->config.options.reserved[i];
    }
    if (job->is_resident) {
        reserved[reserved_count++] = (molt_region_t){ job->reserved_addr, MOLT_RESERVED_SECTOR_COUNT * sector_size };
    }
    molt_plan_request_t request = {
        .source_kind = job->is_gzip    ? MOLT_SOURCE_GZIP
                       : job->is_delta ? MOLT_SOURCE_DELTA
                                       : MOLT_SOURCE_COPY,
        .image_size = job->image.size,
        .image_crc = job->image.crc32,
        .image_addr = job->config.target->image_addr,
        .boot_addr = job->config.target->boot_addr,
        .source_size = job->source->file.size,
        .kept_size = job->kept_size,
        .extent_count = job->source->sector_count + (job->is_delta ? molt_job_stash_count(job) : 0),
        .stash_count = job->is_delta ? molt_job_stash_count(job) : 0,
        .loader_size = job->is_resident ? 0 : loader_size,
        .trial_size = on_trial ? job->config.target->standby->trial.size : 0,
        .mapped_size = mapped_size(job),
        .fs = job->source->fs,
        .erase_all = job->config.options.erase_all,
        .reserved = reserved,
        .reserved_count = reserved_count,
        .is_standby = job_is_standby(job->config.target),
        .flash_params = takes_params ? image_params(&job->image) : job->present_params,
        .whole_image = job->config.options.whole_image || job->config.options.is_fallback,
    };
    memcpy(request.image_sha1, job->image.sha1, MOLT_SHA1_SIZE);
    int err = molt_plan_begin(&job->plan, geometry, &request, job->config.sector, &job->refusal);
    if (err && job_is_second_stage(job->config.target) && job->refusal.reason == MOLT_REFUSAL_PAST_MAPPED) {
        job->refusal.reason = MOLT_REFUSAL_PAST_PARTITION;
    }
    if (!err && on_trial) {
        memcpy(molt_plan_trial_code(&job->plan), job->config.target->standby->trial.image, request.trial_size);
    }
    uint32_t fs_addr = job->image.fs_addr;
    if (!err && fs_addr && job->config.options.fs_addr && fs_addr != job->config.options.fs_addr
        && !job->config.options.erase_all) {
        job->refusal = (molt_refusal_t){ MOLT_REFUSAL_OTHER_MAP, fs_addr, job->config.options.fs_addr };
        err = MOLT_ERR_NOTSUP;
    }
    return err;
}

// Resident mode: can the boot loader that is installed load the image?
int job_check_loadable(molt_job_t *job) {
    molt_resident_t resident;
    if (!job->is_resident) {
        return 0;
    }
    int err = molt_resident_read(job->config.flash, &resident);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_RESIDENT, err);
    }
    bool fits = job->image.kind != MOLT_IMAGE_KIND_ARDUINO;
    for (uint32_t i = 0; i < job->image.segment_count; i++) {
        const molt_image_segment_t *segment = &job->image.segments[i];
        fits = fits && ((segment->vaddr | segment->size) & 3) == 0
               && !molt_resident_collides(resident.memory, MOLT_RESIDENT_MEMORY_COUNT, segment->vaddr, segment->size);
    }
    return fits ? 0 : job_trouble(job, MOLT_JOB_TROUBLE_LOADER, MOLT_ERR_NOTSUP);
}

// Resident mode: is it installed, is it at rest, and can its boot loader load the image?
static int check_resident(molt_job_t *job) {
    const molt_flash_t *flash = job->config.flash;
    molt_resident_t resident;
    int err = molt_resident_read(flash, &resident);
    job->is_resident = !err;
    job->present_addr = job->config.target->image_addr;
    if (err == MOLT_ERR_NOENT) {
        return 0;
    }
    if (err || resident.version != MOLT_RESIDENT_VERSION || resident.overlay_abi != MOLT_OVERLAY_ABI
        || resident.state_version != MOLT_STATE_VERSION) {
        return job_trouble(job, MOLT_JOB_TROUBLE_RESIDENT, err ? err : MOLT_ERR_NOTSUP);
    }
    job->reserved_addr = resident.reserved_addr;
    molt_state_t state;
    err = molt_state_read(flash, job->reserved_addr, &state);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err);
    }
    job->present_addr = molt_state_head_addr(flash, job->reserved_addr, state.head);
    if (state.kind != MOLT_STATE_NORMAL) {
        bool on_trial = state.kind == MOLT_STATE_TRIAL;
        return job_trouble(job, on_trial ? MOLT_JOB_TROUBLE_TRIAL : MOLT_JOB_TROUBLE_PENDING, MOLT_ERR_BUSY);
    }
    return job_check_loadable(job);
}

// What is prepared already must not be taken for the firmware's own first sector.
static int check_pending(molt_job_t *job) {
    const molt_flash_t *flash = job->config.flash;
    const molt_target_t *target = job->config.target;
    if (job_is_slots(target)) {
        return job_slots_check(job);
    }
    if (!job_is_standby(target)) {
        bool is_pending = molt_prepare_is_pending(flash, target->boot_addr, job->config.sector);
        return is_pending ? job_trouble(job, MOLT_JOB_TROUBLE_PENDING, MOLT_ERR_BUSY) : check_resident(job);
    }
    job->present_addr = target->image_addr;
    if (!molt_standby_is_armed(flash, target->image_addr)) {
        return job_trial_check(job);
    }
    bool is_cancelled = molt_standby_is_cancelled(flash, target, job->config.sector);
    return job_trouble(job, is_cancelled ? MOLT_JOB_TROUBLE_CANCELLED : MOLT_JOB_TROUBLE_PENDING, MOLT_ERR_BUSY);
}

static int make_plan(molt_job_t *job) {
    job->refusal.reason = MOLT_REFUSAL_NONE;
    int err = check_pending(job);
    if (err) {
        return err;
    }
    // What it needs to have saved would take the place of what the upgrade itself has saved.
    if (job->config.options.is_fallback && !job->is_resident && !job_is_second_stage(job->config.target)) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FALLBACK, MOLT_ERR_NOTSUP);
    }
    err = read_present(job);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err);
    }
    err = begin_plan(job);
    if (!err) {
        err = job->source->walk(job->source->ctx, add_extent, job);
    }
    if (err) {
        bool refused = job->refusal.reason != MOLT_REFUSAL_NONE;
        return job_trouble(job, refused ? MOLT_JOB_TROUBLE_REFUSED : MOLT_JOB_TROUBLE_EXTENTS, err);
    }
    molt_plan_source_t source;
    molt_reader_t image = molt_plan_reader(&source, job->config.flash, &job->plan);
    if (job->config.options.safe_check || job->is_delta) {
        job->phase = MOLT_JOB_PHASE_SOURCE;
        err = molt_prepare_source(&image, job->source_crc, job->config.work, job->config.work_size, job_progress, job);
        if (err) {
            return job_trouble(job, MOLT_JOB_TROUBLE_EXTENTS, err);
        }
    }
    if (job->is_delta) {
        return job_delta_plan(job, &image);
    }
    if (job->is_gzip) {
        image = molt_unpack_reader(job->unpack, &image, job->window, job->window_size, job->image.size);
    }
    if (job_is_slots(job->config.target)) {
        return job_slots_compare(job, &image);
    }
    job->phase = MOLT_JOB_PHASE_COMPARE;
    err = molt_prepare_compare(
        job->config.flash, &job->plan, &image, job->present_addr, job->config.work, job->config.work_size, job_progress, job);
    return err ? job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err) : 0;
}

// Whether the job has come to `stage`. From here on it is at the one before, until the call has done its work.
static bool begin_step(molt_job_t *job, molt_job_stage_t stage) {
    bool is_at_stage = job->stage == stage;
    job->trouble = MOLT_JOB_TROUBLE_NONE;
    job->stage = is_at_stage ? stage - 1 : job->stage;
    return is_at_stage;
}

int molt_job_plan(molt_job_t *job) {
    if (!begin_step(job, MOLT_JOB_OPEN)) {
        return MOLT_ERR_INVAL;
    }
    int err = make_plan(job);
    if (!err) {
        // So that it can be counted; store() does it once more, when it is known where things are saved.
        molt_plan_finish(&job->plan);
        job->stage = MOLT_JOB_PLANNED;
    }
    return err;
}

void molt_job_facts(const molt_job_t *job, molt_job_facts_t *facts) {
    molt_plan_tally_t tally;
    molt_plan_count(&job->plan, &tally);
    *facts = (molt_job_facts_t){
        .image_size = job->image.size,
        .image_crc = job->image.crc32,
        .is_gzip = job->is_gzip,
        .is_resident = job->is_resident,
        .is_in_place = tally.is_in_place,
        .sector_count = tally.image_sector_count,
        .equal_count = tally.equal_count,
        .program_count = tally.program_count,
        .sector_erase_count = tally.sector_erase_count,
        .block_erase_count = tally.block_erase_count,
    };
    if (job->is_delta) {
        // What its operations write, the logs, and what any upgrade does.
        facts->is_delta = true;
        facts->is_in_place = job->delta->standing == MOLT_DELTA_NEW && !job->config.options.is_fallback;
        facts->program_count = job->delta->writes + 1;
        facts->equal_count = facts->sector_count - facts->program_count;
        facts->sector_erase_count = job->delta->patch.header.op_count + 2 + 2;
    }
    if (job_is_slots(job->config.target)) {
        job_slots_facts(job, facts);
    }
}

const molt_loader_t *job_extension(const molt_job_t *job) {
    // Of a trial either file may be a gzip file.
    bool on_trial = job_is_standby(job->config.target) && job->config.options.is_on_trial;
    return job->is_gzip || on_trial ? &job->config.target->extension : job->is_delta ? &job->config.target->delta : NULL;
}

static int store_resident(molt_job_t *job) {
    uint32_t plan_slot = job->config.options.is_fallback ? 1 : 0;
    int err = molt_resident_store(
        job->config.flash, job->reserved_addr, plan_slot, &job->plan, &job->config.target->overlay, job_extension(job));
    if (err == MOLT_ERR_NOTSUP) {
        return job_trouble(job, MOLT_JOB_TROUBLE_EXTENSIONS, err);
    }
    return err ? job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err) : 0;
}

int molt_job_store(molt_job_t *job, const molt_source_t *head) {
    bool is_slots = job_is_slots(job->config.target);
    bool has_head = head || job->is_resident || is_slots || job_is_standby_fallback(job);
    bool is_stashed = !job->is_delta || job_delta_is_stashed(job);
    if (!has_head || !is_stashed || !begin_step(job, MOLT_JOB_PLANNED)) {
        return MOLT_ERR_INVAL;
    }
    if (is_slots || job_is_standby_fallback(job)) {
        return is_slots ? job_slots_store(job) : job_trial_store(job);
    }
    if (job->is_delta && job->config.options.is_fallback) {
        int err = job_delta_check_back(job);
        if (err) {
            return err;
        }
    }
    molt_saved_t saved;
    int err = job->is_resident ? molt_resident_saved(
                  job->config.flash, job->reserved_addr, job_extension(job), job->config.options.is_fallback, &saved)
                               : molt_head_file_find(job, head, &saved);
    if (err) {
        // The head file can be written again.
        job->stage = MOLT_JOB_PLANNED;
        return job_trouble(job, job->is_resident ? MOLT_JOB_TROUBLE_FLASH : MOLT_JOB_TROUBLE_SAVED, err);
    }
    if (job->is_delta && !molt_plan_is_apart(&job->plan, &saved)) {
        job->stage = MOLT_JOB_PLANNED;
        return job_trouble(job, MOLT_JOB_TROUBLE_SAVED, MOLT_ERR_CORRUPT);
    }
    err = molt_plan_set_saved(&job->plan, &saved, &job->refusal);
    if (err) {
        return job_trouble(job, MOLT_JOB_TROUBLE_REFUSED, err);
    }
    molt_plan_finish(&job->plan);
    err = job->is_resident ? store_resident(job) : job_is_standby(job->config.target) ? job_standby_store(job) : 0;
    job->stage = err ? MOLT_JOB_OPEN : MOLT_JOB_STORED;
    return err;
}

int molt_job_commit(molt_job_t *job, uint32_t trial_starts) {
    if (!begin_step(job, MOLT_JOB_STORED)) {
        return MOLT_ERR_INVAL;
    }
    job->stage = MOLT_JOB_NEW;
    if (job_is_second_stage(job->config.target)) {
        return job_is_slots(job->config.target) ? job_slots_commit(job, trial_starts) : job_standby_commit(job, trial_starts);
    }
    int err = job->is_resident
                  ? molt_resident_commit(job->config.flash, job->reserved_addr, trial_starts)
                  : molt_prepare_install(job->config.flash, &job->plan, &job->config.target->transient, job->present_params);
    return err ? job_trouble(job, MOLT_JOB_TROUBLE_FLASH, err) : 0;
}
