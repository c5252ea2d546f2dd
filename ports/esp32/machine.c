// What the standby loader and its extension for delta files stand on: the flash driver, and the watchdog kept quiet. Compiled into the
// same translation unit, so that calls through `flash` become direct ones.

#include "arch.h"
#include "chip.h"
#include "loader_flash.h"
#include "rom.h"

// What an extent can address: 12 bits of sector number. The chip's real size is in the plan.
#define FLASH_SIZE_MAX 0x01000000u

#define REGISTER(addr) (*(volatile uint32_t *)(addr))

static const molt_flash_t flash = {
    .ctx = 0,
    .geometry = { FLASH_SIZE_MAX, SECTOR_SIZE, BLOCK_SIZE, PAGE_SIZE },
    .read = flash_read,
    .prog = flash_prog,
    .erase_sector = flash_erase_sector,
    .erase_block = flash_erase_block,
};

// The RTC watchdog, which the second-stage boot loader leaves on with 9 s: more than the slowest step takes (16 sectors erased one
// by one, 0.4 s each by the data sheets).
static void feed(void) {
    uint32_t feed_addr = arch_block(WDT_FEED_ADDR);
    uint32_t protect_addr = feed_addr + (WDT_PROTECT_ADDR - WDT_FEED_ADDR);
    REGISTER(protect_addr) = WDT_PROTECT_KEY;
    REGISTER(feed_addr) = WDT_FEED_BIT;
    REGISTER(protect_addr) = 0;
}

static void wait(void *ctx, uint32_t seconds) {
    (void)ctx;
    for (; seconds; seconds--) {
        feed();
        ets_delay_us(1000000);
    }
    feed();
}
