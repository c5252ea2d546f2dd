// The files of a tortured device: what they were, and whether they still are.
#ifndef MOLT_SIM_TORTURE_FILES_H
#define MOLT_SIM_TORTURE_FILES_H

#include "torture.h"

// Read the file at `path` into a new buffer, which the caller frees. A gzip file is unpacked, by zlib, and a delta file
// made into its image; torture->is_gzip and is_delta say so.
int torture_files_load(torture_t *torture, const char *path, uint8_t **bytes, uint32_t *size);

// Note every file of the volume, with size and CRC, in torture->files.
int torture_files_list(torture_t *torture);

// Whether all of them are still there, with the same bytes.
bool torture_files_match(const torture_t *torture);

// As its user will some day: remove the new image's file, and fill the filesystem with other files. 0 or an error.
int torture_files_reuse(torture_t *torture);

#endif
