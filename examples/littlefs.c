// Upgrade an ESP8266 from an image file on its own littlefs. The program has mounted that; molt reads it once more, by itself.
#include <stdio.h>

#include "molt.h"
#include "molt_esp8266.h"
#include "molt_lfs.h"

extern const molt_flash_t board_flash;  // four functions of the flash driver: docs/porting.md
static molt_job_memory_t memory;
static uint32_t sector[4096 / 4], work[2048 / 4];
static molt_volume_t volume;

static int show(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total) {
    (void)ctx;
    printf("\rphase %d of 3: %3u %%", phase + 1, (unsigned)(100 * (uint64_t)done / total));
    return 0;  // anything else ends the preparation
}

// Save what the boot loader may need to the file molt.head, and store the plan.
static int save_and_store(molt_job_t *job, const molt_region_t *fs, lfs2_t *lfs) {
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    const struct lfs2_file_config config = { .buffer = cache };
    molt_lfs_source_t head;
    if (molt_job_head_size(job) == 0) {
        return molt_job_store(job, NULL);  // in resident mode nothing has to be saved
    }
    int err = molt_lfs_write_head(job, lfs, "molt.head", &config);
    err = err ? err : molt_volume_mount(&volume, &board_flash, fs, 0, false);
    err = err ? err : molt_lfs_source_open(&head, NULL, &volume, "molt.head");
    return err ? err : molt_job_store(job, &head.source);
}

// The image is in `path` on the littlefs in the region `fs`, which is mounted as `lfs`. 0: the next reset upgrades.
int upgrade_from_littlefs(const molt_region_t *fs, lfs2_t *lfs, const char *path) {
    const molt_job_config_t config = {
        .target = &molt_esp8266,
        .flash = &board_flash,
        .sector = (uint8_t *)sector,
        .work = (uint8_t *)work,
        .work_size = sizeof work,
        .progress = show,
        .options = { .safe_check = true, .fs_addr = fs->addr },
    };
    molt_job_t *job = molt_job_init(&memory, &config);
    molt_lfs_source_t source;
    molt_lfs_reader_t reader;
    int err = molt_volume_mount(&volume, &board_flash, fs, 0, false);
    err = err ? err : molt_lfs_source_open(&source, &reader, &volume, path);
    if (err) {
        printf("%s: %s\n", path, molt_lfs_source_text(err));
        return err;
    }
    err = molt_job_open(job, &source.source);
    molt_lfs_source_close(&reader);
    err = err ? err : molt_job_plan(job);
    err = err ? err : save_and_store(job, fs, lfs);
    err = err ? err : molt_job_commit(job, 0);
    printf("\n%s: %s\n", path, err ? molt_job_text(job, err) : "the next reset upgrades");
    return err;
}
