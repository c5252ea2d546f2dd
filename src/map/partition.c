// The partition table of an ESP32. Sources: ESP-IDF, API guide "Partition Tables"; for the end mark and what the boot
// loader refuses, its bootloader_support component; for names that mean something, MicroPython's port
// (modules/flashbdev.py, main.c, esp32_partition.c).

#include "map/partition.h"

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/md5.h"
#include "molt/error.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define ROW_COUNT_MAX (MOLT_PARTITION_TABLE_SIZE / MOLT_PARTITION_ROW_SIZE)
#define APP_ALIGNMENT 0x10000u
// The table has a sector of its own; partitions come behind it.
#define TABLE_END (MOLT_PARTITION_TABLE_ADDR + SECTOR)
// Flash capacities that the header of an ESP32's image can state.
#define FLASH_SIZE_MIN 0x100000u
#define FLASH_SIZE_MAX 0x8000000u

// Offsets in a row, and what the first two bytes make of it.
enum { TYPE_OFF = 2, SUBTYPE_OFF = 3, ADDR_OFF = 4, SIZE_OFF = 8, LABEL_OFF = 12, MD5_OFF = 16 };
enum { MAGIC_PARTITION = 0x50aa, MAGIC_MD5 = 0xebeb, MAGIC_END = 0xffff };

enum { TYPE_BOOT = 2, TYPE_TABLE = 3, TYPE_CUSTOM = 0x40, TYPE_NONE = 0xff };
// (0x4d is molt's own, for dynamic frozen modules.)
enum { DATA_UNDEFINED = 6, DATA_FROZEN = 0x4d, DATA_FAT = 0x81, DATA_SPIFFS = 0x82, DATA_LITTLEFS = 0x83 };

static bool is_label(const char *label, const char *wanted) {
    while (*label && *label == *wanted) {
        label++;
        wanted++;
    }
    return *label == *wanted;
}

static molt_map_kind_t data_kind(uint8_t subtype, const char *label) {
    if (is_label(label, "romfs")) {
        return MOLT_MAP_KIND_ROMFS;
    }
    if (subtype == DATA_FROZEN && is_label(label, "frozen")) {
        return MOLT_MAP_KIND_FROZEN;
    }
    if (subtype == DATA_FAT || subtype == DATA_SPIFFS || subtype == DATA_LITTLEFS || is_label(label, "vfs")
        || is_label(label, "ffat")) {
        return MOLT_MAP_KIND_FILESYSTEM;
    }
    return subtype == DATA_UNDEFINED || subtype > DATA_LITTLEFS ? MOLT_MAP_KIND_USER : MOLT_MAP_KIND_SYSTEM;
}

static molt_map_kind_t kind_of(uint8_t type, uint8_t subtype, const char *label) {
    switch (type) {
        case MOLT_PARTITION_TYPE_APP:
            return MOLT_MAP_KIND_FIRMWARE;
        case MOLT_PARTITION_TYPE_DATA:
            return data_kind(subtype, label);
        case TYPE_BOOT:
            return MOLT_MAP_KIND_BOOT;
        case TYPE_TABLE:
            return MOLT_MAP_KIND_TABLE;
        default:
            return type >= TYPE_CUSTOM ? MOLT_MAP_KIND_USER : MOLT_MAP_KIND_SYSTEM;
    }
}

static const uint8_t *row_at(const molt_partition_table_t *table, uint32_t index) {
    return table->bytes + index * MOLT_PARTITION_ROW_SIZE;
}

static const uint8_t *row_of(const molt_partition_table_t *table, uint32_t index) {
    return row_at(table, index + (index >= table->count && table->has_md5));
}

int molt_partition_read(molt_partition_table_t *table, const molt_flash_t *flash, uint8_t *buf, uint32_t boot_addr) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    for (uint32_t off = 0; off < MOLT_PARTITION_TABLE_SIZE; off += sector_size) {
        uint32_t size = min_u32(sector_size, MOLT_PARTITION_TABLE_SIZE - off);
        int err = flash->read(flash->ctx, MOLT_PARTITION_TABLE_ADDR + off, buf + off, size);
        if (err) {
            return err;
        }
    }
    return molt_partition_open(table, buf, MOLT_PARTITION_TABLE_SIZE, flash->geometry.size, boot_addr);
}

