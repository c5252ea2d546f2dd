// The end of one unit: before it stand the sources of the resident boot loader's first part. Only this name leaves the
// unit.

#include "tests/cut/shipped.h"

const sim_code_t shipped_resident = {
    .resident_start = molt_resident_start,
    .overlay_read = molt_overlay_read,
    .resident_act = shipped_overlay,
};
