// Making a changed plan's CRC right. The sizes of the parts are computed here from the format's description, not
// by molt's code.

#include "seal.h"

#include "bytes.h"
#include "molt/crc32.h"

enum {
    OFF_IMAGE_SIZE = 12,
    OFF_EXTENT_COUNT = 30,
    OFF_FS_ADDR = 44,
    OFF_FS_SIZE = 48,
    OFF_STEP_COUNT = 52,
    OFF_CRC = 60,
    HEADER_SIZE = 64,
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
        store32_le(header + OFF_STEP_COUNT, (uint32_t)step_count);
    }
    uint32_t begin = geometry->sector_size - (uint32_t)size;
    uint32_t covered = (uint32_t)size - HEADER_SIZE + OFF_CRC;
    store32_le(header + OFF_CRC, molt_crc32(0, sector + begin, covered));
    return true;
}
