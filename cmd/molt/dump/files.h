// Whole files: of the host, and of a mounted littlefs.
#ifndef MOLT_CMD_FILES_H
#define MOLT_CMD_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "lfs/volume.h"

// Longest path on a littlefs that is handled, the 0 included.
#define FILES_PATH_MAX 1024

// A file of the host, of at most `size_max` bytes, in a new buffer, which the caller frees. /dev/null is an empty one.
// Returns 0, or 1 after having said what is wrong.
int files_load_host(const char *path, uint32_t size_max, uint8_t **bytes, uint32_t *size);

// Likewise; of a pipe, all that comes.
int files_load_stream(const char *path, uint32_t size_max, uint8_t **bytes, uint32_t *size);

// Whether both names are those of one file of the host that is there.
bool files_is_same(const char *a, const char *b);

// A file of the volume in a new buffer, which the caller frees. 0 or a negative error.
int files_load(molt_volume_t *volume, const char *path, uint8_t **bytes, uint32_t *size);

// Write a file, making the directories that lead to it. 0 or a negative error.
int files_store(molt_volume_t *volume, const char *path, const uint8_t *bytes, uint32_t size);

// "FILE[:PATH]": copy the host's FILE to PATH, or to its own name in the root; a PATH that ends in / is a directory.
// Returns 0, or 1 after having said what is wrong.
int files_put(molt_volume_t *volume, const char *what);

// The sentence for an error of the volume.
const char *files_text(int err);

#endif
