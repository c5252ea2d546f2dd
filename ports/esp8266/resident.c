// The first part of the ESP8266's resident boot loader: started by the mask ROM at each start, it starts the firmware,
// after it has run the overlay (overlay.c) if the state asks for more. It writes nothing to flash.

#include "resident/resident.h"
#include "base/crc32.h"
#include "machine.c"

// The buffer that the overlay's sector is read into: data RAM that neither this part nor the mask ROM uses. Its code is
// copied to where it runs, its constants stay here (overlay.ld). A part of the overlay's ABI.
#define OVERLAY_BUFFER_VADDR 0x3fff8000u

typedef int (*overlay_t)(uint32_t reserved_addr, molt_state_t *state);
typedef void (*entry_t)(void);

static int run_overlay(void *ctx, uint32_t reserved_addr, molt_state_t *state) {
    uint8_t *sector = (uint8_t *)OVERLAY_BUFFER_VADDR;
    molt_overlay_t overlay;
    (void)ctx;
    int err = molt_overlay_read(&flash, reserved_addr, sector, &overlay);
    if (err) {
        return err;
    }
    if (overlay.abi != MOLT_OVERLAY_ABI) {
        return MOLT_ERR_NOENT;
    }
    copy_words(overlay.vaddr, sector + MOLT_OVERLAY_HEADER_SIZE, overlay.size);
    __asm__ volatile("memw\n\tisync" ::: "memory");
    return ((overlay_t)(uintptr_t)overlay.vaddr)(reserved_addr, state);
}

// Straight to where it belongs: the mask ROM's SPIRead stores whole words, which is what IRAM takes. (Arduino's eboot
// relies on it, too.)
static void *place(void *ctx, uint32_t vaddr, uint32_t size) {
    (void)ctx;
    (void)size;
    return (void *)(uintptr_t)vaddr;
}

static const molt_start_io_t io = { 0, place, run_overlay };

__attribute__((externally_visible, noreturn)) void molt_loader_entry(void);

void molt_loader_entry(void) {
    uint32_t chip_size = flashchip->chip_size;
    flashchip->chip_size = FLASH_SIZE_MAX;
    for (;;) {
        uint32_t head_addr;
        uint32_t entry_vaddr = 0;
        int err = molt_resident_start(&flash, &io, &head_addr, &entry_vaddr);
        if (!err) {
            flashchip->chip_size = chip_size;
            __asm__ volatile("memw\n\tisync" ::: "memory");
            ((entry_t)(uintptr_t)entry_vaddr)();
        }
        if (err > 0) {
            software_reset();
        }
        // No firmware, or not yet. The overlay has told more, where it was its error.
        uart_tx_one_char('!');
        wait(0, RETRY_DELAY_S);
    }
}
