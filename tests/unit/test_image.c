// Firmware images: every committed vector (tests/vectors/image, made without molt's code), then what happens
// to good images that are cut short, flipped, read badly or read in other pieces.
//
// Run from the root of the repository, or with the folder of the vectors as the only argument.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "image/image.h"
#include "molt/error.h"

#define FILE_MAX 0xa000
// Somewhere in the mapped part of the vector "micropython".
#define VERSION_OFF 0x90f7

static const char *folder = "tests/vectors/image";

// A file in memory whose reads can be made to fail. Asking it for bytes that it does not have fails the test.
typedef struct memory_file {
    uint8_t bytes[FILE_MAX];
    uint32_t size;
    int reads_until_error;  // 0: none fails
} memory_file_t;

static memory_file_t file;
static uint32_t work[1024];

static int file_read(void *ctx, uint32_t off, void *buf, uint32_t size) {
    memory_file_t *from = ctx;
    assert_true(off <= from->size && size <= from->size - off);
    if (from->reads_until_error > 0 && --from->reads_until_error == 0) {
        return MOLT_ERR_IO;
    }
    memcpy(buf, from->bytes + off, size);
    return 0;
}

static void load(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        fail_msg("%s cannot be opened", path);
    }
    memset(&file, 0, sizeof file);
    file.size = (uint32_t)fread(file.bytes, 1, sizeof file.bytes, stream);
    assert_true(file.size < sizeof file.bytes);
    fclose(stream);
}

static int verify(molt_image_t *image) {
    molt_reader_t reader = { &file, file.size, file_read };
    return molt_image_verify(&reader, work, sizeof work, NULL, NULL, image);
}

static molt_image_defect_t defect_of_file(void) {
    molt_image_t image;
    int err = verify(&image);
    assert_int_equal(err, image.defect == MOLT_IMAGE_FINE ? 0 : MOLT_ERR_CORRUPT);
    return image.defect;
}

typedef struct good {
    const char *name;
    molt_image_kind_t kind;
    molt_chip_t chip;
    uint32_t entry_vaddr;
    uint32_t appended_size;  // bytes of the file behind the image
    uint8_t segment_count;
    char sums[4];  // of "m" MD5, "s" SHA-256, "c" CRC
} good_t;

static const good_t goods[] = {
    { "esp8266-minimal", MOLT_IMAGE_KIND_ESP8266, MOLT_CHIP_ESP8266, 0x40100000, 0, 1, "" },
    { "esp8266-two-segments", MOLT_IMAGE_KIND_ESP8266, MOLT_CHIP_ESP8266, 0x4010000c, 0, 2, "" },
    { "esp8266-16-segments", MOLT_IMAGE_KIND_ESP8266, MOLT_CHIP_ESP8266, 0x4010003c, 0, 16, "" },
    { "esp8266-empty-segment", MOLT_IMAGE_KIND_ESP8266, MOLT_CHIP_ESP8266, 0x40100000, 0, 2, "" },
    { "esp8266-appended", MOLT_IMAGE_KIND_ESP8266, MOLT_CHIP_ESP8266, 0x4010000c, 0, 2, "" },
    { "esp8266-top-of-data", MOLT_IMAGE_KIND_ESP8266, MOLT_CHIP_ESP8266, 0x4010fff8, 0, 2, "" },
    { "micropython", MOLT_IMAGE_KIND_MICROPYTHON, MOLT_CHIP_ESP8266, 0x40100020, 0, 3, "m" },
    { "micropython-mark", MOLT_IMAGE_KIND_MICROPYTHON, MOLT_CHIP_ESP8266, 0x40100020, 0, 3, "m" },
    { "micropython-mark-romfs", MOLT_IMAGE_KIND_MICROPYTHON, MOLT_CHIP_ESP8266, 0x40100020, 0, 3, "m" },
    { "micropython-mark-wrong", MOLT_IMAGE_KIND_MICROPYTHON, MOLT_CHIP_ESP8266, 0x40100020, 0, 3, "m" },
    { "arduino", MOLT_IMAGE_KIND_ARDUINO, MOLT_CHIP_ESP8266, 0x4010f010, 0, 5, "" },
    { "arduino-crc", MOLT_IMAGE_KIND_ARDUINO, MOLT_CHIP_ESP8266, 0x4010f010, 0, 6, "c" },
    { "esp8266-v2", MOLT_IMAGE_KIND_ESP8266_V2, MOLT_CHIP_ESP8266, 0x40100004, 0, 3, "" },
    { "esp8266-v2-crc", MOLT_IMAGE_KIND_ESP8266_V2, MOLT_CHIP_ESP8266, 0x40100004, 0, 3, "c" },
    { "esp32", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32, 0x40080010, 0, 3, "s" },
    { "esp32-no-digest", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32, 0x40080010, 0, 3, "" },
    { "esp32-appended", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32, 0x40080010, 50, 3, "s" },
    { "esp32s2", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32S2, 0x40380000, 0, 2, "s" },
    { "esp32s3", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32S3, 0x40380000, 0, 2, "s" },
    { "esp32c2", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32C2, 0x40380000, 0, 2, "s" },
    { "esp32c3", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32C3, 0x40380000, 0, 2, "s" },
    { "esp32c5", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32C5, 0x40380000, 0, 2, "s" },
    { "esp32c6", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32C6, 0x40380000, 0, 2, "s" },
    { "esp32c61", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32C61, 0x40380000, 0, 2, "s" },
    { "esp32h2", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32H2, 0x40380000, 0, 2, "s" },
    { "esp32p4", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32P4, 0x40380000, 0, 2, "s" },
    { "esp32h21", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32H21, 0x40380000, 0, 2, "s" },
    { "esp32h4", MOLT_IMAGE_KIND_ESP32, MOLT_CHIP_ESP32H4, 0x40380000, 0, 2, "s" },
};

