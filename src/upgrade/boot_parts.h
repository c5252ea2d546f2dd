// What the parts of the boot loader's work share.
#ifndef MOLT_UPGRADE_BOOT_PARTS_H
#define MOLT_UPGRADE_BOOT_PARTS_H

#include <stdbool.h>

#include "upgrade/boot.h"

// Standby mode: whether the sector at the image's place has `crc`, its first byte taken for an image's, as `buf` has it then. That
// byte may be broken, or not be programmed yet, but for the bits in `needed`, which have to be 1. The sector is read again before the
// answer is no.
bool boot_first_holds(const molt_flash_t *flash, uint32_t addr, uint32_t crc, uint8_t needed, uint8_t *buf);

// molt_boot_apply(). Standby mode: `marks`, and `is_doubtful`, that a first sector was placed, and what is there now is another one.
int boot_apply(const molt_flash_t *flash, const molt_boot_place_t *place, const molt_plan_t *plan, uint8_t *buf,
    const molt_boot_io_t *io, uint32_t marks, bool is_doubtful);

#endif
