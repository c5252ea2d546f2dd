// The flash file as host memory.
#ifndef VBOARD_ESP32C3_FLASHFILE_H
#define VBOARD_ESP32C3_FLASHFILE_H

#include <stdint.h>

uint32_t flashfile_size(void);
const uint8_t *flashfile_bytes(void);

#endif
