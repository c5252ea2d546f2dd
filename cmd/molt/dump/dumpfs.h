// A flash dump and the littlefs in it.
#ifndef MOLT_CMD_DUMPFS_H
#define MOLT_CMD_DUMPFS_H

#include <stdbool.h>

#include "args.h"
#include "board.h"
#include "firmware.h"
#include "image/image.h"
#include "lfs/volume.h"
#include "map/map.h"
#include "nor.h"
#include "place.h"
#include "upgrade/plan.h"

// The last five sectors of every chip: RF calibration, PHY data, SDK parameters.
#define DUMPFS_SYSTEM_SIZE MOLT_MAP_SYSTEM_SIZE

typedef struct dumpfs {
    const char *path;  // of the dump
    sim_nor_t nor;
    firmware_t firmware;
    places_t places;       // filled in by dumpfs_look(), as is fs
    molt_region_t fs;      // the filesystem, as large as its superblock says; size 0: there is none
    molt_region_t system;  // the five system sectors; of an ESP32 size 0, at the end
    board_t board;
    molt_region_t kept[MOLT_MAP_KEPT_MAX];  // what an upgrade must not touch; filled in by dumpfs_find_kept()
    uint32_t kept_count;
    molt_volume_t volume;  // mounted by dumpfs_mount()
} dumpfs_t;

// Load the dump at args->positional[0] and find the filesystem in it, or take the place that args names.
//   writes  the filesystem will be written or planned with: it must not reach into the five system sectors
// Returns 0, or 1 after having said what is wrong. dumpfs_close() either way.
int dumpfs_open(dumpfs_t *dump, const args_t *args, bool writes);
void dumpfs_close(dumpfs_t *dump);

// Look at board and firmware again, after the flash was changed.
void dumpfs_look_again(dumpfs_t *dump);

// Only load; no filesystem is looked for. Returns 0, or 1 after having said what is wrong.
int dumpfs_load(dumpfs_t *dump, const char *path);

// The same, and refuses a dump whose second half repeats the first.
int dumpfs_open_raw(dumpfs_t *dump, const char *path);

// The sentence about a dump that repeats itself, as one does of a chip that is read with a larger size than it has; else "".
const char *dumpfs_repeat_text(const dumpfs_t *dump, char *text, uint32_t text_size);

// Look for the filesystem, or take the place that args names: fills in dump->places and dump->fs. What there is may be
// damaged, FAT, or one of several: dumpfs_refuse() tells. Returns 0, or 1 after having said what is wrong with the named one.
int dumpfs_look(dumpfs_t *dump, const args_t *args);

// 0 if dump->fs can be mounted and is the device's own as far as can be known, or 1 after having said why not.
int dumpfs_refuse(const dumpfs_t *dump);

// The flash map that the dump has, by its firmware's mark and its filesystem. Returns as molt_map_detect().
int dumpfs_map(const dumpfs_t *dump, molt_map_t *map);

// Fill in dump->kept and kept_count, after dumpfs_look(); dumpfs_open() does it.
void dumpfs_find_kept(dumpfs_t *dump);

// The sentence about a header that states another flash size than a device with this dump could do with; else "".
const char *dumpfs_size_text(const dumpfs_t *dump, char *text, uint32_t text_size);

// Mount dump->volume. Returns 0, or 1 after having said what is wrong.
int dumpfs_mount(dumpfs_t *dump, bool is_writable);

// Replace the file by what the chip holds now. Returns 0, or 1 after having said what is wrong.
int dumpfs_save(const dumpfs_t *dump);

// Power on: operations are counted from 0 again, and a damaged filesystem cannot keep the tool busy for ever.
void dumpfs_power_on(dumpfs_t *dump);

#endif
