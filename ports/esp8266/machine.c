// What both boot loaders of the ESP8266 stand on: the flash driver and the console, by mask-ROM functions. Compiled into
// the same translation unit as either, so that calls through `flash` and `io` become direct ones.

#include "extension.h"
#include "molt/boot.h"
#include "molt/error.h"
#include "rom.h"

#define SECTOR_SIZE 4096u
#define BLOCK_SIZE 65536u
#define PAGE_SIZE 256u

// What an extent can address: 12 bits of sector number. The chip's real size is in the plan.
#define FLASH_SIZE_MAX 0x01000000u

// The watchdog as the mask ROM arms it after a software restart: mode and two stages of 2^n * 0.8 ms, n = 12 and
// 12 + 2, 13 s in all. Source: measured behaviour of the ROM, as other boot loaders use it.
#define WDT_MODE 4u
#define WDT_STAGE 12u

// Pause after a failure, before everything is tried again from the journal on.
#define RETRY_DELAY_US 3000000u

// The mask ROM returns 1 or 2 for a failure; its negative is as good as any error number.

static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return -SPIRead(addr, buf, size);
}

static int flash_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    return -SPIWrite(addr, buf, size);
}

static int flash_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    return -SPIEraseSector(addr / SECTOR_SIZE);
}

static int flash_erase_block(void *ctx, uint32_t addr) {
    (void)ctx;
    return -SPIEraseBlock(addr / BLOCK_SIZE);
}

static const molt_flash_t flash = {
    .ctx = 0,
    .geometry = { FLASH_SIZE_MAX, SECTOR_SIZE, BLOCK_SIZE, PAGE_SIZE },
    .read = flash_read,
    .prog = flash_prog,
    .erase_sector = flash_erase_sector,
    .erase_block = flash_erase_block,
};

static void put(const char *text) {
    for (; *text; text++) {
        uart_tx_one_char((uint8_t)*text);
    }
}

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

// Of the plan that is carried out.
static uint32_t step_count;
static uint32_t present_step;

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    if (event == MOLT_BOOT_START) {
        ets_wdt_disable();
        step_count = arg;
        present_step = 0;
        put("\r\nmolt: upgrading\r\n");
    } else if (event == MOLT_BOOT_STEP) {
        present_step = arg;
        put("\r");
        put_number(arg * 100 / step_count);
        put("%");
    } else if (!MOLT_RESIDENT_ONLY && event == MOLT_BOOT_RESTORE) {
        put("file has changed, keeping the old firmware\r\n");
    }
}

static void put_error(int err) {
    put("\r\nerror ");
    put_number((uint32_t)-err);
}

// IRAM takes whole words only.
static void copy_words(uint32_t vaddr, const uint8_t *data, uint32_t size) {
    const uint32_t *from = (const uint32_t *)(uintptr_t)data;
    volatile uint32_t *to = (volatile uint32_t *)(uintptr_t)vaddr;
    for (; size; size -= 4) {
        *to++ = *from++;
    }
}

static void run_extension(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image) {
    (void)ctx;
    copy_words(EXTENSION_VADDR, code, size);
    __asm__ volatile("memw\n\tisync" ::: "memory");
    ((extension_entry_t)EXTENSION_VADDR)(source, image);
}

__attribute__((noreturn)) static void restart(void) {
    put("\r\ndone\r\n");
    ets_wdt_enable(WDT_MODE, WDT_STAGE, WDT_STAGE);
    software_reset();
    for (;;) {
    }
}
