// A model of the second-stage boot loader of the ESP32 family.

#include "second_stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/md5.h"
#include "base/sha256.h"

#define TABLE_ADDR 0x8000u
#define TABLE_SIZE 0xc00u
#define ROW_SIZE 32u
#define ROWS_MAX (TABLE_SIZE / ROW_SIZE)
#define MAGIC_PARTITION 0x50aau
#define MAGIC_MD5 0xebebu

#define IMAGE_MAGIC 0xe9u
#define IMAGE_HEADER_SIZE 24u
#define SEGMENTS_MAX 16u
#define CHECKSUM_SEED 0xefu
#define PAGE_SIZE 0x10000u
#define WINDOW_SIZE 0x800000u
// An app's description is at the beginning of its first segment.
#define FIRST_SEGMENT_MIN 256u

enum { TYPE_APP = 0, TYPE_DATA = 1, APP_FACTORY = 0, APP_OTA_FIRST = 0x10, APP_OTA_LAST = 0x1f, APP_TEST = 0x20, DATA_OTA = 0 };

// The candidates by their index.
enum { INDEX_FACTORY = -1, SLOTS_MAX = 16 };

// Otadata: two copies, each at the beginning of a sector of its own, of number, label, state, and the number's CRC.
enum { COPIES = 2, COPY_SIZE = 32, COPY_OFF_STATE = 24, COPY_OFF_CRC = 28 };
enum { STATE_NEW = 0, STATE_PENDING = 1, STATE_VALID = 2, STATE_INVALID = 3, STATE_ABORTED = 4 };

typedef struct partitions {
    molt_region_t factory;
    molt_region_t test;
    molt_region_t slots[SLOTS_MAX];
    uint32_t slot_count;  // of rows; by it the number in otadata is divided
    molt_region_t otadata;
} partitions_t;

// Where the CPU sees a segment: in RAM, or in the flash window, as data or as code.
enum { IN_RAM, MAPPED_DATA, MAPPED_CODE, WINDOWS };

// Where both are one it is that of code.
static unsigned window_of(const molt_standby_chip_t *chip, uint32_t vaddr) {
    return vaddr - chip->instruction_vaddr < WINDOW_SIZE ? MAPPED_CODE
           : vaddr - chip->data_vaddr < WINDOW_SIZE      ? MAPPED_DATA
                                                         : IN_RAM;
}

static bool read_flash(const molt_flash_t *flash, uint32_t addr, void *buf, uint32_t size) {
    uint32_t sector_size = flash->geometry.sector_size;
    uint8_t *to = buf;
    while (size) {
        uint32_t piece = min_u32(size, sector_size);
        if (!range_within(addr, piece, flash->geometry.size) || flash->read(flash->ctx, addr, to, piece) != 0) {
            return false;
        }
        addr += piece;
        to += piece;
        size -= piece;
    }
    return true;
}

// How many rows it counts, the MD5 row not among them, or -1 where it refuses the table.
static int count_rows(const uint8_t *table, uint32_t flash_size) {
    int count = 0;
    bool has_md5 = false;
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        const uint8_t *row = table + i * ROW_SIZE;
        uint32_t magic = load16_le(row);
        if (magic == MAGIC_PARTITION) {
            uint32_t addr = load32_le(row + 4);
            if (!range_within(addr, load32_le(row + 8), flash_size)) {
                return -1;
            }
            count++;
        } else if (magic == MAGIC_MD5) {
            molt_md5_t md5;
            uint8_t digest[MOLT_MD5_SIZE];
            molt_md5_init(&md5);
            molt_md5_update(&md5, table, i * ROW_SIZE);
            molt_md5_finish(digest, &md5);
            if (has_md5 || memcmp(digest, row + 16, sizeof digest) != 0) {
                return -1;
            }
            has_md5 = true;
        } else if (load32_le(row) == UINT32_MAX) {
            return count;
        } else {
            return -1;
        }
    }
    return -1;
}

// What is_image() comes to know of the segments.
typedef struct segments {
    const molt_standby_chip_t *chip;
    uint32_t counts[WINDOWS];
    uint8_t checksum;
} segments_t;

// Add a segment; false where the boot loader refuses it.
static bool check_segment(const molt_flash_t *flash, uint32_t image_addr, uint32_t *off, bool is_first, segments_t *segments) {
    uint32_t words[2];
    if (!read_flash(flash, image_addr + *off, words, sizeof words)) {
        return false;
    }
    uint32_t vaddr = words[0];
    uint32_t size = words[1];
    *off += sizeof words;
    unsigned window = window_of(segments->chip, vaddr);
    segments->counts[window]++;
    bool is_aligned = window == IN_RAM || vaddr % PAGE_SIZE == (image_addr + *off) % PAGE_SIZE;
    if (size % 4 != 0 || !is_aligned || (is_first && size < FIRST_SEGMENT_MIN)
        || !range_within(image_addr + *off, size, flash->geometry.size)) {
        return false;
    }
    uint8_t bytes[1024];
    for (uint32_t piece; size; size -= piece, *off += piece) {
        piece = min_u32(size, min_u32(sizeof bytes, flash->geometry.sector_size));
        if (!read_flash(flash, image_addr + *off, bytes, piece)) {
            return false;
        }
        for (uint32_t i = 0; i < piece; i++) {
            segments->checksum ^= bytes[i];
        }
    }
    return true;
}

