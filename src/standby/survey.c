// What a device of the ESP32 family has: boot loader, partition table, the room for molt's loader, the loader.

#include "base/bytes.h"
#include "base/flash_io.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "molt/error.h"
#include "standby/standby_parts.h"

#define LOADER_LABEL "molt"

// Of a type that nobody has.
#define DATA_NONE 0x40

// What the boot loader never looks at, behind the loader's row.
#define END_LABEL "molt_end"

uint32_t molt_standby_plan_addr(const molt_flash_t *flash, uint32_t loader_addr) {
    return loader_addr + molt_sector_size(&flash->geometry);
}

static void lay_row(
    uint8_t *row, uint8_t type, uint8_t subtype, uint32_t addr, uint32_t size, const char *label, uint32_t length) {
    memset(row, 0, ROW_SIZE);
    row[0] = 0xaa;
    row[1] = 0x50;
    row[2] = type;
    row[3] = subtype;
    store32_le(row + ROW_ADDR_OFF, addr);
    store32_le(row + ROW_SIZE_OFF, size);
    memcpy(row + ROW_LABEL_OFF, label, length);
}

void standby_rows(const molt_flash_t *flash, uint32_t loader_addr, uint8_t rows[2 * ROW_SIZE]) {
    uint32_t size = molt_sector_size(&flash->geometry);
    lay_row(rows, MOLT_PARTITION_TYPE_APP, MOLT_PARTITION_APP_TEST, loader_addr, size, LOADER_LABEL, sizeof LOADER_LABEL - 1);
    lay_row(rows + ROW_SIZE, MOLT_PARTITION_TYPE_DATA, DATA_NONE, loader_addr + size, size, END_LABEL, sizeof END_LABEL - 1);
}

int standby_check_loader(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint32_t loader_addr, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    return molt_standby_image(chip, loader_addr, sector_size, buf) > sector_size ? MOLT_ERR_IO
                                                                                 : molt_sector_verify(flash, loader_addr, buf);
}

static int cannot(molt_standby_t *standby, molt_standby_defect_t defect) {
    standby->defect = defect;
    return MOLT_ERR_NOTSUP;
}

// Find the end of the boot loader's image: what stands behind it is free for others.
static int find_boot_end(const molt_flash_t *flash, const molt_standby_chip_t *chip, molt_standby_t *standby) {
    uint32_t words[APP_HEADER_SIZE / 4];
    const uint8_t *bytes = (const uint8_t *)words;
    uint32_t addr = chip->boot_addr;
    int err = flash->read(flash->ctx, addr, words, sizeof words);
    if (err) {
        return err;
    }
    uint32_t count = bytes[APP_OFF_SEGMENT_COUNT];
    if (bytes[0] != APP_MAGIC || count == 0 || count > APP_SEGMENTS_MAX) {
        return cannot(standby, MOLT_STANDBY_NO_BOOT_LOADER);
    }
    if (load16_le(bytes + APP_OFF_CHIP_ID) != chip->chip_id) {
        return cannot(standby, MOLT_STANDBY_OTHER_CHIP);
    }
    uint32_t digest_size = bytes[APP_OFF_HAS_SHA256] ? 32 : 0;
    for (addr += APP_HEADER_SIZE; count; count--) {
        err = flash->read(flash->ctx, addr, words, 8);
        if (err) {
            return err;
        }
        uint32_t size = load32_le(bytes + 4);
        if (size % 4 != 0 || addr + 8 >= MOLT_PARTITION_TABLE_ADDR || size >= MOLT_PARTITION_TABLE_ADDR - addr - 8) {
            return cannot(standby, MOLT_STANDBY_NO_BOOT_LOADER);
        }
        addr += 8 + size;
    }
    // Images begin on multiples of 16.
    standby->boot_end = (addr | 15) + 1 + digest_size;
    return 0;
}

// The app partition that the boot loader starts whatever else there is.
static int find_app(const molt_partition_table_t *table, molt_standby_t *standby) {
    molt_partition_t partition;
    for (uint32_t i = 0; i < table->count; i++) {
        molt_partition_get(table, i, &partition);
        if (partition.type == MOLT_PARTITION_TYPE_APP && partition.subtype >= MOLT_PARTITION_APP_OTA_FIRST
            && partition.subtype <= MOLT_PARTITION_APP_OTA_LAST) {
            return cannot(standby, MOLT_STANDBY_OTA);
        }
        if (partition.type == MOLT_PARTITION_TYPE_APP && partition.subtype == MOLT_PARTITION_APP_FACTORY) {
            standby->app = partition.piece.region;
        }
    }
    return standby->app.size ? 0 : cannot(standby, MOLT_STANDBY_NO_FACTORY);
}

static bool has_label(const molt_partition_t *partition, const char *label, uint32_t size) {
    return memcmp(partition->label, label, size) == 0;
}

// Look through the rows behind the MD5 row. 0: the loader's is there; MOLT_ERR_NOENT: there is room for it at standby->row_addr, or
// it is there, but its head was torn.
static int find_rows(const molt_partition_table_t *table, molt_standby_t *standby) {
    molt_partition_t partition;
    uint32_t off = (table->count + 1) * ROW_SIZE;
    for (uint32_t i = 0; i < table->hidden_count; i++, off += ROW_SIZE) {
        molt_partition_get(table, table->count + i, &partition);
        bool is_loader = has_label(&partition, LOADER_LABEL, sizeof LOADER_LABEL);
        if (!is_loader && !has_label(&partition, END_LABEL, sizeof END_LABEL)) {
            return cannot(standby, MOLT_STANDBY_OTHER_ROWS);
        }
        if (is_loader && partition.piece.region.size) {
            standby->row_addr = MOLT_PARTITION_TABLE_ADDR + off;
            standby->loader_addr = partition.piece.region.addr;
            return partition.type == MOLT_PARTITION_TYPE_APP && partition.subtype == MOLT_PARTITION_APP_TEST ? 0 : MOLT_ERR_NOENT;
        }
    }
    standby->row_addr = MOLT_PARTITION_TABLE_ADDR + off;
    return off + 3 * ROW_SIZE > MOLT_PARTITION_TABLE_SIZE ? cannot(standby, MOLT_STANDBY_TABLE_FULL) : MOLT_ERR_NOENT;
}

