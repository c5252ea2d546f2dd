// Loading a firmware's segments as the mask ROM would, with its first sector elsewhere. In the resident boot loader, and
// where resident mode is installed, to see beforehand that it will work.

#include "base/app_image.h"
#include "base/bytes.h"
#include "base/geometry.h"
#include "molt/error.h"
#include "resident/resident.h"

// The mask ROM's image format: a header and segment headers of 8 bytes, an XOR checksum seeded with 0xEF in the last of
// the 16 bytes in which the last segment ends.
#define IMAGE_HEADER_SIZE 8u
#define IMAGE_SEGMENTS_MAX 16u
#define IMAGE_CHECKSUM_SEED 0xEFu

// A reader of the image that remembers its first error.
typedef struct load {
    const molt_flash_t *flash;
    uint32_t head_addr;
    int err;
} load_t;

static void read_piece(load_t *load, uint32_t off, void *buf, uint32_t size) {
    uint32_t addr = off < molt_sector_size(&load->flash->geometry) ? load->head_addr + off : off;
    if (!load->err) {
        load->err = load->flash->read(load->flash->ctx, addr, buf, size);
    }
}

static uint32_t read_word(load_t *load, uint32_t off) {
    uint32_t word = 0;
    read_piece(load, off, &word, sizeof word);
    return load32_le((const uint8_t *)&word);
}

// Load one segment and work its words into *sum.
static void load_segment(load_t *load, uint32_t off, uint32_t vaddr, uint32_t size, const molt_start_io_t *io, uint32_t *sum) {
    uint32_t sector_size = molt_sector_size(&load->flash->geometry);
    while (size && !load->err) {
        uint32_t piece = min_u32(size, sector_size - off % sector_size);
        uint32_t *words = io->place(io->ctx, vaddr, piece);
        if (!words) {
            load->err = MOLT_ERR_NOTSUP;
            return;
        }
        read_piece(load, off, words, piece);
        // All four bytes of a word at once; their order does not matter to their XOR.
        for (uint32_t i = 0; i < piece / 4; i++) {
            *sum ^= words[i];
        }
        off += piece;
        vaddr += piece;
        size -= piece;
    }
}

int molt_resident_load(const molt_flash_t *flash, uint32_t head_addr, const molt_start_io_t *io, uint32_t *entry_vaddr) {
    load_t load = { flash, head_addr, 0 };
    uint32_t header = read_word(&load, 0);
    uint32_t segment_count = header >> 8 & 0xff;
    uint32_t off = IMAGE_HEADER_SIZE;
    uint32_t sum = IMAGE_CHECKSUM_SEED;
    *entry_vaddr = read_word(&load, 4);
    if (!load.err && ((header & 0xff) != MOLT_APP_MAGIC || segment_count - 1 >= IMAGE_SEGMENTS_MAX)) {
        return MOLT_ERR_CORRUPT;
    }
    for (; !load.err && segment_count; segment_count--) {
        uint32_t vaddr = read_word(&load, off);
        uint32_t size = read_word(&load, off + 4);
        off += IMAGE_HEADER_SIZE;
        if (((vaddr | size) & 3) != 0 || !range_within(off, size, flash->geometry.size)) {
            return MOLT_ERR_CORRUPT;
        }
        load_segment(&load, off, vaddr, size, io, &sum);
        off += size;
    }
    // The checksum is the last byte of the 16 in which the last segment ends.
    sum ^= sum >> 16;
    sum ^= sum >> 8 ^ read_word(&load, off | 12) >> 24;
    return load.err ? load.err : (sum & 0xff) == 0 ? 0 : MOLT_ERR_CORRUPT;
}
