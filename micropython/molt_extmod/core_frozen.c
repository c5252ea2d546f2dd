// Of molt's core the frozen modules' part: see core.c.

#include "frozen.h"

#if MOLT_FROZEN
#include "frozen/link.c"
#include "frozen/link_log.c"
#include "frozen/link_measure.c"
#include "frozen/link_names.c"
#include "frozen/mpy.c"
#include "frozen/relink.c"
#include "frozen/store.c"
#include "frozen/store_compact.c"
#include "frozen/store_name.c"
#include "frozen/store_write.c"
#endif
