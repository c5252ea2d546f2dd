// An image in words.

#include "describe.h"

#include "base/reader.h"
#include "say.h"

int describe_probe(const uint8_t *bytes, uint32_t size, molt_image_t *image) {
    molt_reader_t reader = molt_memory_reader(bytes, size);
    return molt_image_probe(&reader, image);
}

int describe_verify(const uint8_t *bytes, uint32_t size, molt_image_t *image) {
    static uint32_t work[4096];
    molt_reader_t reader = molt_memory_reader(bytes, size);
    return molt_image_verify(&reader, work, sizeof work, NULL, NULL, image);
}

describe_header_t describe_header(const molt_image_t *image) {
    static const char *const modes[] = { "QIO", "QOUT", "DIO", "DOUT", "FASTRD", "SLOWRD" };
    static const unsigned mhz[] = { 40, 26, 20 };
    describe_header_t header;
    bool is_esp8266 = image->chip == MOLT_CHIP_ESP8266;
    unsigned mode = image->flash_mode;
    unsigned size_code = image->flash_size_freq >> 4;
    unsigned freq = image->flash_size_freq & 15;
    if (mode < sizeof modes / sizeof modes[0]) {
        snprintf(header.mode, sizeof header.mode, "%s", modes[mode]);
    } else {
        snprintf(header.mode, sizeof header.mode, "mode 0x%02x", mode);
    }
    uint32_t size = is_esp8266 ? molt_image_flash_size(image->flash_size_freq) : size_code <= 7 ? 0x100000u << size_code : 0;
    if (size) {
        snprintf(header.size, sizeof header.size, "%s", say_size(size).text);
    } else {
        snprintf(header.size, sizeof header.size, "size code %u", size_code);
    }
    // The younger members of the ESP32 family have other frequencies behind the same codes.
    bool is_known = is_esp8266 || image->chip == MOLT_CHIP_ESP32 || image->chip == MOLT_CHIP_ESP32S2
                    || image->chip == MOLT_CHIP_ESP32S3 || image->chip == MOLT_CHIP_ESP32C3;
    if (is_known && (freq < 3 || freq == 15)) {
        snprintf(header.freq, sizeof header.freq, "%u MHz", freq == 15 ? 80 : mhz[freq]);
    } else {
        snprintf(header.freq, sizeof header.freq, "frequency code %u", freq);
    }
    return header;
}

const char *describe_segment(const molt_image_t *image, const molt_image_segment_t *segment) {
    if (image->chip != MOLT_CHIP_ESP8266) {
        return segment->vaddr < 0x10000000 ? "padding" : "";
    }
    if (segment->vaddr == 0 || segment->vaddr >= 0x40200000) {
        return "mapped flash";
    }
    if (image->kind == MOLT_IMAGE_KIND_ARDUINO && segment->data_off < image->inner_off) {
        return "eboot";
    }
    return segment->vaddr >= 0x40100000 ? "IRAM" : "DRAM";
}

void describe_note_tail(say_notes_t *notes, const molt_image_t *image) {
    if (image->image_size && image->image_size < image->size) {
        uint32_t count = image->size - image->image_size;
        say_note(notes, "%u %s behind the end of the image %s not part of it", count, count == 1 ? "byte" : "bytes",
            count == 1 ? "is" : "are");
    }
}

// The checks, in the order in which the core makes them.
typedef enum stage {
    STAGE_HEADER,
    STAGE_SEGMENTS,
    STAGE_ENTRY,
    STAGE_INNER,
    STAGE_LENGTH,
    STAGE_CHECKSUM,
    STAGE_DIGEST,
    STAGE_MAPPED,
    STAGE_COUNT,
} stage_t;

static bool is_nested(const molt_image_t *image) {
    return image->kind == MOLT_IMAGE_KIND_ARDUINO || image->kind == MOLT_IMAGE_KIND_ESP8266_V2;
}

