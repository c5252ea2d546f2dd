// Flash maps: what lies where in an ESP8266's flash. One table, which the plan, the frozen store, resident mode,
// the tool and the Python face obey; no address of a region stands anywhere else. docs/flash-map.md has the
// pictures and the reasons. An ESP32 says itself what lies where: map/partition.h makes the same pieces of that.
//
// A map is made for one flash size, then split at the end of the firmware, which is only known on the device: what
// the firmware leaves of its room is the frozen modules', who fill it from the top downwards.
//
//   molt_map_t map;
//   molt_map_find(&map, "molt", flash_size);        // or molt_map_detect(): the one that a device has
//   molt_map_set_firmware(&map, firmware_end);
//   map.regions[MOLT_MAP_KIND_FROZEN]                    // {addr, size}; size 0: there is none
#ifndef MOLT_MAP_H
#define MOLT_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"

// Of the 16 MB that a chip may have, the CPU sees (and executes) the first. Source: ESP8266 memory map.
#define MOLT_MAP_MAPPED_SIZE 0x100000u
#define MOLT_MAP_SECTOR_SIZE 4096u
// At the end of every flash: RF calibration, PHY data, three of SDK parameters. Source: ESP8266 SDK 2.0 and later.
#define MOLT_MAP_SYSTEM_SIZE (5 * MOLT_MAP_SECTOR_SIZE)
#define MOLT_MAP_FLASH_SIZE_MIN 0x80000u    // 512 KB
#define MOLT_MAP_FLASH_SIZE_MAX 0x1000000u  // 16 MB

// Where MicroPython's esp8266 port has its filesystem, from esp.flash_user_start(). In the mapped part it leaves one sector
// for native code. Source: ports/esp8266/modules/flashbdev.py.
static inline uint32_t molt_map_port_fs_addr(uint32_t user_start) {
    return user_start + (user_start < MOLT_MAP_MAPPED_SIZE ? MOLT_MAP_SECTOR_SIZE : 0);
}

// In the order of their addresses in molt's own map for 2 MB and more.
typedef enum molt_map_kind {
    MOLT_MAP_KIND_BOOT,      // a boot loader that is no part of the firmware (yaota8266); mostly of size 0
    MOLT_MAP_KIND_FIRMWARE,  // the firmware and, as its first sector, molt's boot loader
    MOLT_MAP_KIND_FROZEN,    // dynamic frozen modules, from its end downwards
    MOLT_MAP_KIND_NATIVE,    // machine code of @native and @viper functions
    MOLT_MAP_KIND_ROMFS,     // MicroPython's ROMFS partition
    MOLT_MAP_KIND_USER,      // the user's own sectors, which molt never touches
    MOLT_MAP_KIND_RESERVED,  // molt's own: resident mode's two heads, plan, journal
    MOLT_MAP_KIND_FILESYSTEM,
    MOLT_MAP_KIND_SYSTEM,  // RF calibration, PHY data, SDK parameters
    MOLT_MAP_KIND_COUNT,
    MOLT_MAP_KIND_UNUSED = MOLT_MAP_KIND_COUNT,  // of a piece that is in no region
    MOLT_MAP_KIND_TABLE,                         // an ESP32's partition table; no region of a map
} molt_map_kind_t;

typedef struct molt_map {
    const char *name;  // of the table's row; "other" for a filesystem where no row has one
    uint32_t flash_size;
    uint32_t mapped_size;                        // what the CPU sees of it
    bool is_molt;                                // molt's own map: native code is to be put into its region
    molt_region_t regions[MOLT_MAP_KIND_COUNT];  // by kind; size 0: there is none
} molt_map_t;

// The maps that there are, for listing: index 0..molt_map_count()-1. Not every map is made for every flash size.
uint32_t molt_map_count(void);
const char *molt_map_name(uint32_t index);
bool molt_map_has_size(uint32_t index, uint32_t flash_size);

