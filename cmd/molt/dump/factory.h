// Factory images of the ESP32 family: second-stage boot loader, partition table and apps in one file, as they lie in flash. Such
// a file begins where flash does, or where the boot loader does (MicroPython's).
#ifndef MOLT_CMD_FACTORY_H
#define MOLT_CMD_FACTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"

typedef struct factory {
    const uint8_t *bytes;  // the caller's
    uint32_t size;
    uint32_t base_addr;  // flash address of the first byte
    uint32_t boot_addr;  // of the boot loader
    molt_image_t boot;
} factory_t;

// Whether these bytes are a factory image, or a dump of an ESP32.
bool factory_look(factory_t *factory, const uint8_t *bytes, uint32_t size);

// Where the partition table is in the file.
uint32_t factory_table_off(const factory_t *factory);

// Tell what is in it. Returns the exit status: 0, or 1 after having said what is damaged.
int factory_print(const factory_t *factory, const char *path, bool json);

#endif
