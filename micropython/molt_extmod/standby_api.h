// Standby mode and OTA slots on the device: standby_api.c and outcome_api.c.
#ifndef MOLT_MICROPYTHON_STANDBY_API_H
#define MOLT_MICROPYTHON_STANDBY_API_H

#include "molt_idf.h"
#include "py/obj.h"

// molt_idf_find() of this device.
int molt_device_find(molt_idf_way_t *way, molt_target_t *target);

// Raise OSError if no upgrade can be, by molt_device_find()'s result.
void molt_device_check(int err, const molt_idf_way_t *way);

MP_DECLARE_CONST_FUN_OBJ_0(molt_standby_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_standby_install_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_standby_uninstall_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_slots_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_outcome_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_confirm_obj);

#endif
