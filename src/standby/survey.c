// What a device of the ESP32 family has: boot loader, partition table, the room for molt's loader, the loader.

#include "base/app_image.h"
#include "base/bytes.h"
#include "base/flash_io.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "molt/error.h"
#include "standby/standby_parts.h"

#define LOADER_LABEL "molt"
#define APP_LABEL "molt_app"
#define OTADATA_LABEL "molt_otadata"

// Of a type that nobody has.
#define DATA_NONE 0x40

// What the boot loader never looks at, behind the others.
#define END_LABEL "molt_end"

// The slots: molt_trial_ask() counts on the loader's being the first.
#define LOADER_SLOT MOLT_PARTITION_APP_OTA_FIRST
#define APP_SLOT (MOLT_PARTITION_APP_OTA_FIRST + 1)

static bool has_trials(const molt_flash_t *flash, uint32_t loader_addr, uint32_t plan_addr) {
    return MOLT_TRIAL && plan_addr - loader_addr > molt_sector_size(&flash->geometry);
}

bool molt_standby_has_trials(const molt_target_t *target, const molt_flash_t *flash) {
    return has_trials(flash, target->loader_addr, target->plan_addr);
}

static void lay_row(uint8_t *row, uint8_t type, uint8_t subtype, uint32_t addr, uint32_t size, const char *label) {
    memset(row, 0, ROW_SIZE);
    row[0] = 0xaa;
    row[1] = 0x50;
    row[2] = type;
    row[3] = subtype;
    store32_le(row + ROW_ADDR_OFF, addr);
    store32_le(row + ROW_SIZE_OFF, size);
    for (uint32_t i = 0; label[i]; i++) {
        row[ROW_LABEL_OFF + i] = (uint8_t)label[i];
    }
}

uint32_t standby_rows(const molt_flash_t *flash, uint32_t loader_addr, uint32_t plan_addr, const molt_region_t *app,
    uint8_t rows[ROWS_MAX * ROW_SIZE]) {
    uint32_t size = molt_sector_size(&flash->geometry);
    uint8_t *row = rows;
    if (has_trials(flash, loader_addr, plan_addr)) {
        // An entry of otadata is at the beginning of each of its sectors, wherever that is: the second one is in the plan's.
        uint32_t otadata_addr = plan_addr - size + molt_trial_entry_off(&flash->geometry);
        lay_row(row, MOLT_PARTITION_TYPE_APP, LOADER_SLOT, loader_addr, size, LOADER_LABEL);
        row += ROW_SIZE;
        lay_row(row, MOLT_PARTITION_TYPE_APP, APP_SLOT, app->addr, app->size, APP_LABEL);
        row += ROW_SIZE;
        lay_row(row, MOLT_PARTITION_TYPE_DATA, MOLT_PARTITION_DATA_OTA, otadata_addr, 2 * size, OTADATA_LABEL);
    } else {
        lay_row(row, MOLT_PARTITION_TYPE_APP, MOLT_PARTITION_APP_TEST, loader_addr, size, LOADER_LABEL);
    }
    row += ROW_SIZE;
    lay_row(row, MOLT_PARTITION_TYPE_DATA, DATA_NONE, plan_addr, size, END_LABEL);
    return (uint32_t)(row - rows) / ROW_SIZE + 1;
}

