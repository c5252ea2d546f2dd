// The table of flash maps, and what can be asked of one.

#include "map/map.h"

#include "base/bytes.h"
#include "molt/error.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define ALL_SIZES 0xffffffffu
#define NONE 0u

// One row: where the regions of a map begin, in ascending order. Each but the firmware and the filesystem has a
// fixed size; the filesystem ends where the system sectors begin, and these end with the flash.
typedef struct row {
    const char *name;
    uint32_t size_min;  // of flash
    uint32_t size_max;
    uint32_t boot_size;  // the firmware begins behind it
    uint32_t room_end;   // firmware and frozen modules end here
    molt_region_t native;
    molt_region_t romfs;
    molt_region_t user;
    molt_region_t reserved;
    uint32_t fs_addr;  // NONE: there is no filesystem
    uint32_t system_size;
    bool is_stock;  // "stock" stands for one of these
} row_t;

// Sources of the stock rows: ports/esp8266/boards/*.ld (room_end is ORIGIN + LENGTH of irom0_0_seg), modesp.c
// (esp.flash_user_start()) and modules/flashbdev.py of MicroPython 1.26; for stock-old its flashbdev.py of 1.8.
// A filesystem below the mapped end begins one sector late: flashbdev.py leaves that one for native code.
// Reserved regions in stock rows are molt's choice of sectors that such a build does not use.
static const row_t rows[] = {
    {
        // No filesystem.
        .name = "stock-512K",
        .size_min = 0x80000,
        .size_max = ALL_SIZES,
        .room_end = 0x7b000,
        .system_size = MOLT_MAP_SYSTEM_SIZE,
        .is_stock = true,
    },
    {
        .name = "stock-2M",
        .size_min = 0x200000,
        .size_max = ALL_SIZES,
        .room_end = 0xf8000,
        .reserved = { 0xf8000, 8 * SECTOR },
        .fs_addr = 0x100000,
        .system_size = MOLT_MAP_SYSTEM_SIZE,
        .is_stock = true,
    },
    {
        .name = "stock-1M",
        .size_min = 0x100000,
        .size_max = ALL_SIZES,
        .room_end = 0x98000,
        .native = { 0x98000, SECTOR },
        .fs_addr = 0x99000,
        .system_size = MOLT_MAP_SYSTEM_SIZE,
        .is_stock = true,
    },
    {
        // Behind the boot loader yaota8266.
        .name = "stock-OTA",
        .size_min = 0x100000,
        .size_max = ALL_SIZES,
        .boot_size = 0x3c000,
        .room_end = 0xd4000,
        .native = { 0xd4000, SECTOR },
        .fs_addr = 0xd5000,
        .system_size = MOLT_MAP_SYSTEM_SIZE,
    },
    {
        .name = "stock-2M-ROMFS",
        .size_min = 0x200000,
        .size_max = ALL_SIZES,
        .room_end = 0xb0000,
        .romfs = { 0xb0000, 80 * SECTOR },
        .fs_addr = 0x100000,
        .system_size = MOLT_MAP_SYSTEM_SIZE,
    },
    {
        .name = "stock-old",
        .size_min = 0x100000,
        .size_max = ALL_SIZES,
        .room_end = 0x89000,
        .fs_addr = 0x89000,
        .system_size = 4 * SECTOR,
    },
    {
        // Nothing to share out.
        .name = "molt",
        .size_min = 0x80000,
        .size_max = 0x80000,
        .room_end = 0x7b000,
        .system_size = MOLT_MAP_SYSTEM_SIZE,
    },
    {
        .name = "molt",
        .size_min = 0x100000,
        .size_max = 0x100000,
        .room_end = 0xb4000,
        .user = { 0xb4000, 2 * SECTOR },
        .reserved = { 0xb6000, 8 * SECTOR },
        // The port's documentation has native code begin at esp.flash_user_start(), one sector before the filesystem.
        .native = { 0xbe000, 2 * SECTOR },
        .fs_addr = 0xc0000,
        .system_size = MOLT_MAP_SYSTEM_SIZE,
    },
    {
        .name = "molt",
        .size_min = 0x200000,
        .size_max = ALL_SIZES,
        .room_end = 0xf8000,
        .native = { 0xf8000, 8 * SECTOR },
        .user = { 0x100000, 8 * SECTOR },
        .reserved = { 0x108000, 8 * SECTOR },
        .fs_addr = 0x110000,
        .system_size = MOLT_MAP_SYSTEM_SIZE,
    },
};

