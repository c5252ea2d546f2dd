// The end of one unit: before it stand the sources of the resident boot loader's first part. Only this name leaves the unit.

#include "tests/cut/shipped.h"

const __typeof__(&molt_resident_start) shipped_resident = molt_resident_start;
