// The template's boot loader: what is started in place of the firmware while an upgrade stands in the boot sector. It runs from RAM,
// and needs what is in the rooms base, upgrade and, for resident mode, resident; for gzip files also decode.

#include "loader.h"

#include "flash.h"
#include "molt_template.h"
#include "upgrade/boot.h"

// Tell how far it is, and feed a watchdog: MOLT_BOOT_STEP comes before each step.
static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    (void)event;
    (void)arg;
}

void molt_template_boot(void) {
    static uint32_t sector[4096 / 4];
    static uint32_t buf[4096 / 4];
    static const molt_boot_io_t io = { .event = on_event };
    const molt_boot_place_t place = { molt_template.boot_addr, molt_template.boot_addr };
    // Where flash fails, trying again goes on where it was. A chip waits a moment before it does, and stops for ever only where
    // it has no supply.
    for (int tries = 0; tries < 100; tries++) {
        if (molt_boot_run(&molt_template_flash, &place, (uint8_t *)sector, (uint8_t *)buf, &io) >= 0) {
            return;
        }
    }
}
