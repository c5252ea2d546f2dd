// The stored bytes of a link's header, and sizes that measuring and building a link share.
#ifndef MOLT_FROZEN_LINK_LAYOUT_H
#define MOLT_FROZEN_LINK_LAYOUT_H

#include <stdint.h>

#define LINK_MAGIC 0x4b4c4f4du  // "MOLK"; programmed last
#define LINK_VERSION_OFF 4      // u16 version, u16 flags
#define LINK_REFUSED 0x10000u   // flag: this module cannot be linked
#define LINK_SIZE_OFF 8
#define LINK_RECORD_OFF 12
#define LINK_MPY_CRC_OFF 16
#define LINK_BUILD_OFF 20
#define LINK_ABI_CRC_OFF 36
#define LINK_QSTR_BASE_OFF 40
#define LINK_PREV_POOL_OFF 44
#define LINK_POOL_OFF 48  // u16 offset of the pool, u16 number of qstrs in it
#define LINK_DATA_CRC_OFF 52
#define LINK_CRC_OFF 60  // of bytes 4..59
// Offsets are kept in 16 bits.
#define LINK_SIZE_MAX 0xfffcu

// Constants shorter than this become qstrs. Source: PERSISTENT_STR_INTERN_THRESHOLD in mpy-tool.py.
#define INTERN_SIZE 25
#define POOL_HEADER_SIZE 24u
#define MODULE_SIZE 12u

// 16-bit digits that `size` decimal digits make at most: each is less than 4 bits.
#define MPZ_DIGITS_MAX(size) (((size) / 4 + 2) & ~1u)

static inline uint32_t align4(uint32_t size) {
    return (size + 3) & ~3u;
}

#endif