typedef struct bad {
    const char *name;
    molt_image_defect_t defect;
    uint32_t defect_off;
} bad_t;

static const bad_t bads[] = {
    { "bad-empty", MOLT_IMAGE_EMPTY, 0 },
    { "bad-erased", MOLT_IMAGE_ERASED, 0 },
    { "bad-zeros", MOLT_IMAGE_BAD_MAGIC, 0 },
    { "bad-text", MOLT_IMAGE_BAD_MAGIC, 0 },
    { "bad-gzip", MOLT_IMAGE_COMPRESSED, 0 },
    { "bad-one-byte", MOLT_IMAGE_TOO_SHORT, 1 },
    { "bad-short-header", MOLT_IMAGE_TOO_SHORT, 16 },
    { "bad-short-checksum", MOLT_IMAGE_TOO_SHORT, 31 },
    { "bad-no-segments", MOLT_IMAGE_BAD_SEGMENT_COUNT, 1 },
    { "bad-17-segments", MOLT_IMAGE_BAD_SEGMENT_COUNT, 1 },
    { "bad-mode", MOLT_IMAGE_BAD_MODE, 2 },
    { "bad-size-code", MOLT_IMAGE_BAD_MODE, 2 },
    { "bad-frequency", MOLT_IMAGE_BAD_MODE, 2 },
    { "bad-segment-size", MOLT_IMAGE_BAD_SEGMENT_SIZE, 12 },
    { "bad-segment-size-huge", MOLT_IMAGE_BAD_SEGMENT_SIZE, 12 },
    { "bad-address-mapped", MOLT_IMAGE_BAD_ADDRESS, 24 },
    { "bad-address-past-iram", MOLT_IMAGE_BAD_ADDRESS, 8 },
    { "bad-address-below-dram", MOLT_IMAGE_BAD_ADDRESS, 24 },
    { "esp8266-top-of-ram", MOLT_IMAGE_BAD_ADDRESS, 24 },
    { "bad-entry", MOLT_IMAGE_BAD_ENTRY, 4 },
    { "bad-entry-dram", MOLT_IMAGE_BAD_ENTRY, 4 },
    { "bad-checksum", MOLT_IMAGE_BAD_CHECKSUM, 175 },
    { "bad-no-mapped-part", MOLT_IMAGE_NO_MAPPED_PART, 96 },
    { "bad-arduino-inner", MOLT_IMAGE_BAD_INNER, 0x1000 },
    { "bad-arduino-cut-in-padding", MOLT_IMAGE_TOO_SHORT, 0xf00 },
    { "bad-arduino-cut-in-sketch", MOLT_IMAGE_BAD_SEGMENT_SIZE, 0x1104 },
    { "bad-arduino-checksum", MOLT_IMAGE_BAD_CHECKSUM, 0x112f },
    { "bad-arduino-crc", MOLT_IMAGE_BAD_CRC, 0x1014 },
    { "bad-arduino-address", MOLT_IMAGE_BAD_ADDRESS, 0x1008 },
    { "bad-v2-count", MOLT_IMAGE_BAD_SEGMENT_COUNT, 1 },
    { "bad-v2-inner", MOLT_IMAGE_BAD_INNER, 112 },
    { "bad-v2-size", MOLT_IMAGE_BAD_SEGMENT_SIZE, 12 },
    { "bad-v2-crc", MOLT_IMAGE_BAD_CRC, 224 },
    { "bad-esp32-chip", MOLT_IMAGE_UNKNOWN_CHIP, 12 },
    { "bad-esp32-digest", MOLT_IMAGE_BAD_SHA256, 176 },
    { "bad-esp32-cut", MOLT_IMAGE_TOO_SHORT, 207 },
    { "bad-esp32-address", MOLT_IMAGE_BAD_ADDRESS, 24 },
    { "bad-esp32-entry", MOLT_IMAGE_BAD_ENTRY, 4 },
    { "bad-esp32-flag", MOLT_IMAGE_BAD_ADDRESS, 16 },
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void good_images_are_recognised(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(goods); i++) {
        const good_t *good = &goods[i];
        molt_image_t image;
        load(good->name);
        if (verify(&image) != 0) {
            fail_msg("%s: %s, at 0x%x", good->name, molt_image_defect_text(image.defect), image.defect_off);
        }
        assert_int_equal(image.kind, good->kind);
        assert_int_equal(image.chip, good->chip);
        assert_int_equal(image.entry_vaddr, good->entry_vaddr);
        assert_int_equal(image.size, file.size);
        assert_int_equal(image.image_size, file.size - good->appended_size);
        assert_int_equal(image.segment_count, good->segment_count);
        assert_int_equal(image.has_md5, strchr(good->sums, 'm') != NULL);
        assert_int_equal(image.has_sha256, strchr(good->sums, 's') != NULL);
        assert_int_equal(image.has_crc, strchr(good->sums, 'c') != NULL);
        assert_int_equal(image.crc32, molt_crc32(0, file.bytes, file.size));
        assert_int_equal(image.flash_mode, file.bytes[2]);
        assert_int_equal(image.flash_size_freq, file.bytes[3]);
    }
}

