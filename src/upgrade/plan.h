// The plan: which sector steps lead from the flash as it is to the flash as wanted.
//
// A plan is pure data. It is built in RAM by the firmware or tool that prepares an upgrade, stored at the end of the boot
// sector, and read back by the boot loader. Nothing here touches flash. docs/format.md has every byte.
//
// Steps are numbered in the order in which they are performed:
//   0                      check the source once more; until it is done nothing has been destroyed
//   for each 64 KB block   one erase of the whole block, then each of its sectors in ascending order. Of a delta, instead, the first
//                          of these is all that it does, and the others are nothing; in standby mode it is nothing, too
//   one                    check the whole image as it stands in flash, and repair it
//   where the filesystem is to be erased: one for its first two sectors, without which it is none; then for each 64 KB
//   block of it, erase what lies in that. A block that holds bytes of the image's first sector, or the extension, stays
// The first sector of the image is no step: it takes the place of the boot sector when all steps are done.
// A step that has nothing to do (the sector already holds the right bytes) is not in the plan's to-do set.
#ifndef MOLT_PLAN_H
#define MOLT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sha1.h"
#include "molt/flash.h"

#define MOLT_PLAN_VERSION 2
#define MOLT_PLAN_HEADER_SIZE 132

// An extent is 16 bits: 12 of sector number (16 MB of flash), 4 of words to skip. A file's bytes begin after
// the skipped words and run to the end of the sector, or of the file.
#define MOLT_EXTENT_SECTOR_MAX 0x0fffu
#define MOLT_EXTENT_SKIP_MAX 15u

typedef enum molt_source_kind {
    MOLT_SOURCE_COPY = 0,   // the extents hold the raw image
    MOLT_SOURCE_GZIP = 1,   // they hold a gzip file of it; the boot loader needs its extension for that
    MOLT_SOURCE_DELTA = 2,  // they hold a patch that makes it of the present image, and behind that the sectors of its stash
} molt_source_kind_t;

// Why a plan cannot be made. molt_refusal_text() has the sentence.
typedef enum molt_refusal_reason {
    MOLT_REFUSAL_NONE,
    MOLT_REFUSAL_EMPTY,             // image of no bytes; need 1, limit 0
    MOLT_REFUSAL_PAST_FLASH,        // need: end of the image, limit: flash size
    MOLT_REFUSAL_PAST_MAPPED,       // limit: end of the part of flash that code can run from
    MOLT_REFUSAL_PAST_PARTITION,    // limit: bytes of the app partition that are the firmware's
    MOLT_REFUSAL_INTO_FILESYSTEM,   // limit: start of the filesystem
    MOLT_REFUSAL_INTO_RESERVED,     // limit: start of the reserved region
    MOLT_REFUSAL_OVERLAPS_SOURCE,   // need: end of the image, limit: address of the source sector in the way
    MOLT_REFUSAL_OVERLAPS_SAVED,    // the saved head or the report lies where the image will go
    MOLT_REFUSAL_TOO_MANY_EXTENTS,  // need: bytes of boot loader and plan, limit: sector size
    MOLT_REFUSAL_UNALIGNED_EXTENT,  // need: address of it; the filesystem's blocks are smaller than a sector
    MOLT_REFUSAL_BAD_REGION,        // filesystem or reserved region outside flash or not on sectors
    MOLT_REFUSAL_OTHER_MAP,         // need: where the new firmware looks for its filesystem, limit: where it is
} molt_refusal_reason_t;

typedef struct molt_refusal {
    molt_refusal_reason_t reason;
    uint32_t need;   // bytes or an address, as the reason says
    uint32_t limit;  // likewise
} molt_refusal_t;

