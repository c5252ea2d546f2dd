// Surveys of ESP32 flashes: the pieces come from the partition table, what is used of an app from its image, of a
// filesystem from littlefs, of everything else from what is not erased.

#include "esp32.h"

#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "dump.h"
#include "factory.h"
#include "files.h"
#include "molt/error.h"
#include "say.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define TABLE_ADDR MOLT_PARTITION_TABLE_ADDR
#define TABLE_SIZE MOLT_PARTITION_TABLE_SIZE

static bool begins_table(const uint8_t *bytes) {
    return bytes[0] == 0xaa && bytes[1] == 0x50;
}

bool esp32_look(const uint8_t *bytes, uint32_t size, molt_chip_t *chip, uint32_t *boot_addr) {
    // Source: esptool, BOOTLOADER_FLASH_OFFSET of its targets. ESP32 and S2; C5, H4 and P4; all others.
    static const uint32_t boot_addrs[] = { 0x1000, 0x2000, 0 };
    molt_partition_table_t table;
    molt_image_t image;
    *chip = MOLT_CHIP_UNKNOWN;
    *boot_addr = 0;
    for (uint32_t i = 0; i < sizeof boot_addrs / sizeof boot_addrs[0]; i++) {
        uint32_t addr = boot_addrs[i];
        if (bytes[addr] == 0xe9 && describe_probe(bytes + addr, TABLE_ADDR - addr, &image) == 0
            && image.kind == MOLT_IMAGE_KIND_ESP32) {
            *chip = image.chip;
            *boot_addr = addr;
            return true;
        }
    }
    // An ESP8266 can have anything there: code, or the partition table of its RTOS SDK.
    bool is_esp8266 = describe_probe(bytes, size, &image) == 0;
    return !is_esp8266
           && (begins_table(bytes + TABLE_ADDR) || molt_partition_open(&table, bytes + TABLE_ADDR, TABLE_SIZE, size, 0) == 0);
}

const char *esp32_name(molt_chip_t chip) {
    return chip == MOLT_CHIP_UNKNOWN ? "ESP32" : molt_chip_text(chip);
}

int esp32_refuse(const dumpfs_t *dump) {
    return dump->is_esp32 ? say_fail("%s: this is the flash of an %s, and that is for an ESP8266's only; molt map, ls, get, put "
                                     "and rm take it",
               dump->path, esp32_name(dump->chip))
                          : 0;
}

bool esp32_is_table(const char *path) {
    // Boot loader and table of a factory image; its apps come behind.
    static uint8_t bytes[TABLE_ADDR + SECTOR];
    factory_t factory;
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    long file_size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
    bool is_table = size >= 2 && begins_table(bytes) && file_size <= (long)SECTOR;
    is_table |= file_size > 0 && !sim_dump_is_size((uint64_t)file_size) && factory_look(&factory, bytes, (uint32_t)size);
    if (file) {
        fclose(file);
    }
    return is_table;
}

// Bytes that would do something to a terminal.
static void make_printable(char *label) {
    for (char *p = label; *p; p++) {
        if ((unsigned char)*p < ' ' || (unsigned char)*p >= 127) {
            *p = '?';
        }
    }
}

static bool is_of_partition(molt_map_defect_t defect) {
    return defect == MOLT_MAP_UNALIGNED || defect == MOLT_MAP_OUTSIDE || defect == MOLT_MAP_OVERLAP || defect == MOLT_MAP_NO_SIZE
           || defect == MOLT_MAP_SAME_LABEL;
}

// What the partition of that row overlaps.
static const char *overlapped(const molt_partition_table_t *table, uint32_t row, molt_partition_t *other) {
    molt_partition_t partition;
    molt_partition_get(table, row, &partition);
    for (uint32_t i = 0; i < row; i++) {
        molt_partition_get(table, i, other);
        const molt_region_t *a = &partition.piece.region;
        const molt_region_t *b = &other->piece.region;
        if (a->addr < b->addr + b->size && b->addr < a->addr + a->size) {
            make_printable(other->label);
            return other->label;
        }
    }
    return "boot loader or partition table";
}

static int refuse_table(const molt_partition_table_t *table, const char *path) {
    const char *text = molt_map_defect_text(table->defect);
    uint32_t row = table->defect_row;
    if (is_of_partition(table->defect)) {
        molt_partition_t partition;
        molt_partition_t other;
        char more[64] = "";
        molt_partition_get(table, row, &partition);
        make_printable(partition.label);
        if (table->defect == MOLT_MAP_OVERLAP) {
            snprintf(more, sizeof more, ": %s", overlapped(table, row, &other));
        } else if (table->defect == MOLT_MAP_OUTSIDE) {
            snprintf(more, sizeof more, " (%s)", say_size(table->flash_size).text);
        }
        return say_fail("%s: partition %u of the table, %s at 0x%x with 0x%x bytes: %s%s; correct the table and flash it again",
            path, row + 1, partition.label, partition.piece.region.addr, partition.piece.region.size, text, more);
    }
    if (table->defect == MOLT_MAP_NO_TABLE) {
        return say_fail("%s: %s at 0x%x, where ESP-IDF puts it; flash one, or read the chip again", path, text, TABLE_ADDR);
    }
    return say_fail("%s: %s (row %u); read the chip again, or flash the table again", path, text, row + 1);
}

