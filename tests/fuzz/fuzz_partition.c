// Fuzz target: any bytes as an ESP32's partition table. The first byte says how large the chip is and where its boot
// loader begins.
//
// Beyond "no crash" and "comes to an end": bytes that do not exist are not read; a table that is accepted makes pieces
// that follow each other up to the end of flash, with each partition among them once, and no two of one name; one
// that is refused has a defect, and a row where it is.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "map/partition.h"
#include "molt/error.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define ROW_SIZE 32u

static void require_kind(const molt_partition_t *partition) {
    const char *name = molt_map_kind_name(partition->piece.kind);
    REQUIRE(strcmp(name, "unused") == 0 ? partition->piece.kind == MOLT_MAP_KIND_UNUSED : strlen(name) > 0);
    REQUIRE(memchr(partition->label, 0, sizeof partition->label) != NULL);
    REQUIRE(partition->type != 0xff || partition->label[0] == 0 || partition->piece.kind == MOLT_MAP_KIND_USER);
}

static void require_pieces(const molt_partition_table_t *table) {
    molt_partition_t partition;
    uint32_t addr = 0;
    uint32_t sum = 0;
    uint32_t pieces = 0;
    for (; molt_partition_next(table, addr, &partition); addr += partition.piece.region.size) {
        require_kind(&partition);
        REQUIRE(partition.piece.region.addr == addr && partition.piece.region.size > 0);
        REQUIRE(partition.piece.region.size % SECTOR == 0 && partition.piece.region.size <= table->flash_size - addr);
        REQUIRE(pieces++ < 2 * MOLT_PARTITION_TABLE_SIZE / ROW_SIZE + 3);
        if (partition.piece.kind != MOLT_MAP_KIND_UNUSED) {
            sum += partition.piece.region.size;
        }
    }
    REQUIRE(addr == table->flash_size);
    for (uint32_t i = 0; i < table->count; i++) {
        molt_partition_t other;
        molt_partition_get(table, i, &partition);
        REQUIRE(molt_partition_next(table, partition.piece.region.addr, &other));
        REQUIRE(other.piece.kind == partition.piece.kind && strcmp(other.label, partition.label) == 0);
        REQUIRE(other.piece.region.size - partition.piece.region.size < SECTOR);
        sum -= other.piece.region.size;
    }
    // What is left are boot loader and table.
    REQUIRE(sum <= MOLT_PARTITION_TABLE_ADDR + SECTOR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint32_t flash_sizes[] = { 0, 0x100000, 0x400000, 0x8000000, 0x10000 };
    static const uint32_t boot_addrs[] = { 0, 0x1000, 0x2000, 0x7000, 0x9000 };
    if (size == 0) {
        return 0;
    }
    uint32_t flash_size = flash_sizes[data[0] % 5];
    uint32_t boot_addr = boot_addrs[data[0] / 5 % 5];
    // With an end mark behind, or cut as it is: then in a buffer of its own size, for the sanitizer.
    uint32_t table_size = (uint32_t)size - 1 + (data[0] < 128 ? ROW_SIZE : 0);
    uint8_t *bytes = malloc(table_size ? table_size : 1);
    REQUIRE(bytes != NULL);
    memset(bytes, 0xff, table_size);
    memcpy(bytes, data + 1, size - 1);
    molt_partition_table_t table;
    int err = molt_partition_open(&table, bytes, table_size, flash_size, boot_addr);
    REQUIRE(err == 0 || err == MOLT_ERR_CORRUPT);
    REQUIRE((err == 0) == (table.defect == MOLT_MAP_FINE));
    REQUIRE(strlen(molt_map_defect_text(table.defect)) > 0 && strcmp(molt_map_defect_text(table.defect), "unknown") != 0);
    REQUIRE(table.count <= MOLT_PARTITION_TABLE_SIZE / ROW_SIZE && table.defect_row <= MOLT_PARTITION_TABLE_SIZE / ROW_SIZE);
    if (err == 0) {
        require_pieces(&table);
    }
    free(bytes);
    return 0;
}
