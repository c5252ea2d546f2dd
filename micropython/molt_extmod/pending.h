// What is prepared, and taking it back: pending.c on the ESP8266, outcome_api.c on the ESP32 family.
#ifndef MOLT_MICROPYTHON_PENDING_H
#define MOLT_MICROPYTHON_PENDING_H

#include "py/obj.h"

MP_DECLARE_CONST_FUN_OBJ_0(molt_pending_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_cancel_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_resident_obj);

#endif
