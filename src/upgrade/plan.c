// A stored plan: reading it back, and the arithmetic of its steps. This half is in the boot loader; building
// a plan is in plan_build.c. Pure: no flash I/O.

#include "upgrade/plan.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "molt/error.h"
#include "upgrade/plan_layout.h"
#include "upgrade/report.h"

uint32_t plan_sectors_per_block(const molt_plan_t *plan) {
    uint32_t block_size = molt_block_size(&plan->geometry);
    return block_size ? block_size / molt_sector_size(&plan->geometry) : PLAN_SECTORS_PER_GROUP;
}

uint32_t plan_image_sector_count(const molt_plan_t *plan) {
    return ceil_div(plan->image_size, molt_sector_size(&plan->geometry));
}

uint32_t plan_sector_step(const molt_plan_t *plan, uint32_t sector) {
    uint32_t per_block = plan_sectors_per_block(plan);
    return 2 + sector / per_block * (per_block + 1) + sector % per_block;
}

// Steps that erase the filesystem: one for its beginning, and one for each block that it lies in, in part or as a whole.
static uint32_t fs_step_count(const molt_plan_t *plan) {
    if (plan->fs_size == 0) {
        return 0;
    }
    uint32_t group_size = plan_sectors_per_block(plan) * molt_sector_size(&plan->geometry);
    return (plan->fs_addr + plan->fs_size - 1) / group_size - plan->fs_addr / group_size + 2;
}

uint32_t plan_shape(molt_plan_t *plan) {
    uint32_t per_block = plan_sectors_per_block(plan);
    plan->verify_step = 1 + ceil_div(plan_image_sector_count(plan), per_block) * (per_block + 1);
    plan->step_count = plan->verify_step + 1 + fs_step_count(plan);
    uint32_t set_size = ceil_div(plan->step_count + 1, 32) * 4;
    uint32_t extents_size = ceil_div(plan->extent_count, 2) * 4 + plan_trial_size(plan);
    uint32_t stored_size = MOLT_PLAN_HEADER_SIZE + 2 * set_size + PLAN_LOG_SIZE_MIN + extents_size;
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    if (set_size > sector_size || stored_size > sector_size) {
        return UINT32_MAX;
    }
    plan->set_size = set_size;
    plan->todo_off = sector_size - MOLT_PLAN_HEADER_SIZE - set_size;
    plan->extents_off = plan->todo_off - extents_size;
    plan->journal_off = plan->extents_off - set_size - PLAN_LOG_SIZE_MIN;
    plan->log_size = PLAN_LOG_SIZE_MIN;
    return stored_size;
}

bool plan_is_rewritten(const molt_plan_t *plan, uint32_t addr) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    return addr - plan->image_addr < plan_image_sector_count(plan) * sector_size || addr - plan->boot_addr < sector_size;
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

uint32_t molt_plan_stash_addr(const molt_plan_t *plan, uint32_t index) {
    return extent_addr(plan, plan->extent_count - 1 - index);
}

static uint32_t extent_size(const molt_plan_t *plan, uint32_t index) {
    return molt_sector_size(&plan->geometry) - (uint32_t)(extent(plan, index) >> 12) * 4;
}

// Every extent lies within flash where the upgrade does not write, and together they hold the whole source.
static bool extents_are_sound(const molt_plan_t *plan) {
    uint32_t held = 0;
    for (uint32_t i = 0; i < plan->extent_count; i++) {
        uint32_t addr = extent_addr(plan, i);
        if (plan_is_rewritten(plan, addr) || addr >= plan->geometry.size) {
            return false;
        }
        held += extent_size(plan, i);
    }
    return held >= plan->source_size;
}