// SHA-256 over all `size` bytes against the one behind them.
static bool has_sha256(const molt_flash_t *flash, uint32_t addr, uint32_t size) {
    uint8_t stored[MOLT_SHA256_SIZE];
    uint8_t digest[MOLT_SHA256_SIZE];
    molt_sha256_t sha256;
    molt_sha256_init(&sha256);
    uint8_t *bytes = malloc(flash->geometry.sector_size);
    bool is_read = bytes && read_flash(flash, addr + size, stored, sizeof stored);
    for (uint32_t off = 0, piece; is_read && off < size; off += piece) {
        piece = min_u32(size - off, flash->geometry.sector_size);
        is_read = read_flash(flash, addr + off, bytes, piece);
        molt_sha256_update(&sha256, bytes, piece);
    }
    free(bytes);
    molt_sha256_finish(digest, &sha256);
    return is_read && memcmp(stored, digest, sizeof digest) == 0;
}

// *can_start is set where it is one: whether it is started where it is chosen.
static bool is_image(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint32_t addr, uint32_t room, bool *can_start) {
    uint32_t words[IMAGE_HEADER_SIZE / 4];
    const uint8_t *header = (const uint8_t *)words;
    if (!read_flash(flash, addr, words, sizeof words) || header[0] != IMAGE_MAGIC || header[1] == 0 || header[1] > SEGMENTS_MAX
        || load16_le(header + 12) != chip->chip_id) {
        return false;
    }
    uint32_t off = IMAGE_HEADER_SIZE;
    segments_t segments = { .chip = chip, .checksum = CHECKSUM_SEED };
    uint32_t count = header[1];
    bool wants_sha256 = header[23] == 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!check_segment(flash, addr, &off, i == 0, &segments)) {
            return false;
        }
    }
    off |= 15;
    uint32_t stored;
    if (off >= room || !read_flash(flash, addr + off - 3, &stored, 4) || stored >> 24 != segments.checksum) {
        return false;
    }
    // Newer boot loaders map one of each, and come to nothing with an image that lacks one; older ones would start it. Where there is
    // one window they map two.
    uint32_t data_count = chip->data_vaddr == chip->instruction_vaddr ? 0 : 1;
    *can_start = segments.counts[MAPPED_DATA] == data_count && segments.counts[MAPPED_CODE] == 2 - data_count;
    return !wants_sha256 || has_sha256(flash, addr, off + 1);
}

static void take_row(partitions_t *partitions, const uint8_t *row) {
    molt_region_t region = { load32_le(row + 4), load32_le(row + 8) };
    uint32_t type = row[2];
    uint32_t subtype = row[3];
    if (load16_le(row) != MAGIC_PARTITION) {
        return;
    }
    if (type == TYPE_DATA && subtype == DATA_OTA) {
        partitions->otadata = region;
    } else if (type == TYPE_APP && subtype == APP_FACTORY) {
        partitions->factory = region;
    } else if (type == TYPE_APP && subtype == APP_TEST) {
        partitions->test = region;
    } else if (type == TYPE_APP && subtype >= APP_OTA_FIRST && subtype <= APP_OTA_LAST) {
        partitions->slots[subtype - APP_OTA_FIRST] = region;
        partitions->slot_count++;
    }
}

// Whether a copy of otadata is passed over whatever its CRC; whether it counts.
static bool is_unusable(const uint8_t *copy) {
    uint32_t state = load32_le(copy + COPY_OFF_STATE);
    return load32_le(copy) == UINT32_MAX || state == STATE_INVALID || state == STATE_ABORTED;
}

static bool has_number(const uint8_t *copy) {
    return load32_le(copy) != UINT32_MAX && molt_crc32(UINT32_MAX, copy, 4) == load32_le(copy + COPY_OFF_CRC);
}

static bool is_valid(const uint8_t *copy) {
    return !is_unusable(copy) && has_number(copy);
}

static int write_copy(const molt_flash_t *flash, uint32_t addr, uint8_t *copy, uint32_t state) {
    uint32_t sector_size = flash->geometry.sector_size;
    store32_le(copy + COPY_OFF_STATE, state);
    int err = flash->erase_sector(flash->ctx, addr / sector_size * sector_size);
    return err ? err : flash->prog(flash->ctx, addr, copy, COPY_SIZE);
}