// What is wanted. All addresses absolute, all sizes in bytes.
typedef struct molt_plan_request {
    molt_source_kind_t source_kind;
    uint32_t image_size;
    uint32_t image_crc;                  // CRC-32 of the image's bytes
    uint8_t image_sha1[MOLT_SHA1_SIZE];  // SHA-1 of them: what step 0 and the end-to-end check hold the image to
    uint32_t image_addr;                 // where the image begins in flash: 0 on an ESP8266; a multiple of the block size
    uint32_t boot_addr;                  // the sector that the chip's own boot code starts from: 0 on an ESP8266
    uint32_t source_size;                // of the file: the same as the image's for MOLT_SOURCE_COPY
    uint32_t kept_size;                  // bytes of the source that the image's first sector comes from
    uint32_t extent_count;               // sectors that hold the source; of a delta, behind them those of its stash
    uint32_t stash_count;                // of them, those of the stash; 0 but for a delta
    uint32_t loader_size;                // bytes that the boot loader takes at the front of the boot sector
    uint32_t trial_size;                 // standby mode: bytes of code for a trial, to be stored with the plan; a multiple of 4
    uint32_t mapped_size;                // the image may not reach further; 1 MB on ESP8266
    molt_region_t fs;                    // the filesystem; size 0 if there is none
    bool erase_all;                      // erase `fs` as the last steps
    const molt_region_t *reserved;       // regions that must not be touched
    uint32_t reserved_count;
    uint16_t flash_params;  // header bytes 2 (low) and 3 (high) that the new image gets
    bool whole_image;       // plan every sector, also those that match already
    bool is_standby;        // standby mode, where a delta is no step: the extension carries it out by itself
} molt_plan_request_t;

// What was saved before the boot sector was written, all of it outside the image.
typedef struct molt_saved {
    uint32_t head_addr;       // the old first sector: a whole sector
    uint32_t head_crc;        // CRC-32 of it
    uint32_t report_addr;     // where the boot loader notes what it did; 0 for nowhere
    uint32_t extension_addr;  // code that the boot loader needs beside its own; size 0 for none
    uint32_t extension_size;  // bytes, a multiple of 4, at most a sector
    uint32_t extension_crc;   // CRC-32 of it
} molt_saved_t;

typedef struct molt_plan {
    uint8_t *sector;  // RAM copy of the boot sector, owned by the caller; its tail is the stored plan
    molt_geometry_t geometry;
    // What is stored, word for word in this order, from here to log_size.
    uint32_t source_kind;  // molt_source_kind_t
    uint32_t image_size;
    uint32_t image_crc;
    uint32_t image_addr;
    uint32_t boot_addr;
    uint32_t first_crc;  // CRC-32 of the image's first sector as it goes into flash
    uint32_t source_size;
    uint32_t flash_params;  // and, in the upper half, trial_size
    uint32_t extent_count;
    molt_saved_t saved;
    uint32_t fs_addr;
    uint32_t fs_size;  // 0 unless the filesystem is to be erased
    uint32_t step_count;
    uint32_t verify_step;
    uint32_t set_size;  // bytes of a set of bits: journal, to-do set
    // Offsets in `sector`.
    uint32_t todo_off;
    uint32_t extents_off;
    uint32_t journal_off;
    uint32_t log_size;  // bytes of the log of starts, behind the journal
    // While it is made.
    uint8_t image_sha1[MOLT_SHA1_SIZE];
    uint32_t kept_size;  // bytes of the source that are needed after the last step
    uint32_t stash_count;
    bool whole_image;
    bool is_standby;
    bool first_differs;  // the image's first sector is not in place yet; known after molt_prepare_compare()
} molt_plan_t;

// Of a delta all that it does, which has a log of its own, is one step: that which else erases the first block. In standby mode it is none.
#define MOLT_DELTA_STEP 1u

typedef enum molt_step_kind {
    MOLT_STEP_CHECK,
    MOLT_STEP_ERASE_BLOCK,  // erase [addr, addr + size), one block
    MOLT_STEP_SECTOR,       // make the sector at addr hold its part of the image
    MOLT_STEP_VERIFY,       // check the whole image in flash
    MOLT_STEP_ERASE_FS,     // erase the sectors of [addr, addr + size)
} molt_step_kind_t;

typedef struct molt_step {
    molt_step_kind_t kind;
    uint32_t addr;
    uint32_t size;
} molt_step_t;

// Begin a plan in `sector`, a buffer of geometry->sector_size bytes, 4-aligned, which the plan keeps using.
// Returns 0, or MOLT_ERR_FBIG, MOLT_ERR_RANGE or MOLT_ERR_NOSPC with the reason and its numbers in *refusal.
int molt_plan_begin(molt_plan_t *plan, const molt_geometry_t *geometry, const molt_plan_request_t *request, uint8_t *sector,
    molt_refusal_t *refusal);

