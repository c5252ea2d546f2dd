// Making CRCs right. The sizes of a plan's parts are computed here from the format's description, not by molt's code.

#include "seal.h"

#include "base/bytes.h"
#include "base/crc32.h"

enum {
    OFF_IMAGE_SIZE = 16,
    OFF_EXTENT_COUNT = 44,
    OFF_FS_ADDR = 72,
    OFF_FS_SIZE = 76,
    OFF_STEP_COUNT = 80,
    OFF_VERIFY_STEP = 84,
    OFF_SET_SIZE = 88,
    OFF_TODO_OFF = 92,
    OFF_EXTENTS_OFF = 96,
    OFF_JOURNAL_OFF = 100,
    OFF_LOG_SIZE = 104,
    OFF_CRC = 128,
    HEADER_SIZE = 132,
    LOG_SIZE = 32,
};

static uint64_t round_up(uint64_t value, uint64_t unit) {
    return (value + unit - 1) / unit;
}

// Store what follows from the sizes, journal and log right before the extents. False if there is no room for it.
static bool seal_shape(const molt_geometry_t *geometry, uint8_t *header) {
    uint64_t per_block = geometry->block_size ? geometry->block_size / geometry->sector_size : 16;
    uint64_t group_size = per_block * geometry->sector_size;
    uint64_t fs_addr = load32_le(header + OFF_FS_ADDR);
    uint64_t fs_size = load32_le(header + OFF_FS_SIZE);
    uint64_t image_blocks = round_up(load32_le(header + OFF_IMAGE_SIZE), group_size);
    uint64_t fs_blocks = fs_size ? round_up(fs_addr + fs_size, group_size) - fs_addr / group_size + 1 : 0;
    uint64_t verify_step = 1 + image_blocks * (per_block + 1);
    uint64_t step_count = verify_step + 1 + fs_blocks;
    uint64_t set_size = round_up(step_count + 1, 32) * 4;
    uint64_t extents_size = round_up(load32_le(header + OFF_EXTENT_COUNT), 2) * 4;
    if (HEADER_SIZE + 2 * set_size + LOG_SIZE + extents_size > geometry->sector_size) {
        return false;
    }
    uint32_t size = (uint32_t)set_size;
    uint32_t todo_off = geometry->sector_size - HEADER_SIZE - size;
    uint32_t extents_off = todo_off - (uint32_t)extents_size;
    uint32_t journal_off = extents_off - size - LOG_SIZE;
    uint32_t page_begin = (extents_off - 1) / geometry->page_size * geometry->page_size;
    if (journal_off < page_begin && page_begin >= size + LOG_SIZE) {
        journal_off = page_begin - size - LOG_SIZE;
    }
    store32_le(header + OFF_STEP_COUNT, (uint32_t)step_count);
    store32_le(header + OFF_VERIFY_STEP, (uint32_t)verify_step);
    store32_le(header + OFF_SET_SIZE, size);
    store32_le(header + OFF_TODO_OFF, todo_off);
    store32_le(header + OFF_EXTENTS_OFF, extents_off);
    store32_le(header + OFF_JOURNAL_OFF, journal_off);
    store32_le(header + OFF_LOG_SIZE, LOG_SIZE);
    return true;
}

bool seal_plan(const molt_geometry_t *geometry, uint8_t *sector, bool counts) {
    uint8_t *header = sector + geometry->sector_size - HEADER_SIZE;
    if (counts && !seal_shape(geometry, header)) {
        return false;
    }
    uint32_t begin = load32_le(header + OFF_EXTENTS_OFF);
    uint32_t end = geometry->sector_size - HEADER_SIZE + OFF_CRC;
    if (begin > end) {
        return false;
    }
    store32_le(header + OFF_CRC, molt_crc32(0, sector + begin, end - begin));
    return true;
}

static uint32_t load32_be(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void seal_directory(uint8_t *block, uint32_t block_size) {
    // A tag is stored as the XOR of itself and the one before; a commit ends with one of type 0x500..0x57f, whose
    // first four bytes are the complement of an ordinary CRC-32 over all before it, the revision count included.
    uint32_t crc = molt_crc32(0, block, 4);
    uint32_t before = UINT32_MAX;
    uint32_t off = 4;
    while (off + 8 <= block_size) {
        uint32_t tag = load32_be(block + off) ^ before;
        uint32_t size = tag & 0x3ff;
        if (tag >> 31) {
            return;
        }
        size = size == 0x3ff ? 0 : size;
        if (off + 4 + size > block_size) {
            return;
        }
        crc = molt_crc32(crc, block + off, 4);
        before = tag;
        if ((tag >> 20 & 0x780) == 0x500) {
            store32_le(block + off + 4, ~crc);
            before ^= (tag >> 20 & 1) << 31;
            crc = 0;
        } else {
            crc = molt_crc32(crc, block + off + 4, size);
        }
        off += 4 + size;
    }
}
