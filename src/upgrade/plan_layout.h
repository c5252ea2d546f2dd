// The stored plan: where its parts lie in the boot sector, and the numbering of its steps. docs/format.md,
// "plan". Version 2.
//
//   [boot loader][0xFF ...][journal, log of starts][0xFF ...][extents][code for a trial][to-do set][header]
//                                                                                  ^ last MOLT_PLAN_HEADER_SIZE bytes
// All numbers are little-endian. Journal and to-do set have one bit a step: bit (step % 8) of byte (step / 8), and one
// more, which in the journal says that the plan is finished, rounded up to whole words; unused bits are 1 in the journal
// and 0 in the to-do set.
//
// Journal and log are what is programmed while the plan is carried out. Where there is room they have a page to
// themselves: some chips rewrite a page as a whole, and a cut then takes all of it.
#ifndef MOLT_UPGRADE_PLAN_LAYOUT_H
#define MOLT_UPGRADE_PLAN_LAYOUT_H

#include <stddef.h>

#include "base/geometry.h"
#include "upgrade/plan.h"

#define PLAN_MAGIC 0x544C4F4Du  // "MOLT"

// Byte offsets of the header's fields. All are 32-bit words but where it says otherwise.
enum {
    PLAN_OFF_MAGIC = 0,
    PLAN_OFF_VERSION = 4,  // the rest of the word is 0
    PLAN_OFF_FLASH_SIZE = 8,
    // In the order of molt_plan_t, from source_kind to log_size, saved included.
    PLAN_OFF_WORDS = 12,
    PLAN_OFF_IMAGE_ADDR = 12 + 4 * 3,
    PLAN_OFF_FIRST_CRC = 12 + 4 * 5,
    PLAN_OFF_EXTENSION_SIZE = 12 + 4 * 13,
    PLAN_OFF_EXTENTS_OFF = 12 + 4 * 21,
    PLAN_WORD_COUNT = 24,
    PLAN_OFF_IMAGE_SHA1 = PLAN_OFF_WORDS + 4 * PLAN_WORD_COUNT,  // bytes
    PLAN_OFF_CRC = PLAN_OFF_IMAGE_SHA1 + MOLT_SHA1_SIZE,         // CRC-32 from the first extent up to this field
};

_Static_assert(PLAN_OFF_CRC + 4 == MOLT_PLAN_HEADER_SIZE, "the header's size");
_Static_assert(offsetof(molt_plan_t, log_size) - offsetof(molt_plan_t, source_kind) == 4 * (PLAN_WORD_COUNT - 1),
    "molt_plan_t has the stored words in a row");
_Static_assert(offsetof(molt_plan_t, image_addr) - offsetof(molt_plan_t, source_kind) == PLAN_OFF_IMAGE_ADDR - PLAN_OFF_WORDS,
    "of image_addr");
_Static_assert(
    offsetof(molt_plan_t, first_crc) - offsetof(molt_plan_t, source_kind) == PLAN_OFF_FIRST_CRC - PLAN_OFF_WORDS, "of first_crc");
_Static_assert(offsetof(molt_plan_t, extents_off) - offsetof(molt_plan_t, source_kind) == PLAN_OFF_EXTENTS_OFF - PLAN_OFF_WORDS,
    "the place of extents_off");
_Static_assert(
    offsetof(molt_plan_t, saved.extension_size) - offsetof(molt_plan_t, source_kind) == PLAN_OFF_EXTENSION_SIZE - PLAN_OFF_WORDS,
    "the place of extension_size");

// Steps are grouped by blocks even where a chip has no block erase.
#define PLAN_SECTORS_PER_GROUP 16u

// Bytes of the log of starts where the journal has no page to itself; otherwise it takes the rest of the page.
#define PLAN_LOG_SIZE_MIN 32u

// Sectors at the filesystem's beginning that a step of their own erases: littlefs's superblocks.
#define PLAN_FS_FIRST_SECTORS 2u

// Compute step_count and the offsets from the sizes in `plan`, the journal as close to the extents as can be. Returns the
// bytes that the stored plan takes at least, or UINT32_MAX if it cannot fit a sector.
uint32_t plan_shape(molt_plan_t *plan);

static inline uint32_t plan_boot_addr(const molt_plan_t *plan) {
    return MOLT_FIXED_PLACE ? 0 : plan->boot_addr;
}

static inline uint32_t plan_image_addr(const molt_plan_t *plan) {
    return MOLT_FIXED_PLACE ? 0 : plan->image_addr;
}

// Standby mode: bytes of the code that a trial brings; 0 for no trial.
static inline uint32_t plan_trial_size(const molt_plan_t *plan) {
    return MOLT_FIXED_PLACE || MOLT_RESIDENT_ONLY || !MOLT_TRIAL ? 0 : plan->flash_params >> 16;
}

// Whether the byte at `addr` is one that the upgrade rewrites: of the image, or of the boot sector.
bool plan_is_rewritten(const molt_plan_t *plan, uint32_t addr);

uint32_t plan_sectors_per_block(const molt_plan_t *plan);

uint32_t plan_image_sector_count(const molt_plan_t *plan);

// The step that programs sector `sector` of the image; the step before that of a block's first sector is the
// one that erases the block.
uint32_t plan_sector_step(const molt_plan_t *plan, uint32_t sector);

uint32_t plan_crc(const molt_plan_t *plan);

// The header, in the sector's last bytes.
static inline uint8_t *plan_header(const molt_plan_t *plan) {
    return plan->sector + molt_sector_size(&plan->geometry) - MOLT_PLAN_HEADER_SIZE;
}

// What was saved lies where the upgrade does not write.
bool plan_saved_is_sound(const molt_plan_t *plan, const molt_saved_t *saved);

#endif
