// A chip of the ESP32 family as the module's device, through ESP-IDF.

#include "device.h"

#include "esp_flash.h"
#include "esp_flash_encrypt.h"
#include "esp_ota_ops.h"
#include "esp_private/esp_flash_internal.h"
#include "esp_secure_boot.h"
#include "esp_system.h"
#include "hal/efuse_hal.h"
#include "molt/error.h"
#include "molt/standby.h"
#include "molt_esp32.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "standby_api.h"
#include "upgrade_obj.h"

#if CONFIG_IDF_TARGET_ESP32
const molt_target_t *const molt_device_chip = &molt_esp32;
#elif CONFIG_IDF_TARGET_ESP32C2
const molt_target_t *const molt_device_chip = &molt_esp32c2;
#elif CONFIG_IDF_TARGET_ESP32C3
const molt_target_t *const molt_device_chip = &molt_esp32c3;
#elif CONFIG_IDF_TARGET_ESP32C6
const molt_target_t *const molt_device_chip = &molt_esp32c6;
#elif CONFIG_IDF_TARGET_ESP32C61
const molt_target_t *const molt_device_chip = &molt_esp32c61;
#elif CONFIG_IDF_TARGET_ESP32H2
const molt_target_t *const molt_device_chip = &molt_esp32h2;
#else
#error "molt has no loader for this chip so far"
#endif

static int result(esp_err_t err) {
    return err == ESP_OK ? 0 : MOLT_ERR_IO;
}

static int idf_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return result(esp_flash_read(NULL, buf, addr, size));
}

// ESP-IDF ends the program where it would write below the first partition or into the running firmware, which is what molt is for.
static int idf_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    (void)esp_flash_set_dangerous_write_protection(esp_flash_default_chip, false);
    esp_err_t err = esp_flash_write(NULL, buf, addr, size);
    (void)esp_flash_set_dangerous_write_protection(esp_flash_default_chip, true);
    return result(err);
}

static int idf_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    (void)esp_flash_set_dangerous_write_protection(esp_flash_default_chip, false);
    esp_err_t err = esp_flash_erase_region(NULL, addr, 4096);
    (void)esp_flash_set_dangerous_write_protection(esp_flash_default_chip, true);
    return result(err);
}

void molt_device_flash(molt_flash_t *flash) {
    uint32_t size = 0;
    (void)esp_flash_get_size(NULL, &size);
    *flash = (molt_flash_t){
        .geometry = { size, 4096, 65536, 256 },
        .read = idf_read,
        .prog = idf_prog,
        .erase_sector = idf_erase_sector,
        // The running firmware erases no 64 KB block; the loader does, by the mask ROM.
        .erase_block = NULL,
    };
}

void molt_device_feed(void) {
    // The port feeds the task watchdog between bytecodes; a job's reads let the idle task run.
    MICROPY_EVENT_POLL_HOOK;
}

void molt_device_restart(void) {
    esp_restart();
}

int molt_device_standby(molt_standby_t *standby) {
    molt_flash_t flash;
    molt_device_flash(&flash);
    uint8_t *buf = m_new(uint8_t, MOLT_STANDBY_BUF_SIZE);
    int err = molt_standby_read(&flash, molt_device_chip->standby, buf, standby);
    m_del(uint8_t, buf, MOLT_STANDBY_BUF_SIZE);
    return err;
}

// What no table tells.
static const char *find_obstacle(const molt_standby_t *standby) {
    if (esp_flash_encryption_enabled()) {
        return "flash is encrypted on this device, and molt writes it as it is";
    }
    if (esp_secure_boot_enabled()) {
        return "secure boot is enabled on this device: its boot loader would not start molt's";
    }
    if (standby->app.size && esp_ota_get_running_partition()->address != standby->app.addr) {
        return "this firmware runs from another partition than the factory partition";
    }
    return NULL;
}

void molt_device_check(int err, const molt_standby_t *standby) {
    const char *obstacle = find_obstacle(standby);
    if (obstacle) {
        molt_raise(MOLT_ERR_NOTSUP, obstacle);
    }
    if (err == MOLT_ERR_NOENT || err == MOLT_ERR_CORRUPT) {
        // Both are OSErrors whose number would say something else.
        vstr_t text;
        vstr_init(&text, 80);
        vstr_printf(&text, "%s: molt.install()", molt_standby_text(standby));
        molt_raise(MOLT_ERR_NOTSUP, vstr_null_terminated_str(&text));
    }
    if (err) {
        molt_raise(err, err == MOLT_ERR_NOTSUP ? molt_standby_text(standby) : "flash cannot be read");
    }
}

const molt_target_t *molt_device_target(molt_target_t *memory) {
    molt_standby_t standby;
    molt_device_check(molt_device_standby(&standby), &standby);
    molt_standby_target(memory, molt_device_chip, &standby);
    return memory;
}

void molt_device_note_map(
    molt_job_options_t *options, const molt_region_t *fs, molt_region_t kept[MOLT_DEVICE_KEPT_MAX], bool drop_frozen) {
    (void)fs;
    (void)kept;
    (void)drop_frozen;
    // The app partition is all that an image may take, and says so itself.
    options->chip_revision = efuse_hal_chip_revision();
}
