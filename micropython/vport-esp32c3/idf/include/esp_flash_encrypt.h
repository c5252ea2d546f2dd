#ifndef VPORT_ESP_FLASH_ENCRYPT_H
#define VPORT_ESP_FLASH_ENCRYPT_H

#include <stdbool.h>

bool esp_flash_encryption_enabled(void);  // eFuses

#endif
