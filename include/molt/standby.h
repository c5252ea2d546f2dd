// Standby mode, on chips of the ESP32 family: molt's loader is an app that the chip's own second-stage boot loader falls back to.
//
// The loader lies in a sector between boot loader and partition table, the plan in the next. The boot loader finds it by a row of
// type app, subtype test, behind the table's MD5 row: it reads rows there, firmwares do not. It starts such an app where no other
// one boots. So an upgrade is begun by making the firmware's first byte no image's; and whatever the power does then, the firmware
// does not boot until the loader has finished it. The boot loader verifies what was put in.
//
// Where there is one sector more, firmwares can be put in on trial: the rows then are one for the loader and one for the firmware, as
// OTA slots, and otadata, which lies in that sector and in the plan's (upgrade/trial.h). At rest otadata is blank, and the boot loader
// starts the factory partition's app as ever.
//
// Nothing of the flash is moved, and no partition is made smaller; where there is no room below the table, the app partition's last
// sectors are taken.
#ifndef MOLT_STANDBY_H
#define MOLT_STANDBY_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/target.h"

#ifdef __cplusplus
extern "C" {
#endif

// Bytes of the buffer that the functions here need, 4-aligned; at least the sector size.
#define MOLT_STANDBY_BUF_SIZE 4096u

// Why the device is not in standby mode, or cannot be. molt_standby_text() has the sentence.
typedef enum molt_standby_defect {
    MOLT_STANDBY_FINE,
    MOLT_STANDBY_NOT_INSTALLED,   // it can be
    MOLT_STANDBY_LOADER_DAMAGED,  // installing again repairs it
    MOLT_STANDBY_NO_BOOT_LOADER,  // what is in its place is none
    MOLT_STANDBY_OTHER_CHIP,      // the boot loader is one for another chip
    MOLT_STANDBY_BAD_TABLE,       // standby.table_defect says why
    MOLT_STANDBY_NO_MD5,          // the table has no MD5 row, so that firmwares would see the new rows
    MOLT_STANDBY_NO_FACTORY,      // no app partition that the boot loader always starts
    MOLT_STANDBY_OTA,             // there are OTA slots: the device can upgrade from one to the other
    MOLT_STANDBY_NO_LOADER,       // molt has none for this chip
    MOLT_STANDBY_TABLE_FULL,      // no room for the rows
    MOLT_STANDBY_OTHER_ROWS,      // behind the MD5 row are rows of somebody else
    MOLT_STANDBY_NO_ROOM,         // neither below the table nor at the end of the app partition are two erased sectors
    MOLT_STANDBY_DEFECT_COUNT,    // no defect: how many there are
} molt_standby_defect_t;

typedef struct molt_standby {
    molt_standby_defect_t defect;
    uint32_t table_defect;  // molt_map_defect_t
    molt_region_t app;      // the partition that the firmware is in, without what the loader has of it
    uint32_t boot_end;      // where the second-stage boot loader's image ends
    uint32_t loader_addr;   // of the loader's sector, or where it would go
    uint32_t plan_addr;     // of the plan's sector, likewise: the next, or, where trials are possible, the one behind that
    uint32_t row_addr;      // of its row in flash, likewise
} molt_standby_t;

// Look at a device.
//   chip  which it is: molt_esp32_standby() of the port
//   buf   MOLT_STANDBY_BUF_SIZE bytes, 4-aligned; overwritten
// Returns 0 (in standby mode), MOLT_ERR_NOENT (it is not, and can be), MOLT_ERR_CORRUPT (the loader is damaged),
// MOLT_ERR_NOTSUP (it cannot be), each with standby->defect, or the flash driver's error. Writes nothing.
int molt_standby_read(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_standby_t *standby);

// Put the loader in: its sector, and two rows, or four, behind the partition table's end, without erasing that. An installation that was cut
// short is completed, a damaged loader repaired.
//   chip, buf  as above
//   standby    filled in as by molt_standby_read()
// Returns 0, MOLT_ERR_EXIST (there already, and whole), MOLT_ERR_NOTSUP (standby->defect), MOLT_ERR_BUSY (an upgrade is prepared),
// MOLT_ERR_FBIG (the loader is too large for a sector), or the error of writing.
// Power cut: fatal while the last 4 bytes are programmed, some 40 us, once in the device's life: what is torn there can make the boot
// loader refuse the table. Harmless at any other time.
int molt_standby_install(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_standby_t *standby);

// Take the loader out: its row gets a size of 0, by programming alone. The sectors stay as they are. chip, buf: as above.
// Returns 0, MOLT_ERR_NOENT (it is not in), MOLT_ERR_BUSY (an upgrade is prepared, or the firmware is on trial), or the error of
// writing. Power cut: done, or not.
int molt_standby_uninstall(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf);

// The target for jobs on a device that is in standby mode.
//   chip_target  what the port has of the chip
void molt_standby_target(molt_target_t *target, const molt_target_t *chip_target, const molt_standby_t *standby);

// A sentence without full stop. Never NULL.
const char *molt_standby_text(const molt_standby_t *standby);

#ifdef __cplusplus
}
#endif

#endif
