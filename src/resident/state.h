// The state of a resident installation: what the boot loader in sector 0 does at the next start. A log of records in
// two sectors of molt's reserved region, each record stored twice; the valid record with the highest number counts.
//
// The reserved region, in sectors from its beginning:
//   0, 1  heads: the first sector of the firmware, in one of the two
//   2, 3  plans
//   4, 5  the log
//   6     the boot loader's extension, for gzip files
//   7     its overlay, which carries out upgrades (resident.h)
#ifndef MOLT_STATE_H
#define MOLT_STATE_H

#include <stdint.h>

#include "molt/flash.h"
#include "molt/resident.h"

#define MOLT_STATE_VERSION 2

#define MOLT_STATE_NO_PLAN 0xffu
// In a trial's plan: it can be carried out only when the upgrade before it is done.
#define MOLT_STATE_PLAN_LATE 2u

typedef enum molt_state_kind {
    MOLT_STATE_NORMAL = 1,   // start the firmware
    MOLT_STATE_UPGRADE = 2,  // carry out `plan` first; its first sector goes into the other head
    MOLT_STATE_TRIAL = 3,    // start the firmware; after `trial_starts` starts without a confirmation carry out `plan`
} molt_state_kind_t;

typedef enum molt_state_result {
    MOLT_STATE_RESULT_NONE = 0,
    MOLT_STATE_RESULT_DONE = 1,         // the new firmware was put in
    MOLT_STATE_RESULT_RESTORED = 2,     // the file had changed: the firmware was left as it was
    MOLT_STATE_RESULT_ROLLED_BACK = 3,  // the trial was not confirmed: the fallback was put in
    MOLT_STATE_RESULT_CONFIRMED = 4,    // the trial was confirmed
} molt_state_result_t;

// Handed from the first part of the resident boot loader to its overlay: a change of it is a new MOLT_OVERLAY_ABI.
typedef struct molt_state {
    uint32_t number;  // of the record
    // From here to trial_starts: as they are stored, one byte each.
    uint8_t kind;          // molt_state_kind_t
    uint8_t result;        // molt_state_result_t: of the last upgrade; of one in progress, what it will be
    uint8_t head;          // 0 or 1: the head of the firmware that is there (for an upgrade: the old one)
    uint8_t plan;          // 0 or 1, or as the trial's plan was; or MOLT_STATE_NO_PLAN
    uint8_t trial_plan;    // of an upgrade: the plan to fall back on, which makes it a trial, 1 or 1 | MOLT_STATE_PLAN_LATE; or
                           // MOLT_STATE_NO_PLAN
    uint8_t trial_starts;  // how often the firmware may start unconfirmed, 1 to 32
    uint32_t tally;        // starts in this state, up to 32
    uint32_t addr;         // of the record's slot in flash
    uint32_t free_addr;    // of the next slot that nothing was programmed in; the end of the sector where there is none
} molt_state_t;

// Flash address of sector `index` of the reserved region at `reserved_addr`.
uint32_t molt_state_sector_addr(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t index);

// Of both there are two, whatever a record says.
static inline uint32_t molt_state_head_addr(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t head) {
    return molt_state_sector_addr(flash, reserved_addr, head & 1);
}

static inline uint32_t molt_state_plan_addr(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t plan) {
    return molt_state_sector_addr(flash, reserved_addr, 2 + (plan & 1));
}

// The record that counts. Both copies of a newer one are read several times before an older one is believed.
// Returns 0, MOLT_ERR_NOENT (there is none), MOLT_ERR_NOTSUP (of a kind that this version does not know), or the flash
// driver's error.
int molt_state_read(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state);

// Let `next` count from now on; its number, tally and addresses are ignored.
//   state  as molt_state_read() gave it, all 0 where there is none yet; on success the record that counts now
// Returns 0, MOLT_ERR_IO (flash does not keep it), or the driver's error.
// Power cut: the old record counts, or the new one.
// Cost: two programs of 20 bytes; once in a sector full of records, one erase of the other sector.
int molt_state_append(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, const molt_state_t *next);

// Count one more start in this state, and program the record again with it, whole, both copies: a record that a power
// cut tore can read as valid at one start and not at the next. To be called before anything is destroyed on its word.
// Returns 0 or the flash driver's error. Power cut: counted, or not. Cost: two programs of 20 bytes.
int molt_state_count(const molt_flash_t *flash, molt_state_t *state);

#endif
