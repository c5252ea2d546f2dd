// The store: adding and deleting records, and what a start mends of what power cuts left.

#include "base/flash_io.h"
#include "base/libc.h"
#include "base/reader.h"
#include "frozen/store.h"
#include "frozen/store_layout.h"
#include "molt/error.h"

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
    store32_le(header + RECORD_HEADER_CRC_OFF, molt_store_header_crc(header));
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
        molt_store_passed_t passed;
        err = molt_store_look(store, record->header_addr + MOLT_RECORD_HEADER_SIZE, false, &stored, &passed) == 1 ? 0
                                                                                                                  : MOLT_ERR_IO;
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
        if (!err && memcmp(its_name, name, name_size) == 0) {
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
    molt_store_passed_t passed;
    int found = 1;
    for (uint32_t end = store_region_end(&store->region); found == 1; end = record.mpy_addr) {
        found = molt_store_look(store, end, false, &record, &passed);
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
