// The flash chip of a running ESP8266 firmware, through Espressif's SDK, which may be called while the firmware
// executes from flash.
#ifndef MOLT_ESP8266_FLASH_H
#define MOLT_ESP8266_FLASH_H

#include "map/map.h"
#include "molt/flash.h"

// Of the 16 MB that a chip may have, the CPU sees the first.
#define MOLT_ESP8266_MAPPED_SIZE MOLT_MAP_MAPPED_SIZE

// Fill in `flash`, its size from what the mask ROM took from the image header. Call it before each use: esptool
// may have patched the header since the firmware was built.
void molt_esp8266_flash(molt_flash_t *flash);

// Restart the chip by software. Does not return.
void molt_esp8266_restart(void);

// Keep the SDK's watchdog quiet; to be called at least once a second.
void molt_esp8266_feed(void);

#endif
