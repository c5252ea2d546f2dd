// The file that saves what the boot loader may need, molt.head: see molt_upgrade_saved_size().
#ifndef MOLT_LFS_HEAD_FILE_H
#define MOLT_LFS_HEAD_FILE_H

#include "lfs_upgrade.h"

// Find the parts of the file at `path` in flash, and hold them to what was to be saved.
// Returns 0, MOLT_ERR_CORRUPT (it holds something else, or not in one piece each), or the error of filesystem or driver.
int molt_head_file_find(const molt_upgrade_t *upgrade, molt_volume_t *volume, const char *path, molt_saved_t *saved);

#endif
