// The end of one unit: before it stand the sources of the boot loader for one upgrade. Only this name leaves the unit.

#include "tests/cut/shipped.h"

const sim_code_t shipped_once = { .boot_run = molt_boot_run };
