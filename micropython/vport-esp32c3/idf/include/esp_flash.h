// The main flash chip.
#ifndef VPORT_ESP_FLASH_H
#define VPORT_ESP_FLASH_H

#include <stdbool.h>

#include "esp_err.h"

typedef struct esp_flash_t {
    uint32_t size;     // bytes
    uint32_t chip_id;  // JEDEC
    bool is_guarded;   // the boot loader, the table and the running program
} esp_flash_t;

extern esp_flash_t *esp_flash_default_chip;

// NULL is the main chip. A range that must not be changed ends the run, as IDF's default has it: it aborts.
esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t addr, uint32_t size);
esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer, uint32_t addr, uint32_t size);
esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t addr, uint32_t size);
esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *size);
esp_err_t esp_flash_get_physical_size(esp_flash_t *chip, uint32_t *size);
esp_err_t esp_flash_read_id(esp_flash_t *chip, uint32_t *id);

#endif
