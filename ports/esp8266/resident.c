// The resident boot loader of the ESP8266: started by the mask ROM at each start, it starts the firmware, after an
// upgrade if the state asks for one. It has to share a sector with nobody but its configuration, and just fits: on the
// UART it prints no numbers, but "molt", a dot for each step, and an exclamation mark for a failure.

#include "machine.c"
#include "molt/resident.h"

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    (void)arg;
    if (event == MOLT_BOOT_START) {
        ets_wdt_disable();
        put("\r\nmolt");
    } else if (event == MOLT_BOOT_STEP) {
        put(".");
    }
}

static const molt_boot_io_t io = { .ctx = 0, .event = on_event, .extend = run_extension };

static int place(void *ctx, uint32_t vaddr, const uint8_t *data, uint32_t size) {
    (void)ctx;
    copy_words(vaddr, data, size);
    return 0;
}

static const molt_loading_t loading = { 0, place };

typedef void (*entry_t)(void);

__attribute__((externally_visible, noreturn)) void molt_loader_entry(void);

void molt_loader_entry(void) {
    static uint32_t sector[SECTOR_SIZE / 4];
    static uint32_t buf[SECTOR_SIZE / 4];
    uint32_t chip_size = flashchip->chip_size;
    SPIUnlock();
    flashchip->chip_size = FLASH_SIZE_MAX;
    for (;;) {
        uint32_t reserved_addr;
        uint32_t head_addr;
        uint32_t entry_vaddr;
        int err = molt_resident_find(&flash, &reserved_addr);
        if (!err) {
            err = molt_resident_run(&flash, reserved_addr, (uint8_t *)sector, (uint8_t *)buf, &io, &head_addr);
        }
        if (err == MOLT_RESIDENT_RESET) {
            restart();
        }
        if (!err) {
            err = molt_resident_load(&flash, head_addr, (uint8_t *)buf, &loading, &entry_vaddr);
        }
        if (!err) {
            flashchip->chip_size = chip_size;
            __asm__ volatile("memw\n\tisync" ::: "memory");
            ((entry_t)(uintptr_t)entry_vaddr)();
        }
        put("!");
        ets_delay_us(RETRY_DELAY_US);
    }
}
