// Firmware images of the ESP8266 and of the ESP32 family: what they are, and whether they are whole.
//
// Nothing here knows flash or files: bytes come in through a reader. Memory is constant, whatever the image's
// size; the caller owns the work buffer.
#ifndef MOLT_IMAGE_H
#define MOLT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sha1.h"
#include "molt/source.h"
#include "molt/target.h"

// Most segments that an image may have (mask ROM and esptool: 16), and most that stand before an inner image:
// eboot has one or two, 0xEA has the mapped part.
#define MOLT_IMAGE_SEGMENTS_MAX 16
#define MOLT_IMAGE_OUTER_SEGMENTS_MAX 4

// Longest version that is kept; of a longer one, its beginning.
#define MOLT_IMAGE_VERSION_MAX 47

// Smallest work buffer of molt_image_verify(), in bytes; a multiple of 4, and the larger the faster.
#define MOLT_IMAGE_WORK_MIN 256

// MicroPython for ESP8266: the first part of the image, with the size word as its last four bytes: bytes of the image up to its MD5.
#define MOLT_IMAGE_MICROPYTHON_HEAD_SIZE 0x9000u
#define MOLT_IMAGE_MICROPYTHON_SIZE_OFF 0x8ffcu

typedef enum molt_image_kind {
    MOLT_IMAGE_KIND_UNKNOWN,
    MOLT_IMAGE_KIND_ESP8266,      // 0xE9, nothing more is known about it
    MOLT_IMAGE_KIND_MICROPYTHON,  // 0xE9, size word at 0x8ffc, MD5 trailer
    MOLT_IMAGE_KIND_ARDUINO,      // 0xE9 with eboot, the sketch's image at 0x1000
    MOLT_IMAGE_KIND_ESP8266_V2,   // 0xEA, irom first, inner 0xE9 (started by the SDK's second-stage boot)
    MOLT_IMAGE_KIND_ESP32,        // 24-byte header, chip id
} molt_image_kind_t;

// Each way of being bad. molt_image_defect_text() has the sentence.
typedef enum molt_image_defect {
    MOLT_IMAGE_FINE,
    MOLT_IMAGE_EMPTY,         // no bytes at all
    MOLT_IMAGE_TOO_SHORT,     // ends inside a header, or before the checksum or digest
    MOLT_IMAGE_ERASED,        // begins with 0xFF bytes: erased flash, no image
    MOLT_IMAGE_COMPRESSED,    // gzip data
    MOLT_IMAGE_BAD_MAGIC,     // neither 0xE9 nor 0xEA
    MOLT_IMAGE_UNKNOWN_CHIP,  // an ESP32-family header with a chip id that is in no list
    MOLT_IMAGE_BAD_SEGMENT_COUNT,
    MOLT_IMAGE_BAD_MODE,          // flash mode, size or frequency code that no chip knows
    MOLT_IMAGE_BAD_SEGMENT_SIZE,  // a segment reaches past the end of the file
    MOLT_IMAGE_BAD_ADDRESS,       // a segment would be loaded where there is no RAM
    MOLT_IMAGE_BAD_ENTRY,         // the entry point is in no segment that can hold code
    MOLT_IMAGE_BAD_CHECKSUM,      // XOR checksum of the segments
    MOLT_IMAGE_BAD_SIZE_WORD,     // MicroPython's size word is smaller than the image's first part
    MOLT_IMAGE_TRUNCATED,         // shorter than its own size word says
    MOLT_IMAGE_NO_MAPPED_PART,    // the loaded code refers to mapped flash behind the end of the file
    MOLT_IMAGE_BAD_MD5,           // MicroPython's trailer does not match
    MOLT_IMAGE_BAD_CRC,           // Arduino: the CRC in the sketch does not match; 0xEA: the appended one
    MOLT_IMAGE_BAD_SHA256,        // ESP32: the appended digest does not match
    MOLT_IMAGE_BAD_INNER,         // 0xEA or Arduino: what has to follow is no image
    MOLT_IMAGE_DEFECT_COUNT,      // no defect: how many there are, MOLT_IMAGE_FINE included
} molt_image_defect_t;

typedef struct molt_image_segment {
    uint32_t vaddr;     // CPU address it is loaded to, or mapped at
    uint32_t data_off;  // where its bytes begin in the file
    uint32_t size;
} molt_image_segment_t;

