// A flash dump and the littlefs in it.
#ifndef MOLT_CMD_DUMPFS_H
#define MOLT_CMD_DUMPFS_H

#include <stdbool.h>

#include "args.h"
#include "molt/image.h"
#include "molt/map.h"
#include "molt/plan.h"
#include "nor.h"
#include "volume.h"

// The last five sectors of every chip: RF calibration, PHY data, SDK parameters.
#define DUMPFS_SYSTEM_SIZE MOLT_MAP_SYSTEM_SIZE

typedef struct dumpfs {
    const char *path;       // of the dump
    sim_nor_t nor;
    molt_region_t fs;       // as large as its superblock says
    molt_region_t system;   // the five system sectors; of an ESP32 size 0, at the end
    bool is_esp32;          // the dump is one of the ESP32 family
    molt_chip_t chip;       // of it; MOLT_CHIP_UNKNOWN if that is not known
    uint32_t boot_addr;     // of its second-stage boot loader
    molt_region_t kept[MOLT_MAP_KEPT_MAX];  // what an upgrade must not touch; filled in by dumpfs_open()
    uint32_t kept_count;
    molt_volume_t volume;   // mounted by dumpfs_mount()
} dumpfs_t;

// Load the dump at args->positional[0] and find the filesystem in it, or take the place that args names.
//   writes  the filesystem will be written or planned with: it must not reach into the five system sectors
// Returns 0, or 1 after having said what is wrong. dumpfs_close() either way.
int dumpfs_open(dumpfs_t *dump, const args_t *args, bool writes);
void dumpfs_close(dumpfs_t *dump);

// Only load; no filesystem is looked for.
int dumpfs_open_raw(dumpfs_t *dump, const char *path);

// Look for the filesystem. False if there is none.
bool dumpfs_find(dumpfs_t *dump);

// Look for one that begins at `addr`. False if there is none; dump->fs is then no longer what it was.
bool dumpfs_find_at(dumpfs_t *dump, uint32_t addr);

// Mount dump->volume. Returns 0, or 1 after having said what is wrong.
int dumpfs_mount(dumpfs_t *dump, bool is_writable);

// Replace the file by what the chip holds now. Returns 0, or 1 after having said what is wrong.
int dumpfs_save(const dumpfs_t *dump);

// Power on: operations are counted from 0 again, and a damaged filesystem cannot keep the tool busy for ever.
void dumpfs_power_on(dumpfs_t *dump);

#endif
