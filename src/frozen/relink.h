// Relink: make the links in flash fit the store and the running firmware. Done once at each start, before anything
// is imported.
#ifndef MOLT_RELINK_H
#define MOLT_RELINK_H

#include <stdbool.h>
#include <stdint.h>

#include "frozen/link.h"
#include "frozen/store.h"

typedef struct molt_relink {
    // Set by the caller.
    molt_store_t *store;
    const molt_link_abi_t *abi;
    const molt_mpy_target_t *target;
    uint8_t build[MOLT_LINK_BUILD_SIZE];
    uint32_t abi_crc;
    uint32_t base_vaddr;        // where the CPU sees flash address 0
    uint32_t first_pool_vaddr;  // the firmware's own last pool of qstrs
    uint32_t first_qstr;        // number of qstrs in it and before it
    void *ctx;
    const uint8_t *(*map)(void *ctx, uint32_t addr);  // flash as readable memory
    void *(*alloc)(void *ctx, uint32_t size);         // 4-aligned, or NULL
    void (*release)(void *ctx, void *memory, uint32_t size);
    void (*use_pool)(void *ctx, uint32_t pool_vaddr);  // find_qstr() finds what is in this pool and before it
    uint32_t (*find_qstr)(void *ctx, const uint8_t *bytes, uint32_t size, bool is_name);
    int (*make_float)(void *ctx, const uint8_t *text, uint32_t size, uint32_t *word);
    void (*feed)(void);
    // Results.
    uint32_t links_addr;  // end of the links
    uint32_t pool_vaddr;  // the last pool; also handed to use_pool()
    uint32_t qstr_count;  // number of qstrs in it and before it
    uint32_t kept_count;  // links that were there
    uint32_t made_count;  // links that were written
} molt_relink_t;

// Take the links that fit, make those that are missing; where one is of no use, make all of them again from the bottom.
// Raises store->floor_addr above the links. What cannot be linked, for want of room or memory, stays unlinked.
// Returns 0, or the error that left modules unlinked.
// Power cut: the next call makes good what is missing; records are not touched.
int molt_relink(molt_relink_t *relink);

// Bytes that the links take at most which are still to be made: of the live records that have none up to `links_addr`.
// They have to stay free, or a module that is there already is never linked.
//   map  flash as readable memory
// Returns 0 with *size set, or the driver's error.
// Cost: a pass over each record that is not linked.
int molt_relink_wanted(const molt_store_t *store, uint32_t links_addr, const molt_mpy_target_t *target,
    const uint8_t *(*map)(void *ctx, uint32_t addr), void *ctx, uint32_t *size);

// How much of the room for records, which begins at store->floor_addr, links of `size` bytes take that go on at
// `links_addr`: whole sectors.
uint32_t molt_relink_room(const molt_store_t *store, uint32_t links_addr, uint32_t size);

// A record's link among those up to `links_addr`, unchecked. False if there is none.
bool molt_relink_find(const molt_store_t *store, uint32_t links_addr, const molt_record_t *record, molt_link_t *link);

#endif
