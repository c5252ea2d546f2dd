// What became of the last upgrade, and what the next reset does.
#ifndef MOLT_STATUS_H
#define MOLT_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/source.h"
#include "molt/target.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum molt_outcome {
    MOLT_OUTCOME_NONE,         // there was none, or nothing is known of it
    MOLT_OUTCOME_PENDING,      // the boot loader has not come to its end
    MOLT_OUTCOME_DONE,         // the new firmware was put in
    MOLT_OUTCOME_RESTORED,     // the file had changed: the firmware was left as it was
    MOLT_OUTCOME_ROLLED_BACK,  // the trial was not confirmed: the fallback was put in
    MOLT_OUTCOME_CONFIRMED,    // the trial was confirmed
} molt_outcome_t;

typedef struct molt_status {
    bool is_resident;        // the device is in resident mode
    bool is_prepared;        // the next reset upgrades
    bool is_on_trial;        // the firmware has to be confirmed: molt_status_confirm()
    uint32_t starts_left;    // of the trial
    bool is_counted;         // standby mode: the boot loader has noted that this start is one of it
    molt_outcome_t outcome;  // of the last upgrade
    uint32_t boot_count;     // without resident mode: how often the boot loader was started for it, up to 32
    uint32_t image_crc;      // likewise: CRC-32 of the image that was wanted
} molt_status_t;

// Read it.
//   head    the head file, which has the report of an upgrade without resident or standby mode; or NULL, and no outcome of one is known
//   sector  sector_size bytes, 4-aligned; overwritten
// Returns 0 or the error of flash or of head's walk.
int molt_status_read(
    const molt_target_t *target, const molt_flash_t *flash, const molt_source_t *head, uint8_t *sector, molt_status_t *status);

// Keep the firmware that is on trial.
//   sector  as above
// Returns 0, MOLT_ERR_NOENT (it is not on trial), or the error of flash. Power cut: it is kept, or still on trial; with OTA slots the
// firmware before it may run again, too.
int molt_status_confirm(const molt_target_t *target, const molt_flash_t *flash, uint8_t *sector);

// Take back what is prepared.
//   sector  as above
// Returns 0, MOLT_ERR_NOENT (nothing is prepared), MOLT_ERR_CORRUPT (what was saved of the old firmware is not there any more: it
// stays prepared), or the error of writing. Power cut: without resident mode fatal for some 60 ms, as for molt_job_commit().
int molt_status_cancel(const molt_target_t *target, const molt_flash_t *flash, uint8_t *sector);

#ifdef __cplusplus
}
#endif

#endif
