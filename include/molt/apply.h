// Apply: perform one step of a plan. Repeating a step is harmless.
#ifndef MOLT_APPLY_H
#define MOLT_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/image.h"
#include "molt/plan.h"

// How often a sector is erased and programmed before flash counts as failing. Where the sector is the one that the chip
// starts from nothing boots until it is right, so it is not given up soon.
#define MOLT_APPLY_TRIES 16

// Make the sector at `addr` hold `data` (sector_size bytes, 4-aligned), read back and compared.
//   is_blank  the sector is known to be erased: the first try does without an erase
// Pages of 0xFF are not programmed. The sector's first page is programmed last, so that a boot sector is
// bootable when it is complete and not before.
// Returns 0, MOLT_ERR_IO (not what was programmed after MOLT_APPLY_TRIES tries), or the driver's error.
// Power cut: the sector may hold anything.
// Cost: one sector erase, up to 16 page programs, one read of the sector.
int molt_sector_write(const molt_flash_t *flash, uint32_t addr, const uint8_t *data, bool is_blank);

// Whether the sector at `addr` holds `data` (sector_size bytes, 4-aligned).
// Returns 0, MOLT_ERR_IO if it does not, or the driver's error. Cost: one read of the sector.
int molt_sector_verify(const molt_flash_t *flash, uint32_t addr, const uint8_t *data);

// The source as a reader: the bytes of the file, through the extents. Sizes that are no multiple of 4 are read up to
// 3 bytes further, within the sector and into `buf`.
typedef struct molt_source {
    // Of the flash driver: the function alone, so that a boot loader needs no driver struct in memory.
    int (*read)(void *ctx, uint32_t addr, void *buf, uint32_t size);
    void *ctx;
    const molt_plan_t *plan;
} molt_source_t;

// `source` stays in use with the reader.
molt_reader_t molt_source_reader(molt_source_t *source, const molt_flash_t *flash, const molt_plan_t *plan);

// Read the bytes that the target sector at `addr` is to hold: its part of the image, 0xFF behind the image's
// end, and in the first sector the flash parameters of the plan.
//   image  a reader of the image's bytes
//   buf    sector_size bytes, 4-aligned
int molt_target_read(const molt_reader_t *image, const molt_plan_t *plan, uint32_t addr, uint8_t *buf);

// Perform `step`, which is one of the plan's.
//   image     a reader of the image's bytes
//   buf       sector_size bytes, 4-aligned; overwritten
//   is_blank  for MOLT_STEP_SECTOR: the sector was erased with its block and not touched since
// Returns 0 or the error of the flash driver or of molt_sector_write().
// Power cut: what the step erases or programs may hold anything; nothing else is touched.
int molt_apply_step(const molt_flash_t *flash, const molt_plan_t *plan, const molt_reader_t *image,
    const molt_step_t *step, uint8_t *buf, bool is_blank);

#endif