void molt_partition_get(const molt_partition_table_t *table, uint32_t index, molt_partition_t *partition) {
    const uint8_t *row = row_of(table, index);
    *partition = (molt_partition_t){ .type = row[TYPE_OFF], .subtype = row[SUBTYPE_OFF] };
    for (uint32_t i = 0; i < MOLT_PARTITION_LABEL_MAX && row[LABEL_OFF + i]; i++) {
        partition->label[i] = (char)row[LABEL_OFF + i];
    }
    molt_region_t region = { load32_le(row + ADDR_OFF), load32_le(row + SIZE_OFF) };
    partition->piece = (molt_map_piece_t){ kind_of(row[TYPE_OFF], row[SUBTYPE_OFF], partition->label), region };
}

// The same in whole sectors: what it leaves of its last one is of no use to anybody else.
static void get_sectors(const molt_partition_table_t *table, uint32_t index, molt_partition_t *partition) {
    molt_partition_get(table, index, partition);
    uint32_t *size = &partition->piece.region.size;
    *size = *size > 0u - SECTOR ? *size : ceil_div(*size, SECTOR) * SECTOR;
}

static bool share(const molt_region_t *a, const molt_region_t *b) {
    return ranges_overlap(a->addr, a->size, b->addr, b->size);
}

// Of the partitions before `limit`, whether one has a sector of the region.
static bool is_taken(const molt_partition_table_t *table, const molt_region_t *region, uint32_t limit) {
    molt_partition_t other;
    for (uint32_t i = 0; i < limit; i++) {
        get_sectors(table, i, &other);
        if (share(region, &other.piece.region)) {
            return true;
        }
    }
    return false;
}

static bool is_named(const molt_partition_table_t *table, const char *label, uint32_t limit) {
    molt_partition_t other;
    for (uint32_t i = 0; i < limit; i++) {
        molt_partition_get(table, i, &other);
        if (is_label(label, other.label)) {
            return true;
        }
    }
    return false;
}

static molt_map_defect_t check_partition(const molt_partition_table_t *table, uint32_t index, uint32_t flash_size) {
    static const molt_region_t low = { 0, TABLE_END };
    molt_partition_t partition;
    molt_partition_get(table, index, &partition);
    bool is_app = partition.type == MOLT_PARTITION_TYPE_APP;
    bool is_cut = is_app && partition.piece.region.size % SECTOR;
    get_sectors(table, index, &partition);
    const molt_region_t *region = &partition.piece.region;
    bool is_low = partition.piece.kind == MOLT_MAP_KIND_BOOT || partition.piece.kind == MOLT_MAP_KIND_TABLE;
    if (region->size == 0) {
        return MOLT_MAP_NO_SIZE;
    }
    if (is_cut || region->addr % (is_app ? APP_ALIGNMENT : SECTOR)) {
        return MOLT_MAP_UNALIGNED;
    }
    if (!range_within(region->addr, region->size, flash_size)) {
        return MOLT_MAP_OUTSIDE;
    }
    if ((!is_low && share(region, &low)) || is_taken(table, region, index)) {
        return MOLT_MAP_OVERLAP;
    }
    return is_named(table, partition.label, index) ? MOLT_MAP_SAME_LABEL : MOLT_MAP_FINE;
}

static bool is_md5_right(const molt_partition_table_t *table, uint32_t row_count) {
    molt_md5_t md5;
    uint8_t digest[MOLT_MD5_SIZE];
    const uint8_t *stored = row_at(table, row_count) + MD5_OFF;
    uint8_t difference = 0;
    molt_md5_init(&md5);
    molt_md5_update(&md5, table->bytes, row_count * MOLT_PARTITION_ROW_SIZE);
    molt_md5_finish(digest, &md5);
    for (uint32_t i = 0; i < MOLT_MD5_SIZE; i++) {
        difference |= digest[i] ^ stored[i];
    }
    return difference == 0;
}

