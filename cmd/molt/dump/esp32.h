// Flashes of the ESP32 family, which a partition table describes: surveys of them.
#ifndef MOLT_CMD_ESP32_H
#define MOLT_CMD_ESP32_H

#include "dumpfs.h"
#include "map/partition.h"
#include "survey.h"

// Whether a partition table begins there.
bool esp32_begins_table(const uint8_t *bytes);

// The sentence about a table with a defect, without full stop and without the path; "" if there is none.
void esp32_table_text(const molt_partition_table_t *table, char *text, uint32_t text_size);

// Where the table has filesystems: partitions for them, and the place behind the last partition, where MicroPython makes one.
// Returns how many, and in *wanted the one that MicroPython looks for, by its name; 0: none of that name.
#define ESP32_FILESYSTEMS_MAX 16
uint32_t esp32_filesystems(const molt_partition_table_t *table, uint32_t addrs[ESP32_FILESYSTEMS_MAX], uint32_t *wanted);

// Whether a row is that of molt's loader, or the one behind it, of its plan; of those for trials, that of the firmware as a slot, or of
// otadata.
bool esp32_is_loader_row(const molt_partition_t *row);
bool esp32_is_plan_row(const molt_partition_t *row);
bool esp32_is_slot_row(const molt_partition_t *row);
bool esp32_is_otadata_row(const molt_partition_t *row);

// Whether the file at `path` is a partition table on its own, as ESP-IDF's build makes them, or has one in front of what else is
// in a factory image.
bool esp32_is_table(const char *path);

// The survey of such a partition table, for a chip of `flash_size` bytes; 0 for the smallest on which it fits.
// Returns 0, or 1 after having said what is wrong.
int esp32_survey_table(survey_t *survey, const char *path, uint32_t flash_size);

// The survey of a dump with dump->board.is_esp32. Returns 0, or 1 after having said what is wrong.
int esp32_survey_dump(survey_t *survey, dumpfs_t *dump);

// What a piece is for, a few words.
const char *esp32_about(const molt_partition_t *piece);

#endif
