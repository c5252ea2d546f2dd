// See prepared.h.

#include "prepared.h"

#include <string.h>

rig_t rig;
molt_plan_t plan;
uint8_t before[32 * 1024];
struct told told;
uint32_t plan_words[SECTOR / 4];

static void tell(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    if (told.count < TOLD_MAX) {
        told.events[told.count] = event;
        told.args[told.count++] = arg;
    }
}

void no_wait(void *ctx, uint32_t seconds) {
    (void)ctx;
    (void)seconds;
}

const molt_boot_io_t io = { .event = tell, .wait = no_wait };

uint32_t told_count(molt_boot_event_t event) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < told.count; i++) {
        count += told.events[i] == event;
    }
    return count;
}

int prepared_set_up(const fixture_shape_t *shape, bool erase_all) {
    rig_init(&rig, shape);
    rig.device.io = &io;
    rig.host.options.erase_all = erase_all;
    told.count = 0;
    int err = rig_prepare(&rig);
    memcpy(before, rig.nor.bytes, sizeof before);
    return err ? err : rig_open_plan(&rig, &plan, (uint8_t *)plan_words);
}

int set_up(void **state) {
    (void)state;
    return prepared_set_up(&fixture_small, false);
}

int set_up_erase_all(void **state) {
    (void)state;
    return prepared_set_up(&fixture_small, true);
}

int set_up_gzip(void **state) {
    (void)state;
    return prepared_set_up(&fixture_small_gzip, false);
}

int tear_down(void **state) {
    (void)state;
    rig_free(&rig);
    return 0;
}

int report_read(molt_report_t *report) {
    return molt_report_parse(report, rig.nor.bytes + plan.saved.report_addr);
}
