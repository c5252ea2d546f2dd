// The chips of the ESP32 family as targets, in standby mode. molt_standby_target() completes one for a device.
#ifndef MOLT_ESP32_TARGETS_H
#define MOLT_ESP32_TARGETS_H

#include "molt/target.h"

extern const molt_target_t molt_esp32;
extern const molt_target_t molt_esp32c2;
extern const molt_target_t molt_esp32c3;
extern const molt_target_t molt_esp32c6;
extern const molt_target_t molt_esp32c61;
extern const molt_target_t molt_esp32h2;
extern const molt_target_t molt_esp32s2;
extern const molt_target_t molt_esp32s3;
extern const molt_target_t molt_esp32c5;
extern const molt_target_t molt_esp32p4;

// Those with a loader; NULL behind the last.
extern const molt_target_t *const molt_esp32_targets[];

// Those without: they can have OTA slots, and no standby mode.
extern const molt_target_t *const molt_esp32_without_loader[];

// Of those with a loader, those whose loaders have only been compiled: they have not run anywhere, not on a model of the chip either.
extern const molt_target_t *const molt_esp32_untried[];

#endif
