// The inside of standby mode; include/molt/standby.h says what it is.
#ifndef MOLT_STANDBY_STANDBY_H
#define MOLT_STANDBY_STANDBY_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/standby.h"
#include "molt/target.h"
#include "upgrade/plan.h"

// Make the app image of the loader, as it stands in the sector at `loader_addr`, in `buf`, sector_size bytes; 0xFF behind it.
// Returns its size; nothing is made where that is more than a sector.
uint32_t molt_standby_image(const molt_standby_chip_t *chip, uint32_t loader_addr, uint32_t sector_size, uint8_t *buf);

// The plan's sector.
uint32_t molt_standby_plan_addr(const molt_flash_t *flash, uint32_t loader_addr);

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

// Whether what is prepared was cancelled since. `buf` as above.
bool molt_standby_is_cancelled(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf);

#endif
