// The end of one unit: before it stand the sources of the resident boot loader's overlay. Only this name leaves the unit.

#include "tests/cut/shipped.h"

const __typeof__(&molt_resident_act) shipped_overlay = molt_resident_act;
