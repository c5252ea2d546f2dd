// What the parts of the torture engine share.
#ifndef MOLT_SIM_TORTURE_PARTS_H
#define MOLT_SIM_TORTURE_PARTS_H

#include "torture.h"

// Power-ons after everything, as long as there are weak cells.
#define TORTURE_STARTS_AFTER 3

// Power on, as after a cut or as the first thing of all.
void torture_power_on(torture_t *torture);

// From power-on until the new firmware runs. TORTURE_RECOVERED, or what is wrong.
torture_verdict_t torture_live(torture_t *torture);

// torture_live() has said TORTURE_RECOVERED: whether everything is as it has to be, also at some more starts if there
// are weak cells.
torture_verdict_t torture_inspect(torture_t *torture);

// Whether the device has OTA slots.
static inline bool torture_has_slots(const torture_t *torture) {
    return torture->standby && torture->standby->otadata_addr != 0;
}

// Where the image begins that runs.
static inline uint32_t torture_image_addr(const torture_t *torture) {
    return torture_has_slots(torture) ? torture->device.head_addr : torture->standby ? torture->standby->image_addr : 0;
}

// The firmware that runs begins with `first`.
bool torture_begins_with(const torture_t *torture, const uint8_t *first);

// The sectors behind the first are those of the new image (or of the one on trial); they are all as they were.
bool torture_body_is_new(const torture_t *torture);
bool torture_body_is_old(const torture_t *torture);

// The firmware that runs is one image, first sector and all others.
bool torture_is_whole(const torture_t *torture);

// After erase_all: nothing but what the boot loader itself needs is left.
bool torture_fs_is_erased(const torture_t *torture);

// Before an operation: hold it against the rules for sector 0 and for the time after the upgrade. Sets now.wrong.
// Returns whether a cut here is in a named window.
bool torture_judge(torture_t *torture, char kind, uint32_t addr, uint32_t size);

// From the chip's first state: the upgrade with each read wrong once; and each read of starts after it.
void torture_misread_all(torture_t *torture);

// Behind a cut, power on again: a sample of the reads of the recovery.
void torture_misread_recovery(torture_t *torture);

// One more disturbance has come to this end.
void torture_count_verdict(torture_t *torture, torture_verdict_t verdict);

// Remember everything that changes, or bring it back: chip, numbering, what is going on.
typedef struct torture_mark {
    sim_nor_t nor;
    struct torture_now now;
    uint32_t head_addr;  // of the device
} torture_mark_t;

torture_mark_t torture_push(torture_t *torture);
void torture_pop(torture_t *torture, const torture_mark_t *mark);

#endif
