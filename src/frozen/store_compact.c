// Compaction: the live records move up over the dead ones, sector by sector from the top, by a journal.
//
// The journal (in the region's lowest sector) lists the live records, top down, and so determines what every sector
// is to hold. A record only ever moves up, so that the bytes that a sector is made of lie in it and below it, and are
// still there when it is its turn. Where any of them lie in the sector itself, its new bytes go to the scratch sector
// (the second lowest) first. Each sector has two words in the journal: its new bytes are complete in the scratch sector;
// it is done. When all are, what lies below is erased, and the journal's magic is cleared and its sector erased.
//
// After a restart nothing is believed that a torn operation can have left: the first sector that is not marked is written
// whatever it seems to hold, and marks that read as made are made again before what they stand for is relied upon.

#include "base/crc32.h"
#include "base/libc.h"
#include "base/sector.h"
#include "frozen/store.h"
#include "frozen/store_layout.h"
#include "molt/error.h"

#define JOURNAL_MAGIC 0x434c4f4du  // "MOLC"; programmed last, cleared when all is done
#define JOURNAL_VERSION 1
#define JOURNAL_COUNT_OFF 4  // u16 version, u16 number of entries
#define JOURNAL_ERASE_OFF 8  // erase down to this address
#define JOURNAL_CRC_OFF 12   // of bytes 4..11 and of the entries
#define JOURNAL_ENTRIES_OFF 16
#define ENTRY_SIZE 8  // u32 address, u32 size of a record
#define MARK_SIZE 8   // a word for the scratch sector, one for done

typedef struct compaction {
    const molt_flash_t *flash;
    uint32_t sector_size;
    uint32_t journal_addr;
    uint32_t scratch_addr;
    uint32_t top;  // end of the region
    uint32_t count;
    uint32_t erase_addr;
    uint8_t *sector;  // RAM, a sector
    void (*feed)(void);
    bool is_resumed;    // it was begun before a restart
    bool is_past_torn;  // and the sector that it was at is rewritten
} compaction_t;

static uint32_t mark_addr(const compaction_t *c, uint32_t target) {
    uint32_t index = (c->top - target) / c->sector_size - 1;
    return c->journal_addr + c->sector_size / 2 + index * MARK_SIZE;
}

static bool fits_journal(const compaction_t *c, uint32_t region_size) {
    return JOURNAL_ENTRIES_OFF + c->count * ENTRY_SIZE <= c->sector_size / 2
           && region_size / c->sector_size * MARK_SIZE <= c->sector_size / 2;
}

static int read_entry(const compaction_t *c, uint32_t index, uint32_t entry[2]) {
    return c->flash->read(c->flash->ctx, c->journal_addr + JOURNAL_ENTRIES_OFF + index * ENTRY_SIZE, entry, ENTRY_SIZE);
}

// Check the journal and take its numbers. 1: it is one; 0: it is none.
//   counts  whether its magic has to be there, or must not
static int open_journal(compaction_t *c, const molt_region_t *region, bool counts) {
    uint32_t words[JOURNAL_ENTRIES_OFF / 4];
    int err = c->flash->read(c->flash->ctx, c->journal_addr, words, sizeof words);
    if (err) {
        return err;
    }
    const uint8_t *header = (const uint8_t *)words;
    c->count = load16_le(header + JOURNAL_COUNT_OFF + 2);
    c->erase_addr = load32_le(header + JOURNAL_ERASE_OFF);
    if ((words[0] == JOURNAL_MAGIC) != counts || load16_le(header + JOURNAL_COUNT_OFF) != JOURNAL_VERSION
        || !fits_journal(c, region->size)) {
        return 0;
    }
    uint32_t crc = molt_crc32(0, header + JOURNAL_COUNT_OFF, 8);
    uint32_t above = c->top;
    uint32_t lowest = c->scratch_addr + c->sector_size;
    bool is_sane = c->erase_addr % c->sector_size == 0 && c->erase_addr >= lowest && c->erase_addr <= c->top;
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t entry[2];
        err = read_entry(c, i, entry);
        if (err) {
            return err;
        }
        crc = molt_crc32(crc, entry, ENTRY_SIZE);
        is_sane = is_sane && entry[0] >= lowest && entry[0] <= above && entry[1] <= above - entry[0]
                  && entry[1] > MOLT_RECORD_HEADER_SIZE && entry[0] % 4 == 0 && entry[1] % 4 == 0;
        above = is_sane ? entry[0] : above;
    }
    return is_sane && crc == load32_le(header + JOURNAL_CRC_OFF) ? 1 : 0;
}

