// The stored bytes of records and of the compaction journal: offsets and the few functions that its files share.
#ifndef MOLT_FROZEN_STORE_LAYOUT_H
#define MOLT_FROZEN_STORE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "frozen/link_layout.h"
#include "frozen/store.h"

#define MOLT_STORE_VERSION 1

#define ERASED 0xffffffffu

// Record header. The magic is programmed when all else of the header is.
#define RECORD_MAGIC 0x464c4f4du  // "MOLF"
#define RECORD_VERSION_OFF 4      // u8 version, u8 name size, u16 0
#define RECORD_SIZE_OFF 8
#define RECORD_CRC_OFF 12
#define RECORD_HEADER_CRC_OFF 16  // of bytes 4..15 and of the name's 64
#define RECORD_COMMIT_OFF 20      // 0: committed
#define RECORD_DELETE_OFF 24      // not erased: deleted
#define RECORD_WANTED_OFF 28      // not erased: compaction is wanted

#define HEADER_WORDS (MOLT_RECORD_HEADER_SIZE / 4)
#define NAME_ROOM (MOLT_RECORD_HEADER_SIZE - MOLT_RECORD_NAME_OFF)

// Sectors at the region's bottom that records never use.
#define STORE_WORK_SECTORS 2

static inline uint32_t store_region_end(const molt_region_t *region) {
    return region->addr + region->size;
}

static inline uint32_t sector_floor(const molt_flash_t *flash, uint32_t addr) {
    return addr - addr % flash->geometry.sector_size;
}

// Where a record ends that is put at `end`: a header does not cross the bottom of a sector.
static inline uint32_t record_end(const molt_flash_t *flash, uint32_t end) {
    uint32_t off = end % flash->geometry.sector_size;
    return off < MOLT_RECORD_HEADER_SIZE ? end - off : end;
}

static inline int store_prog_word(const molt_flash_t *flash, uint32_t addr, uint32_t word) {
    return flash->prog(flash->ctx, addr, &word, sizeof word);
}

// What was met on the way to a record, or to where the next one goes.
typedef struct passed {
    uint32_t next;       // where the next record goes, if there was none
    uint32_t torn_addr;  // of a header that was torn and skipped; 0 if there was none
    bool is_newer;       // the header is a whole one, of another version of the format
} molt_store_passed_t;

// Find the record that ends at or below `end`. 1: found. 0: none, and passed->next is where the next one goes.
// < 0: error; MOLT_ERR_CORRUPT for a header that no power cut leaves behind.
//   is_trusted  it was looked at before: its CRC is not computed again
int molt_store_look(const molt_store_t *store, uint32_t end, bool is_trusted, molt_record_t *record, molt_store_passed_t *passed);

// The CRC over what does not change of a header (MOLT_RECORD_HEADER_SIZE bytes).
uint32_t molt_store_header_crc(const uint8_t *header);

// Bytes that a record with `mpy_size` bytes needs at the present end; 0 if there is no room, with `spare` bytes
// left over for its link.
uint32_t molt_store_room(const molt_store_t *store, uint32_t mpy_size, uint32_t spare);

// For molt_store_open(): whether a compaction is to be finished. 1, 0 or the driver's error.
int molt_store_is_compacting(const molt_flash_t *flash, const molt_region_t *region);

// For molt_store_settle(): erase a journal that does not count, because its magic was not programmed or is cleared, so
// that it never will. 0 or the driver's error.
int molt_store_drop_journal(const molt_flash_t *flash, const molt_region_t *region);

#endif
