// The first part of the resident boot loader: what each start does.

#include "molt/error.h"
#include "resident/resident.h"

// Readings of a head before the other one is tried.
#define HEAD_TRIES 2u

static int load(const molt_flash_t *flash, const molt_start_io_t *io, uint32_t reserved_addr, uint32_t head, uint32_t *head_addr,
    uint32_t *entry_vaddr) {
    int err = MOLT_ERR_CORRUPT;
    for (uint32_t try = 0; err && try < 2 * HEAD_TRIES; try++) {
        *head_addr = molt_state_head_addr(flash, reserved_addr, head + try / HEAD_TRIES);
        err = molt_resident_load(flash, *head_addr, io, entry_vaddr);
    }
    return err;
}

int molt_resident_start(const molt_flash_t *flash, const molt_start_io_t *io, uint32_t *head_addr, uint32_t *entry_vaddr) {
    uint32_t reserved_addr;
    molt_state_t state;
    int err = molt_resident_find(flash, &reserved_addr);
    if (err) {
        return err;
    }
    err = molt_state_read(flash, reserved_addr, &state);
    if (err == MOLT_ERR_NOENT) {
        // Where installing puts the firmware's head.
        state.kind = MOLT_STATE_NORMAL;
        state.head = 0;
        err = 0;
    }
    if (!err && state.kind != MOLT_STATE_NORMAL) {
        bool is_whole = state.kind == MOLT_STATE_TRIAL || state.tally == 0;
        err = io->overlay(io->ctx, reserved_addr, &state);
        if (err == MOLT_ERR_NOENT && is_whole) {
            err = 0;
        }
    }
    return err ? err : load(flash, io, reserved_addr, state.head, head_addr, entry_vaddr);
}
