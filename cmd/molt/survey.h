// A flash map together with what is known of each sector: what `molt map` and `molt migrate` look at.
#ifndef MOLT_CMD_SURVEY_H
#define MOLT_CMD_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "dumpfs.h"
#include "molt/map.h"

#define SURVEY_SECTORS_MAX (MOLT_MAP_FLASH_SIZE_MAX / MOLT_MAP_SECTOR_SIZE)

typedef enum survey_use {
    SURVEY_FREE,
    SURVEY_USED,
    SURVEY_CHANGED,  // used, or to be: the upgrade asked about writes it
} survey_use_t;

typedef struct survey {
    molt_map_t map;
    bool has_dump;           // false: nothing is known of the sectors
    const char *upgrade;     // path of the image asked about, or NULL
    uint32_t image_size;     // of it
    uint32_t changed_count;  // sectors of the firmware that it changes
    uint32_t frozen_met;     // frozen modules that it would run into
    uint8_t use[SURVEY_SECTORS_MAX];
} survey_t;

// The map of that name ("stock", "molt", ...), with a firmware of that size (0: not said) and nothing else in it.
// Returns 0, or 1 after having said what is wrong.
int survey_size(survey_t *survey, const char *name, uint32_t flash_size, uint32_t firmware_size);

// The map that a dump has, or the one of that name if it is not NULL, and which sectors are in use.
//   dump  from dumpfs_open_raw(); its filesystem is looked for
// Returns 0, or 1 after having said what is wrong.
int survey_dump(survey_t *survey, dumpfs_t *dump, const char *name);

// What an upgrade from `path`, on the dump's filesystem, would change. 0, or 1 after having said why there can be none.
int survey_upgrade(survey_t *survey, dumpfs_t *dump, const char *path);

// Bytes of the region of that kind that are in use.
uint32_t survey_used(const survey_t *survey, molt_map_kind_t kind);

// What a map is, half a sentence.
const char *survey_about(const molt_map_t *map);

#endif
