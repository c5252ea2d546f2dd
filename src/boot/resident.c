// The resident boot loader's own work: carry out what the state asks for.

#include "molt/resident.h"

#include "molt/error.h"

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

static int carry_out(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t *sector,
    uint8_t *buf, const molt_boot_io_t *io) {
    molt_boot_place_t place = {
        molt_state_plan_addr(flash, reserved_addr, state->plan),
        molt_state_head_addr(flash, reserved_addr, state->head ^ 1u),
    };
    molt_plan_t plan;
    int result = molt_boot_open(flash, place.plan_addr, &plan, sector);
    if (!result) {
        // From now on something may have been changed.
        (void)molt_state_count(flash, state);
        result = molt_boot_apply(flash, &place, &plan, buf, io);
    } else if (state->tally == 0) {
        // No start has ever read this plan, so nothing has been changed. Otherwise flash was misread, now or then, and
        // it is tried again.
        result = MOLT_BOOT_RESTORED;
    }
    if (result < 0) {
        return result;
    }
    molt_state_t next = after_upgrade(state, result);
    return molt_state_append(flash, reserved_addr, state, &next);
}

int molt_resident_ask(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state) {
    int err = molt_state_read(flash, reserved_addr, state);
    if (err == MOLT_ERR_NOENT) {
        state->kind = MOLT_STATE_NORMAL;
        state->head = 0;
        err = 0;
    }
    return err;
}

int molt_resident_act(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t *sector,
    uint8_t *buf, const molt_boot_io_t *io) {
    if (state->kind == MOLT_STATE_TRIAL) {
        if (state->tally < state->trial_starts) {
            (void)molt_state_count(flash, state);
            return 0;
        }
        molt_state_t next = *state;
        next.kind = MOLT_STATE_UPGRADE;
        next.result = MOLT_STATE_RESULT_ROLLED_BACK;
        int err = molt_state_append(flash, reserved_addr, state, &next);
        if (!err) {
            err = molt_state_read(flash, reserved_addr, state);
        }
        if (err) {
            return err;
        }
    }
    int err = carry_out(flash, reserved_addr, state, sector, buf, io);
    return err ? err : MOLT_RESIDENT_RESET;
}