#define ROW_COUNT ((uint32_t)(sizeof rows / sizeof rows[0]))

static const char *const kind_names[] = { "boot", "firmware", "frozen", "native", "romfs", "user", "reserved", "filesystem",
    "system", "unused", "table" };
#define NAME_COUNT ((uint32_t)(sizeof kind_names / sizeof kind_names[0]))

static bool is_same_text(const char *a, const char *b) {
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static bool is_flash_size(uint32_t size) {
    return size >= MOLT_MAP_FLASH_SIZE_MIN && size <= MOLT_MAP_FLASH_SIZE_MAX && (size & (size - 1)) == 0;
}

static uint32_t region_end(const molt_region_t *region) {
    return region->addr + region->size;
}

static uint32_t align_up(uint32_t addr) {
    return ceil_div(addr, SECTOR) * SECTOR;
}

static bool row_has_size(const row_t *row, uint32_t flash_size) {
    return is_flash_size(flash_size) && flash_size >= row->size_min && flash_size <= row->size_max;
}

static void make_map(molt_map_t *map, const row_t *row, uint32_t flash_size) {
    uint32_t system_addr = flash_size - row->system_size;
    *map = (molt_map_t){
        .name = row->name,
        .flash_size = flash_size,
        .mapped_size = min_u32(flash_size, MOLT_MAP_MAPPED_SIZE),
        .is_molt = is_same_text(row->name, "molt"),
    };
    molt_region_t *regions = map->regions;
    regions[MOLT_MAP_KIND_BOOT] = (molt_region_t){ 0, row->boot_size };
    regions[MOLT_MAP_KIND_FIRMWARE] = (molt_region_t){ row->boot_size, row->room_end - row->boot_size };
    regions[MOLT_MAP_KIND_FROZEN] = (molt_region_t){ row->room_end, 0 };
    regions[MOLT_MAP_KIND_NATIVE] = row->native;
    regions[MOLT_MAP_KIND_ROMFS] = row->romfs;
    regions[MOLT_MAP_KIND_USER] = row->user;
    regions[MOLT_MAP_KIND_RESERVED] = row->reserved;
    if (row->fs_addr != NONE) {
        regions[MOLT_MAP_KIND_FILESYSTEM] = (molt_region_t){ row->fs_addr, system_addr - row->fs_addr };
    }
    regions[MOLT_MAP_KIND_SYSTEM] = (molt_region_t){ system_addr, row->system_size };
}

uint32_t molt_map_count(void) {
    return ROW_COUNT;
}

const char *molt_map_name(uint32_t index) {
    return rows[index].name;
}

bool molt_map_has_size(uint32_t index, uint32_t flash_size) {
    return row_has_size(&rows[index], flash_size);
}

// The row that "stock" stands for: of the builds that this flash is large enough for, the one made for the largest.
static const row_t *stock_row(uint32_t flash_size) {
    const row_t *best = 0;
    for (uint32_t i = 0; i < ROW_COUNT; i++) {
        const row_t *row = &rows[i];
        if (row->is_stock && row_has_size(row, flash_size) && (!best || row->size_min > best->size_min)) {
            best = row;
        }
    }
    return best;
}

int molt_map_find(molt_map_t *map, const char *name, uint32_t flash_size) {
    bool is_known = is_same_text(name, "stock");
    const row_t *found = is_known ? stock_row(flash_size) : 0;
    for (uint32_t i = 0; i < ROW_COUNT && !found; i++) {
        if (is_same_text(rows[i].name, name)) {
            is_known = true;
            found = row_has_size(&rows[i], flash_size) ? &rows[i] : 0;
        }
    }
    if (!found) {
        return is_known ? MOLT_ERR_NOTSUP : MOLT_ERR_NOENT;
    }
    make_map(map, found, flash_size);
    return 0;
}

int molt_map_set_firmware(molt_map_t *map, uint32_t end) {
    molt_region_t *firmware = &map->regions[MOLT_MAP_KIND_FIRMWARE];
    molt_region_t *frozen = &map->regions[MOLT_MAP_KIND_FROZEN];
    molt_region_t *reserved = &map->regions[MOLT_MAP_KIND_RESERVED];
    uint32_t room_end = region_end(frozen);
    bool takes_reserved = !map->is_molt && reserved->size && reserved->addr == room_end && end > room_end;
    if (takes_reserved) {
        room_end = region_end(reserved);
    }
    if (end < firmware->addr || end > room_end) {
        return MOLT_ERR_FBIG;
    }
    if (takes_reserved) {
        *reserved = (molt_region_t){ 0, 0 };
    }
    firmware->size = align_up(end) - firmware->addr;
    frozen->addr = region_end(firmware);
    frozen->size = room_end - frozen->addr;
    return 0;
}

// The row whose filesystem begins where this one does.
static const row_t *matching_row(const molt_map_evidence_t *evidence) {
    for (uint32_t i = 0; i < ROW_COUNT; i++) {
        const row_t *row = &rows[i];
        if (row_has_size(row, evidence->flash_size) && row->fs_addr != NONE && row->fs_addr == evidence->fs.addr
            && evidence->has_romfs == (row->romfs.size != 0)) {
            return row;
        }
    }
    return 0;
}

// A filesystem where no row has one: what lies between firmware and filesystem, in the mapped part, is free, but
// for a ROMFS partition there, of which only the end is known.
static void make_other(molt_map_t *map, const molt_map_evidence_t *evidence, const row_t *stock) {
    make_map(map, stock, evidence->flash_size);
    map->name = "other";
    molt_region_t *regions = map->regions;
    uint32_t room_end = region_end(&regions[MOLT_MAP_KIND_FROZEN]);
    regions[MOLT_MAP_KIND_NATIVE] = (molt_region_t){ 0, 0 };
    if (evidence->fs.addr < map->mapped_size || evidence->has_romfs) {
        regions[MOLT_MAP_KIND_RESERVED] = (molt_region_t){ 0, 0 };
        room_end = min_u32(evidence->fs.addr, map->mapped_size);
    }
    if (evidence->has_romfs && evidence->firmware_end) {
        room_end = min_u32(room_end, align_up(evidence->firmware_end));
    }
    regions[MOLT_MAP_KIND_FIRMWARE].size = room_end;
    regions[MOLT_MAP_KIND_FROZEN].addr = room_end;
}

// The filesystem is what it is, also where it is smaller than the row's, or leaves fewer sectors to the system.
static void set_filesystem(molt_map_t *map, const molt_region_t *fs) {
    molt_region_t *system = &map->regions[MOLT_MAP_KIND_SYSTEM];
    map->regions[MOLT_MAP_KIND_FILESYSTEM] = *fs;
    if (region_end(fs) > system->addr) {
        *system = (molt_region_t){ region_end(fs), map->flash_size - region_end(fs) };
    }
}

int molt_map_detect(molt_map_t *map, const molt_map_evidence_t *evidence) {
    const molt_region_t *fs = &evidence->fs;
    const row_t *stock = stock_row(evidence->flash_size);
    if (!stock) {
        return MOLT_ERR_NOTSUP;
    }
    if (fs->size == 0) {
        make_map(map, stock, evidence->flash_size);
    } else {
        if (fs->addr == 0 || (fs->addr | fs->size) % SECTOR || fs->addr >= evidence->flash_size
            || fs->size > evidence->flash_size - fs->addr) {
            return MOLT_ERR_RANGE;
        }
        const row_t *found = matching_row(evidence);
        if (found) {
            make_map(map, found, evidence->flash_size);
        } else {
            make_other(map, evidence, stock);
        }
        set_filesystem(map, fs);
    }
    return evidence->firmware_end ? molt_map_set_firmware(map, evidence->firmware_end) : 0;
}

uint32_t molt_map_kept(const molt_map_t *map, molt_region_t kept[MOLT_MAP_KEPT_MAX]) {
    static const molt_map_kind_t kinds[MOLT_MAP_KEPT_MAX] = { MOLT_MAP_KIND_SYSTEM, MOLT_MAP_KIND_USER, MOLT_MAP_KIND_ROMFS,
        MOLT_MAP_KIND_RESERVED };
    uint32_t count = 0;
    for (uint32_t i = 0; i < MOLT_MAP_KEPT_MAX; i++) {
        bool is_kept = kinds[i] != MOLT_MAP_KIND_RESERVED || map->is_molt;
        if (is_kept && map->regions[kinds[i]].size) {
            kept[count++] = map->regions[kinds[i]];
        }
    }
    return count;
}

static bool is_mapped_kind(molt_map_kind_t kind) {
    return kind == MOLT_MAP_KIND_BOOT || kind == MOLT_MAP_KIND_FIRMWARE || kind == MOLT_MAP_KIND_FROZEN
           || kind == MOLT_MAP_KIND_NATIVE || kind == MOLT_MAP_KIND_ROMFS;
}

static bool is_overlapped(const molt_map_t *map, uint32_t index) {
    const molt_region_t *region = &map->regions[index];
    for (uint32_t i = 0; i < index; i++) {
        const molt_region_t *other = &map->regions[i];
        if (other->size && region->addr < region_end(other) && other->addr < region_end(region)) {
            return true;
        }
    }
    return false;
}

static molt_map_defect_t check_region(const molt_map_t *map, uint32_t index) {
    const molt_region_t *region = &map->regions[index];
    if (region->size == 0) {
        return MOLT_MAP_FINE;
    }
    if ((region->addr | region->size) % SECTOR) {
        return MOLT_MAP_UNALIGNED;
    }
    if (region->addr >= map->flash_size || region->size > map->flash_size - region->addr) {
        return MOLT_MAP_OUTSIDE;
    }
    if (is_overlapped(map, index)) {
        return MOLT_MAP_OVERLAP;
    }
    if (is_mapped_kind((molt_map_kind_t)index) && region_end(region) > map->mapped_size) {
        return MOLT_MAP_UNMAPPED;
    }
    return MOLT_MAP_FINE;
}

molt_map_defect_t molt_map_check(const molt_map_t *map) {
    molt_map_defect_t first = MOLT_MAP_FINE;
    for (uint32_t i = 0; i < MOLT_MAP_KIND_COUNT; i++) {
        molt_map_defect_t defect = check_region(map, i);
        if (defect != MOLT_MAP_FINE && (first == MOLT_MAP_FINE || defect < first)) {
            first = defect;
        }
    }
    const molt_region_t *system = &map->regions[MOLT_MAP_KIND_SYSTEM];
    if (first == MOLT_MAP_FINE && (system->size == 0 || region_end(system) != map->flash_size)) {
        first = MOLT_MAP_NO_SYSTEM;
    }
    return first;
}

const char *molt_map_defect_text(molt_map_defect_t defect) {
    switch (defect) {
        case MOLT_MAP_FINE:
            return "nothing is wrong";
        case MOLT_MAP_UNALIGNED:
            return "it does not begin and end with a sector of 4 KB, or is an app that does not begin with a 64 KB block";
        case MOLT_MAP_OUTSIDE:
            return "it reaches past the end of flash";
        case MOLT_MAP_OVERLAP:
            return "it overlaps another region";
        case MOLT_MAP_UNMAPPED:
            return "code runs from it, and it lies where the CPU cannot see it";
        case MOLT_MAP_NO_SYSTEM:
            return "the system sectors are not at the end of flash";
        case MOLT_MAP_NO_TABLE:
            return "there is no partition table";
        case MOLT_MAP_NO_END:
            return "the partition table stops before its end";
        case MOLT_MAP_BAD_ROW:
            return "there is something in the partition table that is no partition";
        case MOLT_MAP_BAD_MD5:
            return "the MD5 of the partition table is wrong";
        case MOLT_MAP_NO_SIZE:
            return "it has no bytes";
        case MOLT_MAP_SAME_LABEL:
            return "there is another partition of that name";
        default:
            return "unknown";
    }
}

bool molt_map_next(const molt_map_t *map, uint32_t addr, molt_map_piece_t *piece) {
    if (addr >= map->flash_size) {
        return false;
    }
    uint32_t next = map->flash_size;
    for (uint32_t i = 0; i < MOLT_MAP_KIND_COUNT; i++) {
        const molt_region_t *region = &map->regions[i];
        if (region->size && region->addr == addr) {
            *piece = (molt_map_piece_t){ (molt_map_kind_t)i, *region };
            return true;
        }
        if (region->size && region->addr > addr) {
            next = min_u32(next, region->addr);
        }
    }
    *piece = (molt_map_piece_t){ MOLT_MAP_KIND_UNUSED, { addr, next - addr } };
    return true;
}

const char *molt_map_kind_name(molt_map_kind_t kind) {
    return kind_names[(uint32_t)kind < NAME_COUNT ? (uint32_t)kind : MOLT_MAP_KIND_UNUSED];
}
