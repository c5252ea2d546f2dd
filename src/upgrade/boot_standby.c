// The boot loader's work in standby mode: what the plan in its sector has come to, and what there is to do.

#include "base/app_image.h"
#include "base/bytes.h"
#include "base/sector.h"
#include "molt/error.h"
#include "upgrade/boot_parts.h"
#include "upgrade/marks.h"
#include "upgrade/plan_layout.h"
#include "upgrade/trial.h"

// Standby mode, a plan that was opened. *next: the address of a plan to be carried out instead, if it is more than
// MOLT_TRIAL_RESET.
static int run_standby(const molt_flash_t *flash, uint32_t plan_addr, const molt_plan_t *plan, uint8_t *buf,
    const molt_boot_io_t *io, uint32_t *next) {
    uint32_t marks = molt_marks_read(&flash->geometry, plan->sector);
    const molt_boot_place_t place = { plan_addr, plan_image_addr(plan) };
    if (!molt_mark_is_in(marks, MOLT_MARK_COMMITTED)) {
        return MOLT_BOOT_IDLE;
    }
    // Before anything counts on them: they are firm.
    int err = molt_marks_make_firm(flash, plan_addr, plan->sector);
    bool is_placed = molt_mark_is_in(marks, MOLT_MARK_PLACED);
    if (!err && is_placed && plan_trial_size(plan)) {
        // It may end the trial, or say that there is another plan to be carried out.
        *next = io->ask(flash, plan_addr, plan->sector, buf, molt_plan_trial_code(plan));
        if (*next != MOLT_TRIAL_GO_ON) {
            return MOLT_BOOT_DONE;
        }
    }
    // What is missing of a sector that is placed, or weak, is its first byte.
    bool is_new = is_placed && boot_first_holds(flash, place.final_addr, plan->first_crc, MOLT_APP_MAGIC, buf);
    bool is_old = is_placed && !is_new && boot_first_holds(flash, place.final_addr, plan->saved.head_crc, MOLT_APP_MAGIC, buf);
    // A byte that is there stays untouched: on some chips a program that is torn takes its page.
    if (!err && (is_new || is_old) && molt_sector_verify(flash, place.final_addr, buf) != 0) {
        err = flash->prog(flash->ctx, place.final_addr, buf, 4);
    }
    if (is_old) {
        return err ? err : MOLT_BOOT_RESTORED;
    }
    return err ? err : boot_apply(flash, &place, plan, buf, io, marks, is_placed && !is_new);
}

// Standby mode: a plan that cannot be opened, or a firmware that is not the plan's new one. If there is a trial nothing can come of it, and
// the boot loader must not start molt for ever.
static void end_vain_trial(const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector) {
    static const uint32_t ended = 0;
    uint32_t off = molt_trial_entry_off(&flash->geometry) + MOLT_TRIAL_ENTRY_OFF_CRC;
    if (load32_le(sector + off) != UINT32_MAX) {
        (void)flash->prog(flash->ctx, plan_addr + off, &ended, sizeof ended);
    }
}

int molt_boot_standby(const molt_flash_t *flash, uint32_t plan_addr, uint8_t *sector, uint8_t *buf, const molt_boot_io_t *io) {
    uint32_t next = plan_addr;
    int result;
    do {
        molt_plan_t plan;
        uint32_t addr = next;
        next = 0;
        result = molt_boot_open(flash, addr, &plan, sector, buf);
        if (!result) {
            result = run_standby(flash, addr, &plan, buf, io, &next);
        }
        if (result != MOLT_BOOT_DONE && result != MOLT_ERR_IO && addr == plan_addr) {
            end_vain_trial(flash, addr, sector);
        }
    } while (next > MOLT_TRIAL_RESET);
    return result;
}
