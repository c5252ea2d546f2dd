// An application image as the second-stage boot loader checks and loads it.
//
// Header of 24 bytes, segments of (address, size, data), padding up to a byte at (end | 15) that is the XOR of all data with 0xef, and
// SHA-256 of it all if byte 23 of the header says so. Segments for the flash windows are mapped where they lie.
#include <nettle/sha2.h>
#include <string.h>

#include "board.h"
#include "flashfile.h"
#include "memory.h"
#include "mmu.h"
#include "nor.h"
#include "peripherals.h"
#include "second_stage.h"

enum { HEADER_SIZE = 24, SEGMENT_HEADER_SIZE = 8, IMAGE_MAGIC = 0xe9, CHECKSUM_SEED = 0xef };
enum { DESCRIPTION_SIZE = 256, PARTITION_SIZE_MAX = 0x1000000, SEGMENT_SIZE_MAX = 0x1000000, FIRST_LOADED_VADDR = 0x10000000 };
// What the boot loader itself needs, from soc->kept_code_vaddr and soc->kept_data_vaddr on: what is loaded may not lie there.
// [bootloader.memory.ld.in]
#define KEPT_CODE_SIZE 0x7000u
#define KEPT_DATA_SIZE 0x5000u
#define KEPT_STACK_VADDR (soc->rom_stack_vaddr - 0x200u - 0x8000u)  // its pointer, and 32 KB that are kept free

struct header {
    uint8_t magic;
    uint8_t segment_count;
    uint8_t mode;
    uint8_t size_and_speed;
    uint32_t entry_vaddr;
    uint8_t pins[4];
    uint16_t chip_id;
    uint8_t min_revision_old;
    uint8_t min_revision[2];
    uint8_t max_revision[2];
    uint8_t reserved[4];
    uint8_t has_hash;
};
_Static_assert(sizeof(struct header) == HEADER_SIZE, "an image's header has 24 bytes");

// What has been read of an image.
struct progress {
    struct sha256_ctx sha;
    uint8_t checksum;
};

bool image_is_mapped(uint32_t vaddr) {
    return vaddr - soc->window_i_vaddr < mmu_window_size() || vaddr - soc->window_d_vaddr < mmu_window_size();
}

static bool refuse(uint32_t addr, const char *why) {
    loader_say('E', "image at 0x%x: %s", addr, why);
    return false;
}

static bool is_set(uint32_t revision) {
    return revision != 0 && revision != 0xffff;
}

static uint32_t efuse_bits(const struct field *field) {
    return *peripheral_word(soc->efuse_vaddr + field->off) >> field->shift & ((1u << field->count) - 1);
}

// Revisions in hundredths, of the chip and of its eFuses.
static uint32_t chip_revision(void) {
    uint32_t minor = efuse_bits(&soc->revision_minor) + (efuse_bits(&soc->revision_minor_high) << soc->revision_minor.count);
    return 100 * efuse_bits(&soc->revision_major) + minor;
}

static uint32_t efuse_revision(void) {
    return 100 * efuse_bits(&soc->block_major) + efuse_bits(&soc->block_minor);
}

static bool check_header(const struct image *image, const struct header *header) {
    uint32_t least = header->min_revision[0] | (uint32_t)header->min_revision[1] << 8;
    uint32_t most = header->max_revision[0] | (uint32_t)header->max_revision[1] << 8;
    bool is_old = image->dialect == SECOND_STAGE_IDF_4_3;
    if (header->magic != IMAGE_MAGIC) {
        return refuse(image->addr, "its magic is not 0xe9");
    }
    if (header->chip_id != soc->chip_id) {
        return refuse(image->addr, "it is for another chip");
    }
    if (is_old ? header->min_revision_old > chip_revision() : least > chip_revision()) {
        return refuse(image->addr, "it is for a later revision of the chip");
    }
    if (!is_old && is_set(most) && most < chip_revision()) {
        return refuse(image->addr, "it is for an earlier revision of the chip");
    }
    if (header->segment_count > IMAGE_SEGMENTS_MAX) {
        return refuse(image->addr, "it has more than 16 segments");
    }
    return true;
}

