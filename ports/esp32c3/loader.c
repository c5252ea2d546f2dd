// The standby loader of the ESP32-C3: what the second-stage boot loader starts when the firmware does not boot. Mask-ROM functions
// only; nothing runs from flash, interrupts are off: the whole machine is ours.

#include "extension.h"
#include "molt/error.h"
#include "rom.h"
#include "upgrade/boot.h"
#include "upgrade/report.h"
#include "trial.h"

#define SECTOR_SIZE 4096u
#define BLOCK_SIZE 65536u
#define PAGE_SIZE 256u

// What an extent can address: 12 bits of sector number. The chip's real size is in the plan.
#define FLASH_SIZE_MAX 0x01000000u

// The RTC watchdog, which the second-stage boot loader leaves on with 9 s: more than the slowest step takes (16 sectors erased one
// by one, 0.4 s each by the data sheets). Source: ESP32-C3 Technical Reference Manual, RTC_CNTL_WDTFEED_REG and
// RTC_CNTL_WDTWPROTECT_REG with its key.
#define WDT_FEED_REGISTER (*(volatile uint32_t *)0x600080a4u)
#define WDT_FEED_BIT 0x80000000u
#define WDT_PROTECT_REGISTER (*(volatile uint32_t *)0x600080a8u)
#define WDT_PROTECT_KEY 0x50d83aa1u

// The super watchdog: older boot loaders leave it on, and it bites after a second. It can feed itself. Source: as above,
// RTC_CNTL_SWD_CONF_REG and RTC_CNTL_SWD_WPROTECT_REG with its key.
#define SWD_REGISTER (*(volatile uint32_t *)0x600080acu)
#define SWD_AUTO_FEED_BIT 0x80000000u
#define SWD_PROTECT_REGISTER (*(volatile uint32_t *)0x600080b0u)
#define SWD_PROTECT_KEY 0x8f1d312au

// Pause before a reset when there was nothing to do, or it failed.
#define PAUSE_S 3u

// In start.S, behind the first jump: where installing has put the plan's address.
extern const volatile uint32_t molt_plan_addr;

// The mask ROM returns 1 or 2 for a failure; its negative is as good as any error number.

static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return -esp_rom_spiflash_read(addr, buf, size);
}

static int flash_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    return -esp_rom_spiflash_write(addr, buf, size);
}

static int flash_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    return -esp_rom_spiflash_erase_sector(addr / SECTOR_SIZE);
}

static int flash_erase_block(void *ctx, uint32_t addr) {
    (void)ctx;
    return -esp_rom_spiflash_erase_block(addr / BLOCK_SIZE);
}

static const molt_flash_t flash = {
    .ctx = 0,
    .geometry = { FLASH_SIZE_MAX, SECTOR_SIZE, BLOCK_SIZE, PAGE_SIZE },
    .read = flash_read,
    .prog = flash_prog,
    .erase_sector = flash_erase_sector,
    .erase_block = flash_erase_block,
};

static void feed(void) {
    WDT_PROTECT_REGISTER = WDT_PROTECT_KEY;
    WDT_FEED_REGISTER = WDT_FEED_BIT;
    WDT_PROTECT_REGISTER = 0;
}

static void calm_super_watchdog(void) {
    SWD_PROTECT_REGISTER = SWD_PROTECT_KEY;
    SWD_REGISTER |= SWD_AUTO_FEED_BIT;
    SWD_PROTECT_REGISTER = 0;
}

static void wait(void *ctx, uint32_t seconds) {
    (void)ctx;
    for (; seconds; seconds--) {
        feed();
        ets_delay_us(1000000);
    }
    feed();
}

// Of the plan that is carried out.
static uint32_t step_count;

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    if (event == MOLT_BOOT_START) {
        step_count = arg;
        ets_printf("\r\nmolt: upgrading\r\n");
    } else if (event == MOLT_BOOT_STEP) {
        ets_printf("\r%d%%", arg * 100 / step_count);
    } else if (event == MOLT_BOOT_FINISH && arg == MOLT_REPORT_RESTORED) {
        ets_printf("\r\nthe old firmware goes back\r\n");
    }
    feed();
}

// fence.i, which compilers know only of an architecture with more than this chip's name says.
static void fence_code(void) {
    __asm__ volatile(".word 0x0000100f" ::: "memory");
}

static int run_extension(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image) {
    (void)ctx;
    uint32_t *to = (uint32_t *)EXTENSION_VADDR;
    const uint32_t *from = (const uint32_t *)(const void *)code;
    for (uint32_t i = 0; i < size / 4; i++) {
        to[i] = from[i];
    }
    fence_code();
    ((extension_entry_t)EXTENSION_VADDR)(source, image);
    return 0;
}

static uint32_t run_trial(
    void *ctx, uint8_t *code, uint32_t plan_addr, uint32_t image_addr, const uint8_t *sector, uint8_t *buf, bool is_new) {
    (void)ctx;
    fence_code();
    return ((trial_entry_t)(uintptr_t)(code + CODE_VADDR_OFF))(&flash, plan_addr, image_addr, sector, buf, is_new);
}

static const molt_boot_io_t io = { .ctx = 0, .event = on_event, .wait = wait, .extend = run_extension, .ask = run_trial };

__attribute__((externally_visible, noreturn)) void molt_loader_entry(void);

void molt_loader_entry(void) {
    static uint32_t sector[SECTOR_SIZE / 4];
    static uint32_t buf[SECTOR_SIZE / 4];
    feed();
    calm_super_watchdog();
    int result = molt_boot_standby(&flash, molt_plan_addr, (uint8_t *)sector, (uint8_t *)buf, &io);
    if (result == MOLT_BOOT_DONE || result == MOLT_BOOT_RESTORED) {
        ets_printf("\r\ndone\r\n");
    } else {
        // The second-stage boot loader looks again; perhaps the firmware was misread.
        ets_printf(result < 0 ? "\r\nmolt: error %d\r\n" : "\r\nmolt: nothing to do\r\n", -result);
        wait(0, PAUSE_S);
    }
    software_reset();
    for (;;) {
    }
}
