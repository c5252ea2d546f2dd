// The resident boot loader of the ESP8266: started by the mask ROM at each start, it starts the firmware, after an
// upgrade if the state asks for one.

#include "machine.c"
#include "molt/resident.h"

// IRAM takes whole words only.
static int place(void *ctx, uint32_t vaddr, const uint8_t *data, uint32_t size) {
    (void)ctx;
    const uint32_t *from = (const uint32_t *)(uintptr_t)data;
    volatile uint32_t *to = (volatile uint32_t *)(uintptr_t)vaddr;
    for (uint32_t i = 0; i < size / 4; i++) {
        to[i] = from[i];
    }
    return 0;
}

typedef void (*entry_t)(void);

__attribute__((externally_visible, noreturn)) void molt_loader_entry(void);

void molt_loader_entry(void) {
    static const molt_loading_t loading = { 0, place };
    static uint32_t sector[SECTOR_SIZE / 4];
    static uint32_t buf[SECTOR_SIZE / 4];
    step_count = 0;
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
        if (!err && step_count) {
            // An upgrade has been carried out: the firmware starts as after any reset, with the watchdog on.
            restart();
        }
        if (!err) {
            err = molt_resident_load(&flash, head_addr, (uint8_t *)buf, &loading, &entry_vaddr);
        }
        if (!err) {
            __asm__ volatile("memw\n\tisync" ::: "memory");
            ((entry_t)(uintptr_t)entry_vaddr)();
        }
        put_error(err);
    }
}
