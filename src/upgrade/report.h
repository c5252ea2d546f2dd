// The report: what the boot loader did, for the firmware to read afterwards. One record of four words that
// the firmware lays down before the upgrade, in a place that the upgrade does not touch; the boot loader only
// clears bits of it.
#ifndef MOLT_REPORT_H
#define MOLT_REPORT_H

#include <stdint.h>

#include "molt/flash.h"

#define MOLT_REPORT_SIZE 16

typedef enum molt_report_result {
    MOLT_REPORT_PENDING,   // prepared; the boot loader did not finish
    MOLT_REPORT_DONE,      // the new firmware was put in
    MOLT_REPORT_RESTORED,  // the source did not match: the old firmware was kept
} molt_report_result_t;

typedef struct molt_report {
    uint32_t image_crc;  // of the image that was wanted
    molt_report_result_t result;
    uint32_t start_count;  // how often the boot loader was started, up to 32
} molt_report_t;

// Lay down a fresh record in `bytes`, to be stored by the caller.
void molt_report_init(uint8_t bytes[MOLT_REPORT_SIZE], uint32_t image_crc);

// Read a record. Returns 0 or MOLT_ERR_NOENT if there is none in `bytes`.
int molt_report_parse(molt_report_t *report, const uint8_t bytes[MOLT_REPORT_SIZE]);

// Clear the bits that say: the boot loader was started once more, or it came to `result`. Does nothing unless
// a record for `image_crc` is at `addr`. Errors do not matter to an upgrade: the report is a courtesy.
// Cost: one read of 16 bytes, one 4-byte program.
int molt_report_note(const molt_flash_t *flash, uint32_t addr, uint32_t image_crc, molt_report_result_t result);

#endif
