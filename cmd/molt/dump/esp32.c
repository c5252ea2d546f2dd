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

bool esp32_begins_table(const uint8_t *bytes) {
    return bytes[0] == 0xaa && bytes[1] == 0x50;
}

bool esp32_is_table(const char *path) {
    // Boot loader and table of a factory image; its apps come behind.
    static uint8_t bytes[TABLE_ADDR + SECTOR];
    factory_t factory;
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    long file_size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
    bool is_table = size >= 2 && esp32_begins_table(bytes) && file_size <= (long)SECTOR;
    is_table |= file_size > 0 && factory_look(&factory, bytes, (uint32_t)size)
                && (!sim_dump_is_size((uint64_t)file_size) || factory.base_addr);
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

void esp32_table_text(const molt_partition_table_t *table, char *text, uint32_t text_size) {
    const char *defect = molt_map_defect_text(table->defect);
    uint32_t row = table->defect_row;
    text[0] = 0;
    if (table->defect == MOLT_MAP_FINE) {
        return;
    }
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
        snprintf(text, text_size,
            "partition %u of the table, %s at 0x%x with 0x%x bytes: %s%s; correct the table and flash it again", row + 1,
            partition.label, partition.piece.region.addr, partition.piece.region.size, defect, more);
    } else if (table->defect == MOLT_MAP_NO_TABLE) {
        snprintf(text, text_size, "%s at 0x%x, where ESP-IDF puts it; flash one, or read the chip again", defect, TABLE_ADDR);
    } else {
        snprintf(text, text_size, "%s (row %u); read the chip again, or flash the table again", defect, row + 1);
    }
}

uint32_t esp32_filesystems(const molt_partition_table_t *table, uint32_t addrs[ESP32_FILESYSTEMS_MAX], uint32_t *wanted) {
    uint32_t count = 0;
    uint32_t end = 0;
    *wanted = 0;
    for (uint32_t i = 0; i < table->count && count < ESP32_FILESYSTEMS_MAX - 1; i++) {
        molt_partition_t partition;
        molt_partition_get(table, i, &partition);
        const molt_region_t *region = &partition.piece.region;
        if (partition.piece.kind == MOLT_MAP_KIND_FILESYSTEM) {
            addrs[count++] = region->addr;
        }
        // Source: ports/esp32/modules/flashbdev.py.
        *wanted = partition.type == 1 && strcmp(partition.label, "vfs") == 0 ? region->addr : *wanted;
        end = region->addr + region->size > end ? region->addr + region->size : end;
    }
    addrs[count++] = end;
    return count;
}

bool esp32_is_loader_row(const molt_partition_t *row) {
    return row->type == 0 && (row->subtype == 0x20 || row->subtype == 0x10) && strcmp(row->label, "molt") == 0;
}

bool esp32_is_slot_row(const molt_partition_t *row) {
    return row->type == 0 && row->subtype == 0x11 && strcmp(row->label, "molt_app") == 0;
}

bool esp32_is_otadata_row(const molt_partition_t *row) {
    return row->type == 1 && row->subtype == 0 && strcmp(row->label, "molt_otadata") == 0;
}

bool esp32_is_plan_row(const molt_partition_t *row) {
    return row->type == 1 && row->subtype == 0x40 && strcmp(row->label, "molt_end") == 0;
}

// The rows behind the MD5 row, which the boot loader sees and the firmware does not: molt's, or somebody else's.
static void add_hidden(survey_t *survey, const molt_partition_table_t *table) {
    for (uint32_t i = 0; i < table->hidden_count; i++) {
        molt_partition_t row;
        molt_partition_get(table, table->count + i, &row);
        bool is_loader = esp32_is_loader_row(&row);
        make_printable(row.label);
        if (esp32_is_slot_row(&row)) {
            // The firmware's partition once more.
            continue;
        }
        if (esp32_is_otadata_row(&row)) {
            // Its second half is in the plan's sector.
            row.piece.region = (molt_region_t){ row.piece.region.addr / SECTOR * SECTOR, SECTOR };
        }
        if (is_loader || esp32_is_plan_row(&row) || esp32_is_otadata_row(&row)) {
            row.piece.kind = MOLT_MAP_KIND_RESERVED;
        }
        if (row.piece.region.size == 0) {
            say_note(&survey->notes,
                is_loader ? "behind the table's MD5 is the row of a loader of molt's that was taken out"
                          : "behind the table's MD5 is a row without bytes, %s",
                row.label);
        } else if (!survey_put_in(survey, &row, true)) {
            bool is_past = survey->has_dump && row.piece.region.addr + (uint64_t)row.piece.region.size > table->flash_size;
            say_note(&survey->notes, "behind the table's MD5 is a row that is not drawn: %s, 0x%x bytes at 0x%x%s", row.label,
                row.piece.region.size, row.piece.region.addr,
                is_past ? "; the boot loader refuses a table with such a row, flash it again" : "");
        }
    }
}

static int take_pieces(survey_t *survey, const molt_partition_table_t *table, const char *path) {
    if (table->defect != MOLT_MAP_FINE) {
        char text[400];
        esp32_table_text(table, text, sizeof text);
        return say_fail("%s: %s", path, text);
    }
    survey->is_esp32 = true;
    survey->map = (molt_map_t){ .name = "partitions", .flash_size = table->flash_size, .mapped_size = table->flash_size };
    molt_partition_t *piece = survey->pieces;
    for (uint32_t addr = 0; molt_partition_next(table, addr, piece); addr += piece++->piece.region.size) {
        make_printable(piece->label);
    }
    survey->piece_count = (uint32_t)(piece - survey->pieces);
    add_hidden(survey, table);
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
    *survey = (survey_t){ .has_dump = true };
    snprintf(survey->about, sizeof survey->about, "of an %s, by its partition table", board_name(&dump->board));
    if (take_pieces(survey, &dump->board.table, dump->path)) {
        return 1;
    }
    survey_mark_blank(survey, dump);
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        molt_partition_t *piece = &survey->pieces[i];
        if (piece->piece.kind == MOLT_MAP_KIND_BOOT || piece->piece.kind == MOLT_MAP_KIND_FIRMWARE) {
            mark_image(survey, dump, &piece->piece.region);
        } else if (piece->piece.kind != MOLT_MAP_KIND_TABLE && piece->piece.kind != MOLT_MAP_KIND_RESERVED) {
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
        case MOLT_MAP_KIND_RESERVED:
            return esp32_is_loader_row(piece)    ? "molt's loader"
                   : esp32_is_otadata_row(piece) ? "what the boot loader notes of a trial"
                                                 : "molt's plan of an upgrade";
        case MOLT_MAP_KIND_FROZEN:
            return "dynamic frozen modules";
        case MOLT_MAP_KIND_NATIVE:
        case MOLT_MAP_KIND_USER:
            break;
    }
    return "the application's own";
}
