// Flashes of the ESP32 family, which a partition table describes: recognizing them, and surveys of them.
#ifndef MOLT_CMD_ESP32_H
#define MOLT_CMD_ESP32_H

#include "dumpfs.h"
#include "map/partition.h"
#include "survey.h"

// Whether these are the bytes of an ESP32's flash. By the boot loader's image, else by the partition table.
//   chip       MOLT_CHIP_UNKNOWN where only the table tells
//   boot_addr  where the boot loader begins; 0 where it was not found
bool esp32_look(const uint8_t *bytes, uint32_t size, molt_chip_t *chip, uint32_t *boot_addr);

// "ESP32-C3", or "ESP32" where that is all that is known.
const char *esp32_name(molt_chip_t chip);

// Refuse a dump that is one of an ESP32: for what works on ESP8266 only. 0 if it is none, or 1 after having said so.
int esp32_refuse(const dumpfs_t *dump);

// Whether the file at `path` is a partition table on its own, as ESP-IDF's build makes them, or has one in front of what else is
// in a factory image.
bool esp32_is_table(const char *path);

// The survey of such a partition table, for a chip of `flash_size` bytes; 0 for the smallest on which it fits.
// Returns 0, or 1 after having said what is wrong.
int esp32_survey_table(survey_t *survey, const char *path, uint32_t flash_size);

// The survey of a dump with dump->is_esp32. Returns 0, or 1 after having said what is wrong.
int esp32_survey_dump(survey_t *survey, dumpfs_t *dump);

// What a piece is for, a few words.
const char *esp32_about(const molt_partition_t *piece);

#endif