static void bad_images_are_told_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bads); i++) {
        molt_image_t image;
        load(bads[i].name);
        int err = verify(&image);
        if (err != MOLT_ERR_CORRUPT || image.defect != bads[i].defect) {
            fail_msg("%s: %d, %s", bads[i].name, err, molt_image_defect_text(image.defect));
        }
        assert_int_equal(image.defect_off, bads[i].defect_off);
    }
}

static void segments_are_listed_in_the_order_of_the_file(void **state) {
    (void)state;
    static const uint32_t arduino_vaddrs[] = { 0x4010f000, 0x3fff2000, 0x40201010, 0x40100000, 0x4010003c, 0x3ffe8000 };
    molt_image_t image;
    load("arduino-crc");
    assert_int_equal(verify(&image), 0);
    assert_int_equal(image.inner_off, 0x1000);
    for (size_t i = 0; i < COUNT_OF(arduino_vaddrs); i++) {
        assert_int_equal(image.segments[i].vaddr, arduino_vaddrs[i]);
    }
    assert_int_equal(image.segments[0].data_off, 16);
    assert_int_equal(image.segments[2].data_off, 0x1010);
    load("esp8266-v2");
    assert_int_equal(verify(&image), 0);
    assert_int_equal(image.inner_off, 112);
    assert_int_equal(image.segments[0].size, 96);
    assert_int_equal(image.segments[1].vaddr, 0x40100000);
}

