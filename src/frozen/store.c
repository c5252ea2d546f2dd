// The store: finding, adding and deleting records.

#include "frozen/store.h"

#include "base/crc32.h"
#include "base/flash_io.h"
#include "base/libc.h"
#include "base/reader.h"
#include "frozen/store_layout.h"
#include "molt/error.h"

#define HEADER_WORDS (MOLT_RECORD_HEADER_SIZE / 4)
#define NAME_ROOM (MOLT_RECORD_HEADER_SIZE - MOLT_RECORD_NAME_OFF)
// Reads of a header before it is believed to be corrupt: what follows erases all below it.
#define HEADER_TRIES 3

static uint32_t header_crc(const uint8_t *header) {
    uint32_t crc = molt_crc32(0, header + RECORD_VERSION_OFF, RECORD_HEADER_CRC_OFF - RECORD_VERSION_OFF);
    return molt_crc32(crc, header + MOLT_RECORD_NAME_OFF, NAME_ROOM);
}

// What the first words of a header say, without its CRC. False if they do not fit the region.
static bool decode_record(const molt_store_t *store, const uint8_t *header, uint32_t header_addr, molt_record_t *record) {
    uint32_t lowest = store->region.addr + STORE_WORK_SECTORS * store->flash->geometry.sector_size;
    record->header_addr = header_addr;
    record->mpy_size = load32_le(header + RECORD_SIZE_OFF);
    record->mpy_crc = load32_le(header + RECORD_CRC_OFF);
    record->name_size = header[RECORD_VERSION_OFF + 1];
    record->is_committed = load32_le(header + RECORD_COMMIT_OFF) == 0;
    record->is_live = record->is_committed && load32_le(header + RECORD_DELETE_OFF) == ERASED;
    if (header[RECORD_VERSION_OFF] != MOLT_STORE_VERSION || record->mpy_size == 0 || record->mpy_size > store->region.size
        || header_addr < lowest || align4(record->mpy_size) > header_addr - lowest) {
        return false;
    }
    record->mpy_addr = header_addr - align4(record->mpy_size);
    return record->name_size > 0 && record->name_size <= MOLT_RECORD_NAME_MAX;
}

// What was met on the way to a record, or to where the next one goes.
typedef struct passed {
    uint32_t next;       // where the next record goes, if there was none
    uint32_t torn_addr;  // of a header that was torn and skipped; 0 if there was none
    bool is_newer;       // the header is a whole one, of another version of the format
} passed_t;

// Find the record that ends at or below `end`. 1: found. 0: none, and passed->next is where the next one goes.
// < 0: error; MOLT_ERR_CORRUPT for a header that no power cut leaves behind.
static int look(const molt_store_t *store, uint32_t end, bool is_trusted, molt_record_t *record, passed_t *passed) {
    const molt_flash_t *flash = store->flash;
    uint32_t words[HEADER_WORDS];
    const uint8_t *header = (const uint8_t *)words;
    uint32_t lowest = store->region.addr + STORE_WORK_SECTORS * flash->geometry.sector_size;
    *passed = (passed_t){ .torn_addr = 0 };
    for (;;) {
        end = record_end(flash, end);
        passed->next = end;
        if (end < lowest + MOLT_RECORD_HEADER_SIZE) {
            return 0;
        }
        uint32_t header_addr = end - MOLT_RECORD_HEADER_SIZE;
        int err = flash->read(flash->ctx, header_addr, words, is_trusted ? RECORD_WANTED_OFF + 4 : sizeof words);
        if (err) {
            return err;
        }
        if (words[0] == RECORD_MAGIC) {
            bool is_right = decode_record(store, header, header_addr, record);
            if (!is_trusted) {
                bool is_whole = load32_le(header + RECORD_HEADER_CRC_OFF) == header_crc(header);
                passed->is_newer = is_whole && header[RECORD_VERSION_OFF] > MOLT_STORE_VERSION;
                is_right = is_right && is_whole;
            }
            return is_right ? 1 : MOLT_ERR_CORRUPT;
        }
        // At the top of a sector anything else is what the next record's erase does away with. Further down it is
        // erased, or a header that was torn, and then the next record is in the next sector.
        if (end % flash->geometry.sector_size == 0) {
            return 0;
        }
        int blank = is_trusted ? 0 : molt_flash_is_blank(flash, header_addr, MOLT_RECORD_HEADER_SIZE);
        if (blank) {
            return blank < 0 ? blank : 0;
        }
        passed->torn_addr = header_addr;
        end = sector_floor(flash, end);
    }
}

