// The second part of the ESP8266's resident boot loader: it carries out upgrades. It is an image of its own, in a sector
// of the reserved region, and is replaced with the plan by whoever prepares an upgrade.

#include "resident/resident.h"
#include "upgrading.c"

static const molt_boot_io_t io = {
    .ctx = 0, .event = on_event, .wait = wait, .extend = run_extension, .transform = run_transform
};

__attribute__((externally_visible)) int molt_overlay(uint32_t reserved_addr, molt_state_t *state);

int molt_overlay(uint32_t reserved_addr, molt_state_t *state) {
    static uint32_t sector[SECTOR_SIZE / 4];
    static uint32_t buf[SECTOR_SIZE / 4];
    unlock();
    int result = molt_resident_act(&flash, reserved_addr, state, (uint8_t *)sector, (uint8_t *)buf, &io);
    if (result == MOLT_RESIDENT_RESET) {
        put_done();
    } else if (result) {
        put_error(result);
    }
    return result;
}
