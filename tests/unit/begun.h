// Patches between images of a device under test, made as the tool makes them, and begun as the core begins them.
#ifndef MOLT_TESTS_UNIT_BEGUN_H
#define MOLT_TESTS_UNIT_BEGUN_H

#include "build.h"
#include "delta/delta.h"
#include "rig.h"

// The patch that makes new_bytes of old_bytes, both of the size of the device's images, with the smallest window. Its bytes are the
// caller's to free. Aborts where it cannot be made.
build_result_t begun_build(const rig_t *rig, const uint8_t *old_bytes, const uint8_t *new_bytes);

// A patch that was begun for a device's flash. Owned by the caller; `bytes` are to be freed.
typedef struct begun {
    uint8_t *bytes;
    molt_reader_t patch;
    molt_delta_place_t place;
    molt_delta_t delta;
    _Alignas(4) uint8_t window[MOLT_DELTA_WINDOWS_MAX];
    uint32_t buf[4096 / 4];
} begun_t;

// Begin `size` bytes of a patch, which are the struct's from now on. first_addr: of the first sector of the firmware in flash.
// Aborts where it is none.
void begun_init(begun_t *b, const rig_t *rig, uint8_t *bytes, uint32_t size, uint32_t first_addr);

// Let its first operation that stashes a sector stash another one.
void begun_stash_another(begun_t *b);

#endif