static void setup(compaction_t *c, const molt_flash_t *flash, const molt_region_t *region, void *sector, void (*feed)(void)) {
    *c = (compaction_t){ .flash = flash, .sector = sector, .feed = feed };
    c->sector_size = flash->geometry.sector_size;
    c->journal_addr = region->addr;
    c->scratch_addr = region->addr + c->sector_size;
    c->top = store_region_end(region);
}

int molt_store_is_compacting(const molt_flash_t *flash, const molt_region_t *region) {
    compaction_t c;
    setup(&c, flash, region, NULL, NULL);
    return open_journal(&c, region, true);
}

int molt_store_drop_journal(const molt_flash_t *flash, const molt_region_t *region) {
    compaction_t c;
    setup(&c, flash, region, NULL, NULL);
    int is_there = open_journal(&c, region, false);
    return is_there == 1 ? flash->erase_sector(flash->ctx, c.journal_addr) : is_there;
}

// Put together in c->sector what the sector at `target` is to hold. *is_own: some of it lies in that sector now, be it where it
// stays: there is no other copy. *end: where the last record will begin.
static int build_sector(const compaction_t *c, uint32_t target, bool *is_own, uint32_t *end) {
    memset(c->sector, 0xff, c->sector_size);
    *is_own = false;
    *end = c->top;
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t entry[2];
        int err = read_entry(c, i, entry);
        if (err) {
            return err;
        }
        uint32_t to_end = record_end(c->flash, *end);
        uint32_t to = to_end - entry[1];
        *end = to;
        if (!ranges_overlap(to, entry[1], target, c->sector_size)) {
            continue;
        }
        uint32_t low = to > target ? to : target;
        uint32_t high = min_u32(to_end, target + c->sector_size);
        uint32_t from = low - (to - entry[0]);
        err = c->flash->read(c->flash->ctx, from, c->sector + (low - target), high - low);
        if (err) {
            return err;
        }
        *is_own = *is_own || ranges_overlap(from, high - low, target, c->sector_size);
        uint32_t wanted = to_end - MOLT_RECORD_HEADER_SIZE + RECORD_WANTED_OFF;
        if (wanted >= low && wanted < high) {
            store32_le(c->sector + (wanted - target), ERASED);
        }
    }
    return 0;
}

// Whether a mark was made. One that was torn can read otherwise at each start, so it counts as soon as two of its 32 bits are
// cleared: what it stands for was complete before the first one was. One bit alone can be a reading gone wrong.
static bool is_made(uint32_t mark) {
    return (~mark & (~mark - 1)) != 0;
}

static int move_sector(compaction_t *c, uint32_t target, uint32_t *end) {
    const molt_flash_t *flash = c->flash;
    uint32_t marks[2];
    bool is_own;
    int err = flash->read(flash->ctx, mark_addr(c, target), marks, sizeof marks);
    err = err ? err : build_sector(c, target, &is_own, end);
    if (err) {
        return err;
    }
    if (is_made(marks[1])) {
        return c->is_resumed ? store_prog_word(flash, mark_addr(c, target) + 4, 0) : 0;
    }
    bool can_be_torn = c->is_resumed && !c->is_past_torn;
    c->is_past_torn = true;
    bool is_saved = is_made(marks[0]);
    if (is_saved) {
        err = store_prog_word(flash, mark_addr(c, target), 0);
        err = err ? err : flash->read(flash->ctx, c->scratch_addr, c->sector, c->sector_size);
    }
    bool is_right = !err && !can_be_torn && molt_sector_verify(flash, target, c->sector) == 0;
    if (!err && !is_right && !is_saved && is_own) {
        err = molt_sector_write(flash, c->scratch_addr, c->sector, false);
        err = err ? err : store_prog_word(flash, mark_addr(c, target), 0);
    }
    if (!err && !is_right) {
        err = molt_sector_write(flash, target, c->sector, false);
    }
    return err ? err : store_prog_word(flash, mark_addr(c, target) + 4, 0);
}

