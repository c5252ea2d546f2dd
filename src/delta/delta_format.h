// The delta file: where its parts lie. docs/format.md, "delta file". Version 1.
#ifndef MOLT_DELTA_FORMAT_H
#define MOLT_DELTA_FORMAT_H

#include "delta/delta.h"

#define DELTA_MAGIC 0x314C444Du  // "MDL1"

// Byte offsets of the header's fields: 32-bit words but where it says otherwise.
enum {
    DELTA_OFF_MAGIC = 0,
    DELTA_OFF_MAP = 4,         // 16 bits: 2 * entries, + 1 where calls are predicted; 0: there is none
    DELTA_OFF_OLD_PARAMS = 6,  // 16 bits
    DELTA_OFF_SECTOR_SIZE = 8,
    DELTA_OFF_FILE_SIZE = 12,
    DELTA_OFF_OLD_SIZE = 16,
    DELTA_OFF_NEW_SIZE = 20,
    DELTA_OFF_NEW_CRC = 24,
    DELTA_OFF_FS_ADDR = 28,
    DELTA_OFF_OLD_SHA1 = 32,     // bytes
    DELTA_OFF_NEW_SHA1 = 52,     // bytes
    DELTA_OFF_OP_COUNT = 72,     // 16 bits
    DELTA_OFF_SLOT_COUNT = 74,   // 16 bits
    DELTA_OFF_WINDOW_BITS = 76,  // a byte for each stream
    DELTA_OFF_NEW_PARAMS = 78,   // 16 bits
    DELTA_OFF_MAIN_OFF = 80,
    DELTA_OFF_FIX_OFF = 84,
    DELTA_OFF_OLD_NAME = 88,  // bytes, 0 behind its end
    DELTA_OFF_NEW_NAME = DELTA_OFF_OLD_NAME + MOLT_DELTA_NAME_SIZE,
};

_Static_assert(DELTA_OFF_NEW_NAME + MOLT_DELTA_NAME_SIZE == MOLT_DELTA_HEADER_SIZE, "the header's size");

// Behind the header the CRC-32 of the list of operations, as 16-bit molt_delta_op_t; of each new sector that is made, in the order in
// which they are; then the two streams; then the CRC-32 of all before.
#define DELTA_OFF_OPS_CRC MOLT_DELTA_HEADER_SIZE
#define DELTA_OFF_CRCS (DELTA_OFF_OPS_CRC + 4u)
#define DELTA_TRAILER_SIZE 4u

// In the main stream, the operations: a number each, the difference of its sector to that of the one before (zigzag) * 64 + slot + 1,
// or + 0 to write.
#define DELTA_OP_SLOTS 64u
// Behind them the map, of each entry two numbers: its address less the last one's, or less this; its shift less the last one's
// (zigzag).
#define DELTA_MAP_VADDR 0x38000000u

// An even number 2n is n, an odd one 2n + 1 is -n - 1.
static inline uint32_t delta_zigzag(uint32_t v) {
    return v >> 1 ^ (0u - (v & 1));
}

#endif
