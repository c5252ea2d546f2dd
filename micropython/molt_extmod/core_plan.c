// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "src/base/crc32.c"
#include "src/base/flash_io.c"
#include "src/base/reader.c"
#include "src/base/sector.c"
#include "src/upgrade/plan.c"
#include "src/upgrade/plan_build.c"
#include "src/upgrade/apply.c"
#include "src/upgrade/report.c"
#include "src/upgrade/prepare.c"