bool plan_saved_is_sound(const molt_plan_t *plan, const molt_saved_t *saved) {
    uint32_t size = plan->geometry.size;
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    return saved->head_addr % sector_size == 0 && !plan_is_rewritten(plan, saved->head_addr) && saved->head_addr < size
           && ((saved->report_addr | saved->extension_addr | saved->extension_size) & 3) == 0
           && (saved->report_addr == 0
               || (!plan_is_rewritten(plan, saved->report_addr)
                   && !plan_is_rewritten(plan, saved->report_addr + MOLT_REPORT_SIZE - 1)
                   && range_within(saved->report_addr, MOLT_REPORT_SIZE, size)))
           && (saved->extension_size == 0
               || (!plan_is_rewritten(plan, saved->extension_addr)
                   && !plan_is_rewritten(plan, saved->extension_addr + saved->extension_size - 1)
                   && saved->extension_size <= sector_size && range_within(saved->extension_addr, saved->extension_size, size)));
}

static bool fields_are_sound(const molt_plan_t *plan) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t image_size = plan_image_sector_count(plan) * sector_size;
    bool is_copy = plan->source_kind == MOLT_SOURCE_COPY && plan->source_size == plan->image_size;
    bool is_gzip = plan->source_kind == MOLT_SOURCE_GZIP && plan->saved.extension_size != 0;
    bool is_delta = plan->source_kind == MOLT_SOURCE_DELTA && plan->saved.extension_size != 0 && plan->fs_size == 0;
    uint32_t page_size = molt_page_size(&plan->geometry);
    bool is_trial_sound = plan_trial_size(plan) % 4 == 0;
    bool journal_is_apart = (plan->journal_off | plan->log_size) % 4 == 0 && plan->log_size <= page_size
                            && range_within(plan->journal_off, plan->set_size + plan->log_size, plan->extents_off)
                            && range_within(plan->journal_off % page_size, plan->set_size + plan->log_size, page_size);
    return (is_copy || is_gzip || is_delta) && is_trial_sound && journal_is_apart
           && (plan->fs_addr | plan->fs_size) % sector_size == 0
           && !ranges_overlap(plan->fs_addr, plan->fs_size, plan->image_addr, image_size)
           && !ranges_overlap(plan->fs_addr, plan->fs_size, plan->boot_addr, sector_size)
           && (plan->image_addr | plan->boot_addr) % sector_size == 0
           && range_within(plan->image_addr, image_size, plan->geometry.size)
           && range_within(plan->boot_addr, sector_size, plan->geometry.size)
           && plan->image_addr % (plan_sectors_per_block(plan) * sector_size) == 0;
}

// The two checks are to be done, and what else is to do lies within the image, behind its first sector.
static bool todo_is_sound(const molt_plan_t *plan) {
    if (!molt_plan_is_todo(plan, 0) || !molt_plan_is_todo(plan, plan->verify_step)) {
        return false;
    }
    uint32_t first = plan->image_addr;
    uint32_t image_end = first + plan_image_sector_count(plan) * molt_sector_size(&plan->geometry);
    for (uint32_t i = 1; i < plan->verify_step; i++) {
        molt_step_t step = molt_plan_step(plan, i);
        bool is_possible = step.kind != MOLT_STEP_ERASE_BLOCK || molt_block_size(&plan->geometry) != 0;
        if (plan->source_kind == MOLT_SOURCE_DELTA) {
            if (molt_plan_is_todo(plan, i) && i != MOLT_DELTA_STEP) {
                return false;
            }
        } else if (molt_plan_is_todo(plan, i) && (!is_possible || step.addr == first || step.addr + step.size > image_end)) {
            return false;
        }
    }
    return true;
}

// What the header says of the plan's shape is what follows from its sizes.
static bool shape_is_sound(const molt_plan_t *plan) {
    molt_plan_t shape = *plan;
    return plan->image_size != 0 && plan->image_size <= plan->geometry.size
           && range_within(plan->fs_addr, plan->fs_size, plan->geometry.size) && plan_shape(&shape) != UINT32_MAX
           && shape.step_count == plan->step_count && shape.verify_step == plan->verify_step && shape.set_size == plan->set_size
           && shape.extents_off == plan->extents_off && shape.todo_off == plan->todo_off;
}

