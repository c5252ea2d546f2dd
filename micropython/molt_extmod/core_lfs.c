// Of molt's core what reads littlefs: see core.c.

#include "lfs/extents.c"
#include "lfs/lfs_source.c"
#include "lfs/volume.c"
