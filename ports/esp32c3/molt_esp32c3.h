// The ESP32-C3 as a target, in standby mode. molt_standby_target() completes it for a device.
#ifndef MOLT_ESP32C3_TARGET_H
#define MOLT_ESP32C3_TARGET_H

#include "molt/target.h"

extern const molt_target_t molt_esp32c3;

#endif
