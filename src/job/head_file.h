// The file that saves what the boot loader may need, molt.head: see molt_job_head_size().
#ifndef MOLT_JOB_HEAD_FILE_H
#define MOLT_JOB_HEAD_FILE_H

#include "job/job_parts.h"

// Find the parts of `head` in flash, and hold them to what was to be saved.
// Returns 0, MOLT_ERR_CORRUPT (it holds something else, or not in one piece each), or the error of its walk or of the driver.
int molt_head_file_find(const molt_job_t *job, const molt_source_t *head, molt_saved_t *saved);

#endif
