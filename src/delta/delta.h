// Delta: an image made of the one that stands in flash, in its place, by a patch file. docs/format.md, "delta file".
//
// A patch is a list of operations on sectors of the image's place, and the bytes that they need:
//   stash  copy the old sector to a slot, a sector of a file on the filesystem
//   write  make a sector of the new image, of bytes of the patch, old sectors that still stand, and slots
// No operation destroys what itself or a later one reads, so each can be done again until it is noted as done. That it is so is
// checked before the first of them, by molt_delta_check().
//
// The first sector is no operation: whoever prepares the upgrade makes it (molt_delta_first()) and keeps it in a file.
#ifndef MOLT_DELTA_H
#define MOLT_DELTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/sha1.h"
#include "decode/inflate.h"
#include "delta/delta_predict.h"
#include "molt/flash.h"
#include "molt/source.h"
#include "upgrade/plan.h"

#define MOLT_DELTA_HEADER_SIZE 128u
#define MOLT_DELTA_NAME_SIZE 20u
// What a patch may ask for.
#define MOLT_DELTA_OPS_MAX (2 * MOLT_DELTA_SECTORS_MAX - 1)
#define MOLT_DELTA_SLOTS_MAX 32u
#define MOLT_DELTA_MAP_MAX 128u  // entries
// Bytes of memory for the windows and the map.
#define MOLT_DELTA_WINDOWS_MAX (MOLT_INFLATE_WINDOW_MAX + 1024u + MOLT_DELTA_MAP_MAX * sizeof(molt_delta_move_t))

// Sectors of the plan's stash (molt_plan_stash_addr()): the new image's first sector, three logs, code, the slots.
#define MOLT_DELTA_STASH_FIRST 0u
#define MOLT_DELTA_STASH_LOG 1u
// What of the boot loader's extension does not fit into one sector; last, the CRC-32 of all that.
#define MOLT_DELTA_STASH_CODE 4u
#define MOLT_DELTA_STASH_SLOT 5u

// From the end of the code's sector: in standby mode, where the plan is.
#define MOLT_DELTA_CODE_PLAN_ADDR 8u

// An operation: in bits 0 to 9 the sector of the image's place; in bits 10 to 15 0 to write it, or the slot + 1 to stash it in.
typedef uint16_t molt_delta_op_t;
#define MOLT_DELTA_OP_SECTOR(op) ((uint32_t)(op)&0x3ffu)
#define MOLT_DELTA_OP_SLOT(op) ((uint32_t)(op) >> 10)

// What the header says.
typedef struct molt_delta_header {
    uint32_t sector_size;
    uint32_t file_size;  // bytes of the patch
    uint32_t old_size;   // bytes of the images
    uint32_t new_size;
    uint32_t new_crc;
    uint32_t fs_addr;  // where the new image looks for its filesystem; 0: not known
    uint8_t old_sha1[MOLT_SHA1_SIZE];
    uint8_t new_sha1[MOLT_SHA1_SIZE];
    uint32_t op_count;
    uint32_t slot_count;
    uint32_t main_off;  // of the two streams in the file
    uint32_t fix_off;
    uint32_t main_window_size;  // bytes, powers of 2
    uint32_t fix_window_size;
    uint16_t map_count;  // entries; 0: without prediction
    bool map_has_calls;
    // Bytes 2 (low) and 3 of the images as their files have them; in flash they are the device's own.
    uint16_t old_params;
    uint16_t new_params;
    char old_name[MOLT_DELTA_NAME_SIZE + 1];  // what the images call themselves; "" where it is not known
    char new_name[MOLT_DELTA_NAME_SIZE + 1];
} molt_delta_header_t;

// The sectors that a patch with this header needs beside the file itself.
static inline uint32_t molt_delta_stash_count(const molt_delta_header_t *header) {
    return MOLT_DELTA_STASH_SLOT + header->slot_count;
}

// What the records of a patch's log (delta/delta_log.h) begin with; plan and patch both say it.
static inline uint32_t molt_delta_log_seed(uint32_t new_crc, uint32_t file_size) {
    return new_crc ^ file_size;
}

// Where the old image is, and what keeps its sectors.
typedef struct molt_delta_place {
    const molt_flash_t *flash;
    uint32_t image_addr;      // of both images
    uint32_t first_addr;      // of the old one's first sector, which may be kept elsewhere
    const molt_plan_t *plan;  // which has the slots' addresses; NULL as long as nothing is stashed yet
} molt_delta_place_t;

// Owned by the caller, as are the pointers that it has.
typedef struct molt_delta {
    molt_delta_header_t header;
    molt_delta_place_t place;
    molt_reader_t patch;
    uint32_t next;       // operation
    uint32_t made;       // new sectors that were decoded or passed over
    uint32_t diagonal;   // of the last piece that was copied: its place in the old image less that in the new one
    uint32_t until_fix;  // bytes of old ones that are copied as they are before one is changed
    molt_delta_map_t map;
    molt_delta_op_t ops[MOLT_DELTA_OPS_MAX];
    uint8_t where[MOLT_DELTA_SECTORS_MAX];  // each old sector: in its place, in a slot, or gone
    molt_inflate_t main;                    // operations, map, sizes, literal bytes
    molt_inflate_t fix;                     // what is changed of copied ones
} molt_delta_t;

// Bytes for the windows of both streams and, behind them, the map.
static inline uint32_t molt_delta_window_size(const molt_delta_header_t *header) {
    return header->main_window_size + header->fix_window_size + header->map_count * (uint32_t)sizeof(molt_delta_move_t);
}

