// A firmware as the user gives it: an image, a gzip file of one, or the dump of a chip that it is on.
#ifndef MOLT_CMD_GIVEN_H
#define MOLT_CMD_GIVEN_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"

typedef struct given {
    const char *path;
    uint8_t *bytes;  // the image alone
    uint32_t size;
    molt_image_t image;
    bool is_gzip;
    bool is_dump;
    bool is_resident;    // of a dump
    uint32_t head_addr;  // of a dump: where the image's first sector was; 0 but in resident mode
} given_t;

// Load an image that is whole. Returns 0, or 1 after having said what is wrong; given_free() either way.
int given_load(given_t *given, const char *path);
void given_free(given_t *given);

// Print a line that says what of a dump was taken; of other files nothing.
void given_tell(const given_t *given);

#endif
