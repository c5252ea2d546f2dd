// Patches of a device under test.

#include "begun.h"

#include <stdlib.h>

#include "base/reader.h"

build_result_t begun_build(const rig_t *rig, const uint8_t *old_bytes, const uint8_t *new_bytes) {
    const build_request_t request = { .old_bytes = old_bytes,
        .new_bytes = new_bytes,
        .old_size = rig->shape->image_size,
        .new_size = rig->shape->image_size,
        .sector_size = rig->shape->geometry.sector_size,
        .window_size = 512,
        .chip = MOLT_CHIP_ESP8266,
        .map_max = MOLT_DELTA_MAP_MAX,
        .old_name = "",
        .new_name = "" };
    build_result_t result;
    if (build_delta(&result, &request) != BUILD_OK) {
        abort();
    }
    return result;
}

void begun_init(begun_t *b, const rig_t *rig, uint8_t *bytes, uint32_t size, uint32_t first_addr) {
    b->bytes = bytes;
    b->patch = molt_memory_reader(bytes, size);
    b->place = (molt_delta_place_t){ &rig->nor.flash, 0, first_addr, NULL };
    if (molt_delta_begin(&b->delta, &b->patch, &b->place, b->window, sizeof b->window) != 0) {
        abort();
    }
}

void begun_stash_another(begun_t *b) {
    molt_delta_op_t *op = b->delta.ops;
    while (MOLT_DELTA_OP_SLOT(*op) == 0) {
        op++;
        if (op == b->delta.ops + b->delta.header.op_count) {
            abort();
        }
    }
    uint32_t sector = MOLT_DELTA_OP_SECTOR(*op) == 1 ? 2 : 1;
    *op = (molt_delta_op_t)(sector | MOLT_DELTA_OP_SLOT(*op) << 10);
}
