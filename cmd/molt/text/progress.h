// How far an upgrade has come, in the time of the device: a bar on a terminal, a line every 10 % elsewhere.
#ifndef MOLT_CMD_PROGRESS_H
#define MOLT_CMD_PROGRESS_H

#include <stdbool.h>

#include "molt/job.h"
#include "nor.h"
#include "upgrade/boot.h"

typedef struct progress {
    sim_nor_t *nor;     // whose counts are the clock
    uint64_t total_us;  // of the whole way
    bool is_quiet;
    bool is_terminal;
    int percent;        // shown last; -1 for none yet
    const char *phase;  // now
    const char *shown_phase;
    molt_boot_io_t io;  // for the boot loader
} progress_t;

// Begin to watch `nor`, whose counts begin at 0 now. Of the chips in sim_timings the first is the clock.
//   first_phase  its name, up to 10 letters
void progress_begin(progress_t *progress, sim_nor_t *nor, uint64_t total_us, bool is_quiet, const char *first_phase);

// For sim_upgrade_t: the phases of the preparation.
int progress_on_phase(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total);

// Take the bar away, and stop watching.
void progress_end(progress_t *progress);

#endif
