// What a dump's own firmware says: what image it is, where it ends, and for which flash map it is made.
#ifndef MOLT_CMD_FIRMWARE_H
#define MOLT_CMD_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "molt/flash.h"

typedef enum firmware_state {
    FIRMWARE_NONE,  // nothing there that is an image, or a damaged one; image.defect tells
    FIRMWARE_WHOLE,
    FIRMWARE_UPGRADING,  // an upgrade is in progress: neither the old image nor the new one is there
} firmware_state_t;

typedef enum firmware_loader {
    FIRMWARE_LOADER_NONE,     // the firmware's own first sector is in sector 0, or the boot loader of one upgrade
    FIRMWARE_LOADER_WHOLE,    // the resident boot loader
    FIRMWARE_LOADER_OVERLAY,  // its first part is whole, its overlay is not: an upgrade writes that again
    FIRMWARE_LOADER_DAMAGED,  // it is damaged: what it does when it is started nobody knows
    FIRMWARE_LOADER_OTHER,    // one of another version of molt
} firmware_loader_t;

typedef struct firmware {
    firmware_state_t state;
    molt_image_t image;  // as far as it could be read
    firmware_loader_t loader;
    uint32_t reserved_addr;  // resident mode: of its reserved region; 0 where that is not known
    uint32_t addr;           // where the image begins: 0 on an ESP8266
    uint32_t head_addr;      // where the image's first sector is: there, or in a head of resident mode
    uint32_t end;            // address where its bytes end, by its own account; 0: it does not say
    uint32_t fs_addr;        // where it looks for its filesystem, by its mark; 0: it does not say
    uint32_t romfs_size;     // of its ROMFS partition, which ends there; 0: none, or it does not say
    uint32_t flash_size;     // that sector 0 states, which is what a device goes by; 0: it states none
} firmware_t;

// Look at the firmware at the beginning of `flash`, whose `size` bytes are also in memory at `bytes`.
void firmware_look(firmware_t *firmware, const molt_flash_t *flash, const uint8_t *bytes, uint32_t size);

// Look at that of an ESP32, in the partition `app` (size 0: there is none).
//   is_upgrading  an upgrade of it is prepared or in progress
void firmware_look_at(firmware_t *firmware, const uint8_t *bytes, const molt_region_t *app, bool is_upgrading);

// Bytes of it, by its own account; 0: it does not say.
static inline uint32_t firmware_size(const firmware_t *firmware) {
    return firmware->end ? firmware->end - firmware->addr : 0;
}

// Whether a resident boot loader is in sector 0, in whatever state.
static inline bool firmware_is_resident(const firmware_t *firmware) {
    return firmware->loader != FIRMWARE_LOADER_NONE;
}

// The sentence about a resident boot loader that is not whole, else NULL.
const char *firmware_loader_text(const firmware_t *firmware);

// Where the firmware whose image begins at `addr` ends: as it says, or behind the last sector before `limit` that is not
// erased. 0: there is none, or a damaged one.
uint32_t firmware_end(const firmware_t *firmware, const uint8_t *bytes, uint32_t addr, uint32_t limit);

#endif
