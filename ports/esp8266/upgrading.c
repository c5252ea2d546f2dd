// What the boot loaders that upgrade have beside machine.c: a console, the chip's write protection, the extension.
// Compiled into the same translation unit as either, so that calls through `io` become direct ones.

#include "extension.h"
#include "machine.c"
#include "upgrade/report.h"

// The watchdog: resets in both stages. The mask ROM takes 12 for 13, and a stage of n lasts 2^n * 0.8 ms: 6.7 s each, 13 s
// in all, which is more than the slowest step takes (16 sectors erased one by one, 0.4 s each by the data sheets).
#define WDT_MODE 4u
#define WDT_STAGE 12u
// Block-protect bits of the status register, BP0 to BP2 and, where there is one, BP3 or TB. Source: data sheets of W25Q32,
// GD25Q32, IS25LP032.
#define STATUS_PROTECTED_MASK 0x3cu

// The status register is non-volatile: it is not written at a start unless something is protected. (With a header of a
// quad mode nothing is: switching to that mode has cleared the bits. With another the quad-enable bit does not matter.)
static void unlock(void) {
    uint32_t status = 0;
    (void)SPI_read_status(flashchip, &status);
    if (status & STATUS_PROTECTED_MASK) {
        (void)SPIUnlock();
    }
}

// Of the plan that is carried out.
static uint32_t step_count;

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    if (event == MOLT_BOOT_START) {
        ets_wdt_enable(WDT_MODE, WDT_STAGE, WDT_STAGE);
        step_count = arg;
        ets_printf("\r\nmolt: upgrading\r\n");
    } else if (event == MOLT_BOOT_STEP) {
        ets_printf("\r%d%%", arg * 100 / step_count);
    } else if (!MOLT_RESIDENT_ONLY && event == MOLT_BOOT_FINISH && arg == MOLT_REPORT_RESTORED) {
        ets_printf("\r\nfile has changed\r\n");
    }
    feed();
}

static void put_error(int err) {
    ets_printf("\r\nerror %d\r\n", -err);
}

static int run_extension(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image) {
    (void)ctx;
    copy_words(EXTENSION_VADDR, code, size);
    __asm__ volatile("memw\n\tisync" ::: "memory");
    return ((extension_entry_t)EXTENSION_VADDR)(source, image);
}

static int run_transform(void *ctx) {
    (void)ctx;
    return ((extension_entry_t)EXTENSION_VADDR)(0, 0);
}

static void put_done(void) {
    ets_printf("\r\ndone\r\n");
    feed();
}
