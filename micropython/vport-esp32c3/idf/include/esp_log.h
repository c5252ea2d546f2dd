#ifndef VPORT_ESP_LOG_H
#define VPORT_ESP_LOG_H

#include "esp_err.h"

typedef enum {
    ESP_LOG_NONE,
    ESP_LOG_ERROR,
    ESP_LOG_WARN,
    ESP_LOG_INFO,
    ESP_LOG_DEBUG,
    ESP_LOG_VERBOSE,
} esp_log_level_t;

#define LOG_LOCAL_LEVEL ESP_LOG_ERROR

void esp_log_level_set(const char *tag, esp_log_level_t level);  // kept for all tags alike
esp_log_level_t esp_log_level_get(const char *tag);

int ets_printf(const char *format, ...);
#define ESP_LOGE(tag, format, ...) \
    do { \
        if (esp_log_level_get(tag) >= ESP_LOG_ERROR) { \
            ets_printf("E %s: " format "\r\n", tag, ##__VA_ARGS__); \
        } \
    } while (0)

// Of the matrix of pins, which modesp.c asks for without a header of its own.
void esp_rom_gpio_connect_in_signal(uint32_t pin, uint32_t signal, _Bool is_inverted);
void esp_rom_gpio_connect_out_signal(uint32_t pin, uint32_t signal, _Bool is_inverted, _Bool is_enable_inverted);

#endif
