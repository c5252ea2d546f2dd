// The overlay of the resident boot loader: carry out what the state asks for.

#include "resident/resident.h"

#include "molt/error.h"

// Starts of an upgrade that flash does not let come to its end (a sector is worn out), before what the trial falls back
// on is put in instead.
#define FAILED_STARTS_MAX 8u

// Readings of a plan before it counts as damaged.
#define OPEN_TRIES 4u

// An upgrade has come to `result`: what counts from now on.
static molt_state_t after_upgrade(const molt_state_t *state, int result) {
    molt_state_t next = *state;
    next.kind = MOLT_STATE_NORMAL;
    next.plan = MOLT_STATE_NO_PLAN;
    next.trial_plan = MOLT_STATE_NO_PLAN;
    if (result == MOLT_BOOT_RESTORED) {
        next.result = MOLT_STATE_RESULT_RESTORED;
        return next;
    }
    next.head = state->head ^ 1;
    if (state->trial_plan != MOLT_STATE_NO_PLAN) {
        next.kind = MOLT_STATE_TRIAL;
        next.plan = state->trial_plan;
    }
    return next;
}

// Let the plan of the fallback count.
//   trial_starts  0 where the firmware in flash is not whole, so that there is nothing to keep if the fallback cannot be
//                 put in either
static int fall_back(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t plan, uint8_t trial_starts) {
    molt_state_t next = *state;
    next.kind = MOLT_STATE_UPGRADE;
    next.result = MOLT_STATE_RESULT_ROLLED_BACK;
    next.plan = plan;
    next.trial_plan = MOLT_STATE_NO_PLAN;
    next.trial_starts = trial_starts;
    return molt_state_append(flash, reserved_addr, state, &next);
}

static int carry_out(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t *sector, uint8_t *buf,
    const molt_boot_io_t *io) {
    molt_boot_place_t place = {
        molt_state_plan_addr(flash, reserved_addr, state->plan),
        molt_state_head_addr(flash, reserved_addr, state->head ^ 1u),
    };
    molt_plan_t plan;
    int result = MOLT_ERR_IO;
    for (uint32_t try = 0; result && try < OPEN_TRIES; try++) {
        result = molt_boot_open(flash, place.plan_addr, &plan, sector, buf);
    }
    if (!result) {
        // From now on something may have been changed.
        result = molt_state_count(flash, state);
        if (!result) {
            result = molt_boot_apply(flash, &place, &plan, buf, io);
        }
    } else if (state->tally == 0) {
        // No start has ever read this plan, so nothing has been changed.
        result = MOLT_BOOT_RESTORED;
    }
    if (result == MOLT_BOOT_RESTORED && state->result == MOLT_STATE_RESULT_ROLLED_BACK && state->trial_starts == 0) {
        result = MOLT_ERR_CORRUPT;
    }
    if (result < 0 && state->trial_plan < MOLT_STATE_PLAN_LATE && state->tally >= FAILED_STARTS_MAX) {
        return fall_back(flash, reserved_addr, state, state->trial_plan, 0);
    }
    if (result < 0) {
        return result;
    }
    molt_state_t next = after_upgrade(state, result);
    return molt_state_append(flash, reserved_addr, state, &next);
}

int molt_resident_act(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t *sector, uint8_t *buf,
    const molt_boot_io_t *io) {
    int err = 0;
    if (state->kind == MOLT_STATE_TRIAL) {
        if (state->tally < state->trial_starts) {
            (void)molt_state_count(flash, state);
            return 0;
        }
        err = fall_back(flash, reserved_addr, state, state->plan, state->trial_starts);
    }
    if (!err) {
        err = carry_out(flash, reserved_addr, state, sector, buf, io);
    }
    return err ? err : MOLT_RESIDENT_RESET;
}
