// The inside of OTA slots; include/molt/slots.h says what they are.
#ifndef MOLT_SLOTS_SLOTS_H
#define MOLT_SLOTS_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/slots.h"
#include "molt/status.h"
#include "molt/target.h"

// Which slot otadata at `otadata_addr` selects, of `slot_count`: as a boot loader does. MOLT_SLOT_NONE: the factory partition, or the
// first slot where there is none. Returns 0 or the driver's error.
int molt_otadata_select(const molt_flash_t *flash, uint32_t otadata_addr, uint32_t slot_count, uint32_t *slot);

// The next reset starts target->slot, which holds the image with this CRC-32. Before, otadata is made to say what runs.
//   on_trial  a boot loader that does rollback starts it once, and then what runs now, unless it is confirmed
// Returns 0, MOLT_ERR_IO (otadata does not hold what is written to it), or the driver's error.
// Power cut: the firmware that runs now starts, or the new one.
int molt_otadata_commit(const molt_flash_t *flash, const molt_target_t *target, uint32_t image_crc, bool on_trial);

// The next reset starts what runs now. Returns 0, MOLT_ERR_NOENT (so it does anyway), or the error of writing. Power cut: so it does, or not.
int molt_otadata_cancel(const molt_flash_t *flash, const molt_target_t *target);

// Keep the firmware that is on trial. Returns 0, MOLT_ERR_NOENT (it is not on trial), or the driver's error.
// Power cut: it is kept, or still on trial, or the firmware before it runs again.
int molt_otadata_confirm(const molt_flash_t *flash, const molt_target_t *target);

// What otadata says of the last upgrade. Returns 0 or the driver's error.
int molt_otadata_status(const molt_flash_t *flash, const molt_target_t *target, molt_status_t *status);

#endif
