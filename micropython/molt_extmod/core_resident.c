// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "src/resident/state.c"
#include "src/resident/load.c"
#include "src/resident/resident_config.c"