typedef struct molt_image {
    molt_image_kind_t kind;
    molt_chip_t chip;
    molt_image_defect_t defect;
    uint32_t defect_off;      // file offset at which the defect was seen
    uint32_t size;            // bytes of the file
    uint32_t image_size;      // bytes that the image itself says it has; the rest is padding or appended data.
                              // MOLT_IMAGE_KIND_ESP8266 does not say where its mapped part ends: the whole file
    uint32_t entry_vaddr;     // of the part that the mask ROM or second-stage boot loader starts
    uint8_t flash_mode;       // header byte 2: 0 QIO, 1 QOUT, 2 DIO, 3 DOUT
    uint8_t flash_size_freq;  // header byte 3: size code << 4 | frequency code
    uint16_t revision_min;    // ESP32 family: of the chip, major * 100 + minor; 0 to 65535 where the image does not say
    uint16_t revision_max;
    uint8_t segment_count;  // in `segments`
    bool has_md5;           // MD5 trailer present (and, after verify with no defect, right)
    bool has_sha256;        // appended SHA-256 present (likewise)
    bool has_crc;           // Arduino: CRC in the sketch present; 0xEA: the appended CRC matches
    uint32_t inner_off;     // Arduino: where the sketch's header is; 0xEA: the inner header; else 0
    // All of them in the order of the file: for Arduino those of eboot, then those of the sketch; for 0xEA the
    // mapped part first (it states the address 0), then those of the inner image.
    molt_image_segment_t segments[MOLT_IMAGE_SEGMENTS_MAX + MOLT_IMAGE_OUTER_SEGMENTS_MAX];
    uint32_t crc32;                // of all `size` bytes; set by molt_image_verify() where it read all of them, else 0
    uint8_t sha1[MOLT_SHA1_SIZE];  // likewise
    uint32_t fs_addr;              // where the firmware will have its filesystem, by its mark; set likewise; 0: it does not say
    uint32_t romfs_size;           // of its ROMFS partition, which ends where the filesystem begins; by its mark, likewise
    // Arduino: the CRC covers header bytes 2 and 3, which flashing tools (and molt) set for the device. It was made for
    // these; what the header has now is flash_mode and flash_size_freq.
    uint8_t crc_mode;
    uint8_t crc_size_freq;
    // What a MicroPython calls itself, as its os.uname().version: "v1.25.0 on 2025-04-15"; set likewise; "" where no such
    // text is in it. Printable ASCII.
    char version[MOLT_IMAGE_VERSION_MAX + 1];
} molt_image_t;

// A MicroPython firmware with molt in it says for which flash map it is made: these words, 4-aligned, anywhere in its
// image, and then esp.flash_user_start() without ROMFS, and the size of ROMFS. docs/format.md, "map mark". The words
// are f() of these, f(x) = ~x, so that a list of them is no mark.
#define MOLT_IMAGE_MARK(f) \
    { f(0x2C91E7B4u), f(0xD30A684Fu), f(0x5BF2139Du), f(0x8E65C0A1u) }

// The map mark in `bytes`, as molt_image_verify() looks for it: image->fs_addr, or 0 if there is none. *romfs_size is set
// where there is one.
uint32_t molt_image_mark(const uint8_t *bytes, uint32_t size, uint32_t *romfs_size);

// Tell what the file is and check all that can be checked: headers, segment addresses, XOR checksums, size
// word, MD5, SHA-256 or CRC, and what Arduino's eboot or a 0xEA header need behind them.
//   reader    the whole file
//   work      work_size >= MOLT_IMAGE_WORK_MIN bytes, 4-aligned, owned by the caller
//   progress  may be NULL
//   image     always filled in as far as the check came
// Returns 0, or
//   MOLT_ERR_CORRUPT  image->defect says what is wrong, image->defect_off where
//   MOLT_ERR_INVAL    work_size below MOLT_IMAGE_WORK_MIN (caller bug)
//   any other         from reader or progress
// What it cannot see: bits changed or missing in the mapped part of a MOLT_IMAGE_KIND_ESP8266 that is neither
// MicroPython nor Arduino (such an image has no checksum there), and header bytes 2 and 3: a MicroPython image's MD5
// leaves them out, an Arduino image's CRC is right if it is right with some values there that a chip has.
// Cost: every byte is read once, headers twice, and none after a later one but those of the headers. About 750 bytes of
// stack.
int molt_image_verify(const molt_reader_t *reader, void *work, uint32_t work_size, molt_progress_t progress, void *progress_ctx,
    molt_image_t *image);

// Only the headers: kind, chip, segments; no checksum, no trailer. For safe_check=False and for listings.
// Returns 0, MOLT_ERR_CORRUPT as above, or the reader's error.
int molt_image_probe(const molt_reader_t *reader, molt_image_t *image);

// A sentence without full stop, e.g. "the checksum of the segments is wrong". Never NULL.
const char *molt_image_defect_text(molt_image_defect_t defect);
const char *molt_image_kind_text(molt_image_kind_t kind);
const char *molt_chip_text(molt_chip_t chip);

// Flash capacity in bytes that the size code (header byte 3, high nibble) of an ESP8266 image stands for; 0 if
// the code is unknown. Source: esptool, flash size ids of the ESP8266.
uint32_t molt_image_flash_size(uint8_t flash_size_freq);

#endif
