// What became of the last upgrade, and what is prepared, in each mode.

#include "molt/status.h"

#include <stddef.h>

#include "base/geometry.h"
#include "job/head_file.h"
#include "job/job_parts.h"
#include "molt/error.h"
#include "resident/resident.h"
#include "slots/slots.h"
#include "standby/standby.h"
#include "upgrade/prepare.h"
#include "upgrade/report.h"

static int read_report(const molt_flash_t *flash, const molt_source_t *head, molt_status_t *status) {
    // At the beginning of the file's second block.
    molt_head_part_t part = { head->block_size, MOLT_REPORT_SIZE, 0 };
    int err = molt_head_parts_find(head, &part, 1);
    uint32_t bytes[MOLT_REPORT_SIZE / 4];
    if (!err && part.addr) {
        err = flash->read(flash->ctx, part.addr, bytes, sizeof bytes);
    }
    molt_report_t report;
    if (err || part.addr == 0 || molt_report_parse(&report, (const uint8_t *)bytes) != 0) {
        return err;
    }
    // Pending, and not prepared: it was taken back, or the power failed before the boot sector was written.
    molt_outcome_t pending = status->is_prepared ? MOLT_OUTCOME_PENDING : MOLT_OUTCOME_NONE;
    status->outcome = report.result == MOLT_REPORT_DONE       ? MOLT_OUTCOME_DONE
                      : report.result == MOLT_REPORT_RESTORED ? MOLT_OUTCOME_RESTORED
                                                              : pending;
    status->boot_count = report.start_count;
    status->image_crc = report.image_crc;
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
    if (job_is_slots(target)) {
        return molt_otadata_status(flash, target, status);
    }
    if (job_is_standby(target)) {
        return molt_standby_status(target, flash, sector, status);
    }
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

int molt_status_confirm(const molt_target_t *target, const molt_flash_t *flash, uint8_t *sector) {
    if (job_is_slots(target)) {
        return molt_otadata_confirm(flash, target);
    }
    if (job_is_standby(target)) {
        return molt_standby_confirm(flash, target, sector);
    }
    molt_status_t status;
    uint32_t reserved_addr;
    int err = molt_status_read(target, flash, NULL, sector, &status);
    if (err || !status.is_on_trial) {
        return err ? err : MOLT_ERR_NOENT;
    }
    err = molt_resident_find(flash, &reserved_addr);
    return err ? err : molt_resident_confirm(flash, reserved_addr);
}

int molt_status_cancel(const molt_target_t *target, const molt_flash_t *flash, uint8_t *sector) {
    if (job_is_slots(target)) {
        return molt_otadata_cancel(flash, target);
    }
    if (job_is_standby(target)) {
        return molt_standby_cancel(flash, target, sector);
    }
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