static void read_words(molt_plan_t *plan) {
    uint32_t words[PLAN_WORD_COUNT];
    for (uint32_t i = 0; i < PLAN_WORD_COUNT; i++) {
        words[i] = load32_le(plan_header(plan) + PLAN_OFF_WORDS + 4 * i);
    }
    memcpy(&plan->source_kind, words, sizeof words);
}

uint8_t *molt_plan_trial_code(const molt_plan_t *plan) {
    return plan->sector + plan->todo_off - plan_trial_size(plan);
}

const uint8_t *molt_plan_image_sha1(const molt_plan_t *plan) {
    return plan_header(plan) + PLAN_OFF_IMAGE_SHA1;
}

int molt_plan_open(molt_plan_t *plan, const molt_geometry_t *geometry, uint8_t *sector) {
    plan->sector = sector;
    if (!MOLT_FIXED_GEOMETRY || !MOLT_PLAN_TRUSTED) {
        plan->geometry = *geometry;
    }
    const uint8_t *h = plan_header(plan);
    if (load32_le(h + PLAN_OFF_MAGIC) != PLAN_MAGIC) {
        return MOLT_ERR_NOENT;
    }
    if (load32_le(h + PLAN_OFF_VERSION) != MOLT_PLAN_VERSION) {
        return MOLT_ERR_NOTSUP;
    }
    plan->extents_off = load32_le(h + PLAN_OFF_EXTENTS_OFF);
    // The CRC's own range first; where it is right everything else is what was stored.
    if (plan->extents_off > molt_sector_size(geometry) - MOLT_PLAN_HEADER_SIZE || plan_crc(plan) != load32_le(h + PLAN_OFF_CRC)) {
        return MOLT_ERR_CORRUPT;
    }
    read_words(plan);
    if (MOLT_PLAN_TRUSTED) {
        return 0;
    }
    plan->geometry.size = load32_le(h + PLAN_OFF_FLASH_SIZE);
    plan->kept_size = 0;
    plan->whole_image = false;
    plan->is_standby = false;
    plan->first_differs = true;
    bool is_sound = plan->geometry.size <= geometry->size && shape_is_sound(plan) && fields_are_sound(plan)
                    && plan_saved_is_sound(plan, &plan->saved) && extents_are_sound(plan) && todo_is_sound(plan);
    return is_sound ? 0 : MOLT_ERR_CORRUPT;
}

molt_step_t molt_plan_step(const molt_plan_t *plan, uint32_t index) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t per_block = plan_sectors_per_block(plan);
    uint32_t group_size = per_block * sector_size;
    if (index == 0) {
        return (molt_step_t){ MOLT_STEP_CHECK, 0, 0 };
    }
    if (index == plan->verify_step) {
        return (molt_step_t){ MOLT_STEP_VERIFY, 0, 0 };
    }
    if (index == plan->verify_step + 1) {
        return (molt_step_t){ MOLT_STEP_ERASE_FS, plan->fs_addr, min_u32(PLAN_FS_FIRST_SECTORS * sector_size, plan->fs_size) };
    }
    if (index > plan->verify_step) {
        uint32_t group_addr = (plan->fs_addr / group_size + (index - plan->verify_step - 2)) * group_size;
        uint32_t begin = group_addr < plan->fs_addr ? plan->fs_addr : group_addr;
        uint32_t end = min_u32(group_addr + group_size, plan->fs_addr + plan->fs_size);
        return (molt_step_t){ MOLT_STEP_ERASE_FS, begin, end - begin };
    }
    // Without a division, which some compilers make a 64-bit product of that the chip's libraries do not have.
    uint32_t block_addr = plan_image_addr(plan);
    uint32_t place = index - 1;
    for (; place > per_block; place -= per_block + 1) {
        block_addr += group_size;
    }
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
