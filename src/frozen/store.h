// The store: modules in a region of flash, as records that grow from the region's top downwards.
//
// A record is a header and the verbatim .mpy file below it. It counts once its commit word is programmed, and until
// its delete word is. Room is reclaimed only by compaction, which has a journal of its own. The region's two lowest
// sectors are never given to records: compaction works there, and links (link.h) lie there and above. What lies
// between the links and the records is free. docs/format-store.md has every byte.
#ifndef MOLT_STORE_H
#define MOLT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/source.h"

#define MOLT_RECORD_HEADER_SIZE 128
#define MOLT_RECORD_NAME_OFF 64
// Longest name of a module, dots included: a 0 follows it.
#define MOLT_RECORD_NAME_MAX 63
// Buffer of the functions that copy, in bytes; compaction needs a whole sector.
#define MOLT_STORE_WORK_SIZE 256

typedef struct molt_record {
    uint32_t header_addr;  // its top end is MOLT_RECORD_HEADER_SIZE above
    uint32_t mpy_addr;     // also where the record begins
    uint32_t mpy_size;
    uint32_t mpy_crc;
    uint8_t name_size;
    bool is_live;  // committed and not deleted
    bool is_committed;
} molt_record_t;

typedef struct molt_store {
    const molt_flash_t *flash;
    molt_region_t region;
    uint32_t end_addr;    // the next record ends here, or lower
    uint32_t floor_addr;  // records may not reach below; raise it above the links
    uint32_t live_count;
    uint32_t live_size;  // bytes of live records, headers included
    uint32_t dead_size;  // bytes that compaction reclaims
    bool is_wanted;      // compaction was asked for
    bool is_damaged;     // a header is corrupt in a way no power cut can cause, e.g. a firmware was written over a
                         // deleted record: nothing below it is seen. The next compaction repairs it
    bool is_newer;       // damaged only in that the header is of a later version of the format: left as it is
} molt_store_t;

// Read the region: what records there are, where the next one goes. Writes nothing.
//   region  on sectors, three of them at least
// Returns 0, MOLT_ERR_NOSPC (region too small), MOLT_ERR_BUSY (a compaction has to be finished first), or the
// driver's error.
// Cost: a read of each header.
int molt_store_open(molt_store_t *store, const molt_flash_t *flash, const molt_region_t *region);

// Go through the records from the top down, dead ones too. *at is 0 before the first.
// Returns 1, 0 behind the last, or the driver's error.
int molt_store_next(const molt_store_t *store, uint32_t *at, molt_record_t *record);

// The live record of that name. Where a power cut left two, the newer one.
// Returns 0, MOLT_ERR_NOENT, or the driver's error.
int molt_store_find(const molt_store_t *store, const char *name, uint32_t name_size, molt_record_t *record);

// Read the name of a record into `name`, with a 0 behind it.
int molt_store_name(const molt_store_t *store, const molt_record_t *record, char name[MOLT_RECORD_NAME_MAX + 1]);

// Whether dotted `name` can be a module's: 1..63 bytes, no empty part, nothing but letters, digits, '_' and bytes
// from 0x80 on.
bool molt_store_is_name(const char *name, uint32_t name_size);

// Whether it is, or is within, a module that the firmware starts with or that is molt's own: the list is in store_name.c. Nothing may
// take their place.
bool molt_store_is_reserved(const char *name, uint32_t name_size);

// The record's .mpy has the CRC that its header says: 0, MOLT_ERR_CORRUPT, or the driver's error.
//   work  MOLT_STORE_WORK_SIZE bytes, 4-aligned
int molt_store_check(const molt_store_t *store, const molt_record_t *record, void *work);

// Put a module in: the .mpy that `mpy` reads, under `name`. A live record with the same name and bytes stays, and
// nothing is written; one with other bytes is marked deleted once the new record is committed.
//   work    MOLT_STORE_WORK_SIZE bytes, 4-aligned
//   spare   bytes that are to stay free above floor_addr
//   record  the module's record, new or old
// Returns 0, or
//   MOLT_ERR_INVAL    the name cannot be one, or there is nothing to read (caller bug)
//   MOLT_ERR_NOSPC    no room; nothing was changed
//   MOLT_ERR_CORRUPT  the store is damaged; nothing was changed, the next start repairs it
//   MOLT_ERR_IO       flash does not keep what was programmed; what was there stays
//   any other         from the flash driver or from `mpy`
// Power cut: the old module or the new one is there, whole, or both, and then the new one counts.
int molt_store_put(molt_store_t *store, const char *name, uint32_t name_size, const molt_reader_t *mpy, uint32_t spare,
    void *work, molt_record_t *record);

// Mark every record of that name deleted, the oldest first. 0, MOLT_ERR_NOENT, or the driver's error.
// Power cut: the module is there, or not; never an older one in its place.
// Cost: a 4-byte program each.
int molt_store_delete(molt_store_t *store, const char *name, uint32_t name_size);

// Mark all deleted, and ask for a compaction. Power cut: some may be left.
int molt_store_reset(molt_store_t *store);

// Once at each start, before anything else is written: mark what a power cut during molt_store_put() left of the older
// module deleted, clear headers that were torn, make those firm whose record was not committed, and erase a compaction's
// journal that does not count.
// Power cut: the next start does it.
// Cost: a read of each header, and no write where no power cut was.
int molt_store_settle(molt_store_t *store);

// Program the commit word of a live record again, before anything counts on its being there: a power cut may have left it so that
// it reads otherwise at the next start. 0 or the driver's error.
int molt_store_confirm(const molt_store_t *store, const molt_record_t *record);

// Whether this start has to compact: it was asked for, or the store is damaged.
bool molt_store_needs_compaction(const molt_store_t *store);

// Ask the next start for a compaction; without dead records there is nothing to win and nothing is done.
int molt_store_want_compaction(molt_store_t *store);

// Move the live records up over the dead ones and erase what lies below them, or go on with a compaction that a
// power cut stopped. Links are lost. Only while nothing refers to the store's bytes.
//   sector  sector_size bytes, 4-aligned
//   feed    called now and then; may be NULL
// Returns 0 (call molt_store_open() again), MOLT_ERR_NOSPC (no room for the journal, or too many records; nothing
// was changed), MOLT_ERR_IO, or the driver's error.
// Power cut: call it again; molt_store_open() says MOLT_ERR_BUSY until it is finished.
// Cost: an erase and a rewrite of each sector that changes, two where its old bytes are needed for the new ones.
int molt_store_compact(const molt_flash_t *flash, const molt_region_t *region, void *sector, void (*feed)(void));

#endif