static void a_probe_needs_the_headers_only(void **state) {
    (void)state;
    molt_image_t image;
    load("bad-checksum");
    molt_reader_t reader = { &file, file.size, file_read };
    assert_int_equal(molt_image_probe(&reader, &image), 0);
    assert_int_equal(image.segment_count, 2);
    assert_int_equal(image.crc32, 0);
    load("bad-mode");
    reader.size = file.size;
    assert_int_equal(molt_image_probe(&reader, &image), MOLT_ERR_CORRUPT);
    assert_int_equal(image.defect, MOLT_IMAGE_BAD_MODE);
}

static void micropython_with_a_changed_byte_has_a_wrong_md5(void **state) {
    (void)state;
    load("micropython");
    file.bytes[0x9100] ^= 0x10;
    assert_int_equal(defect_of_file(), MOLT_IMAGE_BAD_MD5);
    load("micropython");
    file.bytes[file.size - 1] ^= 1;
    assert_int_equal(defect_of_file(), MOLT_IMAGE_BAD_MD5);
}

// esptool sets them when it writes the image.
static void a_map_mark_says_where_the_filesystem_will_be(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint32_t fs_addr;
        uint32_t romfs_size;
    } marks[] = {
        { "micropython", 0, 0 },
        { "micropython-mark", 0x99000, 0 },
        { "micropython-mark-romfs", 0x100000, 0x50000 },
        { "micropython-mark-wrong", 0, 0 },
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        molt_image_t image;
        load(marks[i].name);
        assert_int_equal(verify(&image), 0);
        assert_int_equal(image.fs_addr, marks[i].fs_addr);
        assert_int_equal(image.romfs_size, marks[i].romfs_size);
        uint32_t romfs_size = 0;
        assert_int_equal(molt_image_mark(file.bytes, file.size, &romfs_size), marks[i].fs_addr);
        assert_int_equal(romfs_size, marks[i].romfs_size);
    }
}

static void micropython_may_have_any_flash_parameters(void **state) {
    (void)state;
    load("micropython");
    file.bytes[2] = 0;
    file.bytes[3] = 0x4f;
    assert_int_equal(defect_of_file(), MOLT_IMAGE_FINE);
}

// Its CRC covers them, and flashing tools change them: the image is whole, and says for what its CRC was made.
static void arduino_may_have_any_flash_parameters_that_a_chip_has(void **state) {
    (void)state;
    load("arduino-crc");
    const uint8_t made[2] = { file.bytes[2], file.bytes[3] };
    for (uint32_t params = 0; params < 0x10000; params++) {
        bool is_mode = (params & 0xff) <= 3;
        bool is_size = params >> 12 <= 9;
        uint32_t freq = params >> 8 & 15;
        bool is_freq = freq <= 2 || freq == 15;
        file.bytes[2] = (uint8_t)params;
        file.bytes[3] = (uint8_t)(params >> 8);
        molt_image_defect_t wanted = is_mode && is_size && is_freq ? MOLT_IMAGE_FINE : MOLT_IMAGE_BAD_MODE;
        molt_image_t image;
        (void)verify(&image);
        assert_int_equal(image.defect, wanted);
        if (wanted == MOLT_IMAGE_FINE) {
            assert_int_equal(image.crc_mode, made[0]);
            assert_int_equal(image.crc_size_freq, made[1]);
        }
    }
    // What no chip has was not there when the CRC was made, either.
    load("arduino-crc");
    file.bytes[3] = 0x4f;
    file.bytes[0x1100] ^= 1;
    assert_int_not_equal(defect_of_file(), MOLT_IMAGE_FINE);
}

