// A tortured device from power-on until its new firmware runs: what starts, and what firmware and user do.

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "molt/error.h"
#include "molt/slots.h"
#include "molt/standby.h"
#include "molt/status.h"
#include "resident/resident.h"
#include "torture_parts.h"

// Starts of a firmware or a preparation after which a recovery counts as endless.
#define LIVES_MAX 8

// Starts that a firmware on trial has: each cut during its first start uses up one.
#define TRIAL_STARTS 4

void torture_power_on(torture_t *torture) {
    sim_nor_power_on(torture->nor);
    torture->now.is_excused = false;
}

// An error that comes of a misread may happen, once: whoever sees it tries again.
static bool is_excused(torture_t *torture) {
    torture->now.has_misread = torture->now.has_misread || torture->nor->has_misread;
    bool is_it = torture->nor->has_misread && !torture->now.is_excused;
    torture->now.is_excused = torture->now.is_excused || is_it;
    return is_it;
}

// The target for jobs on the device as it runs now: with OTA slots it depends on the one that runs. 0, or an error.
static int find_target(torture_t *torture, molt_target_t *target) {
    const molt_flash_t *flash = &torture->nor->flash;
    static uint32_t buf[MOLT_STANDBY_BUF_SIZE / 4];
    molt_slots_t slots;
    *target = *torture->standby;
    if (!torture_has_slots(torture)) {
        return 0;
    }
    int err = molt_slots_read(flash, torture->standby->standby, (uint8_t *)buf, &slots);
    return err ? err : molt_slots_target(target, torture->standby, &slots, torture->device.head_addr);
}

// What the firmware does, or its user: start the upgrade.
static int prepare(torture_t *torture) {
    sim_upgrade_t host;
    sim_upgrade_init(&host, torture->nor, &torture->fs, torture->path);
    int err = 0;
    if (torture->standby) {
        err = find_target(torture, &host.target);
    } else {
        host.target.transient = torture->loader;
        host.target.overlay = torture->overlay;
    }
    host.target.extension = torture->extension;
    host.target.delta = torture->delta;
    host.target.delta_rest = torture->delta_rest;
    host.options = torture->options;
    host.fallback_path = torture_has_slots(torture) ? NULL : torture->fallback_path;
    host.trial_starts = torture->fallback_path ? TRIAL_STARTS : 0;
    torture->now.prepare_count++;
    torture->now.run_count++;
    torture->now.is_preparing = true;
    bool was_misread = torture->nor->has_misread;
    err = err ? err : sim_upgrade_prepare(&host);
    torture->now.is_preparing = false;
    if (torture->nor->has_misread && !was_misread && torture->reserved_addr == 0) {
        torture->now.has_misled_littlefs = true;
    }
    if (err && !torture->nor->has_misread) {
        sim_upgrade_text(&host, err, torture->text, sizeof torture->text);
    }
    sim_upgrade_free(&host);
    return err;
}

// Where a firmware that has crashed is reset to, and whose it is.
static struct {
    torture_t *torture;
    sigjmp_buf *at;
} reset;

static void on_crash(int number) {
    if (reset.at == NULL || !reset.torture->nor->has_misread) {
        (void)signal(number, SIG_DFL);
        return;
    }
    siglongjmp(*reset.at, 1);
}

// prepare(). A tag that littlefs misreads can look like one of those that it keeps pointers with, in memory only, and it follows that: on a
// chip an exception, which resets it.
static int prepare_or_crash(torture_t *torture) {
    sigjmp_buf here;
    __typeof__(reset) outer = reset;
    int err = MOLT_ERR_IO;
    (void)signal(SIGSEGV, on_crash);
    if (sigsetjmp(here, 1) == 0) {
        reset = (__typeof__(reset)){ torture, &here };
        err = prepare(torture);
    } else {
        torture->now.is_preparing = false;
        torture->nor->is_sheltered = false;
    }
    reset = outer;
    return err;
}

// As it is in flash, whatever the firmware would misread.
static bool read_state(torture_t *torture, molt_state_t *state) {
    sim_nor_t *nor = torture->nor;
    sim_nor_t outer = *nor;
    nor->misread = -1;
    nor->cut_op = -1;
    bool is_there = torture->reserved_addr && molt_state_read(&nor->flash, torture->reserved_addr, state) == 0;
    *nor = outer;
    return is_there;
}

// Likewise what became of an upgrade in standby mode.
static bool read_status(torture_t *torture, molt_status_t *status) {
    sim_nor_t *nor = torture->nor;
    sim_nor_t outer = *nor;
    uint8_t *sector = malloc(nor->flash.geometry.sector_size);
    nor->misread = -1;
    nor->cut_op = -1;
    molt_target_t target;
    bool is_there = torture->standby && sector && find_target(torture, &target) == 0
                    && molt_status_read(&target, &nor->flash, NULL, sector, status) == 0;
    *nor = outer;
    free(sector);
    return is_there;
}

static bool is_on_trial(torture_t *torture) {
    molt_state_t state;
    molt_status_t status = { 0 };
    return torture->standby ? read_status(torture, &status) && status.is_on_trial
                            : read_state(torture, &state) && state.kind == MOLT_STATE_TRIAL;
}

