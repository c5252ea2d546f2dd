// Resident mode: the boot loader stays in sector 0, and no flash operation of an upgrade can brick the device.
//
// The firmware's own first sector lives in one of two heads in the reserved region. The boot loader loads the
// firmware's segments from there and from sectors 1 on, as the mask ROM would. Images are unchanged; only their first
// sector is redirected. An upgrade puts the new first sector into the other head, and one record of the state log
// switches over.
#ifndef MOLT_RESIDENT_H
#define MOLT_RESIDENT_H

#include "molt/flash.h"
#include "molt/target.h"

#ifdef __cplusplus
extern "C" {
#endif

// Sectors of the reserved region: two heads, state log, plan and the like. Source: docs/format.md, resident configuration.
#define MOLT_RESERVED_SECTOR_COUNT 8u

// Whether the device is in resident mode, and where its reserved region is. It is read several times before anything but success is
// believed. Returns 0, MOLT_ERR_NOENT (it is not), MOLT_ERR_NOTSUP (in one of another format), MOLT_ERR_CORRUPT (damaged), or the
// flash driver's error.
int molt_resident_find(const molt_flash_t *flash, uint32_t *reserved_addr);

// Whether the reserved region is free: erased, or molt's own from an earlier installation.
// Returns 0, MOLT_ERR_NOSPC (it holds something else; or an installation was cut short), or the driver's error.
int molt_resident_check_free(const molt_flash_t *flash, const molt_region_t *reserved);

// Put the resident boot loader in, both parts. What the reserved region holds is lost. Where it is in already, only
// what is damaged is written again: sector 0 if it is not `loader`, the overlay if it is not whole.
//   reserved  MOLT_RESERVED_SECTOR_COUNT sectors
//   overlay   its image, header included
//   buf       sector_size bytes, 4-aligned
// Returns 0, MOLT_ERR_EXIST (there already, and whole), MOLT_ERR_BUSY (an upgrade is prepared in sector 0),
// MOLT_ERR_NOTSUP (the firmware would be loaded over the boot loader; or the resident boot loader there is of another
// version), MOLT_ERR_CORRUPT (the firmware in flash has no right checksum), MOLT_ERR_RANGE (reserved region),
// MOLT_ERR_FBIG (the loader is too large for a sector), or the error of writing, after the old first sector was put back.
// Power cut: fatal while sector 0 is erased and programmed, some 60 ms, once in the device's life.
int molt_resident_install(const molt_flash_t *flash, const molt_region_t *reserved, const molt_loader_t *loader,
    const molt_loader_t *overlay, uint8_t *buf);

// Put the firmware's first sector back into sector 0. Power cut: as for installing.
//   buf  as above
// Returns 0, MOLT_ERR_NOENT (the device is not in resident mode), MOLT_ERR_BUSY (an upgrade or a trial is in progress), or the error of
// writing.
int molt_resident_uninstall(const molt_flash_t *flash, uint8_t *buf);

// Keep the firmware that runs: ends a trial, or takes back an upgrade that was committed and not started.
// Returns 0, MOLT_ERR_NOENT (nothing to end), or the error of writing. Power cut: done, or not.
int molt_resident_confirm(const molt_flash_t *flash, uint32_t reserved_addr);

#ifdef __cplusplus
}
#endif

#endif
