// Start, reset, time and eFuses of the virtual IDF.
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "board.h"
#include "esp_app_desc.h"
#include "esp_attr.h"
#include "esp_flash_encrypt.h"
#include "esp_log.h"
#include "esp_random.h"
#include "esp_secure_boot.h"
#include "esp_system.h"
#include "hal/efuse_hal.h"

#define RTC_HINT REG(0x600080c0)  // STORE6, where IDF keeps why it resets the chip
#define RTC_WATCHDOG_CONFIG REG(0x60008090)
#define RTC_WATCHDOG_KEY REG(0x600080a8)
#define RANDOM REG(0x600260b0)
#define SYSTIMER(off) REG(0x60023000 + (off))
#define EFUSE(off) REG(0x60008800 + (off))
#define GPIO(off) REG(0x60004000 + (off))

void app_main(void);
void flash_init(void);
void system_start(void);

__attribute__((section(".app_desc"), used)) const esp_app_desc_t app_desc = {
    .magic_word = ESP_APP_DESC_MAGIC_WORD,
    .version = VPORT_VERSION,
    .project_name = "micropython",
    .idf_ver = IDF_VER,
    .max_efuse_blk_rev_full = 0xffff,
    .mmu_page_size = 16,
};

const esp_app_desc_t *esp_app_get_description(void) {
    return &app_desc;
}

// ---- start and reset

// As IDF's start-up code: the boot loader's watchdog ends here.
void system_start(void) {
    RTC_WATCHDOG_KEY = 0x50d83aa1;
    RTC_WATCHDOG_CONFIG = 0;
    RTC_WATCHDOG_KEY = 0;
    flash_init();
    app_main();
    esp_system_abort("app_main has returned");
}

static void set_hint(esp_reset_reason_t reason) {
    RTC_HINT = (uint32_t)reason | (uint32_t)reason << 16;
}

_Noreturn void esp_restart(void) {
    set_hint(ESP_RST_SW);
    software_reset();
    for (;;) {
    }
}

// IDF prints registers and a backtrace, and resets the chip.
_Noreturn void esp_system_abort(const char *details) {
    ets_printf(
        "\r\nabort() was called at PC 0x%08x on core 0: %s\r\nRebooting...\r\n", (uint32_t)__builtin_return_address(0), details);
    set_hint(ESP_RST_PANIC);
    software_reset();
    for (;;) {
    }
}

_Noreturn void abort(void) {
    esp_system_abort("abort");
}

_Noreturn void _exit(int status) {
    (void)status;
    esp_system_abort("exit");
}

esp_reset_reason_t esp_reset_reason(void) {
    uint32_t hint = RTC_HINT, reason = rtc_get_reset_reason(0);
    switch (reason) {
        case 1:
            return ESP_RST_POWERON;
        case 3:
        case 12:
            return (hint & 0xffff) == hint >> 16 && hint != 0 ? (esp_reset_reason_t)(hint & 0xffff) : ESP_RST_SW;
        case 7:
        case 9:
        case 11:
        case 13:
        case 16:
        case 18:
            return ESP_RST_WDT;
        default:
            return ESP_RST_UNKNOWN;
    }
}

// ---- time, random numbers

uint64_t esp_timer_us(void) {
    SYSTIMER(0x04) = 0x40000000;
    while ((SYSTIMER(0x04) & 0x20000000) == 0) {
    }
    uint64_t ticks = (uint64_t)SYSTIMER(0x40) << 32 | SYSTIMER(0x44);
    return ticks / 16;
}

// Seconds since 2000, as the port counts them: a chip that nobody has told the time begins there.
int gettimeofday(struct timeval *time, void *zone) {
    uint64_t us = esp_timer_us();
    (void)zone;
    time->tv_sec = (time_t)(us / 1000000);
    time->tv_usec = (suseconds_t)(us % 1000000);
    return 0;
}

uint32_t esp_random(void) {
    return RANDOM;
}

// ---- eFuses

bool esp_secure_boot_enabled(void) {
    return (EFUSE(0x38) & 1u << 20) != 0;  // SECURE_BOOT_EN
}

bool esp_flash_encryption_enabled(void) {
    return __builtin_popcount(EFUSE(0x34) >> 18 & 7) % 2 != 0;  // SPI_BOOT_CRYPT_CNT: an odd number of bits
}

// ---- the rest

static esp_log_level_t log_level = ESP_LOG_ERROR;

void esp_log_level_set(const char *tag, esp_log_level_t level) {
    (void)tag;
    log_level = level;
}

esp_log_level_t esp_log_level_get(const char *tag) {
    (void)tag;
    return log_level;
}

void esp_rom_gpio_connect_in_signal(uint32_t pin, uint32_t signal, bool is_inverted) {
    GPIO(0x154 + 4 * signal) = pin | (uint32_t)is_inverted << 5 | 1u << 6;
}

void esp_rom_gpio_connect_out_signal(uint32_t pin, uint32_t signal, bool is_inverted, bool is_enable_inverted) {
    GPIO(0x554 + 4 * pin) = signal | (uint32_t)is_inverted << 8 | (uint32_t)is_enable_inverted << 10;
}

const char *esp_err_to_name(esp_err_t code) {
    static const struct {
        esp_err_t code;
        const char *name;
    } names[] = { { ESP_OK, "ESP_OK" }, { ESP_FAIL, "ESP_FAIL" }, { ESP_ERR_NO_MEM, "ESP_ERR_NO_MEM" },
        { ESP_ERR_INVALID_ARG, "ESP_ERR_INVALID_ARG" }, { ESP_ERR_INVALID_STATE, "ESP_ERR_INVALID_STATE" },
        { ESP_ERR_INVALID_SIZE, "ESP_ERR_INVALID_SIZE" }, { ESP_ERR_NOT_FOUND, "ESP_ERR_NOT_FOUND" },
        { ESP_ERR_NOT_SUPPORTED, "ESP_ERR_NOT_SUPPORTED" }, { ESP_ERR_TIMEOUT, "ESP_ERR_TIMEOUT" },
        { ESP_ERR_NOT_ALLOWED, "ESP_ERR_NOT_ALLOWED" }, { ESP_ERR_OTA_VALIDATE_FAILED, "ESP_ERR_OTA_VALIDATE_FAILED" },
        { ESP_ERR_OTA_ROLLBACK_INVALID_STATE, "ESP_ERR_OTA_ROLLBACK_INVALID_STATE" } };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return "UNKNOWN ERROR";
}

// v0.4, as most modules have it.
uint32_t efuse_hal_chip_revision(void) {
    return 4;
}
