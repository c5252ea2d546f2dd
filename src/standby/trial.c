// A trial in standby mode, as the firmware that prepares it and the firmware that is on it have it; and what became of an upgrade.

#include <stddef.h>

#include "base/crc32.h"
#include "base/flash_io.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "molt/error.h"
#include "standby/standby_parts.h"
#include "upgrade/marks.h"

// How often what may be read wrong is read.
#define PLAN_READ_TRIES 2u

// The plan that was stored last, and its marks.
static int open_last_plan(const molt_flash_t *flash, uint32_t plan_addr, uint8_t *buf, molt_plan_t *plan, uint32_t *marks) {
    int err = MOLT_ERR_IO;
    for (uint32_t try = 0; err && try < PLAN_READ_TRIES; try++) {
        err = flash->read(flash->ctx, plan_addr, buf, molt_sector_size(&flash->geometry));
        err = err ? err : molt_plan_open(plan, &flash->geometry, buf);
    }
    *marks = err ? 0 : molt_marks_read(&flash->geometry, buf);
    return err;
}

// Whether `err` says that there is no plan to speak of.
static bool is_without_plan(int err) {
    return err == MOLT_ERR_NOENT || err == MOLT_ERR_NOTSUP || err == MOLT_ERR_CORRUPT;
}

// The stage of the trial that a plan is for, and how many starts it has left.
static molt_trial_stage_t read_stage(const molt_flash_t *flash, const molt_plan_t *plan, uint32_t *starts_left) {
    *starts_left = 0;
    return molt_plan_trial_size(plan) ? molt_trial_read(&flash->geometry, plan->sector, starts_left) : MOLT_TRIAL_NONE;
}

int standby_is_on_trial(const molt_flash_t *flash, uint32_t plan_addr, uint8_t *buf) {
    molt_plan_t plan;
    uint32_t marks;
    uint32_t starts_left;
    int err = open_last_plan(flash, plan_addr, buf, &plan, &marks);
    if (err) {
        return is_without_plan(err) ? 0 : err;
    }
    return read_stage(flash, &plan, &starts_left) == MOLT_TRIAL_ON;
}

int molt_standby_confirm(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf) {
    int on_trial = molt_standby_has_trials(target, flash) ? standby_is_on_trial(flash, target->plan_addr, buf) : 0;
    if (on_trial != 1) {
        return on_trial ? on_trial : MOLT_ERR_NOENT;
    }
    int err = molt_trial_end(flash, target->plan_addr);
    // What is left of the boot loader's entry counts for nothing without the other one; but the boot loader would write it once more.
    return err ? err : flash->erase_sector(flash->ctx, target->plan_addr - molt_sector_size(&flash->geometry));
}

// Whether the firmware's first sector has this CRC-32.
static bool first_sector_is(const molt_flash_t *flash, uint32_t addr, uint8_t *buf, uint32_t crc) {
    uint32_t size = molt_sector_size(&flash->geometry);
    for (uint32_t try = 0; try < PLAN_READ_TRIES; try++) {
        if (flash->read(flash->ctx, addr, buf, size) == 0 && molt_crc32(0, buf, size) == crc) {
            return true;
        }
    }
    return false;
}

