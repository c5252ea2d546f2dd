// The end of one unit: before it stand the sources of the standby loader. Only this name leaves the unit.

#include "tests/cut/shipped.h"

const __typeof__(&molt_boot_standby) shipped_standby = molt_boot_standby;
