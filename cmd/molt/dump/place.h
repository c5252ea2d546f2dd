// Where the filesystem of a dump is. Every command asks this, so that all of them mean the same one: that of the firmware's
// map mark, else the one that a flash map or its own size speaks for, else the only one that mounts. Where that leaves two,
// both are named and neither is taken.
#ifndef MOLT_CMD_PLACE_H
#define MOLT_CMD_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lfs/volume.h"
#include "upgrade/plan.h"

#define PLACES_MAX 16

typedef enum place_state {
    PLACE_MOUNTS,
    PLACE_DAMAGED,  // a littlefs by its superblock, but it cannot be mounted
    PLACE_FAT,
} place_state_t;

typedef struct place {
    place_state_t state;
    molt_region_t region;  // as its superblock or boot sector states, but within the dump
    uint32_t block_size;
    bool is_pair;   // both superblock blocks are there: it is certain where it begins
    bool is_rival;  // of a superblock block alone: the other place that it can belong to is found, too
    bool is_known;  // a flash map or partition table has a filesystem there, or the firmware's mark names it
} place_t;

typedef enum place_verdict {
    PLACES_ONE,  // `own` is the filesystem
    PLACES_NONE,
    PLACES_DAMAGED,    // `own` is it, and cannot be mounted
    PLACES_FAT,        // `own` is it, and is FAT
    PLACES_ELSEWHERE,  // none where the firmware looks for it; `other` is one
    PLACES_SEVERAL,    // `own` or `other`; `own` is the likelier one
} place_verdict_t;

typedef struct places {
    place_t items[PLACES_MAX];
    uint32_t count;
    place_verdict_t verdict;
    uint32_t own;     // index in items
    uint32_t other;   // likewise
    uint32_t wanted;  // where the firmware looks for it; 0: it does not say
} places_t;

// What is known of the flash beside its bytes.
typedef struct place_hints {
    uint32_t firmware_end;  // no filesystem begins below it
    uint32_t wanted;        // by the firmware's mark, or that of an ESP32's partition "vfs"; 0: it does not say
    bool has_maps;          // an ESP8266: the flash maps say where filesystems are
    const uint32_t *known;  // an ESP32: these are where some can be, by its partition table
    uint32_t known_count;
} place_hints_t;

// Look through all of `flash`. `volume` is for trial mounts.
void place_find(places_t *places, const molt_flash_t *flash, molt_volume_t *volume, const place_hints_t *hints);

// The filesystem that begins at `addr`, or NULL.
const place_t *place_at(const places_t *places, uint32_t addr);

// The first filesystem from *index on, *index included, that has no sector in common with the one that was taken and is no
// leftover: it is in use, or could be. NULL if there is no more; *index is then behind the last.
const place_t *place_next_beside(const places_t *places, const molt_region_t *taken, uint32_t *index);

// The sentence for a verdict that leaves nothing to be used.
void place_text(const places_t *places, char *text, uint32_t text_size);

#endif
