// The inside of standby mode; include/molt/standby.h says what it is.
#ifndef MOLT_STANDBY_STANDBY_H
#define MOLT_STANDBY_STANDBY_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/standby.h"
#include "molt/status.h"
#include "molt/target.h"
#include "upgrade/plan.h"
#include "upgrade/trial.h"

// Make the app image of the loader, as it stands in the sector at `loader_addr`, with the plan's sector at `plan_addr`, in `buf`,
// sector_size bytes; 0xFF behind it.
// Returns its size; nothing is made where that is more than a sector.
uint32_t molt_standby_image(
    const molt_standby_chip_t *chip, uint32_t loader_addr, uint32_t plan_addr, uint32_t sector_size, uint8_t *buf);

// Whether firmwares can be put in on trial on this device.
bool molt_standby_has_trials(const molt_target_t *target, const molt_flash_t *flash);

// Whether an upgrade is committed and not finished: the image at `image_addr` does not begin as one. It is read again before the
// answer is yes.
bool molt_standby_is_armed(const molt_flash_t *flash, uint32_t image_addr);

// Store a finished plan in its sector. Nothing counts yet.
// Returns 0 or the error of writing. Power cut: harmless.
int molt_standby_store(const molt_flash_t *flash, const molt_target_t *target, const molt_plan_t *plan);

// The next reset upgrades: hold the loader and its rows against what they have to be, mark the plan as committed, and make the
// firmware's first byte no image's.
//   buf  sector_size bytes, 4-aligned; overwritten
// Returns 0, MOLT_ERR_CORRUPT (the loader or its rows are damaged; nothing is changed), or the error of writing.
// Power cut: the firmware boots, or the upgrade begins.
int molt_standby_commit(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf);

// The next reset puts the firmware's first byte back: mark the plan in flash as cancelled.
//   buf  sector_size bytes, 4-aligned; overwritten
// Returns 0, MOLT_ERR_NOENT (nothing is prepared), or the error of writing. Power cut: cancelled, or not.
int molt_standby_cancel(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf);

// Keep the firmware that is on trial.
//   buf  as above
// Returns 0, MOLT_ERR_NOENT (it is not on trial), or the driver's error. Power cut: it is kept, or still on trial.
int molt_standby_confirm(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf);

// Whether what is prepared was cancelled since. `buf` as above.
bool molt_standby_is_cancelled(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf);

// What the plan's sector says of the last upgrade, and of its trial. `buf` as above.
// Returns 0 or the driver's error.
int molt_standby_status(const molt_target_t *target, const molt_flash_t *flash, uint8_t *buf, molt_status_t *status);

// Of the plan that was stored last: what was saved for it, and the CRC-32 of its first sector. For the plan of what a trial falls back
// on, which finds that sector in place of the old firmware's.
//   buf  as above
// Returns 0, MOLT_ERR_NOENT (there is none that is for a trial), or the driver's error.
int molt_standby_read_saved(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf, molt_saved_t *saved);

// Store where the plan of a trial's fallback is: beside that of the firmware that will be on trial. Nothing counts yet.
//   back_addr  of its sector, which from back_off on has CRC-32 back_crc
// Returns 0 or the error of writing. Power cut: harmless.
int molt_standby_store_back(
    const molt_flash_t *flash, const molt_target_t *target, uint32_t back_addr, uint32_t back_off, uint32_t back_crc);

// Likewise how many starts it has, which goes before molt_standby_commit().
// Returns 0, MOLT_ERR_INVAL (no such plan was stored), or the error of writing.
int molt_standby_store_starts(const molt_flash_t *flash, const molt_target_t *target, uint32_t starts);

#endif
