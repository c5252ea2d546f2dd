// A chip as an upgrade knows it, and its boot loaders. ports/<chip> has one for each.
#ifndef MOLT_TARGET_H
#define MOLT_TARGET_H

#include <stdint.h>

#include "molt/flash.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum molt_chip {
    MOLT_CHIP_UNKNOWN,
    MOLT_CHIP_ESP8266,
    MOLT_CHIP_ESP32,
    MOLT_CHIP_ESP32S2,
    MOLT_CHIP_ESP32S3,
    MOLT_CHIP_ESP32C2,
    MOLT_CHIP_ESP32C3,
    MOLT_CHIP_ESP32C5,
    MOLT_CHIP_ESP32C6,
    MOLT_CHIP_ESP32C61,
    MOLT_CHIP_ESP32H2,
    MOLT_CHIP_ESP32P4,
    MOLT_CHIP_ESP32H4,
    MOLT_CHIP_ESP32H21,
} molt_chip_t;

// A boot loader, or a part of one, as the bytes that a port has of it.
typedef struct molt_loader {
    const uint8_t *image;
    uint32_t size;  // bytes, a multiple of 4
    // A resident one: the CPU addresses that it uses while it loads a firmware.
    const molt_region_t *memory;
    uint32_t memory_count;
} molt_loader_t;

// What standby mode has to know of a chip: molt/standby.h.
typedef struct molt_standby_chip {
    uint16_t chip_id;            // in the headers of its images
    uint32_t boot_addr;          // of the second-stage boot loader's image
    const uint8_t *code;         // the loader: the one segment of it that is loaded
    uint32_t code_size;          // bytes, a multiple of 4
    uint32_t code_vaddr;         // the CPU address that it is loaded to and entered at
    uint32_t plan_addr_off;      // in it, of the word that says where the plan is; installing fills it in
    molt_loader_t trial;         // code that a trial's plan brings; size 0 where there are no trials
    uint32_t data_vaddr;         // where the chip maps flash as data
    uint32_t instruction_vaddr;  // where as code; the same on some
} molt_standby_chip_t;

typedef struct molt_target {
    molt_chip_t chip;          // images for another one are refused
    uint32_t image_addr;       // where an image begins in flash: 0 on an ESP8266; a multiple of 64 KB
    uint32_t boot_addr;        // the sector that the chip's own boot code starts from: 0 on an ESP8266
    uint32_t mapped_size;      // bytes from the beginning of flash on from which code can run; an image may not reach further
    molt_loader_t transient;   // takes the place of the first sector for the time of one upgrade; the plan stands behind it
    molt_loader_t resident;    // resident mode: the part that stays in the first sector; size 0 where there is no such mode
    molt_loader_t overlay;     // resident mode: the part that carries upgrades out
    molt_loader_t extension;   // what either needs for a gzip file; size 0: gzip files are refused
    molt_loader_t delta;       // likewise for a delta file
    molt_loader_t delta_rest;  // what of that does not fit into one sector with it; size 0 for none
    const molt_standby_chip_t *standby;  // standby mode, which takes the place of both; NULL where there is no such mode
    uint32_t loader_addr;                // of the standby loader's sector on this device
    uint32_t plan_addr;                  // of the plan's: the next, or, where trials are possible, the one behind that
    uint32_t row_addr;                   // of its row in the partition table
    uint32_t otadata_addr;  // OTA slots, which image_addr and mapped_size are one of: molt/slots.h; 0 where there are none
    uint32_t slot_count;    // how many
    uint32_t slot;          // the number of this one
    molt_region_t running;  // the app partition that the firmware runs from
    uint32_t running_slot;  // its number, or MOLT_SLOT_NONE for the factory partition
} molt_target_t;

#define MOLT_SLOT_NONE UINT32_MAX

#ifdef __cplusplus
}
#endif

#endif
