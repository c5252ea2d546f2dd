// Loading a firmware's segments as the mask ROM would, with its first sector elsewhere. In the resident boot loader, and
// where resident mode is installed, to see beforehand that it will work.

#include "bytes.h"
#include "molt/error.h"
#include "molt/resident.h"

// The mask ROM's image format: a header and segment headers of 8 bytes, an XOR checksum seeded with 0xEF in the last of
// the 16 bytes in which the last segment ends.
#define IMAGE_MAGIC 0xE9u
#define IMAGE_HEADER_SIZE 8u
#define IMAGE_SEGMENTS_MAX 16u
#define IMAGE_CHECKSUM_SEED 0xEFu

// Where byte `off` of the image lies, and how much of `size` bytes lies there in one piece.
static uint32_t locate(const molt_flash_t *flash, uint32_t head_addr, uint32_t off, uint32_t *size) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    *size = min_u32(*size, sector_size - off % sector_size);
    return off < sector_size ? head_addr + off : off;
}

static int read_image(const molt_flash_t *flash, uint32_t head_addr, uint32_t off, uint32_t *words, uint32_t size) {
    while (size) {
        uint32_t piece = size;
        uint32_t addr = locate(flash, head_addr, off, &piece);
        int err = flash->read(flash->ctx, addr, words, piece);
        if (err) {
            return err;
        }
        off += piece;
        words += piece / 4;
        size -= piece;
    }
    return 0;
}

// Load one segment and work its words into *sum.
static int load_segment(const molt_flash_t *flash, uint32_t head_addr, uint32_t off, uint32_t vaddr, uint32_t size,
    uint8_t *buf, const molt_loading_t *loading, uint32_t *sum) {
    while (size) {
        uint32_t piece = size;
        uint32_t addr = locate(flash, head_addr, off, &piece);
        int err = flash->read(flash->ctx, addr, buf, piece);
        for (uint32_t i = 0; i < piece; i += 4) {
            *sum ^= load32_le(buf + i);
        }
        if (!err) {
            err = loading->place(loading->ctx, vaddr, buf, piece);
        }
        if (err) {
            return err;
        }
        off += piece;
        vaddr += piece;
        size -= piece;
    }
    return 0;
}

int molt_resident_load(const molt_flash_t *flash, uint32_t head_addr, uint8_t *buf, const molt_loading_t *loading,
    uint32_t *entry_vaddr) {
    uint32_t words[IMAGE_HEADER_SIZE / 4];
    const uint8_t *header = (const uint8_t *)words;
    int err = read_image(flash, head_addr, 0, words, sizeof words);
    if (err) {
        return err;
    }
    uint32_t segment_count = header[1];
    if (header[0] != IMAGE_MAGIC || segment_count == 0 || segment_count > IMAGE_SEGMENTS_MAX) {
        return MOLT_ERR_CORRUPT;
    }
    *entry_vaddr = load32_le(header + 4);
    uint32_t off = IMAGE_HEADER_SIZE;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < segment_count; i++) {
        err = read_image(flash, head_addr, off, words, sizeof words);
        if (err) {
            return err;
        }
        uint32_t vaddr = load32_le(header);
        uint32_t size = load32_le(header + 4);
        off += IMAGE_HEADER_SIZE;
        if (((vaddr | size) & 3) != 0 || !range_within(off, size, flash->geometry.size)) {
            return MOLT_ERR_CORRUPT;
        }
        err = load_segment(flash, head_addr, off, vaddr, size, buf, loading, &sum);
        if (err) {
            return err;
        }
        off += size;
    }
    // The checksum is the last byte of the word that ends in the 16 bytes.
    err = read_image(flash, head_addr, off | 12, words, 4);
    sum ^= sum >> 16;
    sum ^= sum >> 8;
    return !err && ((sum ^ IMAGE_CHECKSUM_SEED) & 0xff) != header[3] ? MOLT_ERR_CORRUPT : err;
}