static void micropython_with_another_size_word_is_refused(void **state) {
    (void)state;
    load("micropython");
    uint32_t size = load32_le(file.bytes + 0x8ffc);
    store32_le(file.bytes + 0x8ffc, size + 1);
    assert_int_equal(defect_of_file(), MOLT_IMAGE_TRUNCATED);
    store32_le(file.bytes + 0x8ffc, 0xfffffff0);
    assert_int_equal(defect_of_file(), MOLT_IMAGE_TRUNCATED);
    store32_le(file.bytes + 0x8ffc, size - 1);
    assert_int_equal(defect_of_file(), MOLT_IMAGE_BAD_MD5);
    store32_le(file.bytes + 0x8ffc, 0x8fff);
    assert_int_equal(defect_of_file(), MOLT_IMAGE_BAD_SIZE_WORD);
}

static void micropython_may_be_followed_by_padding(void **state) {
    (void)state;
    molt_image_t image;
    load("micropython");
    uint32_t size = file.size;
    memset(file.bytes + size, 0xff, 1000);
    file.size += 1000;
    assert_int_equal(verify(&image), 0);
    assert_int_equal(image.kind, MOLT_IMAGE_KIND_MICROPYTHON);
    assert_int_equal(image.image_size, size);
}

// The MD5 leaves the header's first four bytes out. Here the XOR checksum happens to be right all the same.
static void micropython_with_a_lower_segment_count_is_refused(void **state) {
    (void)state;
    molt_image_t image;
    load("micropython");
    assert_int_equal(verify(&image), 0);
    file.bytes[1] = 2;
    uint32_t end = image.segments[1].data_off + image.segments[1].size;
    uint8_t checksum = 0xef;
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < image.segments[i].size; k++) {
            checksum ^= file.bytes[image.segments[i].data_off + k];
        }
    }
    assert_int_equal(defect_of_file(), MOLT_IMAGE_BAD_CHECKSUM);
    file.bytes[end | 15] = checksum;
    assert_int_equal(defect_of_file(), MOLT_IMAGE_BAD_MD5);
}

static void a_file_cut_short_anywhere_is_refused(void **state) {
    (void)state;
    static const char *const names[] = { "esp8266-minimal", "esp32", "micropython", "arduino-crc", "esp8266-v2" };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        load(names[i]);
        uint32_t size = file.size;
        uint32_t eboot_size = 0x70;  // a boot loader without a sketch is an image too
        for (file.size = 0; file.size<size; file.size += file.size> 0x200 && file.size + 300 < size ? 131 : 1) {
            bool is_boot_loader = i == 3 && file.size == eboot_size;
            if (defect_of_file() == MOLT_IMAGE_FINE && !is_boot_loader) {
                fail_msg("%s: 0x%x bytes of 0x%x pass", names[i], file.size, size);
            }
        }
    }
}

static void assert_flip_is_noticed(const char *name, uint32_t bit) {
    file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (defect_of_file() == MOLT_IMAGE_FINE) {
        fail_msg("%s: bit %u of byte 0x%x may be flipped", name, bit % 8, bit / 8);
    }
    file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

// But for the flash parameters of MicroPython and Arduino, and for ESP32's flag that there is a digest at all.
static void a_flipped_bit_anywhere_is_noticed(void **state) {
    (void)state;
    load("esp32");
    for (uint32_t bit = 0; bit < file.size * 8; bit++) {
        if (bit != 23 * 8) {
            assert_flip_is_noticed("esp32", bit);
        }
    }
    load("arduino-crc");
    for (uint32_t bit = 0; bit < file.size * 8; bit += bit < 0x100 * 8 || bit >= 0x1000 * 8 ? 1 : 61) {
        // With another size word there is no CRC; the checksum leaves both fields out.
        if (bit / 32 != 0x1010 / 4 && bit / 8 != 2 && bit / 8 != 3) {
            assert_flip_is_noticed("arduino-crc", bit);
        }
    }
    load("micropython");
    for (uint32_t bit = 0; bit < file.size * 8; bit += bit < 0x40 * 8 ? 1 : 611) {
        if (bit / 8 != 2 && bit / 8 != 3) {
            assert_flip_is_noticed("micropython", bit);
        }
    }
}

static void the_size_of_the_work_buffer_changes_nothing(void **state) {
    (void)state;
    static const uint32_t sizes[] = { 256, 257, 259, 260, 1000, 4096 };
    for (size_t i = 0; i < COUNT_OF(goods) + COUNT_OF(bads); i++) {
        load(i < COUNT_OF(goods) ? goods[i].name : bads[i - COUNT_OF(goods)].name);
        molt_reader_t reader = { &file, file.size, file_read };
        molt_image_t first;
        int first_err = verify(&first);
        for (size_t k = 0; k < COUNT_OF(sizes); k++) {
            molt_image_t image;
            assert_int_equal(molt_image_verify(&reader, work, sizes[k], NULL, NULL, &image), first_err);
            assert_memory_equal(&image, &first, sizeof image);
        }
    }
}

static void too_small_a_work_buffer_is_the_callers_bug(void **state) {
    (void)state;
    molt_image_t image;
    load("esp8266-minimal");
    molt_reader_t reader = { &file, file.size, file_read };
    assert_int_equal(molt_image_verify(&reader, work, MOLT_IMAGE_WORK_MIN - 1, NULL, NULL, &image), MOLT_ERR_INVAL);
}

static void a_failing_read_is_passed_on_whichever_it_is(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(goods); i++) {
        int err = MOLT_ERR_IO;
        for (int n = 1; err != 0; n++) {
            molt_image_t image;
            load(goods[i].name);
            file.reads_until_error = n;
            err = verify(&image);
            assert_true(err == 0 || err == MOLT_ERR_IO);
            assert_int_equal(image.defect, MOLT_IMAGE_FINE);
            assert_true(n > 1 || err == MOLT_ERR_IO);
        }
    }
}

