// A chip's contents in a file: a raw dump of the whole chip, as `esptool read_flash` writes it.
#ifndef MOLT_SIM_DUMP_H
#define MOLT_SIM_DUMP_H

#include <stdbool.h>
#include <stddef.h>

#include "nor.h"

// Sizes that a chip can have: powers of two between these.
#define SIM_DUMP_SIZE_MIN 0x80000u
#define SIM_DUMP_SIZE_MAX 0x1000000u

bool sim_dump_is_size(uint64_t size);

// Set up `nor` (4 KB sectors, 64 KB blocks) with the bytes of the file at `path`; sim_nor_free() when done.
// Returns 0, or -1 with a sentence in `text`: what is wrong and what to do.
int sim_dump_load(sim_nor_t *nor, const char *path, char *text, size_t text_size);

// Make the file at `path` hold the chip's bytes. They are written to a temporary in the same directory, synced and
// renamed: whatever happens, the file holds what it held or all of the new bytes. Its permissions stay.
// Returns 0, or -1 with a sentence in `text`.
int sim_dump_save(const sim_nor_t *nor, const char *path, char *text, size_t text_size);

// The same with any bytes.
int sim_dump_write_file(const char *path, const void *bytes, size_t size, char *text, size_t text_size);

#endif
