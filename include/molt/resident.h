// Resident mode: the boot loader stays in sector 0, and no flash operation of an upgrade can brick the device.
//
// The firmware's own first sector lives in one of two heads in the reserved region (state.h). The boot loader loads the
// firmware's segments from there and from sectors 1 on, as the mask ROM would. Images are unchanged; only their first
// sector is redirected. An upgrade puts the new first sector into the other head, and one record of the state log
// switches over.
#ifndef MOLT_RESIDENT_H
#define MOLT_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/boot.h"
#include "molt/flash.h"
#include "molt/plan.h"
#include "molt/prepare.h"
#include "molt/state.h"

// At the end of sector 0, behind the resident boot loader: where its reserved region is.
#define MOLT_RESIDENT_CONFIG_SIZE 16u

// In the firmware and the tool -------------------------------------------------------------------------------------

// Whether sector 0 holds a resident boot loader, and where its reserved region is.
// Returns 0, MOLT_ERR_NOENT (it does not), or the flash driver's error.
int molt_resident_find(const molt_flash_t *flash, uint32_t *reserved_addr);

// Whether [vaddr, vaddr + size) lies in memory that the resident `loader` uses while it loads a firmware.
bool molt_resident_collides(const molt_loader_t *loader, uint32_t vaddr, uint32_t size);

// Whether the reserved region is free: erased, or molt's own from an earlier installation.
// Returns 0, MOLT_ERR_NOSPC (somebody has something there; or an installation was cut short), or the driver's error.
//   buf  sector_size bytes, 4-aligned
int molt_resident_check_free(const molt_flash_t *flash, const molt_region_t *reserved, uint8_t *buf);

// Put the resident boot loader in. What the reserved region holds is lost.
//   reserved  MOLT_RESERVED_SECTOR_COUNT sectors
//   buf       sector_size bytes, 4-aligned
// Returns 0, MOLT_ERR_EXIST (there already), MOLT_ERR_BUSY (an upgrade is prepared in sector 0), MOLT_ERR_NOTSUP (the
// firmware would be loaded over the boot loader), MOLT_ERR_CORRUPT (the firmware in flash has no right checksum),
// MOLT_ERR_RANGE (reserved region), MOLT_ERR_FBIG (the loader is too large for a sector), or the error of writing, after
// the old first sector was put back.
// Power cut: fatal while sector 0 is erased and programmed, some 60 ms, once in the device's life.
int molt_resident_install(const molt_flash_t *flash, const molt_region_t *reserved, const molt_loader_t *loader,
    uint8_t *buf);

// Put the firmware's first sector back into sector 0. Power cut: as for installing.
// Returns 0, MOLT_ERR_NOENT, MOLT_ERR_BUSY (an upgrade or a trial is under way), or the error of writing.
int molt_resident_uninstall(const molt_flash_t *flash, uint8_t *buf);

// Store a finished plan in slot `plan_slot` of the reserved region and, if it needs one, the extension. The plan is used
// up by it.
//   plan->saved  as molt_resident_saved() gave it, set before molt_plan_finish()
// Returns 0 or the error of writing. Power cut: harmless; nothing counts before molt_resident_commit().
int molt_resident_store(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t plan_slot, molt_plan_t *plan,
    const molt_loader_t *extension);

// What a plan has to know of the reserved region: the present head (whose CRC nobody asks for), the extension's place. There is no report: the
// state log says what became of an upgrade.
// Returns 0, MOLT_ERR_BUSY (an upgrade or a trial is under way, whose plans must not be overwritten), or an error of
// flash.
int molt_resident_saved(const molt_flash_t *flash, uint32_t reserved_addr, const molt_loader_t *extension,
    molt_saved_t *saved);

// Let the next start carry out the plan in slot 0.
//   trial_starts  0: for good. 1 to 32: if molt_resident_confirm() is not called within so many starts, the plan in
//                 slot 1 is carried out
// Returns 0, MOLT_ERR_BUSY (an upgrade or a trial is under way), or the error of writing.
// Power cut: it will be carried out, or not; nothing between.
int molt_resident_commit(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t trial_starts);

// Keep the firmware that runs: ends a trial, or takes back an upgrade that was committed and not started.
// Returns 0, MOLT_ERR_NOENT (nothing to end), or the error of writing. Power cut: done, or not.
int molt_resident_confirm(const molt_flash_t *flash, uint32_t reserved_addr);

// In the boot loader -----------------------------------------------------------------------------------------------

// Two steps, so that a chip has to have in memory only what each start needs. First, what to do:
//   state  as molt_state_read() has it; of kind MOLT_STATE_NORMAL with head 0, where installing writes it, if there is
//          no record
// Returns 0 or the flash driver's error. MOLT_STATE_NORMAL: start the firmware of state->head. Any other kind:
int molt_resident_ask(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state);

// molt_resident_act(): an upgrade has been carried out; reset, so that the firmware starts as after any reset.
#define MOLT_RESIDENT_RESET 1

// Carry out what a state of another kind asks for.
//   sector, buf  sector_size bytes each, 4-aligned
// Returns 0 (start the firmware of state->head), MOLT_RESIDENT_RESET, or the error of molt_boot_run(): trying again
// later is harmless.
// Power cut: harmless at any time.
int molt_resident_act(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t *sector,
    uint8_t *buf, const molt_boot_io_t *io);

// Where a piece of a segment goes.
typedef struct molt_loading {
    void *ctx;
    // The memory for the `size` bytes that belong at the CPU address `vaddr`, both multiples of 4: 4-aligned, and used
    // by whole words only. At most sector_size bytes at a time. NULL: they cannot go there.
    void *(*place)(void *ctx, uint32_t vaddr, uint32_t size);
} molt_loading_t;

// Load the firmware's segments from its head and the sectors behind sector 0.
// Returns 0 and the entry point, MOLT_ERR_CORRUPT (magic, sizes or checksum), MOLT_ERR_NOTSUP (`place` has no place),
// or the flash driver's error.
// Cost: each byte of the segments is read once, straight to its place.
int molt_resident_load(const molt_flash_t *flash, uint32_t head_addr, const molt_loading_t *loading,
    uint32_t *entry_vaddr);

#endif
