// The bytes of firmware images: everything that can be summed is, in one pass over the file.

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/libc.h"
#include "base/md5.h"
#include "base/sha1.h"
#include "base/sha256.h"
#include "image/image.h"
#include "image/image_parts.h"
#include "map/map.h"
#include "molt/error.h"

#define CHECKSUM_SEED 0xef
#define CRC_SIZE 4u

// The mark: four words, and two that they are about.
#define MARK_WORD_COUNT 4u
#define MARK_SIZE_WORDS 6u

// The ESP8266's flash window.
#define MAPPED_VADDR 0x40200000u
#define MAPPED_SIZE MOLT_MAP_MAPPED_SIZE

// How many words of the loaded segments may look like addresses behind the end of the file. Published images
// have up to 3 by chance or as constants; the first part of a two-part image alone has 100 and more.
#define REFERENCES_MAX 15

// What was found of the map mark, up to now.
typedef struct mark {
    uint32_t words[MARK_SIZE_WORDS];
    uint32_t count;
    uint32_t fs_addr;  // once it is whole
    uint32_t romfs_size;
} mark_t;

typedef struct check {
    const molt_image_t *image;
    const molt_image_parts_t *parts;
    uint32_t crc32;
    molt_sha1_t sha1;
    uint32_t appended_crc;  // 0xEA: of the bytes before it
    uint32_t arduino_crc;
    uint32_t reference_count;  // words that refer to mapped flash behind the end of the file
    bool is_padding_used;      // MicroPython: bytes between the segments and the size word
    uint8_t checksums[2];
    // What stands in the file, kept when it comes by: to go back for it would unpack a gzip file once more.
    uint8_t stored_checksums[2];
    uint32_t stored_off;  // of the MD5, the SHA-256 or the CRC
    uint32_t stored_size;
    uint8_t stored[MOLT_SHA256_SIZE];
    mark_t mark;
    uint32_t banner_count;  // characters of VERSION_BANNER that were met in a row
    uint32_t version_count;
    bool has_version;  // it is complete
    char version[MOLT_IMAGE_VERSION_MAX + 1];
    union {
        molt_md5_t md5;
        molt_sha256_t sha256;
    } digest;
} check_t;

// A part of the file that is in memory.
typedef struct piece {
    const uint8_t *data;
    uint32_t off;
    uint32_t size;
} piece_t;

// What [begin, end) and `piece` have in common.
static piece_t clip(piece_t piece, uint32_t begin, uint32_t end) {
    uint32_t piece_end = piece.off + piece.size;
    uint32_t from = begin > piece.off ? begin : piece.off;
    uint32_t to = min_u32(end, piece_end);
    piece_t part = { piece.data, piece.off, 0 };
    if (from < to) {
        part.data += from - piece.off;
        part.off = from;
        part.size = to - from;
    }
    return part;
}

// Copy what of [off, off + size) is in `piece` to its place in `to`.
static void keep(piece_t piece, uint32_t off, uint32_t size, uint8_t *to) {
    piece_t part = clip(piece, off, off + size);
    if (part.size) {
        memcpy(to + (part.off - off), part.data, part.size);
    }
}

static uint8_t checksum_add(uint8_t checksum, piece_t piece) {
    for (uint32_t i = 0; i < piece.size; i++) {
        checksum ^= piece.data[i];
    }
    return checksum;
}

// CRC-32 with the common polynomial, high bit first and not inverted at the end; the size and CRC fields
// themselves count as zeros. Source: the Arduino core's tools/elf2bin.py.
static const uint32_t nibble_table[16] = { 0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b, 0x1a864db2,
    0x1e475005, 0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61, 0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd };

static uint32_t arduino_crc_add(uint32_t crc, piece_t piece) {
    for (uint32_t i = 0; i < piece.size; i++) {
        bool is_field = piece.off + i - ARDUINO_SIZE_OFF < 8;
        crc ^= is_field ? 0 : (uint32_t)piece.data[i] << 24;
        crc = (crc << 4) ^ nibble_table[crc >> 28];
        crc = (crc << 4) ^ nibble_table[crc >> 28];
    }
    return crc;
}

