// The end of one unit: before it stand the sources of the standby loader's extension for delta files. Only this name leaves the unit.

#include "tests/cut/shipped.h"

const __typeof__(&molt_delta_run_standby) shipped_delta_standby = molt_delta_run_standby;
