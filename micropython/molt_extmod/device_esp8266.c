// The ESP8266 as the module's device.

#include "device.h"
#include "flash.h"
#include "frozen.h"
#include "map_glue.h"
#include "molt_esp8266.h"

_Static_assert(MOLT_DEVICE_KEPT_MAX >= MOLT_MAP_KEPT_MAX + 2, "beside the map's regions a filesystem and the frozen modules");

void molt_port_init(void) {
    molt_frozen_init();
}

void molt_device_flash(molt_flash_t *flash) {
    molt_esp8266_flash(flash);
}

void molt_device_feed(void) {
    molt_esp8266_feed();
}

void molt_device_restart(void) {
    molt_esp8266_restart();
}

const molt_target_t *molt_device_target(molt_target_t *memory) {
    (void)memory;
    return &molt_esp8266;
}

void molt_device_note_map(
    molt_job_options_t *options, const molt_region_t *fs, molt_region_t kept[MOLT_DEVICE_KEPT_MAX], bool drop_frozen) {
    molt_map_t map;
    options->reserved = kept;
    if (molt_device_map(&map, NULL) == 0) {
        options->fs_addr = map.regions[MOLT_MAP_KIND_FILESYSTEM].addr;
    }
    if (molt_device_map(&map, fs) == 0) {
        options->reserved_count = molt_map_kept(&map, kept);
    } else if (molt_device_map(&map, NULL) == 0) {
        // The file is on a littlefs of the user's own: the device's filesystem is in the way like anything else.
        options->reserved_count = molt_map_kept(&map, kept);
        kept[options->reserved_count++] = map.regions[MOLT_MAP_KIND_FILESYSTEM];
    }
    if (!drop_frozen && molt_frozen_extent(&kept[options->reserved_count])) {
        options->reserved_count++;
    }
}
