// For tests that change a stored plan, or a directory of littlefs: making its CRC right again.
#ifndef MOLT_TESTS_UNIT_SEAL_H
#define MOLT_TESTS_UNIT_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "upgrade/plan.h"

// Put the CRC that goes with the other fields into the plan at the end of `sector`; where `counts`, what follows from the
// sizes too: numbers of steps and offsets. False if there is no room for a plan, or no place where a CRC could begin.
bool seal_plan(const molt_geometry_t *geometry, uint8_t *sector, bool counts);

// Put the CRCs that go with its tags into the commits of the littlefs metadata block at `block`, as far as they can
// be followed. (littlefs's SPEC, "metadata pairs".)
void seal_directory(uint8_t *block, uint32_t block_size);

#endif
