// The flash map of the running device.
#ifndef MOLT_MICROPYTHON_MAP_GLUE_H
#define MOLT_MICROPYTHON_MAP_GLUE_H

#include "map/map.h"
#include "py/obj.h"

// Detect the map from flash size, filesystem and the end of the running firmware, and split it there.
//   fs  where the filesystem is, or NULL for where the port's flashbdev.py has it in this firmware
// Returns 0, or what molt_map_detect() or the flash driver does.
int molt_device_map(molt_map_t *map, const molt_region_t *fs);

MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(molt_map_obj);
MP_DECLARE_CONST_FUN_OBJ_2(molt_map_find_obj);
MP_DECLARE_CONST_FUN_OBJ_2(molt_programmed_obj);

#endif
