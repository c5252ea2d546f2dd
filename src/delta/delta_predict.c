// What follows of addresses that have moved.

#include "delta/delta_predict.h"

#include "base/bytes.h"

static uint32_t shift_of(const molt_delta_map_t *map, uint32_t addr) {
    uint32_t shift = 0;
    for (uint32_t i = 0; i < map->count && map->moves[i].addr <= addr; i++) {
        shift = map->moves[i].shift;
    }
    return shift;
}

void molt_delta_predict(const molt_delta_map_t *map, uint8_t *bytes, uint32_t new_off, uint32_t diagonal, uint32_t size) {
    uint32_t step;
    for (uint32_t i = 0; map->count && i + 4 <= size; i += step) {
        uint32_t word = load32_le(bytes + i);
        uint32_t off = new_off + i;
        uint32_t target = word;
        bool is_pointer = ((off | diagonal) & 3) == 0
                          && word - map->moves[0].addr < map->moves[map->count - 1].addr - map->moves[0].addr;
        step = is_pointer ? 4 : delta_step(word, map->has_calls);
        if (!is_pointer) {
            if (!map->has_calls || (word & DELTA_CALL_MASK) != DELTA_CALL) {
                continue;
            }
            target = delta_call_target(word, off + diagonal);
        }
        target += shift_of(map, target);
        // Of the vaddr nothing is in these bits.
        store32_le(bytes + i,
            is_pointer ? target : (word & ~DELTA_CALL_WAY_MASK) | ((target - 4 - (off & ~3u)) << 4 & DELTA_CALL_WAY_MASK));
    }
}