// The map called `name` for a flash of `flash_size` bytes. "stock" stands for the map of the MicroPython build that
// is made for that size. The firmware takes all of its room and the frozen modules have none until
// molt_map_set_firmware() splits it.
// Returns 0, MOLT_ERR_NOENT (no map of that name) or MOLT_ERR_NOTSUP (it is not made for that size).
int molt_map_find(molt_map_t *map, const char *name, uint32_t flash_size);

// The firmware ends at `end`, an address: the rest of its room, by sectors, is the frozen modules'. A firmware that
// leaves no room for the reserved region of a stock map takes its place.
// Returns 0, or MOLT_ERR_FBIG and changes nothing: it runs into native code, user sectors or filesystem.
int molt_map_set_firmware(molt_map_t *map, uint32_t end);

// What is known of a device, or of a dump of its flash.
typedef struct molt_map_evidence {
    uint32_t flash_size;
    molt_region_t fs;       // size 0: not known, or none
    uint32_t firmware_end;  // address; 0: not known
    bool has_romfs;         // the firmware has a ROMFS partition
} molt_map_evidence_t;

// The map that a device has: that of the row whose filesystem begins there. If there is none, the map is called
// "other" and claims nothing but firmware, frozen modules, filesystem and system sectors, and molt's reserved
// sectors where the filesystem begins above the mapped part. The filesystem is the one given, whatever its size.
// Returns 0, MOLT_ERR_NOTSUP (flash size), MOLT_ERR_RANGE (filesystem outside flash or not on sectors) or
// MOLT_ERR_FBIG (firmware and filesystem overlap).
int molt_map_detect(molt_map_t *map, const molt_map_evidence_t *evidence);

// Regions that an upgrade must not touch, whatever the image: the user's, ROMFS, system, and in molt's own map molt's
// reserved sectors. (Filesystem and frozen modules have rules of their own; in a stock map an image may need the
// reserved sectors.) Fills in `kept` and returns how many there are, at least 1.
#define MOLT_MAP_KEPT_MAX 4
uint32_t molt_map_kept(const molt_map_t *map, molt_region_t kept[MOLT_MAP_KEPT_MAX]);

// What is wrong with a map, or with a partition table.
typedef enum molt_map_defect {
    MOLT_MAP_FINE,
    MOLT_MAP_UNALIGNED,  // a region is not made of whole sectors, or an ESP32's app does not begin with a 64 KB block
    MOLT_MAP_OUTSIDE,    // a region reaches past the end of flash
    MOLT_MAP_OVERLAP,    // two regions share a sector
    MOLT_MAP_UNMAPPED,   // firmware, frozen modules, native code or ROMFS where the CPU does not see them
    MOLT_MAP_NO_SYSTEM,  // the system sectors are not at the end of flash
    // Of partition tables only.
    MOLT_MAP_NO_TABLE,  // nothing that begins like one, or one without partitions
    MOLT_MAP_NO_END,    // it stops before its end mark
    MOLT_MAP_BAD_ROW,   // neither a partition, nor the MD5, nor the end
    MOLT_MAP_BAD_MD5,
    MOLT_MAP_NO_SIZE,     // a partition of no bytes
    MOLT_MAP_SAME_LABEL,  // two partitions of one name
} molt_map_defect_t;

// The first defect of a map, in the order above.
molt_map_defect_t molt_map_check(const molt_map_t *map);

// A sentence without full stop. Never NULL.
const char *molt_map_defect_text(molt_map_defect_t defect);

// One run of sectors with one use.
typedef struct molt_map_piece {
    molt_map_kind_t kind;
    molt_region_t region;
} molt_map_piece_t;

// Go through flash from its beginning to its end, the sectors of no region included: the piece that begins at
// `addr`, where the one before ended (0 for the first). False when addr is the end of flash. The map is sound
// (molt_map_check()).
bool molt_map_next(const molt_map_t *map, uint32_t addr, molt_map_piece_t *piece);

// A word for the kind, for listings and JSON: "firmware", "frozen", "native", ... Never NULL.
const char *molt_map_kind_name(molt_map_kind_t kind);

#endif
