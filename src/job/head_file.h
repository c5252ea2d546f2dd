// The file that saves what the boot loader may need, molt.head: see molt_job_head_size().
#ifndef MOLT_JOB_HEAD_FILE_H
#define MOLT_JOB_HEAD_FILE_H

#include "job/job_parts.h"

// A piece of a head file that has to lie in one extent.
typedef struct molt_head_part {
    uint32_t off;  // its place in the file
    uint32_t size;
    uint32_t addr;  // found: its flash address; 0 where no extent holds all of it
} molt_head_part_t;

// Find `count` parts of `head` in flash. Returns 0 or the error of its walk.
int molt_head_parts_find(const molt_source_t *head, molt_head_part_t *parts, uint32_t count);

// Find the parts of `head` in flash, and hold them to what was to be saved.
// Returns 0, MOLT_ERR_CORRUPT (it holds something else, or not in one piece each), or the error of its walk or of the driver.
int molt_head_file_find(const molt_job_t *job, const molt_source_t *head, molt_saved_t *saved);

#endif
