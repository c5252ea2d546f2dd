// An upgrade as the firmware of a simulated device prepares it: what the tool's `upgrade`, `plan` and `torture`,
// and the cut suite, share. Everything goes through the device's flash, so every operation can be cut.
#ifndef MOLT_CMD_HOST_H
#define MOLT_CMD_HOST_H

#include "device.h"
#include "job/job_parts.h"
#include "lfs/molt_lfs.h"
#include "lfs/volume.h"

// The file that saves the old first sector, in the root of the filesystem.
#define HOST_SAVED_PATH "molt.head"

typedef struct host_job {
    // Set by the caller.
    sim_nor_t *nor;
    molt_target_t target;
    const char *fallback_path;  // resident mode: a trial, with this image to fall back on; NULL for none
    uint32_t trial_starts;
    molt_region_t fs;
    const char *path;
    molt_job_options_t options;
    int (*progress)(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total);
    void *progress_ctx;
    // Results.
    molt_job_t job;
    molt_volume_t volume;
    molt_lfs_source_t source;
} host_job_t;

// The ESP8266's own loader, options for an ordinary upgrade, everything else zero.
void host_job_init(host_job_t *host, sim_nor_t *nor, const molt_region_t *fs, const char *path);

// Free what host_plan() and host_prepare() allocated.
void host_job_free(host_job_t *host);

// Mount, check, plan; writes nothing. 0 or an error; host_text() says it in words.
int host_plan(host_job_t *host);

// host_plan(), save the first sector, install the boot sector: the next start upgrades.
int host_prepare(host_job_t *host);

// A sentence for the error of the last call, with its numbers, in `text`.
void host_text(const host_job_t *host, int err, char *text, uint32_t text_size);

#endif
