// A torture shared out to several processes.
#ifndef MOLT_CMD_TORTURE_JOBS_H
#define MOLT_CMD_TORTURE_JOBS_H

#include "torture.h"

// Run `torture` in `job_count` processes, each on a copy of the device, and add up in *totals. The progress callback
// is called in the first of them only.
// Returns 0, or the error of the main line with its sentence in `text`; -1 if a process did not come to its end.
int torture_run_jobs(const torture_t *torture, uint32_t job_count, torture_totals_t *totals, char *text, uint32_t text_size);

#endif
