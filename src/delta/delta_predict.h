// What is likely to be different about a piece of the old image because addresses have moved. docs/format.md, "delta file".
//
// Where a function has moved each pointer to it is another one, and so is each call of it that has not moved with it. A patch can have a map
// of how addresses move: copied bytes are changed by that first, and what is wrong then the patch changes as any other byte. Nothing but
// the piece's own bytes and the map is looked at, so it comes out the same however often it is done.
#ifndef MOLT_DELTA_PREDICT_H
#define MOLT_DELTA_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

// What is added to addresses from `addr` on, up to the next entry's, modulo 2^32. Below the first entry's nothing is.
typedef struct molt_delta_move {
    uint32_t addr;
    uint32_t shift;
} molt_delta_move_t;

typedef struct molt_delta_map {
    const molt_delta_move_t *moves;  // ascending by addr; the last one's is the end of what is taken for a pointer
    uint32_t count;                  // 0: nothing is predicted
    bool has_calls;                  // calls, too: call0 of Xtensa, in an image of which byte n is at MOLT_DELTA_CODE_VADDR + n
} molt_delta_map_t;

// Where an ESP8266 sees its flash.
#define MOLT_DELTA_CODE_VADDR 0x40200000u

// Call0: 6 bits of it, and 18 of its way in words, from the one behind the word that it begins in.
#define DELTA_CALL_MASK 0x3fu
#define DELTA_CALL 0x05u
#define DELTA_CALL_WAY_MASK 0xffffc0u

// What is called by `call`, which is at this offset of its image.
static inline uint32_t delta_call_target(uint32_t call, uint32_t off) {
    return MOLT_DELTA_CODE_VADDR + 4 + (off & ~3u) + ((uint32_t)((int32_t)(call << 8) >> 14) << 2);
}

// How far it is from something that is no pointer to what is looked at next: instructions take 2 or 3 bytes.
static inline uint32_t delta_step(uint32_t word, bool has_calls) {
    return !has_calls ? 1 : word & 8 ? 2 : 3;
}

// Change `size` bytes that were copied to new_off of the new image as the map has it.
//   diagonal  their offset in the old image less new_off, modulo 2^32
// Cost: a look at every second or third byte, and for each address found one at up to all entries.
void molt_delta_predict(const molt_delta_map_t *map, uint8_t *bytes, uint32_t new_off, uint32_t diagonal, uint32_t size);

#endif
