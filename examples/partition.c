// Upgrade an ESP8266 from an image that lies raw in a region of flash, without a filesystem. What the boot loader may need is saved
// in a region of three sectors; both regions are outside of the image and of each other.

#include <stdio.h>

#include "molt.h"
#include "molt_esp8266.h"

extern const molt_flash_t board_flash;  // four functions of the flash driver: docs/porting.md

static molt_job_memory_t memory;
static uint32_t sector[4096 / 4], work[2048 / 4];

// `image`: where it begins, and its size in bytes. `head`: three sectors. 0: the next reset upgrades.
int upgrade_from_partition(const molt_region_t *image, const molt_region_t *head) {
    const molt_region_t reserved[] = { *head };
    const molt_job_config_t config = {
        .target = &molt_esp8266,
        .flash = &board_flash,
        .sector = (uint8_t *)sector,
        .work = (uint8_t *)work,
        .work_size = sizeof work,
        .options = { .safe_check = true, .reserved = reserved, .reserved_count = 1 },
    };
    molt_job_t *job = molt_job_init(&memory, &config);
    molt_region_source_t source, saved;
    molt_region_source(&source, &board_flash, image->addr, image->size);
    molt_region_source(&saved, &board_flash, head->addr, head->size);
    int err = molt_job_open(job, &source.source);
    err = err ? err : molt_job_plan(job);
    err = err ? err : molt_job_write_head(job, head);
    err = err ? err : molt_job_store(job, &saved.source);
    err = err ? err : molt_job_commit(job, 0);
    printf("%s\n", err ? molt_job_text(job, err) : "the next reset upgrades");
    return err;
}
