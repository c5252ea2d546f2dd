// A stored plan: reading it back, and the arithmetic of its steps. This half is in the boot loader; building
// a plan is in plan_build.c. Pure: no flash I/O.

#include "molt/plan.h"

#include "bytes.h"
#include "molt/crc32.h"
#include "molt/error.h"
#include "molt/report.h"
#include "plan_layout.h"

// Steps are grouped by blocks even where a chip has no block erase.
#define SECTORS_PER_GROUP 16u

uint32_t plan_sectors_per_block(const molt_plan_t *plan) {
    uint32_t block_size = molt_block_size(&plan->geometry);
    return block_size ? block_size / molt_sector_size(&plan->geometry) : SECTORS_PER_GROUP;
}

uint32_t plan_image_sector_count(const molt_plan_t *plan) {
    return ceil_div(plan->image_size, molt_sector_size(&plan->geometry));
}

uint32_t plan_sector_step(const molt_plan_t *plan, uint32_t sector) {
    uint32_t per_block = plan_sectors_per_block(plan);
    return 2 + sector / per_block * (per_block + 1) + sector % per_block;
}

uint32_t plan_fs_step(const molt_plan_t *plan) {
    uint32_t per_block = plan_sectors_per_block(plan);
    return 1 + ceil_div(plan_image_sector_count(plan), per_block) * (per_block + 1);
}

// Blocks that the filesystem to be erased lies in, in part or as a whole.
static uint32_t fs_block_count(const molt_plan_t *plan) {
    if (plan->fs_size == 0) {
        return 0;
    }
    uint32_t group_size = plan_sectors_per_block(plan) * molt_sector_size(&plan->geometry);
    return (plan->fs_addr + plan->fs_size - 1) / group_size - plan->fs_addr / group_size + 1;
}

uint32_t plan_shape(molt_plan_t *plan) {
    uint32_t step_count = plan_fs_step(plan) + fs_block_count(plan);
    uint32_t set_size = ceil_div(step_count, 32) * 4;
    uint32_t extents_size = ceil_div(plan->extent_count, 2) * 4;
    uint32_t stored_size = MOLT_PLAN_HEADER_SIZE + 2 * set_size + extents_size;
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    if (set_size > sector_size || stored_size > sector_size) {
        return UINT32_MAX;
    }
    plan->step_count = step_count;
    plan->todo_off = sector_size - MOLT_PLAN_HEADER_SIZE - set_size;
    plan->extents_off = plan->todo_off - extents_size;
    plan->journal_off = plan->extents_off - set_size;
    return stored_size;
}

uint32_t plan_crc(const molt_plan_t *plan) {
    uint32_t end = molt_sector_size(&plan->geometry) - MOLT_PLAN_HEADER_SIZE + PLAN_OFF_CRC;
    return molt_crc32(0, plan->sector + plan->extents_off, end - plan->extents_off);
}

static uint16_t extent(const molt_plan_t *plan, uint32_t index) {
    return load16_le(plan->sector + plan->extents_off + 2 * index);
}

static uint32_t extent_addr(const molt_plan_t *plan, uint32_t index) {
    uint32_t e = extent(plan, index);
    return (e & MOLT_EXTENT_SECTOR_MAX) * molt_sector_size(&plan->geometry) + (e >> 12) * 4;
}

static uint32_t extent_size(const molt_plan_t *plan, uint32_t index) {
    return molt_sector_size(&plan->geometry) - (uint32_t)(extent(plan, index) >> 12) * 4;
}

// Every extent lies within flash behind the image, and together they hold the whole source.
static bool extents_are_sound(const molt_plan_t *plan) {
    uint32_t image_end = plan_image_sector_count(plan) * molt_sector_size(&plan->geometry);
    uint32_t held = 0;
    for (uint32_t i = 0; i < plan->extent_count; i++) {
        uint32_t addr = extent_addr(plan, i);
        if (addr < image_end || addr >= plan->geometry.size) {
            return false;
        }
        held += extent_size(plan, i);
    }
    return held >= plan->source_size;
}

bool plan_saved_is_sound(const molt_plan_t *plan, const molt_saved_t *saved) {
    uint32_t size = plan->geometry.size;
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t image_end = plan_image_sector_count(plan) * sector_size;
    return saved->head_addr % sector_size == 0 && saved->head_addr >= image_end && saved->head_addr < size
           && ((saved->report_addr | saved->extension_addr | saved->extension_size) & 3) == 0
           && (saved->report_addr == 0
               || (saved->report_addr >= image_end && range_within(saved->report_addr, MOLT_REPORT_SIZE, size)))
           && (saved->extension_size == 0
               || (saved->extension_addr >= image_end && saved->extension_size <= sector_size
                   && range_within(saved->extension_addr, saved->extension_size, size)));
}

static bool fields_are_sound(const molt_plan_t *plan) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t image_end = plan_image_sector_count(plan) * sector_size;
    bool is_copy = plan->source_kind == MOLT_SOURCE_COPY && plan->source_size == plan->image_size;
    bool is_gzip = plan->source_kind == MOLT_SOURCE_GZIP && plan->saved.extension_size != 0;
    return (is_copy || is_gzip) && (plan->fs_addr | plan->fs_size) % sector_size == 0
           && (plan->fs_size == 0 || plan->fs_addr >= image_end);
}

// What is to do lies within the image, and behind the boot sector.
static bool todo_is_sound(const molt_plan_t *plan) {
    uint32_t image_end = plan_image_sector_count(plan) * molt_sector_size(&plan->geometry);
    for (uint32_t i = 1; i < plan_fs_step(plan); i++) {
        molt_step_t step = molt_plan_step(plan, i);
        bool is_possible = step.kind != MOLT_STEP_ERASE_BLOCK || molt_block_size(&plan->geometry) != 0;
        if (molt_plan_is_todo(plan, i) && (!is_possible || step.addr == 0 || step.addr + step.size > image_end)) {
            return false;
        }
    }
    return true;
}

