// Apply: perform one step of a plan. Repeating a step is harmless.
#ifndef MOLT_APPLY_H
#define MOLT_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sector.h"
#include "molt/flash.h"
#include "molt/source.h"
#include "upgrade/plan.h"

// The source as a reader: the bytes of the file, through the extents. Sizes that are no multiple of 4 are read up to
// 3 bytes further, within the sector and into `buf`.
typedef struct molt_plan_source {
    // Of the flash driver: the function alone, so that a boot loader needs no driver struct in memory.
    int (*read)(void *ctx, uint32_t addr, void *buf, uint32_t size);
    void *ctx;
    const molt_plan_t *plan;
} molt_plan_source_t;

// `source` stays in use with the reader.
molt_reader_t molt_plan_reader(molt_plan_source_t *source, const molt_flash_t *flash, const molt_plan_t *plan);

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
int molt_apply_step(const molt_flash_t *flash, const molt_plan_t *plan, const molt_reader_t *image, const molt_step_t *step,
    uint8_t *buf, bool is_blank);

#endif
