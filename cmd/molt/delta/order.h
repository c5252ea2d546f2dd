// In which order the sectors of an image are written over another one, and which old ones have to be stashed for that.
#ifndef MOLT_DELTA_ORDER_H
#define MOLT_DELTA_ORDER_H

#include <stdbool.h>

#include "delta/delta.h"
#include "match.h"

typedef struct order {
    molt_delta_op_t *ops;
    uint32_t op_count;
    uint32_t write_count;  // of them, new sectors
    uint32_t slot_count;
} order_t;

typedef struct order_images {
    const uint8_t *old_bytes;
    const uint8_t *new_bytes;
    uint32_t old_size;
    uint32_t new_size;
    uint32_t sector_size;
} order_images_t;

// Whether the sector of the new image is in its place already.
bool order_is_equal(const order_images_t *images, uint32_t sector);

// Of ascending, descending and greedy the order that stashes least. The first sector is in none of them. Free `ops`.
// Returns 0, or -1 where there is not enough memory.
int order_find(order_t *order, const order_images_t *images, const cover_list_t *list);

#endif
