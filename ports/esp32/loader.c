// The standby loader of the ESP32 family: what the second-stage boot loader starts when the firmware does not boot. Mask-ROM functions
// only; nothing runs from flash, interrupts are off: the whole machine is ours. What chips do not have in common is in their chip.h,
// and what architectures do not in arch.h.

#include "arch.h"
#include "chip.h"
#include "extension.h"
#include "machine.c"
#include "molt/error.h"
#include "rom.h"
#include "trial.h"
#include "upgrade/boot.h"
#include "upgrade/report.h"

// Pause before a reset when there was nothing to do, or it failed.
#define PAUSE_S 3u

// In start.S, where installing has put the plan's address.
extern const volatile uint32_t molt_plan_addr;

// The super watchdog, where there is one: older boot loaders leave it on, and it bites after a second. It can feed itself.
static void calm_super_watchdog(void) {
#ifdef SWD_ADDR
    uint32_t swd_addr = arch_block(SWD_ADDR);
    uint32_t protect_addr = swd_addr + (SWD_PROTECT_ADDR - SWD_ADDR);
    REGISTER(protect_addr) = SWD_PROTECT_KEY;
    REGISTER(swd_addr) |= SWD_AUTO_FEED_BIT;
    REGISTER(protect_addr) = 0;
#endif
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
    }
    feed();
}

static int run_extension(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image) {
    (void)ctx;
    arch_put_code(EXTENSION_VADDR, (const uint32_t *)(const void *)code, size);
    ((extension_entry_t)EXTENSION_VADDR)(source, image);
    return 0;
}

#if MOLT_TRIAL
static uint32_t run_trial(const molt_flash_t *nor, uint32_t plan_addr, const uint8_t *sector, uint8_t *buf, const uint8_t *code) {
    arch_sync_code();
    return ((trial_entry_t)(code + CODE_VADDR_OFF))(nor, plan_addr, sector, buf, code);
}
#else
#define run_trial NULL
#endif

static const molt_boot_io_t io = { .ctx = 0, .event = on_event, .wait = wait, .extend = run_extension, .ask = run_trial };

__attribute__((externally_visible, noreturn)) void molt_loader_entry(void);

void molt_loader_entry(void) {
    static uint32_t sector[SECTOR_SIZE / 4];
    static uint32_t buf[SECTOR_SIZE / 4];
    arch_begin();
    feed();
    calm_super_watchdog();
    flash_begin();
    int result = molt_boot_standby(&flash, molt_plan_addr, (uint8_t *)sector, (uint8_t *)buf, &io);
    ets_printf(result == MOLT_BOOT_DONE       ? "\r\ndone\r\n"
               : result == MOLT_BOOT_RESTORED ? "\r\nthe old firmware is back\r\n"
               : result == MOLT_BOOT_IDLE     ? "\r\nmolt: nothing to do\r\n"
                                              : "\r\nmolt: error %d\r\n",
        -result);
    if (result != MOLT_BOOT_DONE && result != MOLT_BOOT_RESTORED) {
        // The second-stage boot loader looks again; perhaps the firmware was misread.
        wait(0, PAUSE_S);
    }
    software_reset();
    for (;;) {
    }
}