// Count the rows up to the end mark: partitions, then, in most tables, their MD5. table->defect_row is where it stopped.
static molt_map_defect_t check_rows(molt_partition_table_t *table, uint32_t row_count) {
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t magic = load16_le(row_at(table, i));
        table->defect_row = i;
        if (magic == MAGIC_END) {
            return table->count ? MOLT_MAP_FINE : MOLT_MAP_NO_TABLE;
        }
        if (magic == MAGIC_PARTITION) {
            table->count += !table->has_md5;
            table->hidden_count += table->has_md5;
        } else if (magic != MAGIC_MD5 || table->has_md5) {
            return table->count ? MOLT_MAP_BAD_ROW : MOLT_MAP_NO_TABLE;
        } else if (!is_md5_right(table, i)) {
            return MOLT_MAP_BAD_MD5;
        } else {
            table->has_md5 = true;
        }
    }
    table->defect_row = row_count;
    return table->count ? MOLT_MAP_NO_END : MOLT_MAP_NO_TABLE;
}

// The smallest chip that reaches up to the last partition's end.
static uint32_t least_flash_size(const molt_partition_table_t *table) {
    uint32_t flash_size = FLASH_SIZE_MIN;
    molt_partition_t partition;
    for (uint32_t i = 0; i < table->count; i++) {
        get_sectors(table, i, &partition);
        const molt_region_t *region = &partition.piece.region;
        while (flash_size < FLASH_SIZE_MAX && !range_within(region->addr, region->size, flash_size)) {
            flash_size *= 2;
        }
    }
    return flash_size;
}

int molt_partition_open(
    molt_partition_table_t *table, const uint8_t *bytes, uint32_t size, uint32_t flash_size, uint32_t boot_addr) {
    *table = (molt_partition_table_t){ .bytes = bytes, .flash_size = flash_size, .boot_addr = boot_addr };
    table->defect = check_rows(table, min_u32(size / MOLT_PARTITION_ROW_SIZE, ROW_COUNT_MAX));
    if (table->defect == MOLT_MAP_FINE && flash_size == 0) {
        table->flash_size = least_flash_size(table);
    }
    for (uint32_t i = 0; i < table->count && table->defect == MOLT_MAP_FINE; i++) {
        table->defect_row = i;
        table->defect = check_partition(table, i, table->flash_size);
    }
    return table->defect == MOLT_MAP_FINE ? 0 : MOLT_ERR_CORRUPT;
}

// The pieces that there can be: the partitions, then boot loader and table, unless partitions take their place.
// False if there is no such piece.
static bool get_piece(const molt_partition_table_t *table, uint32_t index, molt_partition_t *partition) {
    if (index < table->count) {
        get_sectors(table, index, partition);
        return true;
    }
    bool is_boot = index == table->count;
    uint32_t addr = is_boot ? table->boot_addr : MOLT_PARTITION_TABLE_ADDR;
    uint32_t end = is_boot ? MOLT_PARTITION_TABLE_ADDR : TABLE_END;
    molt_region_t region = { addr, addr < end ? end - addr : 0 };
    *partition = (molt_partition_t){ .piece = { is_boot ? MOLT_MAP_KIND_BOOT : MOLT_MAP_KIND_TABLE, region }, .type = TYPE_NONE };
    return region.size && !is_taken(table, &region, table->count);
}

bool molt_partition_next(const molt_partition_table_t *table, uint32_t addr, molt_partition_t *partition) {
    if (addr >= table->flash_size) {
        return false;
    }
    uint32_t next = table->flash_size;
    for (uint32_t i = 0; i < table->count + 2; i++) {
        if (!get_piece(table, i, partition)) {
            continue;
        }
        if (partition->piece.region.addr == addr) {
            return true;
        }
        if (partition->piece.region.addr > addr) {
            next = min_u32(next, partition->piece.region.addr);
        }
    }
    *partition = (molt_partition_t){ .piece = { MOLT_MAP_KIND_UNUSED, { addr, next - addr } }, .type = TYPE_NONE };
    return true;
}
