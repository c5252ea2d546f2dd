// Boot: apply until the plan is done. The same code in the chip's boot loader and on the host.
#ifndef MOLT_BOOT_H
#define MOLT_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/source.h"
#include "upgrade/plan.h"

typedef enum molt_boot_event {
    MOLT_BOOT_START,   // arg: the number of steps of the plan
    MOLT_BOOT_CHECK,   // arg 0: the source is being checked; 1: the image as it stands in flash
    MOLT_BOOT_STEP,    // arg: step number; before each step that is performed, and each sector that is repaired
    MOLT_BOOT_FINISH,  // a first sector goes in; arg 1 (MOLT_REPORT_DONE): the new one; 2 (MOLT_REPORT_RESTORED): the old
                       // one goes back, as the source has changed
} molt_boot_event_t;

typedef struct molt_boot_io {
    void *ctx;
    void (*event)(void *ctx, molt_boot_event_t event, uint32_t arg);
    // Wait that long, the watchdog fed. Called when starts before this one got no further: the supply may not bear the
    // current of an erase yet.
    void (*wait)(void *ctx, uint32_t seconds);
    // Put the extension's `size` bytes where they run, and make of `source`, which reads the file, a reader of the image in it. Both
    // readers stay in use; `source` is of molt_plan_reader(). Returns 0, or an error; of a delta how far it has come, a number from 1
    // to 0x3fff, and MOLT_ERR_CORRUPT where what it needs is not what was saved: nothing may have been written yet (step 0 is not
    // marked), or it is to be tried again.
    int (*extend)(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image);
    // Standby mode: run a trial's code, which is molt_trial_ask() (trial.h).
    uint32_t (*ask)(const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector, uint8_t *buf, const uint8_t *code);
    // Carry out a delta, from where it is. Returns 0 or an error, to be tried again.
    int (*transform)(void *ctx);
} molt_boot_io_t;

typedef enum molt_boot_result {
    MOLT_BOOT_DONE = 0,      // the new firmware is complete; reset to start it
    MOLT_BOOT_RESTORED = 1,  // the old firmware is back, untouched; reset to start it
    MOLT_BOOT_IDLE = 2,      // standby mode: there is nothing to do; reset
} molt_boot_result_t;

// Where a plan is, and where the image's first sector goes.
typedef struct molt_boot_place {
    uint32_t plan_addr;   // of the sector that the plan is at the end of
    uint32_t final_addr;  // where the image's first sector goes
} molt_boot_place_t;

// Read the plan at the end of the sector at `plan_addr` into `sector`, which the plan keeps using. It is read twice;
// where the readings differ that is MOLT_ERR_IO, to be tried again. `sector` and `buf` have sector_size bytes each,
// 4-aligned.
// Returns 0, MOLT_ERR_NOENT, MOLT_ERR_NOTSUP, MOLT_ERR_CORRUPT (no plan that can be carried out), or the driver's error.
int molt_boot_open(const molt_flash_t *flash, uint32_t plan_addr, molt_plan_t *plan, uint8_t *sector, uint8_t *buf);

// Carry out a plan that was opened, or what is left of it.
//   place  both are the boot sector: it holds the plan, and the image's first sector replaces it at the end; or the saved one
//          does, should the source have changed.
//          The first sector goes elsewhere (resident mode): the boot sector is left alone, and the caller continues from the
//          result.
//          The first sector goes into the boot sector, and the plan is elsewhere (standby mode): called by molt_boot_standby()
//   buf    sector_size bytes, 4-aligned
// Returns a molt_boot_result_t, or the error of flash or source: trying again later is harmless.
// Power cut: start it again, as often as it takes. Only while the boot sector itself is rewritten (once, at
// the end, announced by MOLT_BOOT_FINISH) does a cut leave nothing that boots.
int molt_boot_apply(
    const molt_flash_t *flash, const molt_boot_place_t *place, const molt_plan_t *plan, uint8_t *buf, const molt_boot_io_t *io);

// Both, one after the other: all that a boot loader has to do that is there for one upgrade. `sector` and `buf` have
// sector_size bytes each, 4-aligned.
int molt_boot_run(
    const molt_flash_t *flash, const molt_boot_place_t *place, uint8_t *sector, uint8_t *buf, const molt_boot_io_t *io);

// Standby mode: the chip's own boot loader has found that the firmware does not boot, and has started molt. Carry out the plan in
// the sector at `plan_addr` if it is committed; where it was carried out before, and the firmware is still its image, repair that
// from the source. Where its firmware is on trial, its code says what comes next. `sector` and `buf` as above.
// Returns MOLT_BOOT_DONE or MOLT_BOOT_RESTORED (reset, and the firmware boots), MOLT_BOOT_IDLE (nothing to do), or an error, of
// molt_boot_open() too. After all of them the chip is reset.
// Power cut: until the first sector is right the firmware does not boot, so that this is started again.
int molt_boot_standby(const molt_flash_t *flash, uint32_t plan_addr, uint8_t *sector, uint8_t *buf, const molt_boot_io_t *io);

#endif
