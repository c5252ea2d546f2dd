// Preparing an upgrade on a simulated device.

#include "sim_upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "molt/error.h"
#include "molt_esp8266.h"

#define WORK_SIZE 8192
// Two windows, and a sector, for a delta file; for a gzip file the first.
#define WINDOW_SIZE (3 * MOLT_INFLATE_WINDOW_MAX)

void sim_upgrade_init(sim_upgrade_t *host, sim_nor_t *nor, const molt_region_t *fs, const char *path) {
    *host = (sim_upgrade_t){
        .nor = nor,
        .target = molt_esp8266,
        .fs = *fs,
        .path = path,
        .options = { .safe_check = true, .fs_addr = fs->addr },
    };
}

void sim_upgrade_free(sim_upgrade_t *host) {
    free(host->job.config.sector);
    free(host->job.config.work);
    free(host->job.unpack);
    free(host->job.window);
    host->job = (molt_job_t){ 0 };
}

static int mount_fs(sim_upgrade_t *host, bool is_writable) {
    int err = molt_volume_mount(&host->volume, &host->nor->flash, &host->fs, 0, is_writable);
    if (err) {
        host->job.trouble = MOLT_JOB_TROUBLE_FILE;
    }
    return err;
}

static int open_source(sim_upgrade_t *host) {
    molt_lfs_reader_t reader;
    int err = molt_lfs_source_open(&host->source, &reader, &host->volume, host->path);
    if (err) {
        host->job.trouble = MOLT_JOB_TROUBLE_FILE;
        return err;
    }
    err = molt_job_open(&host->job, &host->source.source);
    molt_lfs_source_close(&reader);
    return err;
}

int sim_upgrade_plan(sim_upgrade_t *host) {
    sim_upgrade_free(host);
    host->job.config = (molt_job_config_t){
        .target = &host->target,
        .flash = &host->nor->flash,
        .sector = malloc(host->nor->flash.geometry.sector_size),
        .work = malloc(WORK_SIZE),
        .work_size = WORK_SIZE,
        .progress = host->progress,
        .progress_ctx = host->progress_ctx,
        .options = host->options,
    };
    size_t unpack_size = sizeof *host->job.unpack > sizeof *host->job.delta ? sizeof *host->job.unpack : sizeof *host->job.delta;
    molt_job_set_window(&host->job, malloc(unpack_size), malloc(WINDOW_SIZE), WINDOW_SIZE);
    if (host->job.config.sector == NULL || host->job.config.work == NULL || host->job.unpack == NULL
        || host->job.window == NULL) {
        return MOLT_ERR_NOSPC;
    }
    int err = mount_fs(host, false);
    if (!err) {
        err = open_source(host);
    }
    return err ? err : molt_job_plan(&host->job);
}

// Write the head file as MicroPython would: on the volume mounted for writing.
static int write_head(sim_upgrade_t *host) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    int err = mount_fs(host, true);
    if (err) {
        return err;
    }
    // As for the stash, with which there are enough files in the directory.
    host->nor->is_sheltered = molt_job_stash_count(&host->job) != 0;
    err = molt_lfs_write_head(&host->job, &host->volume.lfs, SIM_HEAD_PATH, &config);
    molt_volume_unmount(&host->volume);
    host->nor->is_sheltered = false;
    return err;
}

// A fallback has its own.
static void name_stash(const sim_upgrade_t *host, uint32_t index, char path[32]) {
    snprintf(path, 32, "%s%u", host->options.is_fallback ? SIM_BACK_PATH : SIM_STASH_PATH, index);
}

static int write_stash(sim_upgrade_t *host, uint8_t *buf) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    char path[32];
    int err = 0;
    // littlefs 2.8 reads behind its own arrays where a directory that it compacts is read wrong.
    host->nor->is_sheltered = true;
    for (uint32_t i = 0; !err && i < molt_job_stash_count(&host->job); i++) {
        name_stash(host, i, path);
        err = mount_fs(host, true);
        if (!err) {
            err = molt_lfs_write_stash(
                &host->job, i, &host->volume.lfs, path, &config, buf, host->nor->flash.geometry.sector_size);
            molt_volume_unmount(&host->volume);
        }
    }
    host->nor->is_sheltered = false;
    return err;
}

