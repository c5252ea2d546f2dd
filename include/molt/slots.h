// OTA slots, on chips of the ESP32 family whose partition table has them: the new firmware is written into a slot that does not run, and
// the chip's second-stage boot loader is told to start that one. What runs is not touched, so there is no moment at which the power
// must not fail, and nothing of molt's needs to be installed.
//
// Which slot is meant says otadata: two entries, a sector each, of which the valid one with the higher number counts. A firmware on
// trial has an entry of state NEW; a boot loader that does rollback starts it once, and unless it is confirmed the other entry counts
// from then on. In an entry is a label that nobody asks for: molt notes there which image it put in.
//
// An upgrade is a job as any other one (molt/job.h). Its file may be anywhere that can be read to its end, a gzip file, or a delta file
// made for the firmware that runs.
#ifndef MOLT_SLOTS_H
#define MOLT_SLOTS_H

#include <stdint.h>

#include "molt/flash.h"
#include "molt/target.h"

#ifdef __cplusplus
extern "C" {
#endif

// Slots that a partition table can have. Source: ESP-IDF, API guide "Partition Tables", subtypes ota_0 to ota_15.
#define MOLT_SLOTS_MAX 16u

// Why a device has no slots that molt can use. molt_slots_text() has the sentence.
typedef enum molt_slots_defect {
    MOLT_SLOTS_FINE,
    MOLT_SLOTS_BAD_TABLE,   // slots.table_defect says why
    MOLT_SLOTS_NONE,        // there is none: standby mode is for such devices
    MOLT_SLOTS_OTHER_ROWS,  // behind the MD5 row are rows, which only the boot loader sees
    MOLT_SLOTS_HOLES,       // their numbers do not follow each other
    MOLT_SLOTS_NO_OTADATA,  // there is no partition for otadata, or it is smaller than two sectors
    MOLT_SLOTS_ELSEWHERE,   // the firmware runs from none of the table's app partitions
    MOLT_SLOTS_ONLY_ONE,    // it runs from the only one
    MOLT_SLOTS_DEFECT_COUNT,
} molt_slots_defect_t;

typedef struct molt_slots {
    molt_slots_defect_t defect;
    uint32_t table_defect;                // molt_map_defect_t
    uint32_t count;                       // of slots
    molt_region_t slots[MOLT_SLOTS_MAX];  // by their numbers
    molt_region_t factory;                // size 0: there is none
    uint32_t otadata_addr;
    uint32_t selected_addr;  // of the app partition that the boot loader tries first
} molt_slots_t;

// Look at a device.
//   buf  MOLT_STANDBY_BUF_SIZE bytes, 4-aligned; overwritten
// Returns 0, MOLT_ERR_NOENT (no slots), MOLT_ERR_NOTSUP, each with slots->defect, or the flash driver's error. Writes nothing.
int molt_slots_read(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_slots_t *slots);

// The target for jobs on such a device: the slot behind the one that runs, or the first where it is the last.
//   chip_target   what the port has of the chip
//   running_addr  of the partition that the firmware runs from
// Returns 0, or MOLT_ERR_NOTSUP with slots->defect. Where that is MOLT_SLOTS_ONLY_ONE, beside a factory partition, the target will do for
// status and molt_status_confirm().
int molt_slots_target(molt_target_t *target, const molt_target_t *chip_target, molt_slots_t *slots, uint32_t running_addr);

// To be called when the firmware starts: once after each upgrade it makes firm what otadata says of the firmware that runs. Where the
// power was cut in the very moment in which that was written, it may read so today and otherwise tomorrow; and what the boot loader notes
// of a trial may be torn.
//   target  of molt_slots_target()
// Returns 0 or the error of flash, which the next start can do without. Power cut: as before, or firm.
int molt_slots_settle(const molt_target_t *target, const molt_flash_t *flash);

// A sentence without full stop. Never NULL.
const char *molt_slots_text(const molt_slots_t *slots);

#ifdef __cplusplus
}
#endif

#endif
