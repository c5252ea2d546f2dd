// What each boot loader of the ESP8266 stands on: the flash driver, and the watchdog kept quiet, by mask-ROM functions.
// Compiled into the same translation unit, so that calls through `flash` become direct ones.

#include "molt/error.h"
#include "rom.h"
#include "upgrade/boot.h"

#define SECTOR_SIZE 4096u
#define BLOCK_SIZE 65536u
#define PAGE_SIZE 256u

// What an extent can address: 12 bits of sector number. The chip's real size is in the plan.
#define FLASH_SIZE_MAX 0x01000000u

// Source: ESP8266 Technical Reference, watchdog; what Espressif's SDK writes where.
#define WDT_FEED_REGISTER (*(volatile uint32_t *)0x60000914u)
#define WDT_FEED_VALUE 0x73u

// Pause after a failure, before everything is tried again from the journal on.
#define RETRY_DELAY_S 3u

static const molt_flash_t flash = {
    .ctx = 0,
    .geometry = { FLASH_SIZE_MAX, SECTOR_SIZE, BLOCK_SIZE, PAGE_SIZE },
    .read = flash_read,
    .prog = flash_prog,
    .erase_sector = flash_erase_sector,
    .erase_block = flash_erase_block,
};

static void feed(void) {
    WDT_FEED_REGISTER = WDT_FEED_VALUE;
}

static void wait(void *ctx, uint32_t seconds) {
    (void)ctx;
    for (; seconds; seconds--) {
        feed();
        ets_delay_us(1000000);
    }
}

// IRAM takes whole words only.
static void copy_words(uint32_t vaddr, const uint8_t *data, uint32_t size) {
    const uint32_t *from = (const uint32_t *)(uintptr_t)data;
    volatile uint32_t *to = (volatile uint32_t *)(uintptr_t)vaddr;
    for (; size; size -= 4) {
        *to++ = *from++;
    }
}
