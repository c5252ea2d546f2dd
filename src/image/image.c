// The headers of firmware images: which kind, for which chip, which segments.
//
// Sources: esptool's documentation, "Firmware Image Format" (both header forms, chip ids, checksum, digest);
// MicroPython's ports/esp8266/makeimg.py (size word, MD5); the Arduino core's tools/elf2bin.py (eboot's 0xAA
// padding, the sketch at 0x1000 with its size and CRC); the SDK's images (0xEA).

#include "image/image.h"

#include "base/app_image.h"
#include "base/bytes.h"
#include "base/libc.h"
#include "image/image_parts.h"
#include "molt/error.h"

#define MAGIC_V2 0xea
#define V2_SEGMENT_COUNT 4  // the same in every 0xEA image, however many segments it has
#define HEADER_SIZE 8u
#define SEGMENT_HEADER_SIZE 8u
#define ESP32_HEADER_SIZE 24u
#define EBOOT_VADDR 0x4010f000u
#define EBOOT_PADDING 0xaa

// CPU addresses [begin, end).
typedef struct vaddr_range {
    uint32_t begin;
    uint32_t end;
} vaddr_range_t;

static const vaddr_range_t esp8266_iram = { 0x40100000, 0x40110000 };
// The last 16 KB of data RAM are the mask ROM's own: its variables and the stack that it loads with.
static const vaddr_range_t esp8266_dram = { 0x3ffe8000, 0x3fffc000 };
static const vaddr_range_t esp8266_mapped = { 0x40200000, 0x40300000 };

// The ESP32 family, all members together, RAM and mapped flash. What is below the first range is padding
// between segments, which is loaded nowhere.
static const uint32_t esp32_padding_end = 0x10000000;
static const vaddr_range_t esp32_ranges[] = {
    { 0x30100000, 0x30102000 },  // tightly coupled memory of the ESP32-P4
    { 0x3c000000, 0x50200000 },  // internal RAM, mapped flash, slow RTC memory
    { 0x600fe000, 0x60100000 },  // fast RTC memory of the ESP32-S3
};

// Where a segment may go.
typedef enum place {
    PLACE_ESP8266_RAM,     // loaded by the mask ROM
    PLACE_ESP8266_SKETCH,  // loaded by eboot, or mapped
    PLACE_ESP32,
} place_t;

typedef struct parser {
    const molt_reader_t *reader;
    molt_image_t *image;
    molt_image_parts_t *parts;
} parser_t;

int molt_image_fail(molt_image_t *image, molt_image_defect_t defect, uint32_t off) {
    image->defect = defect;
    image->defect_off = off;
    return MOLT_ERR_CORRUPT;
}

int molt_image_read(const molt_reader_t *reader, molt_image_t *image, uint32_t off, void *buf, uint32_t size) {
    if (!range_within(off, size, reader->size)) {
        return molt_image_fail(image, MOLT_IMAGE_TOO_SHORT, reader->size);
    }
    return reader->read(reader->ctx, off, buf, size);
}

static bool lies_in(vaddr_range_t range, uint32_t vaddr, uint32_t size) {
    return vaddr >= range.begin && range_within(vaddr - range.begin, size, range.end - range.begin);
}

static bool is_esp8266_vaddr(uint32_t vaddr, uint32_t size) {
    return lies_in(esp8266_iram, vaddr, size) || lies_in(esp8266_dram, vaddr, size) || lies_in(esp8266_mapped, vaddr, size);
}

static bool may_go_to(place_t place, uint32_t vaddr, uint32_t size) {
    switch (place) {
        case PLACE_ESP8266_RAM:
            return is_esp8266_vaddr(vaddr, size) && !lies_in(esp8266_mapped, vaddr, size);
        case PLACE_ESP8266_SKETCH:
            return is_esp8266_vaddr(vaddr, size);
        case PLACE_ESP32:
            for (uint32_t i = 0; i < sizeof esp32_ranges / sizeof esp32_ranges[0]; i++) {
                if (lies_in(esp32_ranges[i], vaddr, size)) {
                    return true;
                }
            }
            return vaddr < esp32_padding_end && size <= esp32_padding_end - vaddr;
    }
    return false;
}

// Code is started in a segment that lies where code is run from.
static bool has_entry(const parser_t *parser, const molt_image_group_t *group, place_t place, uint32_t entry_vaddr) {
    for (uint32_t i = group->first; i < group->first + group->count; i++) {
        const molt_image_segment_t *segment = &parser->image->segments[i];
        bool is_code = place == PLACE_ESP32 ? segment->vaddr >= esp32_padding_end : lies_in(esp8266_iram, segment->vaddr, 1);
        if (is_code && entry_vaddr >= segment->vaddr && entry_vaddr - segment->vaddr < segment->size) {
            return true;
        }
    }
    return false;
}

