// What images of the ESP32 family say of themselves. Sources: ESP-IDF, esp_app_desc.h and esp_bootloader_desc.h.
#ifndef MOLT_CMD_DESCRIPTION_H
#define MOLT_CMD_DESCRIPTION_H

#include <stdint.h>

typedef struct description {
    char project[33];  // "micropython"; each "" if it is not stated; printable
    char version[33];  // of that
    char idf[33];      // "v5.5.1": the ESP-IDF that it was built with
} description_t;

// Of an app whose image begins at `bytes`, of which `size` can be read.
void description_of_app(description_t *description, const uint8_t *bytes, uint32_t size);

// Of a second-stage boot loader: by its description (ESP-IDF 5.1 and later), else by the version in its strings, which those have
// that print it.
void description_of_boot(description_t *description, const uint8_t *bytes, uint32_t size);

// "micropython v1.26.0, ESP-IDF v5.4.1", or "" where nothing is stated. At most 100 bytes.
const char *description_text(const description_t *description, char *text, uint32_t text_size);

#endif
