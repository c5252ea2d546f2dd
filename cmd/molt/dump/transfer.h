// From one littlefs to another: everything that is on it.
#ifndef MOLT_CMD_TRANSFER_H
#define MOLT_CMD_TRANSFER_H

#include <stdint.h>

#include "lfs/volume.h"

// Copy directories, files and their attributes. Both volumes are mounted, `to` for writing.
//   at  FILES_PATH_MAX bytes, or NULL: the path at which it failed
// Returns 0 or littlefs's error.
int transfer_tree(molt_volume_t *from, molt_volume_t *to, char *at);

// Whether all that is on `from` is on `to`, byte for byte; counts the files.
// Returns 0, MOLT_ERR_CORRUPT with the path in `at`, or littlefs's error.
int transfer_compare(molt_volume_t *from, molt_volume_t *to, char *at, uint32_t *file_count);

#endif
