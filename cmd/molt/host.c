// Preparing an upgrade on a simulated device.

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp8266_inflate.h"
#include "esp8266_loader.h"
#include "esp8266_overlay.h"
#include "esp8266_resident.h"
#include "molt/error.h"
#include "molt/map.h"

#define WORK_SIZE 8192

static const molt_region_t resident_memory[] = ESP8266_resident_MEMORY;

void host_job_init(host_job_t *job, sim_nor_t *nor, const molt_region_t *fs, const char *path) {
    *job = (host_job_t){
        .nor = nor,
        .loader = { esp8266_loader, sizeof esp8266_loader },
        .extension = { esp8266_inflate, sizeof esp8266_inflate },
        .resident = { esp8266_resident, sizeof esp8266_resident, resident_memory, 2 },
        .overlay = { esp8266_overlay, sizeof esp8266_overlay },
        .fs = *fs,
        .path = path,
        .options = { .safe_check = true, .mapped_size = MOLT_MAP_MAPPED_SIZE, .fs_addr = fs->addr },
    };
}

void host_job_free(host_job_t *job) {
    free(job->upgrade.sector);
    free(job->upgrade.work);
    free(job->upgrade.unpack);
    free(job->upgrade.window);
    job->upgrade.sector = NULL;
    job->upgrade.work = NULL;
    job->upgrade.unpack = NULL;
    job->upgrade.window = NULL;
}

static int mount_fs(host_job_t *job, bool is_writable) {
    int err = molt_volume_mount(&job->volume, &job->nor->flash, &job->fs, 0, is_writable);
    if (err) {
        job->upgrade.trouble = MOLT_UPGRADE_TROUBLE_FILE;
    }
    return err;
}

int host_plan(host_job_t *job) {
    host_job_free(job);
    job->options.loader_size = job->loader.size;
    job->upgrade = (molt_upgrade_t){
        .flash = &job->nor->flash,
        .volume = &job->volume,
        .sector = malloc(job->nor->flash.geometry.sector_size),
        .work = malloc(WORK_SIZE),
        .work_size = WORK_SIZE,
        .unpack = malloc(sizeof *job->upgrade.unpack),
        .window = malloc(MOLT_INFLATE_WINDOW_MAX),
        .window_size = MOLT_INFLATE_WINDOW_MAX,
        .extension = &job->extension,
        .overlay = &job->overlay,
        .progress = job->progress,
        .progress_ctx = job->progress_ctx,
    };
    if (job->upgrade.sector == NULL || job->upgrade.work == NULL || job->upgrade.unpack == NULL
        || job->upgrade.window == NULL) {
        return MOLT_ERR_NOSPC;
    }
    int err = mount_fs(job, false);
    if (!err) {
        err = molt_upgrade_open(&job->upgrade, job->path, &job->options);
    }
    if (!err) {
        err = molt_upgrade_plan(&job->upgrade, &job->options);
    }
    return err;
}

// Write the saved file as MicroPython would: on the volume mounted for writing.
static int write_saved_file(host_job_t *job) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    uint32_t piece[64];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    int err = mount_fs(job, true);
    if (err) {
        return err;
    }
    err = lfs2_file_opencfg(&job->volume.lfs, &file, HOST_SAVED_PATH, LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_TRUNC, &config);
    if (err) {
        return err;
    }
    uint32_t size = molt_upgrade_saved_size(&job->upgrade);
    for (uint32_t off = 0; !err && off < size; off += sizeof piece) {
        uint32_t piece_size = size - off < sizeof piece ? size - off : (uint32_t)sizeof piece;
        err = molt_upgrade_saved_bytes(&job->upgrade, off, (uint8_t *)piece, piece_size);
        if (!err) {
            lfs2_ssize_t written = lfs2_file_write(&job->volume.lfs, &file, piece, piece_size);
            err = written < 0 ? (int)written : 0;
        }
    }
    int close_err = lfs2_file_close(&job->volume.lfs, &file);
    molt_volume_unmount(&job->volume);
    return err ? err : close_err;
}