int standby_check_loader(
    const molt_flash_t *flash, const molt_standby_chip_t *chip, uint32_t loader_addr, uint32_t plan_addr, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    return molt_standby_image(chip, loader_addr, plan_addr, sector_size, buf) > sector_size
               ? MOLT_ERR_IO
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
    if (bytes[0] != MOLT_APP_MAGIC || count == 0 || count > APP_SEGMENTS_MAX) {
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

static bool is_of_molt(const molt_partition_t *partition) {
    return has_label(partition, LOADER_LABEL, sizeof LOADER_LABEL) || has_label(partition, APP_LABEL, sizeof APP_LABEL)
           || has_label(partition, OTADATA_LABEL, sizeof OTADATA_LABEL) || has_label(partition, END_LABEL, sizeof END_LABEL);
}

// Look through the rows behind the MD5 row. 0: the loader's is there; MOLT_ERR_NOENT: there is room for it at standby->row_addr, or
// it is there, but its head was torn.
static int find_rows(const molt_flash_t *flash, const molt_partition_table_t *table, molt_standby_t *standby) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    molt_partition_t partition;
    uint32_t off = (table->count + 1) * ROW_SIZE;
    for (uint32_t i = 0; i < table->hidden_count; i++, off += ROW_SIZE) {
        molt_partition_get(table, table->count + i, &partition);
        if (!is_of_molt(&partition)) {
            return cannot(standby, MOLT_STANDBY_OTHER_ROWS);
        }
        if (has_label(&partition, LOADER_LABEL, sizeof LOADER_LABEL) && partition.piece.region.size) {
            bool is_slot = partition.type == MOLT_PARTITION_TYPE_APP && partition.subtype == LOADER_SLOT;
            standby->row_addr = MOLT_PARTITION_TABLE_ADDR + off;
            standby->loader_addr = partition.piece.region.addr;
            standby->plan_addr = standby->loader_addr + (is_slot ? 2 : 1) * sector_size;
            bool is_test = partition.type == MOLT_PARTITION_TYPE_APP && partition.subtype == MOLT_PARTITION_APP_TEST;
            return is_test || (MOLT_TRIAL && is_slot) ? 0 : MOLT_ERR_NOENT;
        }
    }
    standby->row_addr = MOLT_PARTITION_TABLE_ADDR + off;
    return off + (ROWS_MAX + 1) * ROW_SIZE > MOLT_PARTITION_TABLE_SIZE ? cannot(standby, MOLT_STANDBY_TABLE_FULL)
                                                                       : MOLT_ERR_NOENT;
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

// Whether the sector at `addr` has nothing but an entry of otadata, of an earlier installation. 1, 0 or the driver's error.
static int is_free_for_otadata(const molt_flash_t *flash, uint32_t addr) {
    uint32_t begin = molt_trial_entry_off(&flash->geometry);
    uint32_t end = begin + MOLT_TRIAL_ENTRY_SIZE;
    int is_blank = molt_flash_is_blank(flash, addr, begin);
    return is_blank == 1 ? molt_flash_is_blank(flash, addr + end, molt_sector_size(&flash->geometry) - end) : is_blank;
}

// Whether the sector for the loader is erased, or has what was begun of it. 1, 0 or the driver's error.
static int is_free_for_loader(
    const molt_flash_t *flash, const molt_standby_chip_t *chip, uint32_t addr, uint32_t plan_addr, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    (void)molt_standby_image(chip, addr, plan_addr, sector_size, buf);
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

// Whether the `count` sectors up to `end`, of loader, otadata and plan, are free: erased, or what molt has left there.
// 1, 0 or the driver's error.
static int is_room(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint32_t end, uint32_t count, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    uint32_t addr = end - count * sector_size;
    int is_free = is_free_for_plan(flash, end - sector_size, buf);
    if (is_free == 1 && count > 2) {
        is_free = is_free_for_otadata(flash, addr + sector_size);
    }
    return is_free == 1 ? is_free_for_loader(flash, chip, addr, end - sector_size, buf) : is_free;
}

// The sectors for loader and plan, with one more for trials if that is there: below the table, else at the end of the app partition.
static int find_room(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_standby_t *standby) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    uint32_t app_end = standby->app.addr + standby->app.size;
    const struct {
        uint32_t begin, end, count;
    } places[] = {
        { standby->boot_end, MOLT_PARTITION_TABLE_ADDR, 3 },
        { standby->boot_end, MOLT_PARTITION_TABLE_ADDR, 2 },
        { standby->app.addr + sector_size, app_end, 3 },
        { standby->app.addr + sector_size, app_end, 2 },
    };
    int is_free = 0;
    for (uint32_t i = 0; is_free == 0 && i < sizeof places / sizeof places[0]; i++) {
        uint32_t size = places[i].count * sector_size;
        bool is_possible = places[i].count == 2 || (MOLT_TRIAL && chip->trial.size);
        if (is_possible && places[i].begin <= places[i].end && places[i].end - places[i].begin >= size) {
            standby->loader_addr = places[i].end - size;
            standby->plan_addr = places[i].end - sector_size;
            is_free = is_room(flash, chip, places[i].end, places[i].count, buf);
        }
    }
    return is_free == 1 ? MOLT_ERR_NOENT : is_free == 0 ? cannot(standby, MOLT_STANDBY_NO_ROOM) : is_free;
}

// A row for the loader is there: whether it is of the place that molt would have chosen. Elsewhere it is somebody else's, and a boot
// loader that has grown since has taken the place.
static int check_place(const molt_flash_t *flash, molt_standby_t *standby) {
    uint32_t end = standby->plan_addr + molt_sector_size(&flash->geometry);
    uint32_t size = end - standby->loader_addr;
    if (end == MOLT_PARTITION_TABLE_ADDR) {
        return standby->loader_addr >= standby->boot_end ? 0 : cannot(standby, MOLT_STANDBY_NO_ROOM);
    }
    if (standby->app.size > size && end == standby->app.addr + standby->app.size) {
        return 0;
    }
    standby->loader_addr = 0;
    return cannot(standby, MOLT_STANDBY_OTHER_ROWS);
}

// What the loader has of the app partition the firmware has not.
static void clip_app(const molt_flash_t *flash, molt_standby_t *standby) {
    uint32_t size = standby->plan_addr + molt_sector_size(&flash->geometry) - standby->loader_addr;
    if (standby->loader_addr && ranges_overlap(standby->app.addr, standby->app.size, standby->loader_addr, size)) {
        standby->app.size = standby->loader_addr - standby->app.addr;
    }
}

int molt_standby_read(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_standby_t *standby) {
    *standby = (molt_standby_t){ .defect = MOLT_STANDBY_NOT_INSTALLED };
    int err = find_boot_end(flash, chip, standby);
    molt_partition_table_t table;
    err = err ? err : molt_partition_read(&table, flash, buf, chip->boot_addr);
    if (err == MOLT_ERR_CORRUPT) {
        standby->table_defect = table.defect;
        return cannot(standby, MOLT_STANDBY_BAD_TABLE);
    }
    if (err) {
        return err;
    }
    if (!table.has_md5) {
        return cannot(standby, MOLT_STANDBY_NO_MD5);
    }
    err = find_app(&table, standby);
    if (chip->code_size == 0 && standby->defect != MOLT_STANDBY_OTA) {
        return cannot(standby, MOLT_STANDBY_NO_LOADER);
    }
    err = err ? err : find_rows(flash, &table, standby);
    err = err ? err : check_place(flash, standby);
    if (err == MOLT_ERR_NOENT) {
        err = find_room(flash, chip, buf, standby);
    } else if (!err) {
        err = standby_check_loader(flash, chip, standby->loader_addr, standby->plan_addr, buf);
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
    target->plan_addr = standby->plan_addr;
    target->row_addr = standby->row_addr;
}
