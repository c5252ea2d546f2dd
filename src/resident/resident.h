// The inside of resident mode; include/molt/resident.h says what it is.
#ifndef MOLT_RESIDENT_RESIDENT_H
#define MOLT_RESIDENT_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/resident.h"
#include "molt/target.h"
#include "resident/state.h"
#include "upgrade/boot.h"
#include "upgrade/plan.h"

// The boot loader has two parts. The first one is sector 0: it is started at each start, is small, and stays for life.
// It asks the state log, and loads the firmware. The second one, the overlay, carries out upgrades; it lies in the
// reserved region, is loaded by the first where the state asks for it, and is replaced together with the plan by the
// firmware that prepares an upgrade. So plan, extension and the code that knows them are always of one version.

// At the end of sector 0: what the first part says of itself.
#define MOLT_RESIDENT_CONFIG_SIZE 32u
// At the beginning of the overlay's sector.
#define MOLT_OVERLAY_HEADER_SIZE 20u

#define MOLT_RESIDENT_VERSION 1
// How the first part enters an overlay: `int overlay(uint32_t reserved_addr, molt_state_t *state)` at the beginning of
// its code, with the result of molt_resident_act().
#define MOLT_OVERLAY_ABI 1
// How an overlay enters an extension, and what readers look like to both.
#define MOLT_EXTENSION_ABI 1

#define MOLT_RESIDENT_MEMORY_COUNT 2u

// What is said at the end of sector 0.
typedef struct molt_resident {
    uint32_t reserved_addr;                            // of the reserved region
    uint8_t version;                                   // of the first part
    uint8_t overlay_abi;                               // MOLT_OVERLAY_ABI that it enters overlays by
    uint8_t state_version;                             // MOLT_STATE_VERSION of the log that it reads
    molt_region_t memory[MOLT_RESIDENT_MEMORY_COUNT];  // CPU addresses that it uses while it loads a firmware
} molt_resident_t;

// What is said at the beginning of an overlay.
typedef struct molt_overlay {
    uint32_t size;          // bytes of its code, behind the header; a multiple of 4
    uint32_t vaddr;         // the CPU address that it runs at
    uint8_t abi;            // MOLT_OVERLAY_ABI
    uint8_t plan_first;     // the plan versions that it carries out, from
    uint8_t plan_last;      // and up to
    uint8_t extension_abi;  // MOLT_EXTENSION_ABI
} molt_overlay_t;

// In the firmware and the tool -------------------------------------------------------------------------------------

// What sector 0 says of a resident boot loader in it. It is read several times before anything but success is believed.
// Returns 0, MOLT_ERR_NOENT (there is none), MOLT_ERR_NOTSUP (one of another format), MOLT_ERR_CORRUPT (it is damaged),
// or the flash driver's error.
int molt_resident_read(const molt_flash_t *flash, molt_resident_t *resident);

// Read an overlay's header, and hold it and the code behind it against their CRC.
//   bytes  its sector, or an overlay's image; `size` bytes
// Returns 0, MOLT_ERR_NOENT (no overlay) or MOLT_ERR_CORRUPT.
int molt_overlay_parse(const uint8_t *bytes, uint32_t size, molt_overlay_t *overlay);

// Read the overlay's sector into `buf` (sector_size bytes, 4-aligned) and check it.
// Returns 0, MOLT_ERR_NOENT (no whole overlay is there), or the flash driver's error.
int molt_overlay_read(const molt_flash_t *flash, uint32_t reserved_addr, uint8_t *buf, molt_overlay_t *overlay);

// Whether both parts are whole: sector 0 is `loader` but for the flash parameters, and the overlay has its CRC.
//   buf  sector_size bytes, 4-aligned
// Returns 0, MOLT_ERR_NOENT (not resident), MOLT_ERR_CORRUPT (damaged: molt_resident_install() repairs it),
// MOLT_ERR_NOTSUP (a first part of another version than `loader`, which may be whole), or the flash driver's error.
int molt_resident_check(const molt_flash_t *flash, const molt_loader_t *loader, uint8_t *buf);

