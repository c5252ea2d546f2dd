// Resident mode on the device.
#ifndef MOLT_MICROPYTHON_RESIDENT_API_H
#define MOLT_MICROPYTHON_RESIDENT_API_H

#include <stdbool.h>

#include "py/obj.h"
#include "resident/resident.h"

// Whether resident mode is installed, and if so what its state is.
bool molt_device_is_resident(molt_flash_t *flash, uint32_t *reserved_addr, molt_state_t *state);

MP_DECLARE_CONST_FUN_OBJ_0(molt_resident_obj);
MP_DECLARE_CONST_FUN_OBJ_3(molt_resident_install_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_resident_uninstall_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_resident_end_obj);

#endif