// Whether the sector at `addr` is erased, or has a plan of an earlier installation. 1, 0 or the driver's error.
static int is_free_for_plan(const molt_flash_t *flash, uint32_t addr, uint8_t *buf) {
    molt_plan_t plan;
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    int is_blank = molt_flash_is_blank(flash, addr, sector_size);
    if (is_blank != 0) {
        return is_blank;
    }
    int err = flash->read(flash->ctx, addr, buf, sector_size);
    return err ? err : molt_plan_open(&plan, &flash->geometry, buf) == 0;
}

// Whether the two sectors from `addr` on are free: erased, or what molt has left there.
// 1, 0 or the driver's error.
static int is_room(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint32_t addr, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    int is_free = is_free_for_plan(flash, addr + sector_size, buf);
    if (is_free != 1) {
        return is_free;
    }
    (void)molt_standby_image(chip, addr, sector_size, buf);
    uint32_t words[16];
    for (uint32_t off = 0; off < sector_size; off += sizeof words) {
        int err = flash->read(flash->ctx, addr + off, words, sizeof words);
        if (err) {
            return err;
        }
        for (uint32_t i = 0; i < sizeof words / 4; i++) {
            if ((words[i] & load32_le(buf + off + 4 * i)) != load32_le(buf + off + 4 * i)) {
                return 0;
            }
        }
    }
    return 1;
}

// The two sectors for loader and plan: below the table, else at the end of the app partition.
static int find_room(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_standby_t *standby) {
    uint32_t size = 2 * molt_sector_size(&flash->geometry);
    uint32_t addr = MOLT_PARTITION_TABLE_ADDR - size;
    int is_free = addr >= standby->boot_end ? is_room(flash, chip, addr, buf) : 0;
    if (is_free == 0 && standby->app.size > size) {
        addr = standby->app.addr + standby->app.size - size;
        is_free = is_room(flash, chip, addr, buf);
    }
    standby->loader_addr = addr;
    return is_free == 1 ? MOLT_ERR_NOENT : is_free == 0 ? cannot(standby, MOLT_STANDBY_NO_ROOM) : is_free;
}

// A row for the loader is there: whether it is of the place that molt would have chosen. Elsewhere it is somebody else's, and a boot
// loader that has grown since has taken the place.
static int check_place(const molt_flash_t *flash, molt_standby_t *standby) {
    uint32_t size = 2 * molt_sector_size(&flash->geometry);
    if (standby->loader_addr == MOLT_PARTITION_TABLE_ADDR - size) {
        return standby->loader_addr >= standby->boot_end ? 0 : cannot(standby, MOLT_STANDBY_NO_ROOM);
    }
    if (standby->app.size > size && standby->loader_addr == standby->app.addr + standby->app.size - size) {
        return 0;
    }
    standby->loader_addr = 0;
    return cannot(standby, MOLT_STANDBY_OTHER_ROWS);
}

// What the loader has of the app partition the firmware has not.
static void clip_app(const molt_flash_t *flash, molt_standby_t *standby) {
    uint32_t size = 2 * molt_sector_size(&flash->geometry);
    if (ranges_overlap(standby->app.addr, standby->app.size, standby->loader_addr, size)) {
        standby->app.size = standby->loader_addr - standby->app.addr;
    }
}

int molt_standby_read(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_standby_t *standby) {
    *standby = (molt_standby_t){ .defect = MOLT_STANDBY_NOT_INSTALLED };
    int err = find_boot_end(flash, chip, standby);
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    for (uint32_t off = 0; !err && off < MOLT_PARTITION_TABLE_SIZE; off += sector_size) {
        err = flash->read(
            flash->ctx, MOLT_PARTITION_TABLE_ADDR + off, buf + off, min_u32(sector_size, MOLT_PARTITION_TABLE_SIZE - off));
    }
    if (err) {
        return err;
    }
    molt_partition_table_t table;
    if (molt_partition_open(&table, buf, MOLT_PARTITION_TABLE_SIZE, flash->geometry.size, chip->boot_addr) != 0) {
        standby->table_defect = table.defect;
        return cannot(standby, MOLT_STANDBY_BAD_TABLE);
    }
    if (!table.has_md5) {
        return cannot(standby, MOLT_STANDBY_NO_MD5);
    }
    err = find_app(&table, standby);
    err = err ? err : find_rows(&table, standby);
    err = err ? err : check_place(flash, standby);
    if (err == MOLT_ERR_NOENT) {
        err = find_room(flash, chip, buf, standby);
    } else if (!err) {
        err = standby_check_loader(flash, chip, standby->loader_addr, buf);
        standby->defect = err == MOLT_ERR_IO ? MOLT_STANDBY_LOADER_DAMAGED : MOLT_STANDBY_FINE;
        err = err == MOLT_ERR_IO ? MOLT_ERR_CORRUPT : err;
    }
    clip_app(flash, standby);
    return err;
}

void molt_standby_target(molt_target_t *target, const molt_target_t *chip_target, const molt_standby_t *standby) {
    *target = *chip_target;
    target->image_addr = standby->app.addr;
    target->boot_addr = standby->app.addr;
    target->mapped_size = standby->app.size;
    target->loader_addr = standby->loader_addr;
    target->row_addr = standby->row_addr;
}
