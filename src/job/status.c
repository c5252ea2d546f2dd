// What became of the last upgrade, and what is prepared, in both modes.

#include "molt/status.h"

#include <stddef.h>

#include "base/geometry.h"
#include "molt/error.h"
#include "resident/resident.h"
#include "upgrade/prepare.h"
#include "upgrade/report.h"

// The report, at the beginning of the head file's second block.
typedef struct report_place {
    uint32_t off;
    uint32_t addr;  // 0: it is in no extent
} report_place_t;

static int find_report(void *ctx, const molt_extent_t *extent) {
    report_place_t *place = ctx;
    uint32_t off = place->off - extent->file_off;
    if (off < extent->size && extent->size - off >= MOLT_REPORT_SIZE) {
        place->addr = extent->addr + off;
    }
    return 0;
}

static int read_report(const molt_flash_t *flash, const molt_source_t *head, molt_status_t *status) {
    report_place_t place = { head->block_size, 0 };
    int err = head->walk(head->ctx, find_report, &place);
    uint32_t bytes[MOLT_REPORT_SIZE / 4];
    if (!err && place.addr) {
        err = flash->read(flash->ctx, place.addr, bytes, sizeof bytes);
    }
    molt_report_t report;
    if (err || place.addr == 0 || molt_report_parse(&report, (const uint8_t *)bytes) != 0) {
        return err;
    }
    status->outcome = report.result == MOLT_REPORT_DONE       ? MOLT_OUTCOME_DONE
                      : report.result == MOLT_REPORT_RESTORED ? MOLT_OUTCOME_RESTORED
                                                              : MOLT_OUTCOME_PENDING;
    status->boot_count = report.start_count;
    return 0;
}

static molt_outcome_t outcome_of(const molt_state_t *state) {
    switch (state->kind == MOLT_STATE_UPGRADE ? MOLT_STATE_RESULT_NONE : (molt_state_result_t)state->result) {
        case MOLT_STATE_RESULT_DONE:
            return MOLT_OUTCOME_DONE;
        case MOLT_STATE_RESULT_RESTORED:
            return MOLT_OUTCOME_RESTORED;
        case MOLT_STATE_RESULT_ROLLED_BACK:
            return MOLT_OUTCOME_ROLLED_BACK;
        case MOLT_STATE_RESULT_CONFIRMED:
            return MOLT_OUTCOME_CONFIRMED;
        case MOLT_STATE_RESULT_NONE:
            break;
    }
    return state->kind == MOLT_STATE_UPGRADE ? MOLT_OUTCOME_PENDING : MOLT_OUTCOME_NONE;
}

int molt_status_read(
    const molt_target_t *target, const molt_flash_t *flash, const molt_source_t *head, uint8_t *sector, molt_status_t *status) {
    *status = (molt_status_t){ 0 };
    uint32_t reserved_addr;
    int err = molt_resident_find(flash, &reserved_addr);
    if (err == MOLT_ERR_NOENT) {
        status->is_prepared = molt_prepare_is_pending(flash, target->boot_addr, sector);
        return head ? read_report(flash, head, status) : 0;
    }
    status->is_resident = true;
    molt_state_t state;
    err = err ? err : molt_state_read(flash, reserved_addr, &state);
    if (err) {
        return err;
    }
    status->is_prepared = state.kind == MOLT_STATE_UPGRADE;
    status->is_on_trial = state.kind == MOLT_STATE_TRIAL;
    status->starts_left = status->is_on_trial && state.tally < state.trial_starts ? state.trial_starts - state.tally : 0;
    status->outcome = outcome_of(&state);
    return 0;
}

int molt_status_cancel(const molt_target_t *target, const molt_flash_t *flash, uint8_t *sector) {
    molt_status_t status;
    int err = molt_status_read(target, flash, NULL, sector, &status);
    if (err || !status.is_prepared) {
        return err ? err : MOLT_ERR_NOENT;
    }
    if (status.is_resident) {
        uint32_t reserved_addr;
        err = molt_resident_find(flash, &reserved_addr);
        return err ? err : molt_resident_confirm(flash, reserved_addr);
    }
    molt_plan_t plan;
    err = flash->read(flash->ctx, target->boot_addr, sector, molt_sector_size(&flash->geometry));
    err = err ? err : molt_plan_open(&plan, &flash->geometry, sector);
    return err ? err : molt_prepare_cancel(flash, &plan);
}
