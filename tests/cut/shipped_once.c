// The end of one unit: before it stand the sources of the boot loader for one upgrade. Only this name leaves the unit.

#include "tests/cut/shipped.h"

const __typeof__(&molt_boot_run) shipped_once = molt_boot_run;
