// A device under test in standby mode.

#include "standby_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture/device_parts.h"
#include "image/image.h"
#include "molt/error.h"
#include "molt_esp32.h"

standby_rig_t board;

void standby_rig_keep(void) {
    memcpy(board.original, board.nor.bytes, SHAPE->geometry.size);
}

#define TESTS_MAX 400
#define NAME_MAX_SIZE 160

int standby_rig_run(const struct CMUnitTest *tests, size_t count) {
    static struct CMUnitTest all[TESTS_MAX];
    static char names[TESTS_MAX][NAME_MAX_SIZE];
    size_t all_count = 0;
    for (const molt_target_t *const *target = molt_esp32_targets; *target; target++) {
        for (size_t i = 0; i < count; i++) {
            fixture_check(all_count < TESTS_MAX ? 0 : MOLT_ERR_NOSPC, "room for tests");
            snprintf(names[all_count], NAME_MAX_SIZE, "%s: %s", molt_chip_text((*target)->chip), tests[i].name);
            all[all_count] = tests[i];
            all[all_count].name = names[all_count];
            all[all_count++].initial_state = (void *)(uintptr_t)*target;
        }
    }
    return _cmocka_run_group_tests("standby", all, all_count, NULL, NULL);
}

int standby_rig_set_up_stock(void **state) {
    fixture_esp32_choose(*state);
    fixture_esp32_stock(&board.nor, SHAPE);
    board.original = malloc(SHAPE->geometry.size);
    standby_rig_keep();
    return board.original == NULL;
}

int standby_rig_set_up(void **state) {
    fixture_esp32_choose(*state);
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

int standby_rig_prepare(const char *path) {
    static sim_upgrade_t host;
    molt_region_t fs = fixture_fs(SHAPE);
    sim_upgrade_init(&host, &board.nor, &fs, path);
    host.target = fixture_standby_target(SHAPE, &board.nor);
    int err = sim_upgrade_prepare(&host);
    sim_upgrade_free(&host);
    return err;
}
