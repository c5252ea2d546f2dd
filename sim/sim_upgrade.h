// An upgrade as the firmware of a simulated device prepares it: what the tool's `upgrade`, `plan` and `torture`,
// and the cut suite, share. Everything goes through the device's flash, so every operation can be cut.
#ifndef MOLT_SIM_UPGRADE_H
#define MOLT_SIM_UPGRADE_H

#include "device.h"
#include "job/job_parts.h"
#include "lfs/molt_lfs.h"
#include "lfs/volume.h"

// The file that saves the old first sector, in the root of the filesystem.
#define SIM_HEAD_PATH "molt.head"

// Of a delta file: the files of its stash are called so, with a number behind.
#define SIM_STASH_PATH "molt.stash"
#define SIM_BACK_PATH "molt.back"

typedef struct sim_upgrade {
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
} sim_upgrade_t;

// The ESP8266's own loader, options for an ordinary upgrade, everything else zero.
void sim_upgrade_init(sim_upgrade_t *host, sim_nor_t *nor, const molt_region_t *fs, const char *path);

// Free what sim_upgrade_plan() and sim_upgrade_prepare() allocated.
void sim_upgrade_free(sim_upgrade_t *host);

// Mount, check, plan; writes nothing. 0 or an error; sim_upgrade_text() says it in words.
int sim_upgrade_plan(sim_upgrade_t *host);

// sim_upgrade_plan(), save the first sector, install the boot sector: the next start upgrades.
int sim_upgrade_prepare(sim_upgrade_t *host);

// A sentence for the error of the last call, with its numbers, in `text`.
void sim_upgrade_text(const sim_upgrade_t *host, int err, char *text, uint32_t text_size);

#endif
