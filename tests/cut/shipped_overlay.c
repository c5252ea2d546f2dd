// The end of one unit: before it stand the sources of the resident boot loader's overlay. Only this name leaves the unit.

#include "tests/cut/shipped.h"

int shipped_overlay(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t *sector, uint8_t *buf,
    const molt_boot_io_t *io) {
    return molt_resident_act(flash, reserved_addr, state, sector, buf, io);
}
