// The end of one unit: before it stand the sources of the boot loader's extension for delta files. Only this name leaves the unit.

#include "tests/cut/shipped.h"

const shipped_delta_t shipped_delta = { molt_delta_run_open, molt_delta_run_finish };
