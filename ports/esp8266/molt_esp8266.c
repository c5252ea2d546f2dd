// The ESP8266, with the boot loaders of ports/esp8266/prebuilt.

#include "molt_esp8266.h"

#include "esp8266_delta.h"
#include "esp8266_delta_rest.h"
#include "esp8266_inflate.h"
#include "esp8266_loader.h"
#include "esp8266_overlay.h"
#include "esp8266_resident.h"
#include "map/map.h"

static const molt_region_t resident_memory[] = ESP8266_resident_MEMORY;

const molt_target_t molt_esp8266 = {
    .chip = MOLT_CHIP_ESP8266,
    .mapped_size = MOLT_MAP_MAPPED_SIZE,
    .transient = { .image = esp8266_loader, .size = sizeof esp8266_loader },
    .resident = {
        .image = esp8266_resident,
        .size = sizeof esp8266_resident,
        .memory = resident_memory,
        .memory_count = sizeof resident_memory / sizeof resident_memory[0],
    },
    .overlay = { .image = esp8266_overlay, .size = sizeof esp8266_overlay },
    .extension = { .image = esp8266_inflate, .size = sizeof esp8266_inflate },
    .delta = { .image = esp8266_delta, .size = sizeof esp8266_delta },
    .delta_rest = { .image = esp8266_delta_rest, .size = sizeof esp8266_delta_rest },
};
