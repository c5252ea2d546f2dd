// A device with 512-byte sectors on which an upgrade is prepared, and what its boot loader tells: for the tests of the boot
// loader. There is one, and each test sets it up for itself.
#ifndef MOLT_TESTS_UNIT_PREPARED_H
#define MOLT_TESTS_UNIT_PREPARED_H

#include "rig.h"
#include "upgrade/boot.h"
#include "upgrade/plan.h"
#include "upgrade/report.h"

#define SECTOR 512u

extern rig_t rig;
extern molt_plan_t plan;
extern uint32_t plan_words[SECTOR / 4];  // the sector that `plan` was read from
extern uint8_t before[32 * 1024];        // the chip when the upgrade was prepared

#define TOLD_MAX 128u
extern struct told {
    molt_boot_event_t events[TOLD_MAX];
    uint32_t args[TOLD_MAX];
    uint32_t count;
} told;

void no_wait(void *ctx, uint32_t seconds);

// Notes what is told; does not wait.
extern const molt_boot_io_t io;

// How often that was told.
uint32_t told_count(molt_boot_event_t event);

// For cmocka. 0 or the preparation's error.
int prepared_set_up(const fixture_shape_t *shape, bool erase_all);
int set_up(void **state);
int set_up_erase_all(void **state);
int set_up_gzip(void **state);
int tear_down(void **state);

// 0, or an error if there is none.
int report_read(molt_report_t *report);

#endif
