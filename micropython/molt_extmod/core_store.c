// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "frozen.h"

#if MOLT_FROZEN
#include "src/frozen/store_name.c"
#include "src/frozen/store.c"
#endif
