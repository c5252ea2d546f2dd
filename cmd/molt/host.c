// Preparing an upgrade on a simulated device.

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp8266_loader.h"
#include "molt/error.h"

#define WORK_SIZE 8192

void host_job_init(host_job_t *job, sim_nor_t *nor, const molt_region_t *fs, const char *path) {
    *job = (host_job_t){
        .nor = nor,
        .loader = { esp8266_loader, sizeof esp8266_loader },
        .fs = *fs,
        .path = path,
        .options = { .safe_check = true, .mapped_size = 0x100000 },
    };
}

void host_job_free(host_job_t *job) {
    free(job->upgrade.sector);
    free(job->upgrade.work);
    job->upgrade.sector = NULL;
    job->upgrade.work = NULL;
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
        .progress = job->progress,
        .progress_ctx = job->progress_ctx,
    };
    if (job->upgrade.sector == NULL || job->upgrade.work == NULL) {
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

int host_prepare(host_job_t *job) {
    int err = host_plan(job);
    if (err) {
        return err;
    }
    err = write_saved_file(job);
    if (!err) {
        err = mount_fs(job, false);
    }
    if (err) {
        job->upgrade.trouble = MOLT_UPGRADE_TROUBLE_SAVED;
        return err;
    }
    err = molt_upgrade_saved(&job->upgrade, &job->volume, HOST_SAVED_PATH);
    return err ? err : molt_upgrade_install(&job->upgrade, &job->loader);
}

void host_text(const host_job_t *job, int err, char *text, uint32_t text_size) {
    const molt_upgrade_t *upgrade = &job->upgrade;
    const char *sentence = molt_upgrade_text(upgrade, err);
    if (upgrade->trouble == MOLT_UPGRADE_TROUBLE_REFUSED) {
        snprintf(text, text_size, "%s (0x%x against 0x%x)", sentence, upgrade->refusal.need, upgrade->refusal.limit);
    } else if (upgrade->trouble == MOLT_UPGRADE_TROUBLE_IMAGE) {
        snprintf(text, text_size, "%s (at byte %u)", sentence, upgrade->image.defect_off);
    } else if (upgrade->trouble == MOLT_UPGRADE_TROUBLE_SAVED && err == MOLT_ERR_NOSPC) {
        snprintf(text, text_size, "%s: it is full; two free blocks are needed", sentence);
    } else {
        snprintf(text, text_size, "%s", sentence);
    }
}
