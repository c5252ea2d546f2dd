// The boot loader of the ESP8266 for one upgrade: what the mask ROM starts when molt's boot sector is at flash address 0.
// Mask-ROM functions only, flash cache off, interrupts off: the whole machine is ours.

#include "machine.c"

static uint32_t present_step;
static uint32_t step_count;

static void put_number(uint32_t n) {
    char digits[11];
    char *p = digits + sizeof digits - 1;
    *p = 0;
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    put(p);
}

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    if (event == MOLT_BOOT_START) {
        step_count = arg;
        put("\r\nmolt: upgrading\r\n");
    } else if (event == MOLT_BOOT_STEP) {
        present_step = arg;
        put("\r");
        put_number(arg * 100 / step_count);
        put("%");
    } else if (event == MOLT_BOOT_RESTORE) {
        put("file has changed, keeping the old firmware\r\n");
    }
}

static const molt_boot_io_t io = { .ctx = 0, .event = on_event, .extend = run_extension };

__attribute__((externally_visible, noreturn)) void molt_loader_entry(void);

void molt_loader_entry(void) {
    static const molt_boot_place_t place = { 0, 0 };
    static uint32_t sector[SECTOR_SIZE / 4];
    static uint32_t buf[SECTOR_SIZE / 4];
    ets_wdt_disable();
    SPIUnlock();
    flashchip->chip_size = FLASH_SIZE_MAX;
    present_step = 0;
    for (;;) {
        int result = molt_boot_run(&flash, &place, (uint8_t *)sector, (uint8_t *)buf, &io);
        if (result >= 0) {
            restart();
        }
        put("\r\nerror ");
        put_number((uint32_t)-result);
        put(" at step ");
        put_number(present_step);
        put(", trying again\r\n");
        ets_delay_us(RETRY_DELAY_US);
    }
}
