// The end of one unit: before it stand the sources of the resident boot loader. Only this name leaves the unit.

#include "tests/cut/shipped.h"

const sim_code_t shipped_resident = {
    .resident_find = molt_resident_find,
    .resident_ask = molt_resident_ask,
    .resident_act = molt_resident_act,
    .resident_load = molt_resident_load,
};