// The same backwards, over `size` bytes that count as zeros: which CRC becomes `crc` by them. The last hexadecimal digits
// of the table are all different, so that each step can be taken back.
static uint32_t arduino_crc_back(uint32_t crc, uint32_t size) {
    uint32_t index_of[16];
    for (uint32_t i = 0; i < 16; i++) {
        index_of[nibble_table[i] & 15] = i;
    }
    for (uint32_t i = 0; i < 2 * size; i++) {
        uint32_t index = index_of[crc & 15];
        crc = (crc ^ nibble_table[index]) >> 4 | index << 28;
    }
    return crc;
}

// How many 4-aligned words in `piece` are addresses in mapped flash behind the end of a file of `file_size`.
static uint32_t count_references(piece_t piece, uint32_t file_size) {
    uint32_t count = 0;
    for (uint32_t i = -piece.off & 3; i + 4 <= piece.size; i += 4) {
        uint32_t off = load32_le(piece.data + i) - MAPPED_VADDR;
        count += off < MAPPED_SIZE && off >= file_size;
    }
    return count;
}

static void check_segments(check_t *check, piece_t piece) {
    const molt_image_t *image = check->image;
    for (uint32_t g = 0; g < check->parts->group_count; g++) {
        const molt_image_group_t *group = &check->parts->groups[g];
        for (uint32_t i = group->first; i < group->first + group->count; i++) {
            const molt_image_segment_t *segment = &image->segments[i];
            piece_t part = clip(piece, segment->data_off, segment->data_off + segment->size);
            check->checksums[g] = checksum_add(check->checksums[g], part);
            if (image->has_crc) {
                // The Arduino core's size and CRC are filled in after the sketch's checksum has been made.
                // Adding them twice takes them out again.
                part = clip(part, ARDUINO_SIZE_OFF, ARDUINO_CRC_OFF + 4);
                check->checksums[g] = checksum_add(check->checksums[g], part);
            }
            if (image->kind == MOLT_IMAGE_KIND_ESP8266) {
                check->reference_count += count_references(part, image->size);
            }
        }
    }
}

// Look for the mark. The first whole one counts whose numbers can be right.
static void find_mark(mark_t *mark, piece_t piece) {
    static const uint32_t inverted[MARK_WORD_COUNT] = MOLT_IMAGE_MARK(+);
    for (uint32_t i = 0; i + 4 <= piece.size && mark->fs_addr == 0; i += 4) {
        uint32_t word = load32_le(piece.data + i);
        if (mark->count < MARK_WORD_COUNT && word != ~inverted[mark->count]) {
            mark->count = word == ~inverted[0];
            continue;
        }
        mark->words[mark->count++] = word;
        if (mark->count == MARK_SIZE_WORDS) {
            mark->romfs_size = mark->words[MARK_WORD_COUNT + 1];
            uint32_t user_start = mark->words[MARK_WORD_COUNT] + mark->romfs_size;
            bool is_address = user_start % MOLT_MAP_SECTOR_SIZE == 0 && user_start < MOLT_MAP_FLASH_SIZE_MAX;
            mark->fs_addr = is_address && user_start ? molt_map_port_fs_addr(user_start) : 0;
            mark->count = 0;
        }
    }
}

uint32_t molt_image_mark(const uint8_t *bytes, uint32_t size, uint32_t *romfs_size) {
    mark_t mark = { .count = 0 };
    find_mark(&mark, (piece_t){ bytes, 0, size });
    if (mark.fs_addr) {
        *romfs_size = mark.romfs_size;
    }
    return mark.fs_addr;
}

// What stands before the version in MicroPython's banner (py/mpversion, "MicroPython " MICROPY_GIT_TAG " on ...").
#define VERSION_BANNER "MicroPython v"
#define VERSION_BANNER_SIZE (sizeof VERSION_BANNER - 1)

// Take a character behind the banner, or find that the version is complete. Without a number it is none: a firmware with
// molt in it has the banner's beginning as a text of its own.
static void take_version(check_t *check, char c) {
    if (check->version_count == 1 && (c < '0' || c > '9')) {
        check->banner_count = c == VERSION_BANNER[0];
        check->version_count = 0;
    } else if (c >= ' ' && c <= '~' && c != ';' && check->version_count < MOLT_IMAGE_VERSION_MAX) {
        check->version[check->version_count++] = c;
    } else {
        check->has_version = true;
    }
}

