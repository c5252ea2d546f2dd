// What the images of ESP chips begin with. Source: esptool's documentation, "Firmware Image Format".
#ifndef MOLT_BASE_APP_IMAGE_H
#define MOLT_BASE_APP_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/libc.h"

// The first byte of what a mask ROM or a second-stage boot loader starts.
#define MOLT_APP_MAGIC 0xe9u

// Of the header of an app of the ESP32 family what does not differ between those for one chip: pins, and the chip's number.
#define MOLT_APP_OFF_SAME 8u
#define MOLT_APP_SAME_SIZE 6u

// Whether `bytes` begin like an app for the chip that the app at `app` is for. The first byte alone a page can have that a cut took.
static inline bool app_is_like(const uint8_t *bytes, const uint8_t *app) {
    return bytes[0] == MOLT_APP_MAGIC && memcmp(bytes + MOLT_APP_OFF_SAME, app + MOLT_APP_OFF_SAME, MOLT_APP_SAME_SIZE) == 0;
}

#endif
