// An image in words, for people and as JSON.
#ifndef MOLT_CMD_DESCRIBE_H
#define MOLT_CMD_DESCRIBE_H

#include <stdio.h>

#include "image/image.h"
#include "say.h"

typedef struct describe_header {
    char mode[16];
    char size[48];
    char freq[24];
} describe_header_t;

// Flash mode, size and frequency of the header.
describe_header_t describe_header(const molt_image_t *image);

// What memory a segment goes to; "" where that is not known.
const char *describe_segment(const molt_image_t *image, const molt_image_segment_t *segment);

typedef enum describe_result { DESCRIBE_OK, DESCRIBE_FAILED, DESCRIBE_NOT_MADE } describe_result_t;

typedef struct describe_check {
    const char *name;
    describe_result_t result;
} describe_check_t;

#define DESCRIBE_CHECKS_MAX 8

// The checks of molt_image_verify() in the order in which they are made. Returns how many there are.
uint32_t describe_checks(const molt_image_t *image, describe_check_t checks[DESCRIBE_CHECKS_MAX]);

// The members of a JSON object that tell about `image`, without braces.
void describe_json(FILE *out, const molt_image_t *image);

// Add a note if bytes stand behind the image's end in its file. They are written into flash with it and mean nothing.
void describe_note_tail(say_notes_t *notes, const molt_image_t *image);

// molt_image_verify() and molt_image_probe() of bytes in memory.
int describe_verify(const uint8_t *bytes, uint32_t size, molt_image_t *image);
int describe_probe(const uint8_t *bytes, uint32_t size, molt_image_t *image);

#endif