// Parse the segments whose headers begin at `off`, and find the checksum behind them. `header_off` is that of
// the image's header, for the defects seen in it.
static int parse_segments(parser_t *parser, uint32_t header_off, uint32_t off, const uint8_t *header, place_t place) {
    molt_image_t *image = parser->image;
    uint32_t count = header[1];
    if (count == 0 || count > MOLT_IMAGE_SEGMENTS_MAX) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_SEGMENT_COUNT, header_off + 1);
    }
    molt_image_group_t *group = &parser->parts->groups[parser->parts->group_count++];
    group->first = image->segment_count;
    group->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t bytes[SEGMENT_HEADER_SIZE];
        int err = molt_image_read(parser->reader, image, off, bytes, sizeof bytes);
        if (err) {
            return err;
        }
        molt_image_segment_t segment = { load32_le(bytes), off + SEGMENT_HEADER_SIZE, load32_le(bytes + 4) };
        uint32_t present_size = min_u32(segment.size, parser->reader->size - segment.data_off);
        if (present_size > 0 && !may_go_to(place, segment.vaddr, present_size)) {
            return molt_image_fail(image, MOLT_IMAGE_BAD_ADDRESS, off);
        }
        if (present_size < segment.size) {
            return molt_image_fail(image, MOLT_IMAGE_BAD_SEGMENT_SIZE, off + 4);
        }
        image->segments[image->segment_count++] = segment;
        off = segment.data_off + segment.size;
    }
    if (!has_entry(parser, group, place, load32_le(header + 4))) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_ENTRY, header_off + 4);
    }
    // The last byte of the 16-byte line in which the segments end; of the next line if they fill theirs.
    group->checksum_off = off | 15;
    if (group->checksum_off >= parser->reader->size) {
        return molt_image_fail(image, MOLT_IMAGE_TOO_SHORT, parser->reader->size);
    }
    return 0;
}

// The image behind eboot or behind a 0xEA header's mapped part.
static int parse_inner(parser_t *parser, uint32_t off, place_t place, uint8_t header[HEADER_SIZE]) {
    int err = molt_image_read(parser->reader, parser->image, off, header, HEADER_SIZE);
    if (err) {
        return err;
    }
    if (header[0] != MOLT_APP_MAGIC) {
        return molt_image_fail(parser->image, MOLT_IMAGE_BAD_INNER, off);
    }
    parser->image->inner_off = off;
    return parse_segments(parser, off, off + HEADER_SIZE, header, place);
}

// eboot is loaded to the end of IRAM; the rest of its sector is padded with 0xAA, then comes another image.
// Either sign is enough: the other may be damaged.
static int is_eboot(const parser_t *parser, bool *result) {
    const molt_image_t *image = parser->image;
    uint32_t end = parser->parts->groups[0].checksum_off + 1;
    *result = false;
    if (image->segment_count > MOLT_IMAGE_OUTER_SEGMENTS_MAX || image->entry_vaddr < EBOOT_VADDR || end > ARDUINO_SKETCH_OFF
        || end >= parser->reader->size) {
        return 0;
    }
    uint8_t next;
    int err = molt_image_read(parser->reader, parser->image, end, &next, 1);
    if (err || (end < ARDUINO_SKETCH_OFF && next == EBOOT_PADDING)) {
        *result = !err;
        return err;
    }
    if (parser->reader->size > ARDUINO_SKETCH_OFF) {
        err = molt_image_read(parser->reader, parser->image, ARDUINO_SKETCH_OFF, &next, 1);
        *result = !err && next == MOLT_APP_MAGIC;
    }
    return err;
}

static int parse_arduino(parser_t *parser) {
    molt_image_t *image = parser->image;
    uint8_t header[HEADER_SIZE];
    image->kind = MOLT_IMAGE_KIND_ARDUINO;
    int err = parse_inner(parser, ARDUINO_SKETCH_OFF, PLACE_ESP8266_SKETCH, header);
    if (err) {
        return err;
    }
    image->image_size = parser->parts->groups[1].checksum_off + 1;
    uint8_t size_word[4];
    err = molt_image_read(parser->reader, image, ARDUINO_SIZE_OFF, size_word, sizeof size_word);
    if (err) {
        return err;
    }
    // Sketches of before 2020 have code in this place.
    image->has_crc = load32_le(size_word) == image->image_size;
    return 0;
}