// Look for the version. The first one counts.
static void find_version(check_t *check, piece_t piece) {
    for (uint32_t i = 0; i < piece.size && !check->has_version; i++) {
        char c = (char)piece.data[i];
        if (check->banner_count == VERSION_BANNER_SIZE) {
            take_version(check, c);
        } else if (c == VERSION_BANNER[check->banner_count]) {
            if (++check->banner_count == VERSION_BANNER_SIZE) {
                take_version(check, c);
            }
        } else {
            // "M" is nowhere else in it.
            check->banner_count = c == VERSION_BANNER[0];
        }
    }
}

static void check_piece(check_t *check, piece_t piece) {
    const molt_image_t *image = check->image;
    uint32_t digest_off = check->parts->digest_off;
    check_segments(check, piece);
    for (uint32_t g = 0; g < check->parts->group_count; g++) {
        keep(piece, check->parts->groups[g].checksum_off, 1, &check->stored_checksums[g]);
    }
    keep(piece, check->stored_off, check->stored_size, check->stored);
    if (image->kind == MOLT_IMAGE_KIND_ESP8266_V2) {
        piece_t part = clip(piece, 0, digest_off);
        check->appended_crc = molt_crc32(check->appended_crc, part.data, part.size);
    }
    if (image->kind == MOLT_IMAGE_KIND_MICROPYTHON) {
        // The first four bytes hold flash parameters, which flashing tools change.
        piece_t part = clip(piece, 4, digest_off);
        molt_md5_update(&check->digest.md5, part.data, part.size);
        find_mark(&check->mark, piece);
        find_version(check, piece);
        part = clip(piece, check->parts->groups[0].checksum_off + 1, MOLT_IMAGE_MICROPYTHON_SIZE_OFF);
        for (uint32_t i = 0; i < part.size; i++) {
            check->is_padding_used = check->is_padding_used || part.data[i] != 0xff;
        }
    }
    if (image->kind == MOLT_IMAGE_KIND_ESP32) {
        find_version(check, piece);
    }
    if (image->has_sha256) {
        piece_t part = clip(piece, 0, digest_off);
        molt_sha256_update(&check->digest.sha256, part.data, part.size);
    }
    if (image->kind == MOLT_IMAGE_KIND_ARDUINO && image->has_crc) {
        check->arduino_crc = arduino_crc_add(check->arduino_crc, clip(piece, 0, image->image_size));
    }
    check->crc32 = molt_crc32(check->crc32, piece.data, piece.size);
    molt_sha1_update(&check->sha1, piece.data, piece.size);
}

static int verdict_checksums(const check_t *check, molt_image_t *image) {
    for (uint32_t g = 0; g < check->parts->group_count; g++) {
        if (check->stored_checksums[g] != check->checksums[g]) {
            return molt_image_fail(image, MOLT_IMAGE_BAD_CHECKSUM, check->parts->groups[g].checksum_off);
        }
    }
    return 0;
}

static int verdict_micropython(check_t *check, molt_image_t *image) {
    uint8_t digest[MOLT_MD5_SIZE];
    molt_md5_finish(digest, &check->digest.md5);
    if (memcmp(check->stored, digest, sizeof digest) != 0) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_MD5, check->stored_off);
    }
    // The MD5 leaves the segment count out, and the XOR checksum notices a wrong one only mostly.
    if (check->is_padding_used) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_SEGMENT_COUNT, 1);
    }
    return 0;
}

static int verdict_sha256(check_t *check, molt_image_t *image) {
    uint8_t digest[MOLT_SHA256_SIZE];
    molt_sha256_finish(digest, &check->digest.sha256);
    if (memcmp(check->stored, digest, sizeof digest) != 0) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_SHA256, check->stored_off);
    }
    return 0;
}

// The CRC is linear: the difference between the right one and this one, taken back to where the image begins, is the
// difference of the bytes 0 to 3. If only bytes 2 and 3 differ, and the image had values there that a chip has, then its CRC
// was made for these, and it is whole.
static bool is_made_for_others(const check_t *check, molt_image_t *image) {
    uint32_t difference = arduino_crc_back(load32_le(check->stored) ^ check->arduino_crc, image->image_size);
    if (difference >> 16) {
        return false;
    }
    molt_image_t made = *image;
    made.flash_mode ^= (uint8_t)(difference >> 8);
    made.flash_size_freq ^= (uint8_t)difference;
    image->crc_mode = made.flash_mode;
    image->crc_size_freq = made.flash_size_freq;
    return molt_image_has_flash_params(&made);
}

