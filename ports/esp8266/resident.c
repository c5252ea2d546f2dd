// The resident boot loader of the ESP8266: started by the mask ROM at each start, it starts the firmware, after an
// upgrade if the state asks for one. Upgrading is an overlay (resident.ld), which an ordinary start does not load.

#include "machine.c"
#include "molt/crc32.h"
#include "molt/resident.h"

// From resident.ld: where the overlay runs, where it is entered, and its size. They are addresses to the compiler.
extern const char overlay_vaddr[], overlay_entry_vaddr[], overlay_size[];

// CRC-32 of anything that ends in its own CRC-32.
#define CRC_OF_CHECKED 0x2144DF1Cu

static const molt_boot_io_t io = { .ctx = 0, .event = on_event, .extend = run_extension };

static uint32_t sector[SECTOR_SIZE / 4];
static uint32_t buf[SECTOR_SIZE / 4];

typedef int (*overlay_t)(uint32_t reserved_addr, molt_state_t *state);

// Where it is entered.
__attribute__((externally_visible, noinline, section(".text.overlay_entry")))
int molt_overlay_entry(uint32_t reserved_addr, molt_state_t *state);

int molt_overlay_entry(uint32_t reserved_addr, molt_state_t *state) {
    int err = molt_resident_act(&flash, reserved_addr, state, (uint8_t *)sector, (uint8_t *)buf, &io);
    if (err == MOLT_RESIDENT_RESET) {
        restart();
    }
    if (err) {
        put_error(err);
    }
    return err;
}

// Its last word, behind overlay_size, is its CRC, and it ends where the configuration begins.
static int run_overlay(uint32_t reserved_addr, molt_state_t *state) {
    uint32_t size = (uint32_t)(uintptr_t)overlay_size + 4;
    int err = flash_read(0, SECTOR_SIZE - MOLT_RESIDENT_CONFIG_SIZE - size, sector, size);
    if (err) {
        return err;
    }
    if (molt_crc32(0, sector, size) != CRC_OF_CHECKED) {
        return MOLT_ERR_CORRUPT;
    }
    copy_words((uint32_t)(uintptr_t)overlay_vaddr, (const uint8_t *)sector, size - 4);
    __asm__ volatile("memw\n\tisync" ::: "memory");
    return ((overlay_t)(uintptr_t)overlay_entry_vaddr)(reserved_addr, state);
}

// Straight to where it belongs: the mask ROM's SPIRead stores whole words, which is what IRAM takes. (Arduino's eboot
// relies on it, too.)
static void *place(void *ctx, uint32_t vaddr, uint32_t size) {
    (void)ctx;
    (void)size;
    return (void *)(uintptr_t)vaddr;
}

static const molt_loading_t loading = { 0, place };

typedef void (*entry_t)(void);

__attribute__((externally_visible, noreturn)) void molt_loader_entry(void);

void molt_loader_entry(void) {
    uint32_t chip_size = flashchip->chip_size;
    flashchip->chip_size = FLASH_SIZE_MAX;
    for (;;) {
        uint32_t reserved_addr;
        uint32_t entry_vaddr;
        molt_state_t state;
        int err = molt_resident_find(&flash, &reserved_addr);
        if (!err) {
            err = molt_resident_ask(&flash, reserved_addr, &state);
        }
        if (!err && state.kind != MOLT_STATE_NORMAL) {
            err = run_overlay(reserved_addr, &state);
        }
        if (!err) {
            err = molt_resident_load(&flash, molt_state_head_addr(&flash, reserved_addr, state.head), &loading, &entry_vaddr);
        }
        if (!err) {
            flashchip->chip_size = chip_size;
            __asm__ volatile("memw\n\tisync" ::: "memory");
            ((entry_t)(uintptr_t)entry_vaddr)();
        }
        // No firmware, or not yet; put_error() has told more, where it was the overlay's.
        uart_tx_one_char('!');
        ets_delay_us(RETRY_DELAY_US);
    }
}
