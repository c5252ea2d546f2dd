#ifndef VPORT_ESP_SYSTEM_H
#define VPORT_ESP_SYSTEM_H

#include "esp_err.h"
#include "esp_idf_version.h"

typedef enum {
    ESP_RST_UNKNOWN,
    ESP_RST_POWERON,
    ESP_RST_EXT,
    ESP_RST_SW,
    ESP_RST_PANIC,
    ESP_RST_INT_WDT,
    ESP_RST_TASK_WDT,
    ESP_RST_WDT,
    ESP_RST_DEEPSLEEP,
    ESP_RST_BROWNOUT,
    ESP_RST_SDIO,
} esp_reset_reason_t;

_Noreturn void esp_restart(void);
_Noreturn void esp_system_abort(const char *details);
esp_reset_reason_t esp_reset_reason(void);

#endif
