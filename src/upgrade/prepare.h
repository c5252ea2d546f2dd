// Prepare: what the running firmware, or a tool, does before the reset. It checks, compares and writes the
// boot sector; it rewrites nothing else.
//
// Order of calls:
//   molt_plan_begin, molt_plan_set_run for each         (plan.h)
//   molt_prepare_source    the source read through the extents is the file that was checked
//   molt_prepare_compare   which sectors differ
//   molt_plan_set_saved    after the caller has saved the first sector and read it back
//   molt_plan_finish
//   molt_prepare_install   the one step that counts; or molt_prepare_cancel
#ifndef MOLT_PREPARE_H
#define MOLT_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/source.h"
#include "molt/target.h"
#include "upgrade/plan.h"

// Whether the boot sector at `boot_addr` holds an upgrade that was prepared, so that the firmware's own first sector is
// elsewhere. A plan that is damaged counts. It is read twice before the answer is no.
//   sector  sector_size bytes, 4-aligned
bool molt_prepare_is_pending(const molt_flash_t *flash, uint32_t boot_addr, uint8_t *sector);

// The source, read through the extents (molt_plan_reader), has CRC-32 `crc`.
//   buf  buf_size bytes, 4-aligned, a multiple of 4 from 64 up to sector_size
// Returns 0, MOLT_ERR_CORRUPT (it has not), the driver's error, or progress's.
int molt_prepare_source(
    const molt_reader_t *source, uint32_t crc, uint8_t *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx);

// Compare target and image, call molt_plan_set_changed() for the sectors that differ, and set first_crc and first_differs.
// Returns 0, MOLT_ERR_IO (two readings of the image's first sector differ), the error of a reader, or progress's.
//   image       a reader of the image's bytes; read forward
//   first_addr  where the present firmware's first sector is: the image's place, or in resident mode a head
//   buf         as above; used in halves
int molt_prepare_compare(const molt_flash_t *flash, molt_plan_t *plan, const molt_reader_t *image, uint32_t first_addr,
    uint8_t *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx);

// Compare the image's first sector alone, as molt_prepare_compare() does.
int molt_prepare_compare_first(const molt_flash_t *flash, molt_plan_t *plan, const molt_reader_t *image, uint32_t first_addr,
    uint8_t *buf, uint32_t buf_size);

// What others have to know of a plan that was stored a moment ago.
typedef struct molt_plan_summary {
    uint32_t source_kind;     // molt_source_kind_t
    uint32_t extension_size;  // of the extension that it needs; 0 for none
    uint32_t extension_crc;
} molt_plan_summary_t;

// Read it from the sector at `plan_addr`; its CRC is not looked at. Returns 0, MOLT_ERR_NOENT (there is no plan), or the driver's error.
int molt_prepare_read_summary(const molt_flash_t *flash, uint32_t plan_addr, molt_plan_summary_t *summary);

// Put the loader in front of the finished plan, in plan->sector, with the flash parameters (header bytes 2 and
// 3) that the device has now, and write the boot sector. The plan is used up by it.
// Returns 0 (the next reset upgrades), MOLT_ERR_NOSPC (loader and plan overlap; nothing changed), or the
// error of writing, after the saved first sector has been put back.
// Power cut: fatal while the boot sector is erased and programmed, some 60 ms; harmless before and after.
int molt_prepare_install(const molt_flash_t *flash, molt_plan_t *plan, const molt_loader_t *loader, uint16_t present_params);

// Take back what molt_prepare_install() did: put the saved first sector where it was.
//   plan  opened from the boot sector (molt_plan_open)
// Returns 0, MOLT_ERR_CORRUPT (the saved sector has another CRC; nothing changed), or the error of writing.
// Power cut: as for molt_prepare_install().
int molt_prepare_cancel(const molt_flash_t *flash, molt_plan_t *plan);

#endif
