#ifndef VPORT_EFUSE_HAL_H
#define VPORT_EFUSE_HAL_H

#include <stdint.h>

// Major * 100 + minor.
uint32_t efuse_hal_chip_revision(void);

#endif
