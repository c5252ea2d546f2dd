// The boot loader of the ESP8266 for one upgrade: what the mask ROM starts when molt's boot sector is at flash address 0.
// Mask-ROM functions only, flash cache off, interrupts off: the whole machine is ours.

#include "upgrading.c"

static const molt_boot_io_t io = {
    .ctx = 0, .event = on_event, .wait = wait, .extend = run_extension, .transform = run_transform
};

__attribute__((externally_visible, noreturn)) void molt_loader_entry(void);

void molt_loader_entry(void) {
    static const molt_boot_place_t place = { 0, 0 };
    static uint32_t sector[SECTOR_SIZE / 4];
    static uint32_t buf[SECTOR_SIZE / 4];
    unlock();
    flashchip->chip_size = FLASH_SIZE_MAX;
    for (;;) {
        int result = molt_boot_run(&flash, &place, (uint8_t *)sector, (uint8_t *)buf, &io);
        if (result >= 0) {
            put_done();
            software_reset();
        }
        put_error(result);
        wait(0, RETRY_DELAY_S);
    }
}