static int verdict_arduino(const check_t *check, molt_image_t *image) {
    image->crc_mode = image->flash_mode;
    image->crc_size_freq = image->flash_size_freq;
    if (load32_le(check->stored) != check->arduino_crc && !is_made_for_others(check, image)) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_CRC, check->stored_off);
    }
    return 0;
}

// A 0xEA image may end with a CRC; nothing says whether it does. Where exactly four bytes follow they are one.
static int verdict_v2(const check_t *check, molt_image_t *image) {
    if (!check->stored_size) {
        return 0;
    }
    // The SDK's tools store the CRC's magnitude as a signed number, plus one. Source: gen_appbin.py.
    uint32_t crc = check->appended_crc;
    crc = crc & 0x80000000 ? ~crc : crc + 1;
    image->has_crc = load32_le(check->stored) == crc;
    if (image->has_crc) {
        image->image_size += check->stored_size;
    } else if (image->size - check->stored_off == check->stored_size) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_CRC, check->stored_off);
    }
    return 0;
}

static int verdict(check_t *check, molt_image_t *image) {
    int err = verdict_checksums(check, image);
    if (err) {
        return err;
    }
    switch (image->kind) {
        case MOLT_IMAGE_KIND_ESP8266:
            if (check->reference_count > REFERENCES_MAX) {
                return molt_image_fail(image, MOLT_IMAGE_NO_MAPPED_PART, image->size);
            }
            return 0;
        case MOLT_IMAGE_KIND_MICROPYTHON:
            return verdict_micropython(check, image);
        case MOLT_IMAGE_KIND_ARDUINO:
            return image->has_crc ? verdict_arduino(check, image) : 0;
        case MOLT_IMAGE_KIND_ESP8266_V2:
            return verdict_v2(check, image);
        case MOLT_IMAGE_KIND_ESP32:
            return image->has_sha256 ? verdict_sha256(check, image) : 0;
        case MOLT_IMAGE_KIND_UNKNOWN:
            break;
    }
    return 0;
}

// Prepare the sums that this image has.
static void begin_sums(check_t *check) {
    const molt_image_t *image = check->image;
    check->stored_off = check->parts->digest_off;
    if (image->has_md5) {
        molt_md5_init(&check->digest.md5);
        check->stored_size = MOLT_MD5_SIZE;
    } else if (image->has_sha256) {
        molt_sha256_init(&check->digest.sha256);
        check->stored_size = MOLT_SHA256_SIZE;
    } else if (image->has_crc) {
        check->stored_off = ARDUINO_CRC_OFF;
        check->stored_size = CRC_SIZE;
    } else if (image->kind == MOLT_IMAGE_KIND_ESP8266_V2 && range_within(check->stored_off, CRC_SIZE, image->size)) {
        check->stored_size = CRC_SIZE;
    }
}

int molt_image_verify(const molt_reader_t *reader, void *work, uint32_t work_size, molt_progress_t progress, void *progress_ctx,
    molt_image_t *image) {
    molt_image_parts_t parts;
    check_t check = {
        .image = image,
        .parts = &parts,
        .arduino_crc = 0xffffffff,
        .checksums = { CHECKSUM_SEED, CHECKSUM_SEED },
    };
    int err = molt_image_parse(reader, image, &parts);
    if (err) {
        return err;
    }
    if (work_size < MOLT_IMAGE_WORK_MIN) {
        return MOLT_ERR_INVAL;
    }
    begin_sums(&check);
    molt_sha1_init(&check.sha1);
    // Whole words, so that none lies across two pieces.
    uint32_t step = min_u32(work_size, 0x10000) & ~3u;
    for (uint32_t off = 0; off < reader->size;) {
        piece_t piece = { work, off, min_u32(step, reader->size - off) };
        err = reader->read(reader->ctx, off, work, piece.size);
        if (err) {
            return err;
        }
        check_piece(&check, piece);
        off += piece.size;
        err = progress ? progress(progress_ctx, off, reader->size) : 0;
        if (err) {
            return err;
        }
    }
    image->crc32 = check.crc32;
    molt_sha1_finish(image->sha1, &check.sha1);
    image->fs_addr = check.mark.fs_addr;
    image->romfs_size = check.mark.fs_addr ? check.mark.romfs_size : 0;
    memcpy(image->version, check.version, sizeof image->version);
    return verdict(&check, image);
}
