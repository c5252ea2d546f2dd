// The partition table of an ESP32, which says what lies where in its flash, as the pieces that a flash map has
// (map/map.h): so that an ESP32 is drawn, checked and asked like an ESP8266. docs/format.md has the bytes.
#ifndef MOLT_PARTITION_H
#define MOLT_PARTITION_H

#include "map/map.h"
#include "molt/flash.h"

// Where the second-stage boot loader looks for it by default, and how long it can be. Source: ESP-IDF, API guide
// "Partition Tables", and CONFIG_PARTITION_TABLE_OFFSET.
#define MOLT_PARTITION_TABLE_ADDR 0x8000u
#define MOLT_PARTITION_TABLE_SIZE 0xc00u
#define MOLT_PARTITION_LABEL_MAX 16
#define MOLT_PARTITION_ROW_SIZE 32u

// Types and subtypes that more than the table's reader has to know.
enum {
    MOLT_PARTITION_TYPE_APP = 0,
    MOLT_PARTITION_TYPE_DATA = 1,
    MOLT_PARTITION_DATA_OTA = 0,
    MOLT_PARTITION_APP_FACTORY = 0,
    MOLT_PARTITION_APP_OTA_FIRST = 0x10,
    MOLT_PARTITION_APP_OTA_LAST = 0x1f,
    MOLT_PARTITION_APP_TEST = 0x20,
};

typedef struct molt_partition {
    molt_map_piece_t piece;  // what molt takes it for, and where it is
    uint8_t type;            // as stored: 0 app, 1 data; 0xff for what is in no row
    uint8_t subtype;
    char label[MOLT_PARTITION_LABEL_MAX + 1];  // "" for what is in no row
} molt_partition_t;

typedef struct molt_partition_table {
    const uint8_t *bytes;   // the caller's, as long as the table is used
    uint32_t count;         // of partitions
    uint32_t hidden_count;  // of rows behind the MD5 row, which a boot loader reads and a firmware does not
    uint32_t flash_size;
    uint32_t boot_addr;
    bool has_md5;
    molt_map_defect_t defect;
    uint32_t defect_row;  // from 0; also the number of the partition
} molt_partition_table_t;

// Check a partition table.
// Rows behind the MD5 row are counted and not checked: they may lie over partitions.
//   bytes       it begins here; `size` of them can be read, of which MOLT_PARTITION_TABLE_SIZE are looked at
//   flash_size  0: not known; it becomes that of the smallest chip on which the partitions fit
//   boot_addr   where the second-stage boot loader begins, which the table does not say: 0x1000, 0x2000 or 0 by the chip
// Returns 0, or MOLT_ERR_CORRUPT: table->defect says what is wrong and table->defect_row where. The rows before that
// one can be read by molt_partition_get(), and that one too where the defect is one of a partition.
// Cost: an MD5 of the rows, and a look at each pair of them.
int molt_partition_open(
    molt_partition_table_t *table, const uint8_t *bytes, uint32_t size, uint32_t flash_size, uint32_t boot_addr);

// Read the table of a device and check it.
//   buf  MOLT_PARTITION_TABLE_SIZE bytes, 4-aligned, the caller's as long as the table is used
// Returns as molt_partition_open(), or the driver's error.
int molt_partition_read(molt_partition_table_t *table, const molt_flash_t *flash, uint8_t *buf, uint32_t boot_addr);

// The partition `index`, from 0 to table->count - 1, as it is stored; from table->count on those of the hidden rows.
void molt_partition_get(const molt_partition_table_t *table, uint32_t index, molt_partition_t *partition);

// Go through flash from its beginning to its end, as molt_map_next() does: with boot loader and partition table,
// which have no rows of their own in most tables, and the sectors that are in no partition; whole sectors, whatever the
// partition's size. The table is sound.
bool molt_partition_next(const molt_partition_table_t *table, uint32_t addr, molt_partition_t *partition);

#endif