// The index of the candidate that otadata says. Returns false where the power was cut or flash cannot be read.
//   is_first  whether it never said anything
static bool select_slot(const molt_flash_t *flash, const partitions_t *partitions, int *index, bool *is_first) {
    uint32_t words[COPIES][COPY_SIZE / 4];
    uint8_t *copies[COPIES] = { (uint8_t *)words[0], (uint8_t *)words[1] };
    uint32_t addr = partitions->otadata.addr;
    uint32_t sector_size = flash->geometry.sector_size;
    *index = INDEX_FACTORY;
    *is_first = false;
    if (addr == 0) {
        return true;
    }
    for (uint32_t i = 0; i < COPIES; i++) {
        if (!read_flash(flash, addr + i * sector_size, copies[i], COPY_SIZE)) {
            return false;
        }
    }
    // What was on trial and has not said that it works is not started again.
    for (uint32_t i = 0; i < COPIES; i++) {
        if (load32_le(copies[i] + COPY_OFF_STATE) == STATE_PENDING
            && write_copy(flash, addr + i * sector_size, copies[i], STATE_ABORTED) != 0) {
            return false;
        }
    }
    if ((is_unusable(copies[0]) && is_unusable(copies[1])) || partitions->slot_count == 0) {
        *is_first = partitions->factory.size == 0 && !has_number(copies[0]) && !has_number(copies[1]);
        return true;
    }
    bool are_valid[COPIES] = { is_valid(copies[0]), is_valid(copies[1]) };
    uint32_t active = are_valid[0] && are_valid[1] ? load32_le(copies[0]) < load32_le(copies[1]) : are_valid[1];
    if (!are_valid[active]) {
        return true;
    }
    *index = (int)((load32_le(copies[active]) - 1) % partitions->slot_count);
    return load32_le(copies[active] + COPY_OFF_STATE) != STATE_NEW
           || write_copy(flash, addr + active * sector_size, copies[active], STATE_PENDING) == 0;
}

// Without a factory partition otadata that was never written is, when a slot has been found.
static bool note_first(const molt_flash_t *flash, const partitions_t *partitions, int index) {
    uint32_t words[COPY_SIZE / 4];
    uint8_t *copy = (uint8_t *)words;
    memset(copy, 0xff, COPY_SIZE);
    store32_le(copy, (uint32_t)index + 1);
    store32_le(copy + COPY_OFF_CRC, molt_crc32(UINT32_MAX, copy, 4));
    return write_copy(flash, partitions->otadata.addr, copy, STATE_VALID) == 0;
}

static bool try_app(
    const molt_flash_t *flash, const molt_standby_chip_t *chip, const molt_region_t *partition, sim_app_t *app, bool *can_start) {
    app->partition = *partition;
    app->addr = partition->addr;
    return partition->size != 0 && is_image(flash, chip, partition->addr, partition->size, can_start);
}

// From the selected one down to factory, then the slots above it, then test.
static bool find_app(
    const molt_flash_t *flash, const molt_standby_chip_t *chip, const partitions_t *partitions, int selected, sim_app_t *app) {
    bool can_start = false;
    for (int index = selected; index >= INDEX_FACTORY; index--) {
        const molt_region_t *partition = index == INDEX_FACTORY ? &partitions->factory : &partitions->slots[index];
        if (try_app(flash, chip, partition, app, &can_start)) {
            return can_start;
        }
    }
    for (int index = selected + 1; index < (int)partitions->slot_count && index < SLOTS_MAX; index++) {
        if (try_app(flash, chip, &partitions->slots[index], app, &can_start)) {
            return can_start;
        }
    }
    return try_app(flash, chip, &partitions->test, app, &can_start) && can_start;
}

bool sim_second_stage(const molt_flash_t *flash, const molt_standby_chip_t *chip, sim_app_t *app) {
    uint8_t table[TABLE_SIZE];
    partitions_t partitions = { 0 };
    int selected;
    int count = read_flash(flash, TABLE_ADDR, table, sizeof table) ? count_rows(table, flash->geometry.size) : -1;
    // By the number of rows without the MD5's: of a table that has one the last row is not looked at.
    for (int i = 0; i < count; i++) {
        take_row(&partitions, table + (uint32_t)i * ROW_SIZE);
    }
    bool is_first;
    if (count < 0 || !select_slot(flash, &partitions, &selected, &is_first) || selected >= SLOTS_MAX
        || !find_app(flash, chip, &partitions, selected, app)) {
        return false;
    }
    int index = 0;
    while (is_first && index < SLOTS_MAX && partitions.slots[index].addr != app->addr) {
        index++;
    }
    return !is_first || index == SLOTS_MAX || note_first(flash, &partitions, index);
}
