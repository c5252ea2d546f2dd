// Factory images of the ESP32 family.

#include "factory.h"

#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "description.h"
#include "esp32.h"
#include "map/partition.h"
#include "say.h"

#define TABLE_ADDR MOLT_PARTITION_TABLE_ADDR
#define TABLE_SIZE MOLT_PARTITION_TABLE_SIZE

uint32_t factory_table_off(const factory_t *factory) {
    return TABLE_ADDR - factory->base_addr;
}

static bool has_table(const factory_t *factory) {
    const uint8_t *table = factory->bytes + factory_table_off(factory);
    return factory->size >= factory_table_off(factory) + TABLE_SIZE && table[0] == 0xaa && table[1] == 0x50;
}

static bool has_boot(factory_t *factory, uint32_t addr) {
    uint32_t off = addr - factory->base_addr;
    uint32_t room = factory_table_off(factory) - off;
    factory->boot_addr = addr;
    return factory->bytes[off] == 0xe9 && describe_probe(factory->bytes + off, room, &factory->boot) == 0
           && factory->boot.kind == MOLT_IMAGE_KIND_ESP32;
}

bool factory_look(factory_t *factory, const uint8_t *bytes, uint32_t size) {
    // Source: esptool, BOOTLOADER_FLASH_OFFSET of its targets, as in board.c.
    static const uint32_t boot_addrs[] = { 0x1000, 0x2000, 0 };
    for (uint32_t base_addr = 0; base_addr <= 0x2000; base_addr += 0x1000) {
        *factory = (factory_t){ .bytes = bytes, .size = size, .base_addr = base_addr };
        for (uint32_t i = 0; has_table(factory) && i < sizeof boot_addrs / sizeof boot_addrs[0]; i++) {
            bool is_there = base_addr == 0 || boot_addrs[i] == base_addr;
            if (is_there && has_boot(factory, boot_addrs[i])) {
                return true;
            }
        }
    }
    return false;
}

// One row of the listing.
typedef struct row {
    uint32_t addr;
    char name[MOLT_PARTITION_LABEL_MAX + 8];
    const char *verdict;
    bool is_bad;
    char about[120];  // what the part says of itself; "" where it says nothing
} row_t;

static void print_row(const row_t *row, bool json, bool is_first) {
    if (json) {
        printf("%s\n    { \"address\": %u, \"name\": ", is_first ? "" : ",", row->addr);
        say_json(stdout, row->name);
        printf(", \"verdict\": ");
        say_json(stdout, row->verdict);
        printf(", \"about\": ");
        say_json(stdout, row->about);
        printf(" }");
        return;
    }
    char name[sizeof row->name];
    snprintf(name, sizeof name, "%s", row->name);
    for (char *p = name; *p; p++) {
        *p = (unsigned char)*p < ' ' || (unsigned char)*p >= 127 ? '?' : *p;
    }
    printf("  0x%06x  %-22s  %s%s%s%s%s\n", row->addr, name, say_style(row->is_bad ? SAY_BAD : SAY_PLAIN), row->verdict,
        say_style(SAY_PLAIN), *row->about ? "; " : "", row->about);
}

// What becomes of an image at `addr` with `room` bytes for it.
static void judge(const factory_t *factory, uint32_t addr, uint32_t room, row_t *row) {
    uint32_t off = addr - factory->base_addr;
    molt_image_t image;
    row->addr = addr;
    row->is_bad = false;
    row->about[0] = 0;
    if (addr < factory->base_addr || off >= factory->size) {
        row->verdict = "not in the file";
        return;
    }
    room = room < factory->size - off ? room : factory->size - off;
    int err = describe_verify(factory->bytes + off, room, &image);
    row->is_bad = err != 0 && image.defect != MOLT_IMAGE_ERASED;
    row->verdict = err == 0 ? "whole" : image.defect == MOLT_IMAGE_ERASED ? "erased" : molt_image_defect_text(image.defect);
}

// What goes on while the parts are listed.
typedef struct listing {
    bool json;
    uint32_t count;
    uint32_t bad_count;
    uint32_t bad_addr;  // of the first that is damaged
} listing_t;