typedef struct progress_log {
    uint32_t last;
    uint32_t call_count;
    uint32_t stop_at_call;
} progress_log_t;

static int log_progress(void *ctx, uint32_t done, uint32_t total) {
    progress_log_t *log = ctx;
    assert_int_equal(total, file.size);
    assert_true(done > log->last && done <= total);
    log->last = done;
    return ++log->call_count == log->stop_at_call ? MOLT_ERR_BUSY : 0;
}

static void progress_rises_to_the_size_of_the_file_and_can_stop_the_check(void **state) {
    (void)state;
    molt_image_t image;
    load("micropython");
    molt_reader_t reader = { &file, file.size, file_read };
    progress_log_t log = { 0 };
    assert_int_equal(molt_image_verify(&reader, work, sizeof work, log_progress, &log, &image), 0);
    assert_int_equal(log.last, file.size);
    assert_int_equal(log.call_count, (file.size + sizeof work - 1) / sizeof work);
    log = (progress_log_t){ .stop_at_call = 3 };
    assert_int_equal(molt_image_verify(&reader, work, sizeof work, log_progress, &log, &image), MOLT_ERR_BUSY);
    assert_int_equal(log.call_count, 3);
}

static void every_defect_has_a_sentence_of_its_own(void **state) {
    (void)state;
    for (int i = 0; i <= MOLT_IMAGE_DEFECT_COUNT; i++) {
        const char *text = molt_image_defect_text((molt_image_defect_t)i);
        assert_true(strlen(text) > 10 && text[strlen(text) - 1] != '.');
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(text, molt_image_defect_text((molt_image_defect_t)k));
        }
    }
}

// Not in the table: the three that are made from the MicroPython vector above.
static void every_defect_has_a_vector(void **state) {
    (void)state;
    for (int i = MOLT_IMAGE_FINE + 1; i < MOLT_IMAGE_DEFECT_COUNT; i++) {
        bool is_seen = i == MOLT_IMAGE_BAD_MD5 || i == MOLT_IMAGE_BAD_SIZE_WORD || i == MOLT_IMAGE_TRUNCATED;
        for (size_t k = 0; k < COUNT_OF(bads); k++) {
            is_seen = is_seen || bads[k].defect == (molt_image_defect_t)i;
        }
        if (!is_seen) {
            fail_msg("no vector: %s", molt_image_defect_text((molt_image_defect_t)i));
        }
    }
}

