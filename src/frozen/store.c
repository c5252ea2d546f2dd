// The store: finding records.

#include "frozen/store.h"

#include "base/crc32.h"
#include "base/flash_io.h"
#include "base/libc.h"
#include "frozen/store_layout.h"
#include "molt/error.h"

// Reads of a header before it is believed to be corrupt: what follows erases all below it.
#define HEADER_TRIES 3

uint32_t molt_store_header_crc(const uint8_t *header) {
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

int molt_store_look(
    const molt_store_t *store, uint32_t end, bool is_trusted, molt_record_t *record, molt_store_passed_t *passed) {
    const molt_flash_t *flash = store->flash;
    uint32_t words[HEADER_WORDS];
    const uint8_t *header = (const uint8_t *)words;
    uint32_t lowest = store->region.addr + STORE_WORK_SECTORS * flash->geometry.sector_size;
    *passed = (molt_store_passed_t){ .torn_addr = 0 };
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
                bool is_whole = load32_le(header + RECORD_HEADER_CRC_OFF) == molt_store_header_crc(header);
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
    molt_store_passed_t passed;
    if (end <= store->end_addr) {
        return 0;
    }
    int found = molt_store_look(store, end, true, record, &passed);
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

// As molt_store_look(), and a header that seems to be corrupt is read again.
static int look_again(const molt_store_t *store, uint32_t end, molt_record_t *record, molt_store_passed_t *passed) {
    int found = MOLT_ERR_CORRUPT;
    for (int i = 0; i < HEADER_TRIES && found == MOLT_ERR_CORRUPT; i++) {
        found = molt_store_look(store, end, false, record, passed);
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
        molt_store_passed_t passed;
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
        if (memcmp(its_name, name, name_size) == 0) {
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