// The source goes on with `size` bytes at `addr`: set extent `index` and, where the run reaches into further
// sectors, those after it. Runs can come in any order; each but the last ends where a sector does.
// Returns 0, or MOLT_ERR_INVAL (index), MOLT_ERR_RANGE or MOLT_ERR_NOTSUP with *refusal set.
int molt_plan_set_run(molt_plan_t *plan, uint32_t index, uint32_t addr, uint32_t size, molt_refusal_t *refusal);

// Of a delta: sector `index` of its stash is that at `addr`. Returns 0, MOLT_ERR_INVAL, or MOLT_ERR_RANGE or MOLT_ERR_NOTSUP with
// *refusal set.
int molt_plan_set_stash(molt_plan_t *plan, uint32_t index, uint32_t addr, molt_refusal_t *refusal);

// Whether no two of the plan's extents, nor the saved first sector, its report or its extension, share a sector: a filesystem that reads
// wrong while it writes can give a sector to two files.
bool molt_plan_is_apart(const molt_plan_t *plan, const molt_saved_t *saved);

// Likewise of two plans, of which one is carried out behind the other.
bool molt_plan_is_apart_from(const molt_plan_t *plan, const molt_plan_t *other);

// The code for a trial, of a plan that is being made or was opened: so many bytes, 0 where it is no plan for one; and where in `sector`
// they go, or are.
uint32_t molt_plan_trial_size(const molt_plan_t *plan);
uint8_t *molt_plan_trial_code(const molt_plan_t *plan);

// How often the boot loader began to carry out a plan that was opened, as far as that was noted: up to 8 for a step.
uint32_t molt_plan_start_count(const molt_plan_t *plan);

// Where things are saved. Returns 0, or MOLT_ERR_RANGE with *refusal set.
int molt_plan_set_saved(molt_plan_t *plan, const molt_saved_t *saved, molt_refusal_t *refusal);

// Note that the sector at `addr` of the target does not hold its part of the image yet.
void molt_plan_set_changed(molt_plan_t *plan, uint32_t addr);

// Decide which blocks are erased as a whole, store header and CRC. The sector's tail is then final; its
// journal is all ones.
void molt_plan_finish(molt_plan_t *plan);

// Read a stored plan from `sector`, a RAM copy of the boot sector. Every field is checked against `geometry`
// and the CRC, so that what follows needs no checks.
// Returns 0, MOLT_ERR_NOENT (no plan there), MOLT_ERR_NOTSUP (another version) or MOLT_ERR_CORRUPT.
int molt_plan_open(molt_plan_t *plan, const molt_geometry_t *geometry, uint8_t *sector);

// SHA-1 of the image: MOLT_SHA1_SIZE bytes in `sector`, of a plan that is finished or was opened.
const uint8_t *molt_plan_image_sha1(const molt_plan_t *plan);

// What step `index` < step_count does.
molt_step_t molt_plan_step(const molt_plan_t *plan, uint32_t index);

// Whether step `index` has anything to do.
bool molt_plan_is_todo(const molt_plan_t *plan, uint32_t index);

// The flash address at which byte `off` < source_size of the source lies, and in *run_size how many bytes
// follow there in one piece.
uint32_t molt_plan_source_addr(const molt_plan_t *plan, uint32_t off, uint32_t *run_size);

// Of a delta: the flash address of sector `index` of its stash, which is counted from the last extent back.
uint32_t molt_plan_stash_addr(const molt_plan_t *plan, uint32_t index);

typedef struct molt_plan_tally {
    uint32_t image_sector_count;  // sectors of the image
    uint32_t equal_count;         // of these, sectors that are left alone
    uint32_t program_count;       // sectors that are programmed, the first one included
    uint32_t sector_erase_count;  // 4 KB erases, the two of the boot sector included
    uint32_t block_erase_count;   // 64 KB erases
    bool is_in_place;             // every sector is right already, and no filesystem is to be erased
} molt_plan_tally_t;

void molt_plan_count(const molt_plan_t *plan, molt_plan_tally_t *tally);

// A sentence without full stop and without the numbers. Never NULL.
const char *molt_refusal_text(molt_refusal_reason_t reason);

#endif