int molt_plan_open(molt_plan_t *plan, const molt_geometry_t *geometry, uint8_t *sector) {
    const uint8_t *h = sector + molt_sector_size(geometry) - MOLT_PLAN_HEADER_SIZE;
    if (load32_le(h + PLAN_OFF_MAGIC) != PLAN_MAGIC) {
        return MOLT_ERR_NOENT;
    }
    if (h[PLAN_OFF_VERSION] != MOLT_PLAN_VERSION) {
        return MOLT_ERR_NOTSUP;
    }
    plan->sector = sector;
    plan->geometry = *geometry;
    plan->geometry.size = load32_le(h + PLAN_OFF_FLASH_SIZE);
    plan->source_kind = h[PLAN_OFF_SOURCE_KIND];
    plan->image_size = load32_le(h + PLAN_OFF_IMAGE_SIZE);
    plan->source_size = load32_le(h + PLAN_OFF_SOURCE_SIZE);
    plan->source_crc = load32_le(h + PLAN_OFF_SOURCE_CRC);
    plan->flash_params = load16_le(h + PLAN_OFF_FLASH_PARAMS);
    plan->extent_count = load16_le(h + PLAN_OFF_EXTENT_COUNT);
    if (!MOLT_RESIDENT_ONLY) {
        plan->image_crc = load32_le(h + PLAN_OFF_IMAGE_CRC);
        plan->saved.head_addr = load32_le(h + PLAN_OFF_HEAD_ADDR);
        plan->saved.head_crc = load32_le(h + PLAN_OFF_HEAD_CRC);
        plan->saved.report_addr = load32_le(h + PLAN_OFF_REPORT_ADDR);
    }
    plan->saved.extension_addr = load32_le(h + PLAN_OFF_EXTENSION_ADDR);
    plan->saved.extension_size = load16_le(h + PLAN_OFF_EXTENSION_SIZE);
    plan->saved.extension_crc = load32_le(h + PLAN_OFF_EXTENSION_CRC);
    plan->kept_size = load32_le(h + PLAN_OFF_KEPT_SIZE);
    plan->fs_addr = load32_le(h + PLAN_OFF_FS_ADDR);
    plan->fs_size = load32_le(h + PLAN_OFF_FS_SIZE);
    plan->whole_image = false;
    // Sizes first: the arithmetic of the steps relies on them.
    if (plan->geometry.size > geometry->size || plan->image_size == 0 || plan->image_size > plan->geometry.size
        || !range_within(plan->fs_addr, plan->fs_size, plan->geometry.size) || plan_shape(plan) == UINT32_MAX
        || plan->step_count != load16_le(h + PLAN_OFF_STEP_COUNT) || plan_crc(plan) != load32_le(h + PLAN_OFF_CRC)) {
        return MOLT_ERR_CORRUPT;
    }
    bool is_sound = MOLT_PLAN_TRUSTED
                    || (fields_are_sound(plan) && plan_saved_is_sound(plan, &plan->saved) && extents_are_sound(plan)
                        && todo_is_sound(plan));
    return is_sound ? 0 : MOLT_ERR_CORRUPT;
}

molt_step_t molt_plan_step(const molt_plan_t *plan, uint32_t index) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t per_block = plan_sectors_per_block(plan);
    uint32_t group_size = per_block * sector_size;
    if (index == 0) {
        return (molt_step_t){ MOLT_STEP_CHECK, 0, 0 };
    }
    uint32_t fs_step = plan_fs_step(plan);
    if (index >= fs_step) {
        uint32_t group_addr = (plan->fs_addr / group_size + (index - fs_step)) * group_size;
        uint32_t begin = group_addr < plan->fs_addr ? plan->fs_addr : group_addr;
        uint32_t end = min_u32(group_addr + group_size, plan->fs_addr + plan->fs_size);
        return (molt_step_t){ MOLT_STEP_ERASE_FS, begin, end - begin };
    }
    uint32_t block_addr = (index - 1) / (per_block + 1) * group_size;
    uint32_t place = (index - 1) % (per_block + 1);
    if (place == 0) {
        return (molt_step_t){ MOLT_STEP_ERASE_BLOCK, block_addr, group_size };
    }
    return (molt_step_t){ MOLT_STEP_SECTOR, block_addr + (place - 1) * sector_size, sector_size };
}

bool molt_plan_is_todo(const molt_plan_t *plan, uint32_t index) {
    return (plan->sector[plan->todo_off + index / 8] >> index % 8 & 1) != 0;
}

uint32_t molt_plan_source_addr(const molt_plan_t *plan, uint32_t off, uint32_t *run_size) {
    uint32_t i = 0;
    uint32_t left = off;
    while (left >= extent_size(plan, i) && i + 1u < plan->extent_count) {
        left -= extent_size(plan, i);
        i++;
    }
    *run_size = min_u32(extent_size(plan, i) - left, plan->source_size - off);
    return extent_addr(plan, i) + left;
}

bool molt_plan_is_kept(const molt_plan_t *plan, uint32_t addr) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t wanted = min_u32(plan->kept_size, plan->source_size);
    for (uint32_t off = 0, run_size; off < wanted; off += run_size) {
        if (molt_plan_source_addr(plan, off, &run_size) / sector_size == addr / sector_size) {
            return true;
        }
    }
    // A restart before the last step needs the extension again.
    return ranges_overlap(addr / sector_size * sector_size, sector_size, plan->saved.extension_addr,
        plan->saved.extension_size);
}