static int move_all(compaction_t *c) {
    const molt_flash_t *flash = c->flash;
    uint32_t end = c->top;
    uint32_t target = c->top;
    bool is_own;
    int err = build_sector(c, c->top - c->sector_size, &is_own, &end);
    uint32_t lowest = sector_floor(flash, end);
    while (!err && target > lowest) {
        target -= c->sector_size;
        err = move_sector(c, target, &end);
        if (c->feed) {
            c->feed();
        }
    }
    while (!err && target > c->erase_addr) {
        target -= c->sector_size;
        err = flash->erase_sector(flash->ctx, target);
        if (c->feed) {
            c->feed();
        }
    }
    err = err ? err : store_prog_word(flash, c->journal_addr, 0);
    return err ? err : flash->erase_sector(flash->ctx, c->journal_addr);
}

// Write the journal: the sector below the magic first.
static int begin_compaction(compaction_t *c, const molt_store_t *store) {
    uint32_t at = 0;
    int found;
    molt_record_t record;
    memset(c->sector, 0xff, c->sector_size);
    while ((found = molt_store_next(store, &at, &record)) == 1) {
        if (!record.is_live) {
            continue;
        }
        c->count++;
        if (!fits_journal(c, store->region.size)) {
            return MOLT_ERR_NOSPC;
        }
        uint8_t *entry = c->sector + JOURNAL_ENTRIES_OFF + (c->count - 1) * ENTRY_SIZE;
        store32_le(entry, record.mpy_addr);
        store32_le(entry + 4, MOLT_RECORD_HEADER_SIZE + align4(record.mpy_size));
    }
    if (found || !fits_journal(c, store->region.size)) {
        return found ? found : MOLT_ERR_NOSPC;
    }
    c->erase_addr = sector_floor(c->flash, store->end_addr);
    if (store->is_damaged) {
        c->erase_addr = c->scratch_addr + c->sector_size;
    }
    store32_le(c->sector + JOURNAL_COUNT_OFF, JOURNAL_VERSION | c->count << 16);
    store32_le(c->sector + JOURNAL_ERASE_OFF, c->erase_addr);
    uint32_t crc = molt_crc32(0, c->sector + JOURNAL_COUNT_OFF, 8);
    store32_le(c->sector + JOURNAL_CRC_OFF, molt_crc32(crc, c->sector + JOURNAL_ENTRIES_OFF, c->count * ENTRY_SIZE));
    int err = molt_sector_write(c->flash, c->journal_addr, c->sector, false);
    return err ? err : store_prog_word(c->flash, c->journal_addr, JOURNAL_MAGIC);
}

int molt_store_compact(const molt_flash_t *flash, const molt_region_t *region, void *sector, void (*feed)(void)) {
    compaction_t c;
    molt_store_t store;
    int err = molt_store_open(&store, flash, region);
    if (err && err != MOLT_ERR_BUSY) {
        return err;
    }
    setup(&c, flash, region, sector, feed);
    if (err == MOLT_ERR_BUSY) {
        c.is_resumed = true;
        int is_there = open_journal(&c, region, true);
        // A torn magic reads so that the journal counts now and not later: it is made again before anything goes on its word.
        // One of the two readings was wrong if it is not there any more.
        err = is_there < 0 ? is_there : is_there == 0 ? MOLT_ERR_IO : store_prog_word(flash, c.journal_addr, JOURNAL_MAGIC);
        if (err) {
            return err;
        }
    } else {
        err = molt_store_settle(&store);
        err = err ? err : begin_compaction(&c, &store);
        if (err) {
            return err;
        }
    }
    return move_all(&c);
}