// Between the segments and the size word is nothing but 0xFF. A size word that is as it should be is enough;
// one that is not is taken for one only behind padding.
static int parse_micropython(parser_t *parser) {
    molt_image_t *image = parser->image;
    uint32_t size = parser->reader->size;
    uint32_t end = parser->parts->groups[0].checksum_off + 1;
    uint8_t tail[32];
    if (end > MOLT_IMAGE_MICROPYTHON_SIZE_OFF || size < MOLT_IMAGE_MICROPYTHON_HEAD_SIZE) {
        return 0;
    }
    int err = molt_image_read(parser->reader, image, MOLT_IMAGE_MICROPYTHON_HEAD_SIZE - sizeof tail, tail, sizeof tail);
    if (err) {
        return err;
    }
    uint32_t padding_size = min_u32(MOLT_IMAGE_MICROPYTHON_SIZE_OFF - end, sizeof tail - 4);
    bool is_padded = padding_size > 0;
    for (uint32_t i = 0; i < padding_size; i++) {
        is_padded = is_padded && tail[sizeof tail - 5 - i] == 0xff;
    }
    uint32_t word = load32_le(tail + sizeof tail - 4);
    bool is_blank = word == 0 || word == 0xffffffff;
    bool is_exact = size - MOLT_IMAGE_MICROPYTHON_HEAD_SIZE >= 16 && word == size - 16;
    if (!is_exact && (!is_padded || is_blank)) {
        return 0;
    }
    image->kind = MOLT_IMAGE_KIND_MICROPYTHON;
    if (word < MOLT_IMAGE_MICROPYTHON_HEAD_SIZE) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_SIZE_WORD, MOLT_IMAGE_MICROPYTHON_SIZE_OFF);
    }
    if (!range_within(word, 16, size)) {
        return molt_image_fail(image, MOLT_IMAGE_TRUNCATED, size);
    }
    parser->parts->digest_off = word;
    image->image_size = word + 16;
    image->has_md5 = true;
    return 0;
}

static bool is_flash_mode(const molt_image_t *image, uint32_t mode_max, uint32_t size_code_max) {
    uint32_t freq = image->flash_size_freq & 15;
    return image->flash_mode <= mode_max && image->flash_size_freq >> 4 <= size_code_max && (freq <= 2 || freq == 15);
}

// QIO to DOUT; size codes of the SDK up to 9, 16 MB.
bool molt_image_has_flash_params(const molt_image_t *image) {
    return is_flash_mode(image, 3, 9);
}

static int parse_esp8266(parser_t *parser, const uint8_t *header) {
    molt_image_t *image = parser->image;
    image->kind = MOLT_IMAGE_KIND_ESP8266;
    image->chip = MOLT_CHIP_ESP8266;
    image->image_size = parser->reader->size;
    if (!molt_image_has_flash_params(image)) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_MODE, 2);
    }
    int err = parse_segments(parser, 0, HEADER_SIZE, header, PLACE_ESP8266_RAM);
    if (err) {
        return err;
    }
    bool has_eboot;
    err = is_eboot(parser, &has_eboot);
    if (err) {
        return err;
    }
    return has_eboot ? parse_arduino(parser) : parse_micropython(parser);
}

// A header, one mapped segment, then an image of the common form.
static int parse_esp8266_v2(parser_t *parser, const uint8_t *header) {
    molt_image_t *image = parser->image;
    image->kind = MOLT_IMAGE_KIND_ESP8266_V2;
    image->chip = MOLT_CHIP_ESP8266;
    if (header[1] != V2_SEGMENT_COUNT) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_SEGMENT_COUNT, 1);
    }
    if (!molt_image_has_flash_params(image)) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_MODE, 2);
    }
    uint32_t data_off = HEADER_SIZE + SEGMENT_HEADER_SIZE;
    molt_image_segment_t mapped = { load32_le(header + 8), data_off, load32_le(header + 12) };
    if (mapped.vaddr != 0 && !lies_in(esp8266_mapped, mapped.vaddr, mapped.size)) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_ADDRESS, HEADER_SIZE);
    }
    if (!range_within(data_off, mapped.size, parser->reader->size)) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_SEGMENT_SIZE, HEADER_SIZE + 4);
    }
    image->segments[image->segment_count++] = mapped;
    uint8_t inner[HEADER_SIZE];
    int err = parse_inner(parser, data_off + mapped.size, PLACE_ESP8266_RAM, inner);
    if (err) {
        return err;
    }
    image->entry_vaddr = load32_le(inner + 4);
    image->image_size = parser->parts->groups[0].checksum_off + 1;
    parser->parts->digest_off = image->image_size;
    return 0;
}

static molt_chip_t chip_of_id(uint32_t id) {
    switch (id) {
        case 0:
            return MOLT_CHIP_ESP32;
        case 2:
            return MOLT_CHIP_ESP32S2;
        case 5:
            return MOLT_CHIP_ESP32C3;
        case 9:
            return MOLT_CHIP_ESP32S3;
        case 12:
            return MOLT_CHIP_ESP32C2;
        case 13:
            return MOLT_CHIP_ESP32C6;
        case 16:
            return MOLT_CHIP_ESP32H2;
        case 18:
            return MOLT_CHIP_ESP32P4;
        case 20:
            return MOLT_CHIP_ESP32C61;
        case 23:
            return MOLT_CHIP_ESP32C5;
        case 25:
            return MOLT_CHIP_ESP32H21;
        case 28:
            return MOLT_CHIP_ESP32H4;
        default:
            return MOLT_CHIP_UNKNOWN;
    }
}

