// A device under test in standby mode.

#include "standby_rig.h"

#include <stdlib.h>
#include <string.h>

standby_rig_t board;
const fixture_shape_t *standby_shape = &fixture_small_standby;

void standby_rig_keep(void) {
    memcpy(board.original, board.nor.bytes, SHAPE->geometry.size);
}

int standby_rig_set_up_stock(void **state) {
    (void)state;
    fixture_esp32c3_stock(&board.nor, SHAPE);
    board.original = malloc(SHAPE->geometry.size);
    standby_rig_keep();
    return board.original == NULL;
}

int standby_rig_set_up(void **state) {
    (void)state;
    fixture_device(&board.nor, SHAPE);
    board.original = malloc(SHAPE->geometry.size);
    standby_rig_keep();
    return board.original == NULL;
}

int standby_rig_tear_down(void **state) {
    (void)state;
    sim_nor_free(&board.nor);
    free(board.original);
    return 0;
}

void standby_rig_put_original(void) {
    memcpy(board.nor.bytes, board.original, SHAPE->geometry.size);
    sim_nor_make_firm(&board.nor);
    sim_nor_power_on(&board.nor);
}

sim_outcome_t standby_rig_start(sim_device_t *device, molt_target_t *target) {
    sim_nor_power_on(&board.nor);
    *target = fixture_standby_target(SHAPE, &board.nor);
    *device = (sim_device_t){ .nor = &board.nor, .standby = target };
    return sim_device_start(device);
}

int standby_rig_prepare_trial(const char *path, const char *fallback_path, uint32_t starts) {
    static sim_upgrade_t host;
    molt_region_t fs = fixture_fs(SHAPE);
    sim_upgrade_init(&host, &board.nor, &fs, path);
    host.target = fixture_standby_target(SHAPE, &board.nor);
    host.fallback_path = fallback_path;
    host.trial_starts = starts;
    int err = sim_upgrade_prepare(&host);
    sim_upgrade_free(&host);
    return err;
}

int standby_rig_prepare(const char *path) {
    return standby_rig_prepare_trial(path, NULL, 0);
}