// The check in which a defect was seen.
static stage_t stage_of(const molt_image_t *image) {
    switch (image->defect) {
        case MOLT_IMAGE_FINE:
            return STAGE_COUNT;
        case MOLT_IMAGE_TOO_SHORT:
            if (is_nested(image) && image->inner_off == 0) {
                return STAGE_INNER;
            }
            return image->segment_count ? STAGE_LENGTH : STAGE_HEADER;
        case MOLT_IMAGE_BAD_SEGMENT_SIZE:
        case MOLT_IMAGE_BAD_ADDRESS:
            return STAGE_SEGMENTS;
        case MOLT_IMAGE_BAD_ENTRY:
            return STAGE_ENTRY;
        case MOLT_IMAGE_BAD_INNER:
            return STAGE_INNER;
        case MOLT_IMAGE_BAD_SIZE_WORD:
        case MOLT_IMAGE_TRUNCATED:
            return STAGE_LENGTH;
        case MOLT_IMAGE_BAD_CHECKSUM:
            return STAGE_CHECKSUM;
        case MOLT_IMAGE_BAD_MD5:
        case MOLT_IMAGE_BAD_CRC:
        case MOLT_IMAGE_BAD_SHA256:
            return STAGE_DIGEST;
        case MOLT_IMAGE_NO_MAPPED_PART:
            return STAGE_MAPPED;
        case MOLT_IMAGE_EMPTY:
        case MOLT_IMAGE_ERASED:
        case MOLT_IMAGE_COMPRESSED:
        case MOLT_IMAGE_BAD_MAGIC:
        case MOLT_IMAGE_UNKNOWN_CHIP:
        case MOLT_IMAGE_BAD_SEGMENT_COUNT:
        case MOLT_IMAGE_BAD_MODE:
        case MOLT_IMAGE_DEFECT_COUNT:
            break;
    }
    return STAGE_HEADER;
}

static const char *digest_name(const molt_image_t *image) {
    return image->has_md5      ? "MD5 at the end"
           : image->has_sha256 ? "SHA-256 at the end"
           : image->has_crc    ? "CRC of the image"
                               : NULL;
}

// What the check is called for this image; NULL where it does not have it.
static const char *name_of(const molt_image_t *image, stage_t stage) {
    switch (stage) {
        case STAGE_HEADER:
            return "header: magic, chip, segment count, flash parameters";
        case STAGE_SEGMENTS:
            return "segments: within the file, where the chip has memory";
        case STAGE_ENTRY:
            return "entry point: in a segment that holds code";
        case STAGE_INNER:
            return is_nested(image) ? "inner image: is one" : NULL;
        case STAGE_LENGTH:
            return image->has_md5 || image->defect == MOLT_IMAGE_TRUNCATED || image->defect == MOLT_IMAGE_BAD_SIZE_WORD
                       ? "length: as the size word says"
                       : "length: nothing is missing at the end";
        case STAGE_CHECKSUM:
            return "checksum of the segments";
        case STAGE_DIGEST:
            return image->defect == MOLT_IMAGE_BAD_CRC ? "CRC of the image" : digest_name(image);
        case STAGE_MAPPED:
            return image->kind == MOLT_IMAGE_KIND_ESP8266 ? "mapped part: the code refers to nothing behind the end" : NULL;
        case STAGE_COUNT:
            break;
    }
    return NULL;
}

uint32_t describe_checks(const molt_image_t *image, describe_check_t checks[DESCRIBE_CHECKS_MAX]) {
    stage_t failed = stage_of(image);
    uint32_t count = 0;
    for (stage_t stage = 0; stage < STAGE_COUNT; stage++) {
        const char *name = name_of(image, stage);
        if (name) {
            checks[count].name = name;
            checks[count].result = stage < failed ? DESCRIBE_OK : stage == failed ? DESCRIBE_FAILED : DESCRIBE_NOT_MADE;
            count++;
        }
    }
    return count;
}

static const char *kind_id(molt_image_kind_t kind) {
    static const char *const ids[] = { "unknown", "esp8266", "micropython", "arduino", "esp8266-v2", "esp32" };
    return (unsigned)kind < sizeof ids / sizeof ids[0] ? ids[kind] : ids[0];
}

void describe_json(FILE *out, const molt_image_t *image) {
    describe_header_t header = describe_header(image);
    fprintf(out, "  \"kind\": \"%s\",\n  \"description\": \"%s\",\n  \"chip\": \"%s\",\n", kind_id(image->kind),
        molt_image_kind_text(image->kind), molt_chip_text(image->chip));
    fprintf(
        out, "  \"size\": %u,\n  \"image_size\": %u,\n  \"entry\": %u,\n", image->size, image->image_size, image->entry_vaddr);
    fprintf(out, "  \"flash\": { \"mode\": \"%s\", \"size\": \"%s\", \"frequency\": \"%s\", \"bytes\": [%u, %u] },\n",
        header.mode, header.size, header.freq, image->flash_mode, image->flash_size_freq);
    fprintf(out, "  \"crc32\": %u,\n", image->crc32);
    if (image->fs_addr) {
        fprintf(out, "  \"filesystem\": %u,\n", image->fs_addr);
    }
    fprintf(out, "  \"segments\": [");
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const molt_image_segment_t *segment = &image->segments[i];
        fprintf(out, "%s\n    { \"address\": %u, \"offset\": %u, \"size\": %u, \"memory\": \"%s\" }", i ? "," : "",
            segment->vaddr, segment->data_off, segment->size, describe_segment(image, segment));
    }
    fprintf(out, "%s]", image->segment_count ? "\n  " : "");
}
