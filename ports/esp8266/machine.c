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

static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return SPIRead(addr, buf, size) ? MOLT_ERR_IO : 0;
}

static int flash_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    return SPIWrite(addr, buf, size) ? MOLT_ERR_IO : 0;
}

static int flash_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    return SPIEraseSector(addr / SECTOR_SIZE) ? MOLT_ERR_IO : 0;
}

static int flash_erase_block(void *ctx, uint32_t addr) {
    (void)ctx;
    return SPIEraseBlock(addr / BLOCK_SIZE) ? MOLT_ERR_IO : 0;
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

static uint32_t present_step;
static uint32_t step_count;

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    if (event == MOLT_BOOT_START) {
        step_count = arg;
        ets_wdt_disable();
        put("\r\nmolt: upgrading\r\n");
    } else if (event == MOLT_BOOT_STEP) {
        present_step = arg;
        put("\r");
        put_number(arg * 100 / step_count);
        put("%");
    } else if (event == MOLT_BOOT_RESTORE && !MOLT_RESIDENT_ONLY) {
        put("file has changed, keeping the old firmware\r\n");
    }
}

// IRAM takes whole words only.
static void run_extension(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image) {
    (void)ctx;
    const uint32_t *from = (const uint32_t *)(uintptr_t)code;
    volatile uint32_t *to = (volatile uint32_t *)EXTENSION_VADDR;
    for (uint32_t i = 0; i < size / 4; i++) {
        to[i] = from[i];
    }
    __asm__ volatile("memw\n\tisync" ::: "memory");
    ((extension_entry_t)EXTENSION_VADDR)(source, image);
}

static const molt_boot_io_t io = { .ctx = 0, .event = on_event, .extend = run_extension };

static void put_error(int err) {
    put("\r\nerror ");
    put_number((uint32_t)-err);
    put(" at step ");
    put_number(present_step);
    put(", trying again\r\n");
    ets_delay_us(RETRY_DELAY_US);
}

__attribute__((noreturn)) static void restart(void) {
    put("\r\ndone\r\n");
    ets_wdt_enable(WDT_MODE, WDT_STAGE, WDT_STAGE);
    software_reset();
    for (;;) {
    }
}