// What comes behind host_plan() and does not count yet.
static int store(host_job_t *job) {
    int err = 0;
    if (molt_upgrade_saved_size(&job->upgrade)) {
        err = write_saved_file(job);
        if (!err) {
            err = mount_fs(job, false);
        }
        if (err) {
            job->upgrade.trouble = MOLT_UPGRADE_TROUBLE_SAVED;
        }
    }
    return err ? err : molt_upgrade_store(&job->upgrade, &job->volume, HOST_SAVED_PATH);
}

static int store_fallback(const host_job_t *job) {
    host_job_t fallback = *job;
    fallback.path = job->fallback_path;
    fallback.options.is_fallback = true;
    fallback.upgrade = (molt_upgrade_t){ 0 };
    int err = host_plan(&fallback);
    if (!err) {
        err = store(&fallback);
    }
    host_job_free(&fallback);
    return err;
}

int host_prepare(host_job_t *job) {
    int err = host_plan(job);
    if (!err) {
        err = store(job);
    }
    if (!err && job->fallback_path) {
        err = store_fallback(job);
    }
    return err ? err : molt_upgrade_commit(&job->upgrade, &job->loader, job->fallback_path ? job->trial_starts : 0);
}

// What to do about a refusal, and its numbers.
static void refusal_text(const molt_refusal_t *refusal, const char *sentence, char *text, uint32_t text_size) {
    const char *advice = "";
    const char *numbers = NULL;
    switch (refusal->reason) {
        case MOLT_REFUSAL_PAST_FLASH:
        case MOLT_REFUSAL_PAST_MAPPED:
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

void host_text(const host_job_t *job, int err, char *text, uint32_t text_size) {
    const molt_upgrade_t *upgrade = &job->upgrade;
    const char *sentence = molt_upgrade_text(upgrade, err);
    const char *advice = "";
    switch (upgrade->trouble) {
        case MOLT_UPGRADE_TROUBLE_REFUSED:
            refusal_text(&upgrade->refusal, sentence, text, text_size);
            return;
        case MOLT_UPGRADE_TROUBLE_IMAGE:
            snprintf(text, text_size, "%s (at byte %u of %u)", sentence, upgrade->image.defect_off, upgrade->image.size);
            return;
        case MOLT_UPGRADE_TROUBLE_CHIP:
            snprintf(text, text_size, "%s (%s); take one for the ESP8266", sentence, molt_chip_text(upgrade->image.chip));
            return;
        case MOLT_UPGRADE_TROUBLE_SAVED:
            advice = err == MOLT_ERR_NOSPC ? ": it is full; remove a file, two free blocks are needed"
                                           : "; the filesystem is damaged, format it again";
            break;
        case MOLT_UPGRADE_TROUBLE_FILE:
            advice = err == MOLT_ERR_NOENT ? "; `molt ls` lists those that there are" : "";
            break;
        case MOLT_UPGRADE_TROUBLE_NO_HEAD:
            advice = "; take an image that begins with 0xE9";
            break;
        case MOLT_UPGRADE_TROUBLE_PENDING:
            advice = " (`molt boot` does what a reset does)";
            break;
        case MOLT_UPGRADE_TROUBLE_NONE:
        case MOLT_UPGRADE_TROUBLE_EXTENTS:
        case MOLT_UPGRADE_TROUBLE_TRIAL:
        case MOLT_UPGRADE_TROUBLE_FLASH:
        case MOLT_UPGRADE_TROUBLE_LOADER:
        case MOLT_UPGRADE_TROUBLE_RESIDENT:
        case MOLT_UPGRADE_TROUBLE_FALLBACK:
        case MOLT_UPGRADE_TROUBLE_GZIP:
        case MOLT_UPGRADE_TROUBLE_NO_WINDOW:
        case MOLT_UPGRADE_TROUBLE_WINDOW:
        case MOLT_UPGRADE_TROUBLE_BOMB:
            break;
    }
    snprintf(text, text_size, "%s%s", sentence, advice);
}