// Tell the job where each of them is.
static int set_stash(sim_upgrade_t *host, uint8_t *buf) {
    molt_lfs_source_t file;
    char path[32];
    int err = 0;
    for (uint32_t i = 0; !err && i < molt_job_stash_count(&host->job); i++) {
        name_stash(host, i, path);
        err = molt_lfs_source_open(&file, NULL, &host->volume, path);
        err = err ? err : molt_job_set_stash(&host->job, i, &file.source, buf);
    }
    return err;
}

// What comes behind sim_upgrade_plan() and does not count yet.
static int store(sim_upgrade_t *host) {
    bool has_head = molt_job_head_size(&host->job) != 0;
    uint8_t *buf = malloc(host->nor->flash.geometry.sector_size);
    if (buf == NULL) {
        return MOLT_ERR_NOSPC;
    }
    int err = write_stash(host, buf);
    err = err || !has_head ? err : write_head(host);
    err = err ? err : mount_fs(host, false);
    molt_lfs_source_t head;
    err = err || !has_head ? err : molt_lfs_source_open(&head, NULL, &host->volume, SIM_HEAD_PATH);
    err = err ? err : set_stash(host, buf);
    free(buf);
    if (err) {
        host->job.trouble = MOLT_JOB_TROUBLE_SAVED;
        return err;
    }
    return molt_job_store(&host->job, has_head ? &head.source : NULL);
}

// What is wrong with it is told as what is wrong with the upgrade.
static int store_fallback(sim_upgrade_t *host) {
    sim_upgrade_t fallback = *host;
    fallback.path = host->fallback_path;
    fallback.options.is_fallback = true;
    fallback.options.is_on_trial = false;
    fallback.job = (molt_job_t){ 0 };
    int err = sim_upgrade_plan(&fallback);
    if (!err) {
        err = store(&fallback);
    }
    host->job.trouble = fallback.job.trouble;
    host->job.refusal = fallback.job.refusal;
    host->job.image = fallback.job.image;
    sim_upgrade_free(&fallback);
    return err;
}

int sim_upgrade_prepare(sim_upgrade_t *host) {
    host->options.is_on_trial = host->fallback_path != NULL;
    int err = sim_upgrade_plan(host);
    if (!err) {
        err = store(host);
    }
    if (!err && host->fallback_path) {
        err = store_fallback(host);
    }
    // With OTA slots no file is needed.
    bool is_trial = host->fallback_path || job_is_slots(&host->target);
    return err ? err : molt_job_commit(&host->job, is_trial ? host->trial_starts : 0);
}

// What to do about a refusal, and its numbers.
static void refusal_text(const molt_refusal_t *refusal, const char *sentence, char *text, uint32_t text_size) {
    const char *advice = "";
    const char *numbers = NULL;
    switch (refusal->reason) {
        case MOLT_REFUSAL_PAST_FLASH:
        case MOLT_REFUSAL_PAST_MAPPED:
        case MOLT_REFUSAL_PAST_PARTITION:
            advice = "; use a smaller image";
            numbers = "it has 0x%x bytes, there are 0x%x";
            break;
        case MOLT_REFUSAL_INTO_FILESYSTEM:
            numbers = "it ends at 0x%06x, the filesystem begins at 0x%06x";
            break;
        case MOLT_REFUSAL_INTO_RESERVED:
            advice = "; use a smaller image";
            numbers = "it ends at 0x%06x, the region begins at 0x%06x";
            break;
        case MOLT_REFUSAL_OVERLAPS_SOURCE:
        case MOLT_REFUSAL_OVERLAPS_SAVED:
            advice = "; use a flash map whose filesystem begins later";
            numbers = "it ends at 0x%06x, the file is at 0x%06x";
            break;
        case MOLT_REFUSAL_TOO_MANY_EXTENTS:
            advice = "; use a smaller image";
            break;
        case MOLT_REFUSAL_UNALIGNED_EXTENT:
            advice = "; format it again, with blocks of 4096 bytes";
            break;
        case MOLT_REFUSAL_BAD_REGION:
            advice = "; correct the place of the filesystem";
            numbers = "at 0x%06x, 0x%x bytes";
            break;
        case MOLT_REFUSAL_OTHER_MAP:
            advice = ", or give the device that map with `molt migrate`";
            numbers = "the image: 0x%06x, the device: 0x%06x";
            break;
        case MOLT_REFUSAL_NONE:
        case MOLT_REFUSAL_EMPTY:
            break;
    }
    int size = snprintf(text, text_size, "%s%s", sentence, advice);
    if (numbers && size > 0 && (uint32_t)size < text_size) {
        char pair[100];
        snprintf(pair, sizeof pair, numbers, refusal->need, refusal->limit);
        snprintf(text + size, text_size - (uint32_t)size, " (%s)", pair);
    }
}