static void list(listing_t *listing, const row_t *row) {
    print_row(row, listing->json, listing->count++ == 0);
    listing->bad_addr = row->is_bad && listing->bad_count == 0 ? row->addr : listing->bad_addr;
    listing->bad_count += row->is_bad;
}

static void list_app(const factory_t *factory, const molt_partition_t *partition, listing_t *listing) {
    uint32_t addr = partition->piece.region.addr;
    row_t row;
    description_t description;
    judge(factory, addr, partition->piece.region.size, &row);
    snprintf(row.name, sizeof row.name, "app %s", partition->label);
    if (addr >= factory->base_addr && addr - factory->base_addr < factory->size) {
        uint32_t off = addr - factory->base_addr;
        description_of_app(&description, factory->bytes + off, factory->size - off);
        (void)description_text(&description, row.about, sizeof row.about);
    }
    list(listing, &row);
}

// What only the boot loader sees: molt's loader and plan, or somebody else's.
static void list_hidden(const factory_t *factory, const molt_partition_t *partition, listing_t *listing) {
    const char *about = esp32_is_loader_row(partition)    ? "molt's loader, "
                        : esp32_is_plan_row(partition)    ? "molt's plan, "
                        : esp32_is_slot_row(partition)    ? "the firmware, for trials, "
                        : esp32_is_otadata_row(partition) ? "for trials, "
                                                          : "";
    row_t row = { .addr = partition->piece.region.addr, .verdict = partition->piece.region.size ? "there" : "taken out" };
    if (partition->type == 0 && partition->piece.region.size) {
        judge(factory, row.addr, partition->piece.region.size, &row);
    }
    snprintf(row.name, sizeof row.name, "%s", partition->label);
    snprintf(row.about, sizeof row.about, "%sin a row behind the table's MD5, which the firmware does not see", about);
    list(listing, &row);
}

static void list_parts(const factory_t *factory, const molt_partition_table_t *table, listing_t *listing) {
    row_t row = { .name = "boot loader" };
    description_t description;
    uint32_t boot_off = factory->boot_addr - factory->base_addr;
    judge(factory, factory->boot_addr, TABLE_ADDR - factory->boot_addr, &row);
    description_of_boot(&description, factory->bytes + boot_off, TABLE_ADDR - factory->boot_addr);
    (void)description_text(&description, row.about, sizeof row.about);
    list(listing, &row);
    bool is_fine = table->defect == MOLT_MAP_FINE;
    row = (row_t){ TABLE_ADDR, "partition table", is_fine ? "whole" : molt_map_defect_text(table->defect), !is_fine, "" };
    list(listing, &row);
    for (uint32_t i = 0; i < table->count + table->hidden_count; i++) {
        molt_partition_t partition;
        molt_partition_get(table, i, &partition);
        if (i >= table->count) {
            list_hidden(factory, &partition, listing);
        } else if (partition.type == 0) {
            list_app(factory, &partition, listing);
        }
    }
}

int factory_print(const factory_t *factory, const char *path, bool json) {
    molt_partition_table_t table;
    const char *chip = molt_chip_text(factory->boot.chip);
    listing_t listing = { .json = json };
    (void)molt_partition_open(&table, factory->bytes + factory_table_off(factory), TABLE_SIZE, 0, factory->boot_addr);
    if (json) {
        printf("{\n  \"file\": ");
        say_json(stdout, path);
        printf(",\n  \"kind\": \"esp32-factory\",\n  \"chip\": \"%s\",\n  \"size\": %u,\n  \"address\": %u,\n  \"parts\": [",
            chip, factory->size, factory->base_addr);
    } else {
        printf("%s%s%s: factory image for %s: boot loader, partition table and apps as they lie in flash\n\n",
            say_style(SAY_BOLD), path, say_style(SAY_PLAIN), chip);
        printf("  %-10s %s, from address 0x%06x of flash on\n\n", "file", say_bytes(factory->size).text, factory->base_addr);
    }
    list_parts(factory, &table, &listing);
    if (json) {
        printf("\n  ],\n  \"valid\": %s\n}\n", listing.bad_count ? "false" : "true");
    }
    return listing.bad_count ? say_fail("%s: what is at 0x%06x is damaged; copy the file again", path, listing.bad_addr) : 0;
}
