#ifndef VPORT_ESP_SECURE_BOOT_H
#define VPORT_ESP_SECURE_BOOT_H

#include <stdbool.h>

bool esp_secure_boot_enabled(void);  // eFuses

#endif