// Whether [vaddr, vaddr + size) lies in one of `memory_count` ranges of CPU addresses: those that a resident boot loader
// uses while it loads a firmware, by its configuration or by the loader that is to be installed.
bool molt_resident_collides(const molt_region_t *memory, uint32_t memory_count, uint32_t vaddr, uint32_t size);

// Store a finished plan in slot `plan_slot` of the reserved region, the overlay that carries it out, unless it is there
// already, and, if the plan needs one, the extension. The plan is used up by it.
//   plan->saved  as molt_resident_saved() gave it, set before molt_plan_finish()
// Slot 1, the fallback's, is stored behind slot 0.
// Returns 0, MOLT_ERR_NOTSUP (the plan in slot 0 needs another extension, and there is room for one), or the error of writing. Power
// cut: harmless; nothing counts before molt_resident_commit().
int molt_resident_store(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t plan_slot, molt_plan_t *plan,
    const molt_loader_t *overlay, const molt_loader_t *extension);

// What a plan has to know of the reserved region: the head of the firmware that it replaces (whose CRC nobody asks for), which for a
// fallback is not the present one, and the extension's place.
// There is no report: the state log says what became of an upgrade.
// Returns 0, MOLT_ERR_BUSY (an upgrade or a trial is in progress, whose plans must not be overwritten), or an error of
// flash.
int molt_resident_saved(
    const molt_flash_t *flash, uint32_t reserved_addr, const molt_loader_t *extension, bool is_fallback, molt_saved_t *saved);

// Let the next start carry out the plan in slot 0.
//   trial_starts  0: for good. 1 to 32: if molt_resident_confirm() is not called within so many starts, the plan in
//                 slot 1 is carried out
// Returns 0, MOLT_ERR_BUSY (an upgrade or a trial is in progress), or the error of writing.
// Power cut: it will be carried out, or not; nothing between.
int molt_resident_commit(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t trial_starts);

// In the boot loader -----------------------------------------------------------------------------------------------

// The overlay, where a state asks for more than to start the firmware.

// molt_resident_act(): an upgrade has been carried out; reset, so that the firmware starts as after any reset.
#define MOLT_RESIDENT_RESET 1

// Carry out what the state asks for.
//   state        as molt_state_read() gave it, of another kind than MOLT_STATE_NORMAL
//   sector, buf  sector_size bytes each, 4-aligned
// Returns 0 (start the firmware), MOLT_RESIDENT_RESET, or the error of molt_boot_run() or of the log: trying again later
// is harmless.
// Power cut: harmless at any time.
int molt_resident_act(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t *sector, uint8_t *buf,
    const molt_boot_io_t *io);

// The first part.

typedef struct molt_start_io {
    void *ctx;
    // The memory for the `size` bytes that belong at the CPU address `vaddr`, both multiples of 4: 4-aligned, and used
    // by whole words only. At most sector_size bytes at a time. NULL: they cannot go there.
    void *(*place)(void *ctx, uint32_t vaddr, uint32_t size);
    // Load the overlay and enter it. Returns molt_resident_act()'s result, MOLT_ERR_NOENT where there is no whole overlay
    // that can be entered, or an error of flash.
    int (*overlay)(void *ctx, uint32_t reserved_addr, molt_state_t *state);
} molt_start_io_t;

// One start: read the state, run the overlay if it has something to do, and load the firmware. Where the head that the
// state names does not load, the other one is tried. Where the overlay is damaged and nothing depends on it (the
// upgrade has not begun, or the firmware is on trial), the firmware is started without it.
//   head_addr, entry_vaddr  of the firmware to be started
// Returns 0, MOLT_RESIDENT_RESET, or an error: trying again later is harmless.
int molt_resident_start(const molt_flash_t *flash, const molt_start_io_t *io, uint32_t *head_addr, uint32_t *entry_vaddr);

// Load the firmware's segments from its head and the sectors behind sector 0.
// Returns 0 and the entry point, MOLT_ERR_CORRUPT (magic, sizes or checksum), MOLT_ERR_NOTSUP (`place` has no place),
// or the flash driver's error.
// Cost: each byte of the segments is read once, straight to its place.
int molt_resident_load(const molt_flash_t *flash, uint32_t head_addr, const molt_start_io_t *io, uint32_t *entry_vaddr);

#endif
