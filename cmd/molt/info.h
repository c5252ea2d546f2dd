// Parts of what `molt info` prints.
#ifndef MOLT_CMD_INFO_H
#define MOLT_CMD_INFO_H

#include <stdbool.h>

#include "dumpfs.h"
#include "image/image.h"

// A table of the image's segments, and of its checks.
void info_segments(const molt_image_t *image);
void info_checks(const molt_image_t *image);

// The checks as a member of a JSON object, without a comma.
void info_checks_json(const molt_image_t *image);

// A delta file. Returns the exit status.
int info_delta(const char *path, const uint8_t *bytes, uint32_t size, bool json);

// All of the dump of an ESP32: boot loader, partition table, firmware, standby mode, upgrade. Returns the exit status.
int info_esp32(const dumpfs_t *dump, bool json);

#endif
