// The chip that this firmware runs on, as the module's other files see it: device_esp8266.c or device_esp32.c.
#ifndef MOLT_MICROPYTHON_DEVICE_H
#define MOLT_MICROPYTHON_DEVICE_H

#include "molt/job.h"
#include "py/obj.h"

// 1 on chips whose second-stage boot loader starts molt's, the ESP32 family; else 0.
#ifndef MOLT_STANDBY
#error "micropython.mk or micropython.cmake defines MOLT_STANDBY"
#endif

// What molt does when the firmware begins, and at each soft reset: mp_init() calls it, when there is a heap.
void molt_port_init(void);

// Fill in `flash`. Call it before each use: its size may have changed since the firmware was built.
void molt_device_flash(molt_flash_t *flash);

// Keep the watchdog quiet; to be called at least once a second.
void molt_device_feed(void);

// Restart the chip by software. Does not return.
void molt_device_restart(void);

// The target for jobs; raises OSError where there can be none. `memory` is the caller's, and may be what is returned.
const molt_target_t *molt_device_target(molt_target_t *memory);

// Room for the regions that molt_device_note_map() finds.
#define MOLT_DEVICE_KEPT_MAX 6

// What the device's flash map says that an image may not reach into, in `options`.
//   fs    the filesystem that the file is on
//   kept  memory for the regions, in use as long as the options
void molt_device_note_map(
    molt_job_options_t *options, const molt_region_t *fs, molt_region_t kept[MOLT_DEVICE_KEPT_MAX], bool drop_frozen);

#endif