int molt_store_next(const molt_store_t *store, uint32_t *at, molt_record_t *record) {
    uint32_t end = *at ? *at : store_region_end(&store->region);
    passed_t passed;
    if (end <= store->end_addr) {
        return 0;
    }
    int found = look(store, end, true, record, &passed);
    if (found == 1 && record->mpy_addr < store->end_addr) {
        return 0;
    }
    *at = found == 1 ? record->mpy_addr : *at;
    return found == MOLT_ERR_CORRUPT ? 0 : found;
}

static bool is_region_fit(const molt_flash_t *flash, const molt_region_t *region) {
    uint32_t sector_size = flash->geometry.sector_size;
    return region->addr % sector_size == 0 && region->size % sector_size == 0
           && region->size >= (STORE_WORK_SECTORS + 1) * sector_size
           && range_within(region->addr, region->size, flash->geometry.size);
}

// Count a record that was found below `end`, and what was skipped above it.
static void account(molt_store_t *store, uint32_t end, const molt_record_t *record) {
    uint32_t size = MOLT_RECORD_HEADER_SIZE + align4(record->mpy_size);
    uint32_t skipped = end - (record->header_addr + MOLT_RECORD_HEADER_SIZE);
    store->dead_size += skipped >= MOLT_RECORD_HEADER_SIZE ? skipped : 0;
    store->dead_size += record->is_live ? 0 : size;
    store->live_size += record->is_live ? size : 0;
    store->live_count += record->is_live;
}

// As look(), and a header that seems to be corrupt is read again.
static int look_again(const molt_store_t *store, uint32_t end, molt_record_t *record, passed_t *passed) {
    int found = MOLT_ERR_CORRUPT;
    for (int i = 0; i < HEADER_TRIES && found == MOLT_ERR_CORRUPT; i++) {
        found = look(store, end, false, record, passed);
    }
    return found;
}

int molt_store_open(molt_store_t *store, const molt_flash_t *flash, const molt_region_t *region) {
    if (!is_region_fit(flash, region)) {
        return MOLT_ERR_NOSPC;
    }
    int busy = molt_store_is_compacting(flash, region);
    if (busy) {
        return busy < 0 ? busy : MOLT_ERR_BUSY;
    }
    *store = (molt_store_t){ .flash = flash, .region = *region };
    store->floor_addr = region->addr + STORE_WORK_SECTORS * flash->geometry.sector_size;
    uint32_t end = store_region_end(region);
    for (;;) {
        molt_record_t record;
        passed_t passed;
        uint32_t wanted;
        int found = look_again(store, end, &record, &passed);
        if (found < 0 && found != MOLT_ERR_CORRUPT) {
            return found;
        }
        store->end_addr = passed.next;
        if (found <= 0) {
            store->is_damaged = found < 0;
            store->is_newer = passed.is_newer;
            break;
        }
        int err = flash->read(flash->ctx, record.header_addr + RECORD_WANTED_OFF, &wanted, sizeof wanted);
        if (err) {
            return err;
        }
        account(store, end, &record);
        end = record.mpy_addr;
        store->is_wanted = store->is_wanted || wanted != ERASED;
    }
    if (end - store->end_addr >= MOLT_RECORD_HEADER_SIZE) {
        store->dead_size += end - store->end_addr;
    }
    return 0;
}

bool molt_store_needs_compaction(const molt_store_t *store) {
    return store->is_damaged ? !store->is_newer : store->is_wanted && store->dead_size != 0;
}

