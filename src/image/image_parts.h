// What image.c (headers) hands to image_verify.c (bytes): which bytes are summed, and where the sums stand.
#ifndef MOLT_IMAGE_PARTS_H
#define MOLT_IMAGE_PARTS_H

#include "image/image.h"

// Arduino: the sketch's image; in it, 16 bytes on, its size and its CRC.
#define ARDUINO_SKETCH_OFF 0x1000u
#define ARDUINO_SIZE_OFF 0x1010u
#define ARDUINO_CRC_OFF 0x1014u

// Segments under one XOR checksum.
typedef struct molt_image_group {
    uint32_t first;  // index in image->segments
    uint32_t count;
    uint32_t checksum_off;
} molt_image_group_t;

typedef struct molt_image_parts {
    uint32_t group_count;
    molt_image_group_t groups[2];
    uint32_t digest_off;  // where the MD5, the SHA-256 or the appended CRC stands
} molt_image_parts_t;

// Note a defect; returns MOLT_ERR_CORRUPT.
int molt_image_fail(molt_image_t *image, molt_image_defect_t defect, uint32_t off);

// Read `size` bytes from `off`, or fail with MOLT_IMAGE_TOO_SHORT.
int molt_image_read(const molt_reader_t *reader, molt_image_t *image, uint32_t off, void *buf, uint32_t size);

// Whether the header's flash mode, size and frequency are ones that an ESP8266 has.
bool molt_image_has_flash_params(const molt_image_t *image);

// molt_image_probe(), and what is to be summed.
int molt_image_parse(const molt_reader_t *reader, molt_image_t *image, molt_image_parts_t *parts);

#endif
