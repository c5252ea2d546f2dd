// Standby mode on the device.
#ifndef MOLT_MICROPYTHON_STANDBY_API_H
#define MOLT_MICROPYTHON_STANDBY_API_H

#include "molt/standby.h"
#include "py/obj.h"

// molt_standby_read() of this device.
int molt_device_standby(molt_standby_t *standby);

// Raise OSError if the device is not in standby mode, by molt_device_standby()'s result, or if an upgrade cannot be.
void molt_device_check(int err, const molt_standby_t *standby);

MP_DECLARE_CONST_FUN_OBJ_0(molt_standby_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_standby_status_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_standby_confirm_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_standby_install_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_standby_uninstall_obj);

#endif