static bool has_rolled_back(torture_t *torture) {
    molt_state_t state;
    molt_status_t status = { 0 };
    return torture->standby ? read_status(torture, &status) && status.outcome == MOLT_OUTCOME_ROLLED_BACK
                            : read_state(torture, &state) && state.result == MOLT_STATE_RESULT_ROLLED_BACK;
}

static int confirm(torture_t *torture) {
    const molt_flash_t *flash = &torture->nor->flash;
    if (torture->reserved_addr) {
        return molt_resident_confirm(flash, torture->reserved_addr);
    }
    uint8_t *sector = malloc(flash->geometry.sector_size);
    molt_target_t target;
    int err = sector ? find_target(torture, &target) : MOLT_ERR_NOSPC;
    err = err ? err : molt_status_confirm(&target, flash, sector);
    free(sector);
    return err;
}

// The image that is wanted in the end runs, and not because it was there at first: a fallback may be the old firmware.
static bool has_ended(torture_t *torture) {
    bool falls_back = torture->fallback_path && !torture->confirms;
    return torture_begins_with(torture, torture->image) && (!falls_back || has_rolled_back(torture));
}

// The first thing that a firmware does where there are OTA slots.
static void settle(torture_t *torture) {
    molt_target_t target;
    if (torture_has_slots(torture) && find_target(torture, &target) == 0) {
        (void)molt_slots_settle(&target, &torture->nor->flash);
    }
}

// Whether the trial's firmware may run once more: what the boot loader has noted of it was torn. Once.
static bool is_torn_note(torture_t *torture) {
    bool is_it = torture->now.has_torn_note && torture_begins_with(torture, torture->trial_image);
    torture->now.has_torn_note = torture->now.has_torn_note && !is_it;
    return is_it;
}

// What the firmware does when it starts. RECOVERED means that all is done, ENDLESS that it resets and goes on.
static torture_verdict_t run_firmware(torture_t *torture) {
    settle(torture);
    bool on_trial = is_on_trial(torture);
    if (on_trial && torture->confirms && torture_begins_with(torture, torture->image)) {
        int err = confirm(torture);
        if (err) {
            return is_excused(torture) ? TORTURE_ENDLESS : TORTURE_NO_UPGRADE;
        }
        return TORTURE_RECOVERED;
    }
    if (on_trial) {
        // In standby mode the boot loader can start the fallback before molt has noted the trial's end.
        bool is_possible = torture_begins_with(torture, torture->trial_image)
                           || (torture->standby && torture_begins_with(torture, torture->image));
        return is_possible ? TORTURE_ENDLESS : TORTURE_WRONG_IMAGE;
    }
    if (has_ended(torture)) {
        return TORTURE_RECOVERED;
    }
    // A firmware that the boot loader starts by a misread, or as a cut has torn what it notes, is a whole one, and started once.
    bool is_odd = torture->now.is_over || torture_begins_with(torture, torture->trial_image);
    if (torture_has_slots(torture) && is_odd && (is_excused(torture) || is_torn_note(torture))) {
        return TORTURE_ENDLESS;
    }
    if (torture->now.is_over || !torture_begins_with(torture, torture->old_head)) {
        return TORTURE_WRONG_IMAGE;
    }
    if (prepare_or_crash(torture) != 0) {
        return is_excused(torture) ? TORTURE_ENDLESS : TORTURE_NO_UPGRADE;
    }
    return TORTURE_ENDLESS;
}

static void note_prepared_fs(torture_t *torture) {
    if (torture->now.level == 0 && !torture->is_prepared && torture->now.prepare_count) {
        memcpy(torture->prepared_fs, torture->nor->bytes + torture->fs.addr, torture->fs.size);
        torture->is_prepared = true;
    }
}

static torture_verdict_t start(torture_t *torture) {
    torture->now.run_count++;
    switch (sim_device_start(&torture->device)) {
        case SIM_BRICK:
            return TORTURE_BRICK;
        case SIM_STUCK:
        case SIM_CUT:
            return is_excused(torture) ? TORTURE_ENDLESS : TORTURE_STUCK;
        case SIM_FIRMWARE:
            break;
    }
    return torture_is_whole(torture) ? TORTURE_RECOVERED : TORTURE_MIXED;
}

torture_verdict_t torture_live(torture_t *torture) {
    torture_verdict_t verdict = TORTURE_ENDLESS;
    torture->device.loader_starts = 0;
    for (uint32_t life = 0; verdict == TORTURE_ENDLESS && life < LIVES_MAX; life++) {
        verdict = start(torture);
        if (torture->device.loader_starts > torture->totals.starts_max) {
            torture->totals.starts_max = torture->device.loader_starts;
        }
        if (verdict == TORTURE_RECOVERED) {
            verdict = run_firmware(torture);
        }
        if (verdict == TORTURE_ENDLESS) {
            note_prepared_fs(torture);
        }
    }
    torture->now.has_misread = torture->now.has_misread || torture->nor->has_misread;
    torture->nor->misread = -1;
    return torture->now.wrong ? torture->now.wrong : verdict;
}
