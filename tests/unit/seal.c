// Making CRCs right. The sizes of a plan's parts are computed here from the format's description, not by molt's code.

#include "seal.h"

#include "bytes.h"
#include "molt/crc32.h"

enum {
    OFF_IMAGE_SIZE = 12,
    OFF_EXTENT_COUNT = 30,
    OFF_FS_ADDR = 44,
    OFF_FS_SIZE = 48,
    OFF_STEP_COUNT = 52,
    OFF_CRC = 68,
    HEADER_SIZE = 72,
};

static uint64_t round_up(uint64_t value, uint64_t unit) {
    return (value + unit - 1) / unit;
}

bool seal_plan(const molt_geometry_t *geometry, uint8_t *sector, bool counts) {
    uint8_t *header = sector + geometry->sector_size - HEADER_SIZE;
    uint64_t per_block = geometry->block_size ? geometry->block_size / geometry->sector_size : 16;
    uint64_t group_size = per_block * geometry->sector_size;
    uint64_t fs_addr = load32_le(header + OFF_FS_ADDR);
    uint64_t fs_size = load32_le(header + OFF_FS_SIZE);
    uint64_t image_blocks = round_up(load32_le(header + OFF_IMAGE_SIZE), group_size);
    uint64_t fs_blocks = fs_size ? round_up(fs_addr + fs_size, group_size) - fs_addr / group_size : 0;
    uint64_t step_count = 1 + image_blocks * (per_block + 1) + fs_blocks;
    uint64_t set_size = round_up(step_count, 32) * 4;
    uint64_t size = HEADER_SIZE + set_size + round_up(load16_le(header + OFF_EXTENT_COUNT), 2) * 4;
    if (size + set_size > geometry->sector_size) {
        return false;
    }
    if (counts) {
        store16_le(header + OFF_STEP_COUNT, (uint16_t)step_count);
    }
    uint32_t begin = geometry->sector_size - (uint32_t)size;
    uint32_t covered = (uint32_t)size - HEADER_SIZE + OFF_CRC;
    store32_le(header + OFF_CRC, molt_crc32(0, sector + begin, covered));
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