int molt_standby_status(const molt_target_t *target, const molt_flash_t *flash, uint8_t *buf, molt_status_t *status) {
    molt_plan_t plan;
    uint32_t marks;
    int err = open_last_plan(flash, target->plan_addr, buf, &plan, &marks);
    if (err || !molt_mark_is_in(marks, MOLT_MARK_COMMITTED)) {
        return is_without_plan(err) ? 0 : err;
    }
    status->image_crc = plan.image_crc;
    status->boot_count = molt_plan_start_count(&plan);
    // What carries out a delta ends its start with a reset, and the next one puts the first sector in.
    status->boot_count -= plan.source_kind == MOLT_SOURCE_DELTA && status->boot_count > 1;
    if (molt_standby_is_armed(flash, target->image_addr)) {
        status->is_prepared = !molt_mark_is_in(marks, MOLT_MARK_CANCELLED);
        status->outcome = MOLT_OUTCOME_PENDING;
        return 0;
    }
    molt_trial_stage_t stage = read_stage(flash, &plan, &status->starts_left);
    // molt's loader starts once more where a trial begins.
    status->boot_count -= stage != MOLT_TRIAL_NONE && status->boot_count > 1;
    status->is_on_trial = stage == MOLT_TRIAL_ON;
    status->is_counted = status->is_on_trial && molt_trial_is_counted(flash, target->plan_addr);
    bool is_old = first_sector_is(flash, target->image_addr, buf, plan.saved.head_crc);
    bool is_new = first_sector_is(flash, target->image_addr, buf, plan.first_crc);
    if (stage == MOLT_TRIAL_BACK) {
        status->outcome = is_new ? MOLT_OUTCOME_RESTORED : MOLT_OUTCOME_ROLLED_BACK;
    } else if (molt_mark_is_in(marks, MOLT_MARK_PLACED)) {
        status->outcome = is_new && stage == MOLT_TRIAL_OVER ? MOLT_OUTCOME_CONFIRMED
                          : is_new                           ? MOLT_OUTCOME_DONE
                          : is_old                           ? MOLT_OUTCOME_RESTORED
                                                             : MOLT_OUTCOME_NONE;
    }
    return 0;
}

int molt_standby_read_saved(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf, molt_saved_t *saved) {
    molt_plan_t plan;
    uint32_t marks;
    int err = open_last_plan(flash, target->plan_addr, buf, &plan, &marks);
    if (err || marks || molt_plan_trial_size(&plan) == 0) {
        return err && !is_without_plan(err) ? err : MOLT_ERR_NOENT;
    }
    *saved = plan.saved;
    saved->head_crc = plan.first_crc;
    return 0;
}

// Program what a trial has to know, from `begin` to `end` of it, and read it back.
static int store_trial(
    const molt_flash_t *flash, const molt_target_t *target, molt_trial_t *trial, uint32_t begin, uint32_t end) {
    uint32_t addr = target->plan_addr + molt_trial_off(&flash->geometry);
    molt_trial_t again;
    int err = flash->prog(flash->ctx, addr + begin, (uint8_t *)trial + begin, end - begin);
    err = err ? err : flash->read(flash->ctx, addr, &again, sizeof again);
    bool is_same = !err && memcmp((uint8_t *)trial + begin, (uint8_t *)&again + begin, end - begin) == 0;
    return err || is_same ? err : MOLT_ERR_IO;
}

int molt_standby_store_back(
    const molt_flash_t *flash, const molt_target_t *target, uint32_t back_addr, uint32_t back_off, uint32_t back_crc) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    molt_trial_t trial = { .back_addr = back_addr, .back_off = back_off, .back_crc = back_crc };
    trial.crc = molt_crc32(0, &trial, offsetof(molt_trial_t, crc));
    int err = store_trial(flash, target, &trial, 0, offsetof(molt_trial_t, starts));
    // An entry of an earlier trial.
    int is_blank = err ? err : molt_flash_is_blank(flash, target->plan_addr - sector_size, sector_size);
    return is_blank < 0 ? is_blank : is_blank ? 0 : flash->erase_sector(flash->ctx, target->plan_addr - sector_size);
}

int molt_standby_store_starts(const molt_flash_t *flash, const molt_target_t *target, uint32_t starts) {
    molt_trial_t trial;
    uint32_t addr = target->plan_addr + molt_trial_off(&flash->geometry);
    int err = flash->read(flash->ctx, addr, &trial, sizeof trial);
    if (!err && molt_crc32(0, &trial, offsetof(molt_trial_t, crc)) != trial.crc) {
        err = MOLT_ERR_INVAL;
    }
    trial.starts = starts | ~starts << 16;
    return err ? err : store_trial(flash, target, &trial, offsetof(molt_trial_t, starts), sizeof trial);
}
