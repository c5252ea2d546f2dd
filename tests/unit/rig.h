// A device under test: one of the fixture's devices, what it was, and what an upgrade has to make of it.
#ifndef MOLT_TESTS_UNIT_RIG_H
#define MOLT_TESTS_UNIT_RIG_H

#include "fixture/device.h"
#include "sim_upgrade.h"

typedef struct rig {
    const fixture_shape_t *shape;
    sim_nor_t nor;
    sim_device_t device;
    sim_upgrade_t host;  // an ordinary upgrade from FIXTURE_PATH; change its options before rig_prepare()
    uint8_t *original;   // the chip as it was set up
    uint8_t *image;      // the new image in whole sectors, with the device's flash parameters
    uint32_t image_end;  // bytes of it
    uint32_t worn_addr;  // rig_wear_out()
    uint8_t worn_bits;
    int (*good_prog)(void *ctx, uint32_t addr, const void *buf, uint32_t size);
} rig_t;

// Set up; aborts where that fails.
void rig_init(rig_t *rig, const fixture_shape_t *shape);
void rig_free(rig_t *rig);

// The chip as it was set up, power on.
void rig_reset(rig_t *rig);

// Power on; sim_upgrade_prepare().
int rig_prepare(rig_t *rig);

// Power on; from there until something stops.
sim_outcome_t rig_start(rig_t *rig);

// Read the stored plan in sector 0. `sector` is kept by the plan.
int rig_open_plan(const rig_t *rig, molt_plan_t *plan, uint8_t *sector);

// Write a file as the firmware would. 0 or littlefs's error.
int rig_put(rig_t *rig, const char *path, const void *bytes, uint32_t size);

// From now on a bit stays 1 in the first byte from `addr` on of which that is true in the old image and not in the new one: the old
// firmware can live with it. And no more.
void rig_wear_out(rig_t *rig, uint32_t addr);
void rig_mend(rig_t *rig);

// The target is the new image; the target is what it was.
bool rig_is_new(const rig_t *rig);
bool rig_is_old(const rig_t *rig);

// Nothing changed but image and filesystem.
bool rig_outside_is_same(const rig_t *rig);

#endif
