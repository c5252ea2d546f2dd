// Flash, eFuses and partitions through ESP-IDF, 5.4 and later.

#include "molt_idf.h"

#include "esp_flash.h"
#include "esp_flash_encrypt.h"
#include "esp_idf_version.h"
#include "esp_ota_ops.h"
#include "esp_secure_boot.h"
#include "hal/efuse_hal.h"
#include "molt/error.h"
#include "molt_esp32.h"
#include "sdkconfig.h"

// The switch for writes that ESP-IDF calls dangerous is there from 5.4 on, and its header moved in 6.0.
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
#include "esp_private/esp_flash_internal.h"
#elif ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 4, 0)
#include "esp_flash_internal.h"
#elif !CONFIG_SPI_FLASH_DANGEROUS_WRITE_ALLOWED
#error "before ESP-IDF 5.4 molt needs CONFIG_SPI_FLASH_DANGEROUS_WRITE_ALLOWED=y"
#endif

#if CONFIG_IDF_TARGET_ESP32
#define IDF_CHIP molt_esp32
#elif CONFIG_IDF_TARGET_ESP32C2
#define IDF_CHIP molt_esp32c2
#elif CONFIG_IDF_TARGET_ESP32C3
#define IDF_CHIP molt_esp32c3
#elif CONFIG_IDF_TARGET_ESP32C6
#define IDF_CHIP molt_esp32c6
#elif CONFIG_IDF_TARGET_ESP32C61
#define IDF_CHIP molt_esp32c61
#elif CONFIG_IDF_TARGET_ESP32H2
#define IDF_CHIP molt_esp32h2
#elif CONFIG_IDF_TARGET_ESP32S2
#define IDF_CHIP molt_esp32s2
#define IDF_IS_UNTRIED 1
#elif CONFIG_IDF_TARGET_ESP32S3
#define IDF_CHIP molt_esp32s3
#define IDF_IS_UNTRIED 1
#elif CONFIG_IDF_TARGET_ESP32C5
#define IDF_CHIP molt_esp32c5
#elif CONFIG_IDF_TARGET_ESP32P4
#define IDF_CHIP molt_esp32p4
#else
#error "molt does not know this chip so far"
#endif

// Its loader has only been compiled.
#ifndef IDF_IS_UNTRIED
#define IDF_IS_UNTRIED 0
#endif

const molt_target_t *const molt_idf_chip = &IDF_CHIP;

#define IDF_SECTOR_SIZE 4096u
#define IDF_BLOCK_SIZE 65536u

static int idf_result(esp_err_t err) {
    return err == ESP_OK ? 0 : MOLT_ERR_IO;
}

// ESP-IDF ends the program where it would write below the first partition or into the running firmware, which is what molt is for.
static void idf_protect(bool is_on) {
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 4, 0)
    (void)esp_flash_set_dangerous_write_protection(esp_flash_default_chip, is_on);
#else
    (void)is_on;
#endif
}

static int idf_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return idf_result(esp_flash_read(NULL, buf, addr, size));
}

static int idf_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    idf_protect(false);
    esp_err_t err = esp_flash_write(NULL, buf, addr, size);
    idf_protect(true);
    return idf_result(err);
}

static int idf_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    idf_protect(false);
    esp_err_t err = esp_flash_erase_region(NULL, addr, IDF_SECTOR_SIZE);
    idf_protect(true);
    return idf_result(err);
}

static int idf_erase_block(void *ctx, uint32_t addr) {
    (void)ctx;
    return idf_result(esp_flash_erase_region(NULL, addr, IDF_BLOCK_SIZE));
}

void molt_idf_flash(molt_flash_t *flash) {
    uint32_t size = 0;
    (void)esp_flash_get_size(NULL, &size);
    *flash = (molt_flash_t){
        .geometry = { size, IDF_SECTOR_SIZE, IDF_BLOCK_SIZE, 256 },
        .read = idf_read,
        .prog = idf_prog,
        .erase_sector = idf_erase_sector,
        .erase_block = idf_erase_block,
    };
}

// Of the partition that this program runs from; 0 for none that is in the table.
static uint32_t running_addr(void) {
    const esp_partition_t *running = esp_ota_get_running_partition();
    return running ? running->address : 0;
}

static const char *find_obstacle(const molt_idf_way_t *way) {
    if (esp_flash_encryption_enabled()) {
        return "flash is encrypted on this device, and molt writes it as it is";
    }
    if (esp_secure_boot_enabled()) {
        return way->has_slots ? "secure boot is enabled on this device, and molt knows no signatures"
                              : "secure boot is enabled on this device: its boot loader would not start molt's";
    }
    if (IDF_IS_UNTRIED && !way->has_slots && way->standby.defect == MOLT_STANDBY_NOT_INSTALLED) {
        return "molt's loader for this chip has only been compiled so far, and has not run anywhere: with OTA slots in the partition table "
               "none is needed";
    }
    if (!way->has_slots && way->standby.app.size && running_addr() != way->standby.app.addr) {
        return "this firmware runs from another partition than the factory partition";
    }
    return NULL;
}

int molt_idf_find(const molt_flash_t *flash, uint8_t *buf, molt_idf_way_t *way, molt_target_t *target) {
    int err = molt_slots_read(flash, molt_idf_chip->standby, buf, &way->slots);
    way->has_slots = way->slots.count != 0;
    if (way->has_slots) {
        err = err ? err : molt_slots_target(target, molt_idf_chip, &way->slots, running_addr());
    } else {
        err = molt_standby_read(flash, molt_idf_chip->standby, buf, &way->standby);
        if (!err) {
            molt_standby_target(target, molt_idf_chip, &way->standby);
        }
    }
    way->obstacle = find_obstacle(way);
    return err;
}

bool molt_idf_has_status(int err, const molt_idf_way_t *way) {
    return err == 0 || (way->has_slots && way->slots.defect == MOLT_SLOTS_ONLY_ONE);
}

const char *molt_idf_text(const molt_idf_way_t *way) {
    bool is_read = way->has_slots ? way->slots.defect != MOLT_SLOTS_FINE : way->standby.defect != MOLT_STANDBY_FINE;
    if (!is_read) {
        return "flash cannot be read";
    }
    return way->has_slots ? molt_slots_text(&way->slots) : molt_standby_text(&way->standby);
}

uint32_t molt_idf_chip_revision(void) {
    return efuse_hal_chip_revision();
}
