// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "src/upgrade/inflate.c"
#include "src/upgrade/unpack.c"
#include "src/upgrade/unpack_measure.c"
