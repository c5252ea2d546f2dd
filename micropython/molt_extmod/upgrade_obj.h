// _molt.Upgrade: one upgrade from a file, as a Python object.
#ifndef MOLT_MICROPYTHON_UPGRADE_OBJ_H
#define MOLT_MICROPYTHON_UPGRADE_OBJ_H

#include "py/obj.h"

// MicroPython 1.25 calls it NORETURN.
#ifndef MP_NORETURN
#define MP_NORETURN NORETURN
#endif

extern const mp_obj_type_t molt_upgrade_type;

// Raise OSError with the errno that a molt error stands for, and a sentence. Wrong arguments raise ValueError instead.
MP_NORETURN void molt_raise(int err, const char *sentence);

#endif