static void kinds_and_chips_have_names(void **state) {
    (void)state;
    for (int i = MOLT_IMAGE_KIND_UNKNOWN + 1; i <= MOLT_IMAGE_KIND_ESP32; i++) {
        assert_string_not_equal(molt_image_kind_text((molt_image_kind_t)i), "unknown");
    }
    for (int i = MOLT_CHIP_UNKNOWN + 1; i <= MOLT_CHIP_ESP32H21; i++) {
        assert_string_not_equal(molt_chip_text((molt_chip_t)i), "unknown");
    }
}

static void size_codes_stand_for_capacities(void **state) {
    (void)state;
    static const uint32_t kilobytes[16] = { 512, 256, 1024, 2048, 4096, 2048, 4096, 4096, 8192, 16384 };
    for (unsigned code = 0; code < 16; code++) {
        assert_int_equal(molt_image_flash_size((uint8_t)(code << 4 | 0xf)), kilobytes[code] * 1024);
    }
}

static void assert_version(const char *text, const char *version, uint32_t work_size) {
    molt_image_t image;
    load("micropython");
    memcpy(file.bytes + VERSION_OFF, text, strlen(text) + 1);
    molt_reader_t reader = { &file, file.size, file_read };
    assert_int_equal(molt_image_verify(&reader, work, work_size, NULL, NULL, &image), MOLT_ERR_CORRUPT);
    assert_int_equal(image.defect, MOLT_IMAGE_BAD_MD5);
    assert_string_equal(image.version, version);
}

static void the_version_is_what_stands_in_the_banner(void **state) {
    static const char longest[] = "MicroPython v1.99.0-preview.1234.gabcdef0123.dirty-and-more on 2025-04-15";
    molt_image_t image;
    (void)state;
    load("micropython");
    assert_int_equal(verify(&image), 0);
    assert_string_equal(image.version, "");
    for (uint32_t work_size = MOLT_IMAGE_WORK_MIN; work_size <= MOLT_IMAGE_WORK_MIN + 32; work_size += 4) {
        assert_version("MicroPython v1.25.0-A on 2025-04-15; ESP module", "v1.25.0-A on 2025-04-15", work_size);
    }
    assert_version("3.4.0; MMicroPython v1.25.0", "v1.25.0", sizeof work);
    assert_version("MicroPython v\n MicroPython vMicroPython v2.0", "v2.0", sizeof work);
    assert_version("MicroPython 1.25", "", sizeof work);
    char kept[MOLT_IMAGE_VERSION_MAX + 1] = { 0 };
    memcpy(kept, longest + 12, MOLT_IMAGE_VERSION_MAX);
    assert_version(longest, kept, sizeof work);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        folder = argv[1];
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_images_are_recognised),
        cmocka_unit_test(bad_images_are_told_apart),
        cmocka_unit_test(segments_are_listed_in_the_order_of_the_file),
        cmocka_unit_test(a_probe_needs_the_headers_only),
        cmocka_unit_test(micropython_with_a_changed_byte_has_a_wrong_md5),
        cmocka_unit_test(a_map_mark_says_where_the_filesystem_will_be),
        cmocka_unit_test(the_version_is_what_stands_in_the_banner),
        cmocka_unit_test(micropython_may_have_any_flash_parameters),
        cmocka_unit_test(arduino_may_have_any_flash_parameters_that_a_chip_has),
        cmocka_unit_test(micropython_with_another_size_word_is_refused),
        cmocka_unit_test(micropython_may_be_followed_by_padding),
        cmocka_unit_test(micropython_with_a_lower_segment_count_is_refused),
        cmocka_unit_test(a_file_cut_short_anywhere_is_refused),
        cmocka_unit_test(a_flipped_bit_anywhere_is_noticed),
        cmocka_unit_test(the_size_of_the_work_buffer_changes_nothing),
        cmocka_unit_test(too_small_a_work_buffer_is_the_callers_bug),
        cmocka_unit_test(a_failing_read_is_passed_on_whichever_it_is),
        cmocka_unit_test(progress_rises_to_the_size_of_the_file_and_can_stop_the_check),
        cmocka_unit_test(every_defect_has_a_sentence_of_its_own),
        cmocka_unit_test(every_defect_has_a_vector),
        cmocka_unit_test(kinds_and_chips_have_names),
        cmocka_unit_test(size_codes_stand_for_capacities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
