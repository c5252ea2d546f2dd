// How far a delta has come: a log in three sectors, each of which says it by itself.
//
// At each start two of them are written anew, one after the other, the least one first; then a record is added to both for each
// operation. So nothing that may have been torn is believed twice, and at each moment there is a sector that is whole and says what
// the newest one says, or what that would be told by the operation in progress being done again. Two sectors would not do: where both
// say the same one of them can be weak, and it is not known which.
#ifndef MOLT_DELTA_LOG_H
#define MOLT_DELTA_LOG_H

#include <stdint.h>

#include "molt/flash.h"

#define MOLT_DELTA_LOG_COUNT 3u

typedef struct molt_delta_log {
    const molt_flash_t *flash;
    uint32_t addrs[MOLT_DELTA_LOG_COUNT];
    uint32_t seed;  // of the patch: records of another one are none
    // Since molt_delta_log_begin():
    uint32_t active[2];  // which of them are added to, in this order
    uint32_t starts;
    uint32_t off;  // of the next record in both
} molt_delta_log_t;

// What a log says: the operations that are done, plus 1. Before the first start, and the most.
#define MOLT_DELTA_LOG_FRESH 0u
#define MOLT_DELTA_LOG_MAX 0x0fffu

// The bytes of log `index` that nothing was done of, into `buf` (sector_size bytes).
void molt_delta_log_init(const molt_geometry_t *geometry, uint32_t seed, uint32_t index, uint8_t *buf);

// What the newest log says: in *said. buf: sector_size bytes, 4-aligned. Returns 0, MOLT_ERR_CORRUPT (none says anything: as if they
// were fresh), or the flash driver's error.
int molt_delta_log_read(const molt_delta_log_t *log, uint8_t *buf, uint32_t *said);

// A start: write `said` into two of them, anew. buf as above. Returns as molt_delta_log_read() does, or the error of writing.
// Power cut: they say `said`, or what they said before.
int molt_delta_log_begin(molt_delta_log_t *log, uint8_t *buf, uint32_t said);

// After an operation: add `said` to both; where they are full, write them anew. buf as above. Returns and power cut as above.
int molt_delta_log_add(molt_delta_log_t *log, uint8_t *buf, uint32_t said);

#endif
