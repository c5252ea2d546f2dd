// A model of the second-stage boot loader of the ESP32 family: which app of a flash it starts. Written from what ESP-IDF's does
// (bootloader_support: flash_partitions.c, bootloader_utility.c, esp_image_format.c, versions 4.3 to 5.5), as far as it decides
// between a firmware and molt's loader: table, MD5, order, and what an image is held to. It reads through the chip's driver, so
// that its reads can be wrong like any other.
#ifndef MOLT_SIM_SECOND_STAGE_H
#define MOLT_SIM_SECOND_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/target.h"

typedef struct sim_app {
    bool is_test;   // of the partition of subtype test, to which it falls back
    uint32_t addr;  // of the image
} sim_app_t;

// Find the app that is started on that chip. False if there is none.
bool sim_second_stage(const molt_flash_t *flash, const molt_standby_chip_t *chip, sim_app_t *app);

#endif
