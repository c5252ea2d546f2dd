// A trial in standby mode: a new firmware that does not say that it works gives way to another one.
//
// molt is not asked when a firmware starts; the chip's second-stage boot loader is, and it has a means of its own. Its *otadata* has
// two entries, each in a sector of its own, with a number that says which app is meant. One whose state is NEW it marks as
// PENDING_VERIFY when it starts its app, and as ABORTED at the next start; then the other entry counts. So for a trial molt makes
// the one mean the new firmware, as NEW, and the other one molt's loader. Each start of the firmware is then followed by one of molt,
// which counts, and either makes the first entry anew, or carries out the plan of the fallback. At rest both entries are as good as
// blank, and the boot loader starts the factory partition's app without more ado.
//
// The code below is needed for trials only, and the loader has no room for it: it stands in the plan, whose CRC covers it, and is run from
// the RAM that the plan was read to. So it calls nothing but what it is handed and what the port has for it.
//
// Source: ESP-IDF, esp_flash_partitions.h and bootloader_utility.c, versions 4.3 to 5.5. docs/format.md, "trial".
#ifndef MOLT_TRIAL_H
#define MOLT_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/geometry.h"
#include "molt/flash.h"
#include "upgrade/marks.h"

// How often a firmware may start unconfirmed.
#define MOLT_TRIAL_STARTS_MAX 32u

// What the code has to know; stored in the plan's sector. The last word is programmed when the upgrade is committed.
typedef struct molt_trial {
    uint32_t back_addr;  // of the sector that holds the fallback's plan, with marks of its own
    uint32_t back_off;   // from there on to its end that sector has to have
    uint32_t back_crc;   // this CRC-32
    uint32_t crc;        // CRC-32 of the three words
    uint32_t starts;     // 1 to MOLT_TRIAL_STARTS_MAX, and in the upper half its complement
} molt_trial_t;

// Bytes that marks, the loader's entry and what else a trial needs take at the front of a plan's sector; `is_trial`: of one that is one.
static inline uint32_t molt_trial_front_size(const molt_geometry_t *geometry, bool is_trial) {
    return molt_marks_size(geometry) + (is_trial ? 2 : 1) * molt_page_size(geometry);
}

// Offset, in the plan's sector and in the one before it, of an entry of otadata.
static inline uint32_t molt_trial_entry_off(const molt_geometry_t *geometry) {
    return molt_marks_size(geometry);
}

// In an entry: its CRC. One whose CRC is 0 counts for nothing.
#define MOLT_TRIAL_ENTRY_OFF_CRC 28u
#define MOLT_TRIAL_ENTRY_SIZE 32u

// Offset of the molt_trial_t.
static inline uint32_t molt_trial_off(const molt_geometry_t *geometry) {
    return molt_marks_size(geometry) + molt_page_size(geometry);
}

typedef enum molt_trial_stage {
    MOLT_TRIAL_NONE,  // it has not begun
    MOLT_TRIAL_ON,    // the firmware has to be confirmed, or the fallback is being put in
    MOLT_TRIAL_OVER,  // confirmed, or there is nothing to fall back on any more
    MOLT_TRIAL_BACK,  // over, and the fallback was put in, or could not be
} molt_trial_stage_t;

// What `sector`, a RAM copy of the sector of a plan for a trial, says of that.
//   starts_left  of the firmware, behind the present one
molt_trial_stage_t molt_trial_read(const molt_geometry_t *geometry, const uint8_t *sector, uint32_t *starts_left);

// Whether the boot loader has noted that it has started the firmware on trial. If it has not, it does not do rollback, or a cut has torn what
// it noted: the firmware can start as often as it likes.
bool molt_trial_is_counted(const molt_flash_t *flash, uint32_t plan_addr);

// End the trial of the plan in the sector at `plan_addr`: the firmware stays. Again where it is over, which makes that firm.
// Returns 0 or the driver's error. Power cut: it is over, or not. Cost: two programs of 4 bytes.
int molt_trial_end(const molt_flash_t *flash, uint32_t plan_addr);

// What molt does next: these, or the plan at this address.
#define MOLT_TRIAL_GO_ON 0u
#define MOLT_TRIAL_RESET 1u

// molt was started, and the first sector of the new firmware was placed: begin the trial, or go on with it.
//   sector  RAM copy of the plan's sector
//   buf     sector_size bytes, 4-aligned; overwritten
//   code    where this runs, not used
// Returns MOLT_TRIAL_GO_ON (there is no trial any more; or it has begun, and the image's first byte is to be programmed),
// MOLT_TRIAL_RESET, or the address of the fallback's plan, which is committed. What cannot be written ends the trial.
// Power cut: again, at the next start; a start of the firmware may count that was none.
uint32_t molt_trial_ask(const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector, uint8_t *buf, const uint8_t *code);

#endif