static bool is_equal(const char *a, const char *b, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

int molt_store_name(const molt_store_t *store, const molt_record_t *record, char name[MOLT_RECORD_NAME_MAX + 1]) {
    uint32_t words[NAME_ROOM / 4];
    int err = store->flash->read(store->flash->ctx, record->header_addr + MOLT_RECORD_NAME_OFF, words, sizeof words);
    if (err) {
        return err;
    }
    memcpy(name, words, sizeof words);
    name[record->name_size] = 0;
    return 0;
}

int molt_store_find(const molt_store_t *store, const char *name, uint32_t name_size, molt_record_t *record) {
    uint32_t at = 0;
    int found;
    bool is_there = false;
    molt_record_t each;
    while ((found = molt_store_next(store, &at, &each)) == 1) {
        char its_name[MOLT_RECORD_NAME_MAX + 1];
        if (!each.is_live || each.name_size != name_size) {
            continue;
        }
        int err = molt_store_name(store, &each, its_name);
        if (err) {
            return err;
        }
        if (is_equal(its_name, name, name_size)) {
            *record = each;  // further down is newer
            is_there = true;
        }
    }
    return found ? found : is_there ? 0 : MOLT_ERR_NOENT;
}

int molt_store_check(const molt_store_t *store, const molt_record_t *record, void *work) {
    uint32_t crc = 0;
    for (uint32_t off = 0; off < record->mpy_size; off += MOLT_STORE_WORK_SIZE) {
        uint32_t size = min_u32(record->mpy_size - off, MOLT_STORE_WORK_SIZE);
        int err = store->flash->read(store->flash->ctx, record->mpy_addr + off, work, align4(size));
        if (err) {
            return err;
        }
        crc = molt_crc32(crc, work, size);
    }
    return crc == record->mpy_crc ? 0 : MOLT_ERR_CORRUPT;
}

uint32_t molt_store_room(const molt_store_t *store, uint32_t mpy_size, uint32_t spare) {
    uint32_t end = record_end(store->flash, store->end_addr);
    if (mpy_size > store->region.size || spare > store->region.size) {
        return 0;
    }
    uint32_t need = MOLT_RECORD_HEADER_SIZE + align4(mpy_size);
    return end >= store->floor_addr && need + spare <= end - store->floor_addr ? need : 0;
}

// Whether the record holds what `mpy` reads: 1, 0 or an error.
static int holds(const molt_store_t *store, const molt_record_t *record, const molt_reader_t *mpy, void *work) {
    if (record->mpy_size != mpy->size) {
        return 0;
    }
    uint8_t *stored = work;
    uint8_t *wanted = stored + MOLT_STORE_WORK_SIZE / 2;
    for (uint32_t off = 0; off < mpy->size; off += MOLT_STORE_WORK_SIZE / 2) {
        uint32_t size = min_u32(mpy->size - off, MOLT_STORE_WORK_SIZE / 2);
        int err = store->flash->read(store->flash->ctx, record->mpy_addr + off, stored, align4(size));
        err = err ? err : mpy->read(mpy->ctx, off, wanted, size);
        if (err) {
            return err;
        }
        if (memcmp(stored, wanted, size) != 0) {
            return 0;
        }
    }
    return 1;
}

// Erase what [addr, end) needs. Where `end` is within a sector, that sector's rest has to be erased already; if it
// is not, 1 is returned and nothing has been erased. Other sectors are erased whatever they seem to hold: one whose
// erase was torn can read as erased now and otherwise later. Each sector is begun once, so that costs little.
static int make_blank(const molt_flash_t *flash, uint32_t addr, uint32_t end) {
    uint32_t top = sector_floor(flash, end);
    if (end > top) {
        uint32_t low = addr > top ? addr : top;
        int blank = molt_flash_is_blank(flash, low, end - low);
        if (blank <= 0) {
            return blank < 0 ? blank : 1;
        }
    }
    for (uint32_t sector = sector_floor(flash, addr); sector < top; sector += flash->geometry.sector_size) {
        int err = flash->erase_sector(flash->ctx, sector);
        if (err) {
            return err;
        }
    }
    return 0;
}

// Clear the header's place at `addr`: no record begins here, and the rest of this sector is not used.
static int clear_header(const molt_flash_t *flash, uint32_t addr) {
    uint32_t zeros[HEADER_WORDS];
    memset(zeros, 0, sizeof zeros);
    return molt_flash_prog(flash, addr, zeros, sizeof zeros);
}

// So that everybody sees that the rest of the sector at the end is not used.
static int give_up_rest(molt_store_t *store) {
    uint32_t end = record_end(store->flash, store->end_addr);
    int err = clear_header(store->flash, end - MOLT_RECORD_HEADER_SIZE);
    if (!err) {
        store->dead_size += store->end_addr - sector_floor(store->flash, end);
        store->end_addr = sector_floor(store->flash, end);
    }
    return err;
}

static int write_header(const molt_flash_t *flash, const molt_record_t *record, const char *name) {
    uint32_t words[HEADER_WORDS];
    uint8_t *header = (uint8_t *)words;
    memset(header, 0xff, sizeof words);
    memset(header + MOLT_RECORD_NAME_OFF, 0, NAME_ROOM);
    memcpy(header + MOLT_RECORD_NAME_OFF, name, record->name_size);
    store32_le(header + RECORD_VERSION_OFF, MOLT_STORE_VERSION | (uint32_t)record->name_size << 8);
    store32_le(header + RECORD_SIZE_OFF, record->mpy_size);
    store32_le(header + RECORD_CRC_OFF, record->mpy_crc);
    store32_le(header + RECORD_HEADER_CRC_OFF, header_crc(header));
    int err = molt_flash_prog(flash, record->header_addr, header, sizeof words);
    return err ? err : store_prog_word(flash, record->header_addr, RECORD_MAGIC);
}

static int write_mpy(const molt_flash_t *flash, const molt_record_t *record, const molt_reader_t *mpy, void *work) {
    for (uint32_t off = 0; off < mpy->size; off += MOLT_STORE_WORK_SIZE) {
        uint32_t size = min_u32(mpy->size - off, MOLT_STORE_WORK_SIZE);
        memset(work, 0xff, MOLT_STORE_WORK_SIZE);
        int err = mpy->read(mpy->ctx, off, work, size);
        err = err ? err : molt_flash_prog(flash, record->mpy_addr + off, work, align4(size));
        if (err) {
            return err;
        }
    }
    return 0;
}

// Add a record, read it back, commit it.
static int append(
    molt_store_t *store, const char *name, molt_record_t *record, const molt_reader_t *mpy, uint32_t spare, void *work) {
    const molt_flash_t *flash = store->flash;
    int err;
    do {
        uint32_t room = molt_store_room(store, record->mpy_size, spare);
        if (room == 0) {
            return MOLT_ERR_NOSPC;
        }
        record->header_addr = record_end(flash, store->end_addr) - MOLT_RECORD_HEADER_SIZE;
        record->mpy_addr = record->header_addr - align4(record->mpy_size);
        err = make_blank(flash, record->mpy_addr, record->header_addr + MOLT_RECORD_HEADER_SIZE);
        if (err == 1) {
            int lost = give_up_rest(store);
            err = lost ? lost : 1;
        }
    } while (err == 1);
    err = err ? err : write_header(flash, record, name);
    if (err) {
        return err;
    }
    // From here on the record takes its place, whatever becomes of it.
    uint32_t size = MOLT_RECORD_HEADER_SIZE + align4(record->mpy_size);
    store->end_addr = record->mpy_addr;
    store->dead_size += size;
    err = write_mpy(flash, record, mpy, work);
    err = err ? err : molt_store_check(store, record, work);
    if (!err) {
        molt_record_t stored;
        passed_t passed;
        err = look(store, record->header_addr + MOLT_RECORD_HEADER_SIZE, false, &stored, &passed) == 1 ? 0 : MOLT_ERR_IO;
    }
    if (err) {
        return err == MOLT_ERR_CORRUPT ? MOLT_ERR_IO : err;
    }
    err = store_prog_word(flash, record->header_addr + RECORD_COMMIT_OFF, 0);
    if (!err) {
        store->dead_size -= size;
        store->live_size += size;
        store->live_count++;
        record->is_live = record->is_committed = true;
    }
    return err;
}

int molt_store_confirm(const molt_store_t *store, const molt_record_t *record) {
    return store_prog_word(store->flash, record->header_addr + RECORD_COMMIT_OFF, 0);
}

static int mark_deleted(molt_store_t *store, const molt_record_t *record) {
    int err = store_prog_word(store->flash, record->header_addr + RECORD_DELETE_OFF, 0);
    if (!err) {
        uint32_t size = MOLT_RECORD_HEADER_SIZE + align4(record->mpy_size);
        store->dead_size += size;
        store->live_size -= size;
        store->live_count--;
    }
    return err;
}

// Mark the live records of that name that are older than the one at `newest` deleted, the oldest first.
//   is_restart  the newest was committed before a restart: its commit word, which may be torn, is programmed again
//               before the older ones go
// *count: how many.
static int delete_older(
    molt_store_t *store, const char *name, uint32_t name_size, uint32_t newest, bool is_restart, uint32_t *count) {
    uint32_t at = 0;
    int found;
    molt_record_t record;
    *count = 0;
    while ((found = molt_store_next(store, &at, &record)) == 1 && record.header_addr > newest) {
        char its_name[MOLT_RECORD_NAME_MAX + 1];
        if (!record.is_live || record.name_size != name_size) {
            continue;
        }
        int err = molt_store_name(store, &record, its_name);
        if (!err && is_equal(its_name, name, name_size)) {
            err = is_restart && *count == 0 ? store_prog_word(store->flash, newest + RECORD_COMMIT_OFF, 0) : 0;
            err = err ? err : mark_deleted(store, &record);
            (*count)++;
        }
        if (err) {
            return err;
        }
    }
    return found < 0 ? found : 0;
}

int molt_store_put(molt_store_t *store, const char *name, uint32_t name_size, const molt_reader_t *mpy, uint32_t spare,
    void *work, molt_record_t *record) {
    uint32_t count;
    if (!molt_store_is_name(name, name_size) || mpy->size == 0) {
        return MOLT_ERR_INVAL;
    }
    int err = molt_store_find(store, name, name_size, record);
    if (err == 0) {
        int same = holds(store, record, mpy, work);
        if (same) {
            return same < 0 ? same : delete_older(store, name, name_size, record->header_addr, true, &count);
        }
    } else if (err != MOLT_ERR_NOENT) {
        return err;
    }
    if (store->is_damaged) {
        return MOLT_ERR_CORRUPT;
    }
    molt_record_t new = { .mpy_size = mpy->size, .name_size = (uint8_t)name_size };
    err = molt_reader_crc(mpy, work, MOLT_STORE_WORK_SIZE, NULL, NULL, &new.mpy_crc);
    err = err ? err : append(store, name, &new, mpy, spare, work);
    if (err) {
        return err;
    }
    *record = new;
    return delete_older(store, name, name_size, new.header_addr, false, &count);
}

int molt_store_delete(molt_store_t *store, const char *name, uint32_t name_size) {
    uint32_t count;
    int err = delete_older(store, name, name_size, 0, false, &count);
    return err || count ? err : MOLT_ERR_NOENT;
}

// Clear the headers that were torn: one whose magic reads wrong now can read right later, and what was put below it
// since would be taken for its bytes.
static int clear_torn(const molt_store_t *store) {
    molt_record_t record;
    passed_t passed;
    int found = 1;
    for (uint32_t end = store_region_end(&store->region); found == 1; end = record.mpy_addr) {
        found = look(store, end, false, &record, &passed);
        uint32_t words[HEADER_WORDS];
        uint32_t bits = 0;
        int err = 0;
        if (passed.torn_addr) {
            err = store->flash->read(store->flash->ctx, passed.torn_addr, words, sizeof words);
            for (uint32_t i = 0; !err && i < HEADER_WORDS; i++) {
                bits |= words[i];
            }
            err = !err && bits ? clear_header(store->flash, passed.torn_addr) : err;
        }
        if (err) {
            return err;
        }
    }
    return found == MOLT_ERR_CORRUPT ? 0 : found;
}

// A record that was not committed before a restart never will be. What was cut may have left its magic so that it reads wrong
// later, and all that lies below it would be lost: make it firm. Once, which the delete word says.
static int bury(const molt_store_t *store, const molt_record_t *record) {
    const molt_flash_t *flash = store->flash;
    uint32_t deleted;
    int err = flash->read(flash->ctx, record->header_addr + RECORD_DELETE_OFF, &deleted, sizeof deleted);
    if (err || deleted != ERASED) {
        return err;
    }
    err = store_prog_word(flash, record->header_addr, RECORD_MAGIC);
    return err ? err : store_prog_word(flash, record->header_addr + RECORD_DELETE_OFF, 0);
}

int molt_store_settle(molt_store_t *store) {
    uint32_t at = 0;
    molt_record_t record;
    int found = molt_store_drop_journal(store->flash, &store->region);
    found = found ? found : clear_torn(store);
    if (found) {
        return found;
    }
    while ((found = molt_store_next(store, &at, &record)) == 1) {
        char name[MOLT_RECORD_NAME_MAX + 1];
        uint32_t count;
        int err = record.is_committed ? 0 : bury(store, &record);
        if (record.is_live) {
            err = molt_store_name(store, &record, name);
            err = err ? err : delete_older(store, name, record.name_size, record.header_addr, true, &count);
        }
        if (err) {
            return err;
        }
    }
    return found;
}

int molt_store_want_compaction(molt_store_t *store) {
    uint32_t at = 0;
    molt_record_t record;
    if (store->is_wanted || store->dead_size == 0) {
        return 0;
    }
    int found = molt_store_next(store, &at, &record);
    if (found == 1) {
        found = store_prog_word(store->flash, record.header_addr + RECORD_WANTED_OFF, 0);
        store->is_wanted = !found;
    }
    return found;
}

int molt_store_reset(molt_store_t *store) {
    uint32_t at = 0;
    int found;
    molt_record_t record;
    while ((found = molt_store_next(store, &at, &record)) == 1) {
        int err = record.is_live ? mark_deleted(store, &record) : 0;
        if (err) {
            return err;
        }
    }
    if (!found && store->is_damaged && at == 0) {
        // Nothing can be reached, so nothing is in use, and no record is there to note a wish in.
        uint32_t top = store_region_end(&store->region) - store->flash->geometry.sector_size;
        found = store->flash->erase_sector(store->flash->ctx, top);
        return found ? found : molt_store_open(store, store->flash, &store->region);
    }
    return found ? found : molt_store_want_compaction(store);
}
