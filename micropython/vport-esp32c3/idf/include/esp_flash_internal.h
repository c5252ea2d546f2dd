#ifndef VPORT_ESP_FLASH_INTERNAL_H
#define VPORT_ESP_FLASH_INTERNAL_H

#include "esp_flash.h"

// Whether writes to the boot loader, the table and the running program abort.
esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *chip, const bool protect);

#endif