static bool overlaps(uint32_t a, uint32_t a_end, uint32_t b, uint32_t b_end) {
    return a < b_end && b < a_end;
}

// Whether a segment may be loaded there. IDF 4.3 looks at the byte behind it, too.
static bool may_load(const struct image *image, const struct segment *segment) {
    uint32_t last = image->dialect == SECOND_STAGE_IDF_4_3 ? segment->size : segment->size - 1;
    uint32_t data = segment->vaddr;  // by the data bus
    uint32_t code_vaddr = soc->iram_vaddr - soc->cache_ram_size, code_size = soc->cache_ram_size + soc->ram_size;
    uint32_t kept_code = soc->kept_code_vaddr - soc->iram_vaddr + soc->dram_vaddr;
    if (segment->vaddr - soc->rtc_ram_vaddr < soc->rtc_ram_size
        && segment->vaddr + last - soc->rtc_ram_vaddr < soc->rtc_ram_size) {
        return true;
    }
    if (segment->vaddr - code_vaddr < code_size && segment->vaddr + last - code_vaddr < code_size) {
        data = segment->vaddr - soc->iram_vaddr + soc->dram_vaddr;
    } else if (segment->vaddr - soc->dram_vaddr >= soc->ram_size || segment->vaddr + last - soc->dram_vaddr >= soc->ram_size) {
        return false;
    }
    uint32_t end = data + segment->size;
    return !overlaps(data, end, KEPT_STACK_VADDR, soc->rom_stack_vaddr)
           && !overlaps(data, end, soc->kept_data_vaddr, soc->kept_data_vaddr + KEPT_DATA_SIZE)
           && !overlaps(data, end, kept_code, kept_code + KEPT_CODE_SIZE);
}

static bool is_loaded(uint32_t vaddr) {
    return !image_is_mapped(vaddr) && vaddr >= FIRST_LOADED_VADDR;
}

static bool check_segment(const struct image *image, unsigned i) {
    const struct segment *segment = &image->segments[i];
    if (segment->size % 4 != 0 || segment->size >= SEGMENT_SIZE_MAX) {
        return refuse(image->addr, "a segment's size is not of whole words, or above 16 MB");
    }
    if (i == 0 && segment->size < DESCRIPTION_SIZE && image->dialect != SECOND_STAGE_IDF_4_3) {
        return refuse(image->addr, "its first segment is shorter than a description");
    }
    if (is_loaded(segment->vaddr) && segment->size > 0 && !may_load(image, segment)) {
        return refuse(image->addr, "a segment would be loaded over the boot loader, or where no RAM is");
    }
    return true;
}

// The page size that the description wants, where the chip has a choice.
static bool take_page_size(struct image *image, const uint8_t *description) {
    static const uint8_t magic[4] = { 0x32, 0x54, 0xcd, 0xab };
    enum { PAGE_LOG2_OFF = 180, PAGE_LOG2_MIN = 13, PAGE_LOG2_MAX = 16 };
    uint32_t log2 = description[PAGE_LOG2_OFF];
    if (soc->mmu_page_size_vaddr == 0) {
        return true;
    }
    if (memcmp(description, magic, sizeof magic) != 0) {
        return refuse(image->addr, "its first segment has no description");
    }
    image->page_size = log2 >= PAGE_LOG2_MIN && log2 <= PAGE_LOG2_MAX ? 1u << log2 : image->page_size;
    return true;
}

// The chip's eFuses against the description at the beginning of the first segment.
static bool check_description(struct image *image) {
    enum { MIN_OFF = 176, MAX_OFF = 178 };
    const uint8_t *description = flashfile_bytes() + image->segments[0].addr;
    uint16_t least, most;
    if (image->dialect == SECOND_STAGE_IDF_4_3) {
        return true;
    }
    memcpy(&least, description + MIN_OFF, sizeof least);
    memcpy(&most, description + MAX_OFF, sizeof most);
    if ((is_set(least) && least > efuse_revision()) || (is_set(most) && most < efuse_revision())) {
        return refuse(image->addr, "it is for another revision of the chip's eFuses");
    }
    return take_page_size(image, description);
}

