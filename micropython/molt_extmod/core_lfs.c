// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "src/lfs/volume.c"
#include "src/lfs/extents.c"
#include "src/lfs/lfs_source.c"