void sim_upgrade_text(const sim_upgrade_t *host, int err, char *text, uint32_t text_size) {
    const molt_job_t *job = &host->job;
    const char *sentence = job->trouble == MOLT_JOB_TROUBLE_FILE ? molt_lfs_source_text(err) : molt_job_text(job, err);
    const char *advice = "";
    switch (job->trouble) {
        case MOLT_JOB_TROUBLE_REFUSED:
            refusal_text(&job->refusal, sentence, text, text_size);
            return;
        case MOLT_JOB_TROUBLE_IMAGE:
            snprintf(text, text_size, "%s (at byte %u of %u)", sentence, job->image.defect_off, job->image.size);
            return;
        case MOLT_JOB_TROUBLE_CHIP:
            snprintf(text, text_size, "%s (%s)", sentence, molt_chip_text(job->image.chip));
            return;
        case MOLT_JOB_TROUBLE_SAVED:
            advice = err == MOLT_ERR_NOSPC ? ": it is full; remove a file, two free blocks are needed"
                                           : "; the filesystem is damaged, format it again";
            break;
        case MOLT_JOB_TROUBLE_FILE:
            advice = err == MOLT_ERR_NOENT ? "; `molt ls` lists those that there are" : "";
            break;
        case MOLT_JOB_TROUBLE_NO_HEAD:
            advice = "; take an image that begins with 0xE9";
            break;
        case MOLT_JOB_TROUBLE_PENDING:
        case MOLT_JOB_TROUBLE_CANCELLED:
            advice = " (`molt boot` does what a reset does)";
            break;
        case MOLT_JOB_TROUBLE_NONE:
        case MOLT_JOB_TROUBLE_EXTENTS:
        case MOLT_JOB_TROUBLE_TRIAL:
        case MOLT_JOB_TROUBLE_FLASH:
        case MOLT_JOB_TROUBLE_LOADER:
        case MOLT_JOB_TROUBLE_RESIDENT:
        case MOLT_JOB_TROUBLE_FALLBACK:
        case MOLT_JOB_TROUBLE_NO_TRIALS:
        case MOLT_JOB_TROUBLE_SLOT_FALLBACK:
        case MOLT_JOB_TROUBLE_SLOT_ERASE:
        case MOLT_JOB_TROUBLE_STANDBY:
        case MOLT_JOB_TROUBLE_NO_HASH:
        case MOLT_JOB_TROUBLE_REVISION:
        case MOLT_JOB_TROUBLE_GZIP:
        case MOLT_JOB_TROUBLE_NO_GZIP:
        case MOLT_JOB_TROUBLE_NO_WINDOW:
        case MOLT_JOB_TROUBLE_WINDOW:
        case MOLT_JOB_TROUBLE_BOMB:
        case MOLT_JOB_TROUBLE_DELTA:
        case MOLT_JOB_TROUBLE_NO_DELTA:
        case MOLT_JOB_TROUBLE_DELTA_KIND:
        case MOLT_JOB_TROUBLE_DELTA_OTHER:
        case MOLT_JOB_TROUBLE_DELTA_ERASE:
        case MOLT_JOB_TROUBLE_DELTA_BACK:
        case MOLT_JOB_TROUBLE_EXTENSIONS:
            break;
    }
    snprintf(text, text_size, "%s%s", sentence, advice);
}
