// Torn operations: see tear.h for the kinds.
#include "tear.h"

#include <stddef.h>

#include "names.h"

static const struct {
    const char *name;
    enum tear tear;
} tear_names[] = { { "before", TEAR_BEFORE }, { "after", TEAR_AFTER }, { "prefix", TEAR_PREFIX }, { "start", TEAR_START },
    { "suffix", TEAR_SUFFIX }, { "random", TEAR_RANDOM }, { "zero", TEAR_ZERO }, { "stray", TEAR_STRAY } };

enum tear tear_of_name(const char *name) {
    for (size_t i = 0; i < sizeof tear_names / sizeof tear_names[0]; i++) {
        if (is_same_name(name, tear_names[i].name)) {
            return tear_names[i].tear;
        }
    }
    return TEAR_UNKNOWN;
}

// Marsaglia's xorshift32.
static uint32_t next_random(struct torn *torn) {
    torn->random ^= torn->random << 13;
    torn->random ^= torn->random >> 17;
    torn->random ^= torn->random << 5;
    return torn->random;
}

void tear_begin(struct torn *torn, enum tear tear, uint32_t seed, bool is_erase, uint32_t size) {
    torn->tear = tear;
    torn->is_erase = is_erase;
    torn->size = size;
    torn->random = seed * 2654435761u + 0x9e3779b9u;  // neighbours are spread by Knuth's multiplier
    if (torn->random == 0) {
        torn->random = 1;
    }
    next_random(torn);
    torn->split = 1 + next_random(torn) % (size > 1 ? size - 1 : 1);
    torn->stray_bit = next_random(torn) % (size * 8);
}

static uint8_t stray(struct torn *torn, uint32_t i, uint8_t before, uint8_t after) {
    if (torn->is_erase) {
        return i == torn->stray_bit / 8 ? (uint8_t)(after & ~(1u << (torn->stray_bit % 8))) : after;
    }
    // The first bit from there on that the program was to clear is still set.
    uint8_t clearing = before & (uint8_t)~after;
    if (i < torn->stray_bit / 8 || clearing == 0) {
        return after;
    }
    torn->stray_bit = UINT32_MAX;
    return (uint8_t)(after | (clearing & -clearing));
}

uint8_t tear_byte(struct torn *torn, uint32_t i, uint8_t before, uint8_t after) {
    switch (torn->tear) {
        case TEAR_BEFORE:
            return before;
        case TEAR_PREFIX:
            return i < torn->size / 2 ? after : before;
        case TEAR_START:
            return i < torn->split ? after : before;
        case TEAR_SUFFIX:
            return i >= torn->split ? after : before;
        case TEAR_RANDOM: {
            uint8_t bits = (uint8_t)(next_random(torn) >> 11);
            return torn->is_erase ? bits : (uint8_t)(after | (before & bits));
        }
        case TEAR_ZERO:
            return torn->is_erase ? 0 : after;
        case TEAR_STRAY:
            return stray(torn, i, before, after);
        case TEAR_AFTER:
        case TEAR_UNKNOWN:
            break;
    }
    return after;
}
