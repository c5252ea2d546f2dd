// The stored bytes of records and of the compaction journal: offsets and the few functions that both files need.
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

// Bytes that a record with `mpy_size` bytes needs at the present end; 0 if there is no room, with `spare` bytes
// left over for its link.
uint32_t molt_store_room(const molt_store_t *store, uint32_t mpy_size, uint32_t spare);

// For molt_store_open(): whether a compaction is to be finished. 1, 0 or the driver's error.
int molt_store_is_compacting(const molt_flash_t *flash, const molt_region_t *region);

// For molt_store_settle(): erase a journal that does not count, because its magic was not programmed or is cleared, so
// that it never will. 0 or the driver's error.
int molt_store_drop_journal(const molt_flash_t *flash, const molt_region_t *region);

#endif