// Its place is one that a page of flash can be seen at.
static bool check_mapping(const struct image *image, const struct segment *segment) {
    if (image_is_mapped(segment->vaddr) && segment->addr % image->page_size != segment->vaddr % image->page_size) {
        return refuse(image->addr, "a segment cannot be mapped: its addresses differ within a page");
    }
    return true;
}

static void digest(struct progress *progress, uint32_t addr, uint32_t size, bool is_data) {
    const uint8_t *bytes = flashfile_bytes() + addr;
    sha256_update(&progress->sha, size, bytes);
    for (uint32_t i = 0; is_data && i < size; i++) {
        progress->checksum ^= bytes[i];
    }
}

static bool load_segments(struct image *image, struct progress *progress) {
    uint32_t next = image->addr + HEADER_SIZE;
    for (unsigned i = 0; i < image->segment_count; i++) {
        struct segment *segment = &image->segments[i];
        uint32_t words[2];
        if (!loader_read(next, words, sizeof words)) {
            return refuse(image->addr, "a segment is beyond the chip");
        }
        *segment = (struct segment){ words[0], words[1], next + SEGMENT_HEADER_SIZE };
        if (!check_segment(image, i)) {
            return false;
        }
        // One read, so that it is counted; the data are taken where they lie.
        if (segment->size > loader_chip_size() - segment->addr || !loader_read(segment->addr, NULL, segment->size)) {
            return refuse(image->addr, "a segment is beyond the chip");
        }
        if ((i == 0 && segment->size > 0 && !check_description(image)) || !check_mapping(image, segment)) {
            return false;
        }
        digest(progress, next, SEGMENT_HEADER_SIZE, false);
        digest(progress, segment->addr, segment->size, true);
        if (is_loaded(segment->vaddr)) {
            memory_write(segment->vaddr, flashfile_bytes() + segment->addr, segment->size);
        }
        next = segment->addr + segment->size;
    }
    image->size = next - image->addr;
    return true;
}

static bool check_end(struct image *image, struct progress *progress, const struct partition *where) {
    uint8_t stored[SHA256_DIGEST_SIZE], right[SHA256_DIGEST_SIZE], last;
    uint32_t checksum_addr = image->addr + (image->size | 15);
    if (!loader_read(checksum_addr, &last, 1)) {
        return refuse(image->addr, "its end is beyond the chip");
    }
    if (last != progress->checksum) {
        return refuse(image->addr, "its checksum is wrong");
    }
    digest(progress, image->addr + image->size, checksum_addr + 1 - image->addr - image->size, false);
    image->size = checksum_addr + 1 - image->addr;
    if (image->has_hash && !loader_read(image->addr + image->size, stored, sizeof stored)) {
        return refuse(image->addr, "its end is beyond the chip");
    }
    uint32_t whole_size = image->size + (image->has_hash ? SHA256_DIGEST_SIZE : 0);
    if (whole_size > where->size) {
        return refuse(image->addr, "it is larger than its partition");
    }
    sha256_digest(&progress->sha, sizeof right, right);
    if (image->has_hash && memcmp(stored, right, sizeof right) != 0) {
        return refuse(image->addr, "its SHA-256 is wrong");
    }
    image->size = whole_size;
    return true;
}

bool image_load(struct image *image, uint32_t dialect, const struct partition *where) {
    struct header header;
    struct progress progress = { .checksum = CHECKSUM_SEED };
    *image = (struct image){ .dialect = dialect, .addr = where->addr, .page_size = mmu_page_size() };
    if (where->size == 0) {
        return false;
    }
    if (where->size > PARTITION_SIZE_MAX || !loader_read(where->addr, &header, sizeof header)) {
        return refuse(where->addr, "its partition is larger than 16 MB, or beyond the chip");
    }
    if (!check_header(image, &header)) {
        return false;
    }
    image->segment_count = header.segment_count;
    image->entry_vaddr = header.entry_vaddr;
    image->has_hash = header.has_hash != 0;
    sha256_init(&progress.sha);
    digest(&progress, image->addr, HEADER_SIZE, false);
    return load_segments(image, &progress) && check_end(image, &progress, where);
}
