// What the module's other files need of _molt.
#ifndef MOLT_MICROPYTHON_MODMOLT_H
#define MOLT_MICROPYTHON_MODMOLT_H

#include "py/obj.h"

// Write what the program has put into files of littlefs and not flushed yet. Raises OSError where that fails. Returns None.
mp_obj_t molt_flush(void);

#endif
