// The partition table as the second-stage boot loader reads it.
//
// Rows of 32 bytes. The MD5 row covers those before it, and rows behind it are read like others; the end is a row whose magic, type
// and subtype are all ones. The number of partitions is that of the rows without the MD5 row, so that with an MD5 row in their midst the
// last row is checked, and not looked at.
#include <nettle/md5.h>
#include <string.h>

#include "board.h"
#include "second_stage.h"

enum { TABLE_ADDR = 0x8000, ROW_SIZE = 32, ROWS_MAX = 96, MD5_OFF = 16 };
enum { MAGIC = 0x50aa, MAGIC_MD5 = 0xebeb, MAGIC_END = 0xffff, TYPE_END = 0xff };
enum { TYPE_APP = 0, TYPE_DATA = 1, APP_FACTORY = 0x00, APP_OTA_FIRST = 0x10, APP_TEST = 0x20, DATA_OTA = 0x00 };

struct row {
    uint16_t magic;
    uint8_t type;
    uint8_t subtype;
    struct partition partition;
    char label[16];
    uint32_t flags;
};

static struct row row_at(const uint8_t *rows, uint32_t i) {
    struct row row;
    memcpy(&row, rows + i * ROW_SIZE, sizeof row);
    return row;
}

static bool md5_is_right(const uint8_t *rows, uint32_t count) {
    struct md5_ctx md5;
    uint8_t digest[MD5_DIGEST_SIZE];
    md5_init(&md5);
    md5_update(&md5, count * ROW_SIZE, rows);
    md5_digest(&md5, sizeof digest, digest);
    return memcmp(digest, rows + count * ROW_SIZE + MD5_OFF, sizeof digest) == 0;
}

// What is wrong with a row, or NULL. `has_md5` and `is_end` are set by the rows that are these.
static const char *check_row(const uint8_t *rows, uint32_t i, bool *has_md5, bool *is_end) {
    struct row row = row_at(rows, i);
    if (row.magic == MAGIC) {
        uint32_t chip_size = loader_chip_size();
        bool fits = row.partition.addr <= chip_size && row.partition.size <= chip_size - row.partition.addr;
        return fits ? NULL : "ends beyond the chip";
    }
    if (row.magic == MAGIC_MD5) {
        if (*has_md5) {
            return "is a second MD5";
        }
        *has_md5 = true;
        return md5_is_right(rows, i) ? NULL : "has a wrong MD5";
    }
    *is_end = i != 0 && row.magic == MAGIC_END && row.type == TYPE_END && row.subtype == TYPE_END;
    return *is_end ? NULL : "has no magic";
}

static void take(struct partitions *table, const struct row *row) {
    if (row->type == TYPE_DATA && row->subtype == DATA_OTA) {
        table->otadata = row->partition;
    }
    if (row->type != TYPE_APP) {
        return;
    }
    if (row->subtype == APP_FACTORY) {
        table->factory = row->partition;
    } else if (row->subtype == APP_TEST) {
        table->test = row->partition;
    } else if ((row->subtype & ~(OTA_SLOTS_MAX - 1)) == APP_OTA_FIRST) {
        table->ota[row->subtype & (OTA_SLOTS_MAX - 1)] = row->partition;
        table->ota_count++;
    }
}

bool table_read(struct partitions *table) {
    uint8_t rows[ROWS_MAX * ROW_SIZE];
    bool has_md5 = false, is_end = false;
    uint32_t count = 0;
    if (!loader_read(TABLE_ADDR, rows, sizeof rows)) {
        return false;
    }
    for (; count < ROWS_MAX; count++) {
        const char *wrong = check_row(rows, count, &has_md5, &is_end);
        if (wrong != NULL) {
            loader_say('E', "partition table: row %u %s", count, wrong);
            return false;
        }
        if (is_end) {
            break;
        }
    }
    if (!is_end) {
        loader_say('E', "partition table: it has no end");
        return false;
    }
    *table = (struct partitions){ 0 };
    for (uint32_t i = 0; i < count - (has_md5 ? 1 : 0); i++) {
        struct row row = row_at(rows, i);
        take(table, &row);
    }
    return true;
}