// Whether `bytes`, the first of a file, are those of a patch.
bool molt_delta_is_patch(const uint8_t bytes[4]);

// Read a patch's header, in which every field is checked. Returns 0, MOLT_ERR_CORRUPT (damaged or cut short), MOLT_ERR_NOTSUP (a
// version or flag that is not known, or more than this build takes), or the reader's error.
int molt_delta_read_header(const molt_reader_t *patch, molt_delta_header_t *header);

// The whole file against its CRC. buf: buf_size bytes, 4-aligned, a multiple of 4. Returns 0, MOLT_ERR_CORRUPT, the reader's error
// or progress's; `progress` may be NULL.
int molt_delta_check_file(
    const molt_reader_t *patch, uint8_t *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx);

// Begin to decode a patch: its list of operations and its map are read. `patch` is copied, the rest stays in use.
//   window  window_size bytes, at least molt_delta_window_size(), 4-aligned
// Returns 0, MOLT_ERR_CORRUPT, MOLT_ERR_NOTSUP, MOLT_ERR_NOSPC (the window is too small) or an error of the reader.
int molt_delta_begin(
    molt_delta_t *delta, const molt_reader_t *patch, const molt_delta_place_t *place, uint8_t *window, uint32_t window_size);

typedef enum molt_delta_standing {
    MOLT_DELTA_OTHER,
    MOLT_DELTA_OLD,
    MOLT_DELTA_NEW,
} molt_delta_standing_t;

// Which of the patch's images stands in its place, by their digests: in *standing. buf as above.
// Returns 0, the flash driver's error or progress's.
int molt_delta_find_standing(const molt_delta_header_t *header, const molt_delta_place_t *place, uint8_t *buf, uint32_t buf_size,
    molt_progress_t progress, void *progress_ctx, molt_delta_standing_t *standing);

// Whether the sector at `addr`, with these bytes 2 and 3, has this CRC. buf: sector_size bytes, 4-aligned. Returns 0, MOLT_ERR_CORRUPT
// (it has not), or the flash driver's error.
int molt_delta_check_first(const molt_flash_t *flash, uint32_t addr, uint16_t params, uint32_t crc, uint8_t *buf);

// Whether the sector at `addr` is blank. The rest as before.
int molt_delta_check_blank(const molt_flash_t *flash, uint32_t addr, uint8_t *buf);

// Whether `buf` holds the sector that is made as number `made`, from 0 on, by its CRC. Returns 0, MOLT_ERR_CORRUPT, or the reader's error.
int molt_delta_check_made(const molt_delta_t *delta, uint32_t made, const uint8_t *buf);

// The new image's first sector as it is in the file, 0xFF behind the image's end, into `buf` (sector_size bytes, 4-aligned). Right
// after molt_delta_begin(). Returns 0, MOLT_ERR_CORRUPT, or an error of reader or flash.
int molt_delta_first(molt_delta_t *delta, uint8_t *buf);

// Whether a sector of the new image is made by the patch, and is not the old one in its place. After molt_delta_begin().
bool molt_delta_is_written(const molt_delta_t *delta, uint32_t sector);

// Do all operations without writing, right after molt_delta_begin(), with a place that has no plan: nothing is read that would have
// been destroyed before, each sector comes out right, and all of them together with those that stay are the new image. buf as above.
// Returns 0, MOLT_ERR_CORRUPT, or an error of reader, flash or progress.
int molt_delta_check(molt_delta_t *delta, uint8_t *buf, molt_progress_t progress, void *progress_ctx);

// What can be seen of a patch that leads back, right after molt_delta_begin(), with a place that has no plan: the *new* image is in
// flash, and the old one will be. The operations are done without the old bytes: none reads what would have been destroyed before, and
// each sector that is written has the CRC of the one in flash. That they come of the old bytes molt_delta_check() has to see, when those
// are there. buf as above. Returns 0, MOLT_ERR_CORRUPT, or an error of reader, flash or progress.
int molt_delta_check_back(molt_delta_t *delta, uint8_t *buf, molt_progress_t progress, void *progress_ctx);

// Where the new image is in flash: a sector of it as its file has it, 0xFF behind the image's end, into `buf` (sector_size bytes,
// 4-aligned). Returns 0 or an error of flash.
int molt_delta_read_sector(const molt_delta_header_t *header, const molt_delta_place_t *place, uint32_t sector, uint8_t *buf);

// The first one likewise, held to its CRC. Behind molt_delta_begin(). Returns 0, MOLT_ERR_CORRUPT, or an error of reader or flash.
int molt_delta_present_first(const molt_delta_t *delta, uint8_t *buf);

// An operation, ready to be written.
typedef struct molt_delta_write {
    uint32_t addr;      // of the sector that buf goes to
    uint32_t old_addr;  // of a stash: of the sector that it is read from; else UINT32_MAX
} molt_delta_write_t;

// The next operation's bytes into `buf` (sector_size bytes, 4-aligned): what is to be stashed, or the new sector. In order, from the
// first one on. is_wanted false: it is done already and is passed over.
// Returns 0, MOLT_ERR_CORRUPT (the patch makes no sense, what comes out has another CRC, or what it needs is gone), or an error of
// reader or flash.
int molt_delta_next(molt_delta_t *delta, uint8_t *buf, bool is_wanted, molt_delta_write_t *write);

#endif
