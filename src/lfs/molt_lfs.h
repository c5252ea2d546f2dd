// A file on littlefs as the source of an upgrade, or as the head file.
#ifndef MOLT_LFS_SOURCE_H
#define MOLT_LFS_SOURCE_H

#include "lfs/extents.h"
#include "lfs/volume.h"
#include "molt/job.h"
#include "molt/source.h"

// Stays where it is, and its volume mounted, while the source is in use.
typedef struct molt_lfs_source {
    molt_source_t source;  // what a job is given
    molt_extents_t extents;
} molt_lfs_source_t;

// The file's bytes, through littlefs. Needed until molt_job_open() is done; some 200 bytes, so it can be on the stack.
typedef struct molt_lfs_reader {
    lfs2_t *lfs;
    struct lfs2_file_config config;
    lfs2_file_t file;
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
} molt_lfs_reader_t;

// Find the file at `path` on a mounted volume.
//   reader  or NULL: without one only where the file lies is known, which is all that a head file is asked for. To be closed with
//           molt_lfs_source_close()
// Returns 0 or the error of molt_extents_open() or of littlefs; molt_lfs_source_text() has the sentence.
int molt_lfs_source_open(molt_lfs_source_t *source, molt_lfs_reader_t *reader, molt_volume_t *volume, const char *path);

void molt_lfs_source_close(molt_lfs_reader_t *reader);

// A sentence without full stop for what keeps a file from being opened.
const char *molt_lfs_source_text(int err);

// Write the job's head file to `path`, with the littlefs that is mounted for writing, and close it. Nothing if the job needs none.
//   config  for lfs2_file_opencfg(): with a buffer of as many bytes as the littlefs's caches have
// Returns 0, or the error of flash or of littlefs.
int molt_lfs_write_head(const molt_job_t *job, lfs2_t *lfs, const char *path, const struct lfs2_file_config *config);

// Write a sector of the job's stash to `path`, likewise. buf: the sector's `size` bytes, 4-aligned.
int molt_lfs_write_stash(molt_job_t *job, uint32_t index, lfs2_t *lfs, const char *path, const struct lfs2_file_config *config,
    uint8_t *buf, uint32_t size);

#endif
