// A flash map together with what is known of each sector: what `molt map` and `molt migrate` look at.
#ifndef MOLT_CMD_SURVEY_H
#define MOLT_CMD_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "dumpfs.h"
#include "map/map.h"
#include "map/partition.h"
#include "say.h"

// A partition table can be for a larger flash than an ESP8266 has.
#define SURVEY_SECTORS_MAX (0x8000000u / MOLT_MAP_SECTOR_SIZE)
// As many partitions as there can be, what is between them, boot loader and table.
#define SURVEY_PIECES_MAX 200

#define SURVEY_HIDDEN_MAX 8

typedef enum survey_use {
    SURVEY_FREE,
    SURVEY_USED,
    SURVEY_CHANGED,  // used, or to be: the upgrade asked about writes it
} survey_use_t;

typedef struct survey {
    molt_map_t map;  // of an ESP32 no more than its name and sizes
    char about[48];  // what it is, half a sentence
    bool is_esp32;
    molt_partition_t pieces[SURVEY_PIECES_MAX];  // the whole flash, from its beginning; of a map without labels
    uint32_t piece_count;
    molt_region_t hidden[SURVEY_HIDDEN_MAX];  // of an ESP32: pieces of rows behind the table's MD5
    uint32_t hidden_count;
    bool has_dump;           // false: nothing is known of the sectors
    const char *upgrade;     // path of the image asked about, or NULL
    uint32_t image_size;     // of it
    uint32_t room_size;      // that there is for a firmware
    uint32_t changed_count;  // sectors of the firmware that it changes
    uint32_t frozen_met;     // frozen modules that it would run over
    char frozen_names[200];  // of these
    uint8_t use[SURVEY_SECTORS_MAX];
    say_notes_t notes;  // about the dump
} survey_t;

// The map of that name ("stock", "molt", ...), with a firmware of that size (0: not said) and nothing else in it.
// Returns 0, or 1 after having said what is wrong.
int survey_size(survey_t *survey, const char *name, uint32_t flash_size, uint32_t firmware_size);

// The map that a dump has, or the one of that name if it is not NULL, and which sectors are in use.
//   dump  from dumpfs_open_raw() and dumpfs_look()
// Returns 0, or 1 after having said what is wrong.
int survey_dump(survey_t *survey, dumpfs_t *dump, const char *name);

// What an upgrade from `path`, on the dump's filesystem, would change. 0, or 1 after having said why there can be none.
int survey_upgrade(survey_t *survey, dumpfs_t *dump, const char *path);

// Where the frozen modules of a dump are, by the map that it has. False if there is no place for any.
bool survey_find_frozen(const dumpfs_t *dump, molt_region_t *region);

// How many of them an image of that size would run over, as the device counts them; their names in `names`.
uint32_t survey_frozen_met(
    const dumpfs_t *dump, const molt_region_t *region, uint32_t image_size, char *names, size_t names_size);

// Put a piece in where all that there is at its place is one piece: what that has beside it stays. False if it is not, or there
// are too many pieces.
//   is_hidden  a row that only the boot loader sees
bool survey_put_in(survey_t *survey, const molt_partition_t *piece, bool is_hidden);

// Whether a piece is one of those.
bool survey_is_hidden(const survey_t *survey, const molt_partition_t *piece);

// Bytes of the region that are in use.
uint32_t survey_used(const survey_t *survey, const molt_region_t *region);

// Note which sectors are in use: all that are not erased; of dump->fs the blocks that littlefs counts as used.
void survey_mark_blank(survey_t *survey, const dumpfs_t *dump);
void survey_mark_littlefs(survey_t *survey, dumpfs_t *dump);

#endif
