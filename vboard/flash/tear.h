// How a flash operation looks that the power left half way.
#ifndef VBOARD_FLASH_TEAR_H
#define VBOARD_FLASH_TEAR_H

#include <stdbool.h>
#include <stdint.h>

enum tear {
    TEAR_BEFORE,  // nothing happened yet
    TEAR_AFTER,   // all of it happened
    TEAR_PREFIX,  // the first half of the bytes
    TEAR_START,   // the first bytes, as many as chance has it
    TEAR_SUFFIX,  // the last bytes
    TEAR_RANDOM,  // program: some of the bits; erase: any bits, as cells are first programmed, then erased
    TEAR_ZERO,    // erase: all bits clear, the moment before the erase proper; program: as TEAR_AFTER
    TEAR_STRAY,   // all of it but for one bit
    TEAR_UNKNOWN,
};

enum tear tear_of_name(const char *name);

// A torn operation of `size` bytes, `erase` or program, repeatable for the same seed.
struct torn {
    enum tear tear;
    bool is_erase;
    uint32_t size;
    uint32_t split;      // start and suffix: where the bytes part
    uint32_t stray_bit;  // counted over the whole operation
    uint32_t random;     // state of the generator
};

void tear_begin(struct torn *torn, enum tear tear, uint32_t seed, bool is_erase, uint32_t size);

// The byte at `i` when `before` was to become `after`; i rises by one from call to call.
uint8_t tear_byte(struct torn *torn, uint32_t i, uint8_t before, uint8_t after);

#endif
