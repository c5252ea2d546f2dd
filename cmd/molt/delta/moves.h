// How addresses have moved from one image to another: the map of a delta file (docs/format.md), as pieces that were copied show it.
#ifndef MOLT_DELTA_MOVES_H
#define MOLT_DELTA_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "delta/delta.h"
#include "molt/target.h"

// An address in the old image, and where that is in the new one.
typedef struct vote {
    uint32_t addr;
    uint32_t shift;
} vote_t;

typedef struct votes {
    molt_chip_t chip;
    vote_t *list;
    uint32_t count;
    uint32_t room;
    bool is_full;  // there was not enough memory
} votes_t;

// Whether calls can be predicted for this chip, beside pointers.
bool moves_have_calls(molt_chip_t chip);

// What a piece that is copied says: `size` bytes at old_off and new_off of the images, which begin at old_bytes and new_bytes.
void votes_take(
    votes_t *votes, const uint8_t *old_bytes, uint32_t old_off, const uint8_t *new_bytes, uint32_t new_off, uint32_t size);

// The map that is best for these votes, of up to `room` entries; none: *count is 0. The votes are put in another order.
// Returns 0, or -1 where there was not enough memory.
int moves_find(molt_delta_move_t *moves, uint32_t *count, uint32_t room, votes_t *votes);

#endif