static int take_pieces(survey_t *survey, const molt_partition_table_t *table, const char *path) {
    if (table->defect != MOLT_MAP_FINE) {
        return refuse_table(table, path);
    }
    survey->is_esp32 = true;
    survey->map = (molt_map_t){ .name = "partitions", .flash_size = table->flash_size, .mapped_size = table->flash_size };
    molt_partition_t *piece = survey->pieces;
    for (uint32_t addr = 0; molt_partition_next(table, addr, piece); addr += piece++->piece.region.size) {
        make_printable(piece->label);
    }
    survey->piece_count = (uint32_t)(piece - survey->pieces);
    return 0;
}

int esp32_survey_table(survey_t *survey, const char *path, uint32_t flash_size) {
    molt_partition_table_t table;
    uint8_t *bytes = NULL;
    uint32_t size = 0;
    factory_t factory;
    *survey = (survey_t){ .about = "of an ESP32, by this partition table" };
    if (files_load_host(path, SURVEY_SECTORS_MAX * SECTOR, &bytes, &size)) {
        return 1;
    }
    if (factory_look(&factory, bytes, size)) {
        snprintf(survey->about, sizeof survey->about, "of an %s, by this factory image", molt_chip_text(factory.boot.chip));
        (void)molt_partition_open(&table, bytes + factory_table_off(&factory), TABLE_SIZE, flash_size, factory.boot_addr);
    } else {
        (void)molt_partition_open(&table, bytes, size, flash_size, 0);
    }
    int status = take_pieces(survey, &table, path);
    free(bytes);
    return status;
}

// The image that a boot loader or an app is: what follows it is left over from a larger one, or nothing.
static void mark_image(survey_t *survey, const dumpfs_t *dump, const molt_region_t *region) {
    molt_image_t image;
    if (describe_verify(dump->nor.bytes + region->addr, region->size, &image) == 0 && image.kind == MOLT_IMAGE_KIND_ESP32) {
        uint32_t used_count = (image.image_size + SECTOR - 1) / SECTOR;
        memset(survey->use + region->addr / SECTOR, SURVEY_FREE, region->size / SECTOR);
        memset(survey->use + region->addr / SECTOR, SURVEY_USED, used_count);
    }
}

// A littlefs, or a FAT, that begins where the region does. MicroPython makes one behind the last partition if none is called "vfs".
static void mark_filesystem(survey_t *survey, dumpfs_t *dump, molt_partition_t *piece) {
    const molt_region_t *region = &piece->piece.region;
    const place_t *place = place_at(&dump->places, region->addr);
    if (place == NULL || place->state == PLACE_DAMAGED || place->region.size > region->size) {
        return;
    }
    dump->fs = place->region;
    if (piece->piece.kind == MOLT_MAP_KIND_UNUSED) {
        strcpy(piece->label, "vfs");
    }
    piece->piece.kind = MOLT_MAP_KIND_FILESYSTEM;
    if (place->state == PLACE_MOUNTS) {
        survey_mark_littlefs(survey, dump);
    }
}

int esp32_survey_dump(survey_t *survey, dumpfs_t *dump) {
    molt_partition_table_t table;
    *survey = (survey_t){ .has_dump = true };
    snprintf(survey->about, sizeof survey->about, "of an %s, by its partition table", esp32_name(dump->chip));
    (void)molt_partition_open(&table, dump->nor.bytes + TABLE_ADDR, TABLE_SIZE, dump->nor.flash.geometry.size, dump->boot_addr);
    if (take_pieces(survey, &table, dump->path)) {
        return 1;
    }
    survey_mark_blank(survey, dump);
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        molt_partition_t *piece = &survey->pieces[i];
        if (piece->piece.kind == MOLT_MAP_KIND_BOOT || piece->piece.kind == MOLT_MAP_KIND_FIRMWARE) {
            mark_image(survey, dump, &piece->piece.region);
        } else if (piece->piece.kind != MOLT_MAP_KIND_TABLE) {
            mark_filesystem(survey, dump, piece);
        }
    }
    return 0;
}

const char *esp32_about(const molt_partition_t *piece) {
    static const char *const datas[] = { "which app is to be started", "PHY init data", "NVS: settings and calibration",
        "core dumps", "keys of an encrypted NVS", "eFuses, emulated" };
    uint32_t subtype = piece->subtype;
    switch (piece->piece.kind) {
        case MOLT_MAP_KIND_BOOT:
            return "second-stage boot loader, from 0, 0x1000 or 0x2000";
        case MOLT_MAP_KIND_TABLE:
            return "partition table";
        case MOLT_MAP_KIND_FIRMWARE:
            return subtype == 0 ? "app: factory" : subtype >= 0x10 && subtype < 0x20 ? "app: OTA slot" : "app";
        case MOLT_MAP_KIND_FILESYSTEM:
            return subtype == 0x82 ? "SPIFFS, FAT or littlefs" : subtype == 0x83 ? "littlefs" : "FAT or littlefs";
        case MOLT_MAP_KIND_ROMFS:
            return "MicroPython's ROMFS";
        case MOLT_MAP_KIND_SYSTEM:
            return piece->type == 1 && subtype < sizeof datas / sizeof datas[0] ? datas[subtype] : "ESP-IDF's own";
        case MOLT_MAP_KIND_UNUSED:
            return "in no partition";
        case MOLT_MAP_KIND_FROZEN:
        case MOLT_MAP_KIND_NATIVE:
        case MOLT_MAP_KIND_USER:
        case MOLT_MAP_KIND_RESERVED:
            break;
    }
    return "the application's own";
}
