// When sector 0 may be rewritten, and what starts may write after an upgrade.

#include <string.h>

#include "base/bytes.h"
#include "resident/state.h"
#include "torture_parts.h"
#include "upgrade/trial.h"

// Of an image: its own 8 bytes, and the first segment's.
#define TORTURE_HEADER_SIZE 16

static bool has_misread(const torture_t *torture) {
    return torture->now.has_misread || torture->nor->has_misread;
}

// One opening is allowed in each run: of a preparation, to put the boot loader in; of the boot loader, when nothing
// but the first sector is missing. Putting the old first sector back is for a source that has changed, which nobody
// does here; a misread looks like it.
static bool may_open(const torture_t *torture) {
    const struct torture_now *now = &torture->now;
    bool is_first = now->window_count == 0 || now->window_run != now->run_count;
    if (has_misread(torture)) {
        return now->is_preparing || torture_body_is_new(torture) || torture_body_is_old(torture);
    }
    if (!is_first) {
        return false;
    }
    bool is_ready = torture_body_is_new(torture) && (!torture->options.erase_all || torture_fs_is_erased(torture));
    return now->is_preparing ? torture_body_is_old(torture) : is_ready;
}

// A program in an open window. The mask ROM takes one damaged image in 256 for a whole one, as its checksum is one byte;
// but none without a header. So that goes in when all else is there, and by itself.
static bool is_header_early(const torture_t *torture, uint32_t addr, uint32_t size) {
    return torture->nor->bytes[0] == SIM_ROM_MAGIC || (addr == 0 && size > TORTURE_HEADER_SIZE);
}

// An operation in sector 0. Returns whether it is in a window that may be.
static bool judge_sector_0(torture_t *torture, char kind, uint32_t addr, uint32_t size) {
    struct torture_now *now = &torture->now;
    bool boots = sim_device_boots(torture->nor);
    if (torture->reserved_addr) {
        now->wrong = TORTURE_UNNAMED_WINDOW;
        return false;
    }
    now->is_open = !boots;
    if (kind == 'p') {
        if (now->is_open && is_header_early(torture, addr, size)) {
            now->wrong = TORTURE_HEADER_EARLY;
        }
        return now->is_open;
    }
    // Once more into an open window: what was read back was not what was programmed.
    bool is_again = now->is_open && has_misread(torture);
    if (size != torture->nor->flash.geometry.sector_size || (!is_again && (now->is_open || !may_open(torture)))) {
        now->wrong = TORTURE_UNNAMED_WINDOW;
        return false;
    }
    now->is_open = true;
    now->window_count += !is_again;
    now->window_run = now->run_count;
    return true;
}

// Standby mode: the sector of the plan that a trial has fallen back by, or 0.
static uint32_t back_plan_addr(const torture_t *torture, uint32_t plan_addr) {
    uint32_t addr;
    memcpy(&addr, torture->nor->bytes + plan_addr + molt_trial_off(&torture->nor->flash.geometry), sizeof addr);
    bool falls_back = torture->fallback_path && !torture->confirms;
    return falls_back && range_within(addr - torture->fs.addr, 4, torture->fs.size) ? addr : 0;
}

// Standby mode. After the upgrade starts write in the plan's sector, and program the first word of the image again; and a trial that was
// not quite over writes in the sector before the plan's, and in that of the plan that it fell back by.
static bool may_write_later(const torture_t *torture, char kind, uint32_t addr, uint32_t size) {
    uint32_t plan_addr = torture->standby->plan_addr;
    uint32_t sector_size = torture->nor->flash.geometry.sector_size;
    bool is_mark = addr >= plan_addr && addr + size <= plan_addr + sector_size;
    uint32_t back_addr = back_plan_addr(torture, plan_addr);
    bool is_back = kind == 'p' && back_addr && addr >= back_addr && addr + size <= back_addr + sector_size;
    bool is_otadata = addr >= torture->standby->loader_addr + sector_size && addr + size <= plan_addr;
    return is_otadata || is_back || (kind == 'p' && (is_mark || (addr == torture_image_addr(torture) && size == 4)));
}

bool torture_judge(torture_t *torture, char kind, uint32_t addr, uint32_t size) {
    struct torture_now *now = &torture->now;
    uint32_t sector_size = torture->nor->flash.geometry.sector_size;
    uint32_t reserved_end = torture->reserved_addr + MOLT_RESERVED_SECTOR_COUNT * sector_size;
    if (now->wrong) {
        return false;
    }
    // Where littlefs appends to a directory whose last commit was torn, it can take that for erased: its own matter. The chip has looked
    // at this operation, or, where that was cut, at the one before.
    bool was_littlefs_op = now->is_littlefs_op;
    now->is_littlefs_op = now->is_preparing && addr - torture->fs.addr < torture->fs.size;
    if (torture->nor->overwrite_count != now->overwrite_count) {
        now->wrong = now->is_littlefs_op || was_littlefs_op ? now->wrong : TORTURE_OVERWRITE;
        now->overwrite_count = torture->nor->overwrite_count;
    }
    if (torture_has_slots(torture)) {
        uint32_t off = addr - torture->standby->otadata_addr;
        now->wrong = now->is_over && off >= 2 * sector_size ? TORTURE_WRONG_OUTSIDE : now->wrong;
        return false;
    }
    if (torture->standby) {
        bool is_wrong = now->is_over && !may_write_later(torture, kind, addr, size);
        now->wrong = is_wrong ? TORTURE_WRONG_OUTSIDE : now->wrong;
        return false;
    }
    if (addr < sector_size) {
        return judge_sector_0(torture, kind, addr, size);
    }
    if (now->is_open) {
        now->is_open = !sim_device_boots(torture->nor);
        now->wrong = now->is_open ? TORTURE_UNNAMED_WINDOW : now->wrong;
    }
    if (now->is_over && (torture->reserved_addr == 0 || addr < torture->reserved_addr || addr + size > reserved_end)) {
        now->wrong = TORTURE_WRONG_OUTSIDE;
    }
    return false;
}
