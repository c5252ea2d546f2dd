// A device under test in standby mode, or one that can be: the small ESP32 of the fixtures, of each chip of the table in turn.
#ifndef MOLT_TESTS_UNIT_STANDBY_RIG_H
#define MOLT_TESTS_UNIT_STANDBY_RIG_H

#include <stddef.h>

#include "fixture/device.h"
#include "molt/standby.h"
#include "sim_upgrade.h"

#define SHAPE (&fixture_small_standby)
#define SECTOR 1024u
#define IMAGE_ADDR 0x10000u
#define TABLE_ADDR 0x8000u
#define MD5_ROW (TABLE_ADDR + 3 * 32)
#define LOADER_ADDR (TABLE_ADDR - 2 * SECTOR)
#define PLAN_ADDR (TABLE_ADDR - SECTOR)

typedef struct standby_rig {
    sim_nor_t nor;
    uint8_t *original;  // the chip as it was set up, or at the last standby_rig_keep()
    uint8_t buf[MOLT_STANDBY_BUF_SIZE] __attribute__((aligned(4)));
} standby_rig_t;

extern standby_rig_t board;

struct CMUnitTest;

// Run the tests for each chip that standby mode has a loader for. Returns what main() does.
int standby_rig_run(const struct CMUnitTest *tests, size_t count);

// For cmocka: a device without molt, one in standby mode; of the chip that *state is the target of.
int standby_rig_set_up_stock(void **state);
int standby_rig_set_up(void **state);
int standby_rig_tear_down(void **state);

// Remember the chip; bring it back, all bits firm, power on.
void standby_rig_keep(void);
void standby_rig_put_original(void);

// Power on; from there until something stops.
sim_outcome_t standby_rig_start(sim_device_t *device, molt_target_t *target);

// What fwupdate(path, reset=False) does.
int standby_rig_prepare(const char *path);

#endif