// Where an ESP8266 image has its first load address, an ESP32-family image has the write-protect pin (a pin
// number, or 0xEE for none) and the drive strengths; further on four reserved bytes and a flag.
static bool has_esp32_header(const uint8_t header[ESP32_HEADER_SIZE]) {
    bool is_pin = header[8] == 0xee || header[8] < 64;
    return !is_esp8266_vaddr(load32_le(header + 8), 1) && is_pin && load32_le(header + 19) == 0 && header[23] <= 1;
}

static int parse_esp32(parser_t *parser, const uint8_t *header) {
    molt_image_t *image = parser->image;
    image->kind = MOLT_IMAGE_KIND_ESP32;
    image->chip = chip_of_id(load16_le(header + 12));
    if (image->chip == MOLT_CHIP_UNKNOWN) {
        return molt_image_fail(image, MOLT_IMAGE_UNKNOWN_CHIP, 12);
    }
    // Source: ESP-IDF, esp_image_header_t. Images of older versions say nothing of the largest revision.
    image->revision_min = load16_le(header + 15);
    image->revision_max = load16_le(header + 17) ? load16_le(header + 17) : UINT16_MAX;
    // QIO to slow read; size codes up to 7, 128 MB.
    if (!is_flash_mode(image, 5, 7)) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_MODE, 2);
    }
    int err = parse_segments(parser, 0, ESP32_HEADER_SIZE, header, PLACE_ESP32);
    if (err) {
        return err;
    }
    parser->parts->digest_off = parser->parts->groups[0].checksum_off + 1;
    image->image_size = parser->parts->digest_off;
    image->has_sha256 = header[23] == 1;
    if (image->has_sha256) {
        if (!range_within(parser->parts->digest_off, 32, parser->reader->size)) {
            return molt_image_fail(image, MOLT_IMAGE_TOO_SHORT, parser->reader->size);
        }
        image->image_size += 32;
    }
    return 0;
}

static bool begins_erased(const uint8_t *bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != 0xff) {
            return false;
        }
    }
    return true;
}

int molt_image_parse(const molt_reader_t *reader, molt_image_t *image, molt_image_parts_t *parts) {
    parser_t parser = { reader, image, parts };
    uint8_t header[ESP32_HEADER_SIZE] = { 0 };
    memset(image, 0, sizeof *image);
    memset(parts, 0, sizeof *parts);
    image->size = reader->size;
    if (reader->size == 0) {
        return molt_image_fail(image, MOLT_IMAGE_EMPTY, 0);
    }
    uint32_t header_size = min_u32(reader->size, sizeof header);
    int err = molt_image_read(reader, image, 0, header, header_size);
    if (err) {
        return err;
    }
    if (begins_erased(header, min_u32(header_size, 8))) {
        return molt_image_fail(image, MOLT_IMAGE_ERASED, 0);
    }
    if (header[0] == 0x1f && header[1] == 0x8b) {
        return molt_image_fail(image, MOLT_IMAGE_COMPRESSED, 0);
    }
    if (header[0] != MOLT_APP_MAGIC && header[0] != MAGIC_V2) {
        return molt_image_fail(image, MOLT_IMAGE_BAD_MAGIC, 0);
    }
    // The shortest image that there can be has 32 bytes.
    if (header_size < sizeof header) {
        return molt_image_fail(image, MOLT_IMAGE_TOO_SHORT, header_size);
    }
    image->flash_mode = header[2];
    image->flash_size_freq = header[3];
    image->entry_vaddr = load32_le(header + 4);
    if (header[0] == MAGIC_V2) {
        return parse_esp8266_v2(&parser, header);
    }
    return has_esp32_header(header) ? parse_esp32(&parser, header) : parse_esp8266(&parser, header);
}

int molt_image_probe(const molt_reader_t *reader, molt_image_t *image) {
    molt_image_parts_t parts;
    return molt_image_parse(reader, image, &parts);
}

uint32_t molt_image_flash_size(uint8_t flash_size_freq) {
    switch (flash_size_freq >> 4) {
        case 0:
            return 0x80000;
        case 1:
            return 0x40000;
        case 2:
            return 0x100000;
        case 3:
        case 5:
            return 0x200000;
        case 4:
        case 6:
        case 7:
            return 0x400000;
        case 8:
            return 0x800000;
        case 9:
            return 0x1000000;
        default:
            return 0;
    }
}
