// The stored plan: where its parts lie in the boot sector, and the numbering of its steps. docs/format.md,
// "plan". Version 1.
//
//   [boot loader][0xFF ...][journal][extents][to-do set][header]
//                                                        ^ last MOLT_PLAN_HEADER_SIZE bytes of the sector
// All numbers are little-endian. Journal and to-do set have one bit a step: bit (step % 8) of byte (step / 8),
// rounded up to whole words; unused bits are 1 in the journal and 0 in the to-do set.
#ifndef MOLT_UPGRADE_PLAN_LAYOUT_H
#define MOLT_UPGRADE_PLAN_LAYOUT_H

#include "molt/plan.h"

#define PLAN_MAGIC 0x544C4F4Du  // "MOLT"

// Byte offsets of the header's fields.
enum {
    PLAN_OFF_MAGIC = 0,
    PLAN_OFF_VERSION = 4,      // u8
    PLAN_OFF_SOURCE_KIND = 5,  // u8, molt_source_kind_t
    PLAN_OFF_EXTENSION_SIZE = 6,  // u16
    PLAN_OFF_FLASH_SIZE = 8,
    PLAN_OFF_IMAGE_SIZE = 12,
    PLAN_OFF_IMAGE_CRC = 16,
    PLAN_OFF_SOURCE_SIZE = 20,
    PLAN_OFF_SOURCE_CRC = 24,
    PLAN_OFF_FLASH_PARAMS = 28,  // u16
    PLAN_OFF_EXTENT_COUNT = 30,  // u16
    PLAN_OFF_HEAD_ADDR = 32,
    PLAN_OFF_HEAD_CRC = 36,
    PLAN_OFF_REPORT_ADDR = 40,
    PLAN_OFF_FS_ADDR = 44,
    PLAN_OFF_FS_SIZE = 48,
    PLAN_OFF_STEP_COUNT = 52,  // u16
    PLAN_OFF_ZERO = 54,        // u16
    PLAN_OFF_KEPT_SIZE = 56,
    PLAN_OFF_EXTENSION_ADDR = 60,
    PLAN_OFF_EXTENSION_CRC = 64,
    PLAN_OFF_CRC = 68,  // CRC-32 from the first extent up to this field
};

// Compute step_count and the offsets from the sizes in `plan`. Returns the bytes that the stored plan takes, or
// UINT32_MAX if it cannot fit a sector.
uint32_t plan_shape(molt_plan_t *plan);

uint32_t plan_sectors_per_block(const molt_plan_t *plan);

uint32_t plan_image_sector_count(const molt_plan_t *plan);

// The step that programs sector `sector` of the image; the step before that of a block's first sector is the
// one that erases the block.
uint32_t plan_sector_step(const molt_plan_t *plan, uint32_t sector);

// The first step that erases the filesystem; step_count if there is none.
uint32_t plan_fs_step(const molt_plan_t *plan);

uint32_t plan_crc(const molt_plan_t *plan);

// What was saved lies where the upgrade does not write.
bool plan_saved_is_sound(const molt_plan_t *plan, const molt_saved_t *saved);

#endif
