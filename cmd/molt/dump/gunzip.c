// Gzip files of images.

#include "gunzip.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "decode/unpack.h"
#include "dump.h"
#include "molt/error.h"

#define WINDOW_MIN 512u
// The largest that MicroPython on an ESP8266 gets in one piece as a rule: 38 KB of heap, of which molt's Python and the
// buffers of littlefs are in the middle.
#define WINDOW_LIKELY 8192u

static molt_unpack_t state;
static uint8_t window[MOLT_INFLATE_WINDOW_MAX];

bool gunzip_is_gzip(const uint8_t *bytes, uint32_t size) {
    return size >= 2 && molt_unpack_is_gzip(bytes);
}

// Unpack for the size and the sums. 0 or the error of molt_unpack_measure().
static int measure(const uint8_t *bytes, uint32_t size, uint32_t window_size, molt_reader_t *image, molt_unpacked_t *unpacked) {
    static uint32_t work[1024];
    molt_reader_t file = molt_memory_reader(bytes, size);
    *image = molt_unpack_reader(&state, &file, window, window_size, 0);
    return molt_unpack_measure(&state, 0, SIM_DUMP_SIZE_MAX, (uint8_t *)work, sizeof work, NULL, NULL, unpacked);
}

const char *gunzip(uint8_t **bytes, uint32_t *size) {
    molt_unpacked_t unpacked;
    molt_reader_t image;
    int err = measure(*bytes, *size, sizeof window, &image, &unpacked);
    if (err == MOLT_ERR_FBIG) {
        return "the gzip file unpacks to more than any flash chip holds";
    }
    if (err) {
        return err == MOLT_ERR_NOTSUP ? "something follows the gzip data; a file of one member is needed"
                                      : "the gzip file is damaged or cut short; copy it again";
    }
    uint8_t *out = malloc(unpacked.size + 1);
    if (out == NULL || image.read(image.ctx, 0, out, unpacked.size) != 0) {
        free(out);
        return "there is not enough memory to unpack it; close other programs";
    }
    free(*bytes);
    *bytes = out;
    *size = unpacked.size;
    return NULL;
}

uint32_t gunzip_window(const uint8_t *bytes, uint32_t size) {
    molt_unpacked_t unpacked;
    molt_reader_t image;
    for (uint32_t window_size = WINDOW_MIN; window_size <= sizeof window; window_size *= 2) {
        int err = measure(bytes, size, window_size, &image, &unpacked);
        if (err != MOLT_ERR_NOSPC) {
            return err ? 0 : window_size;
        }
    }
    return 0;
}

void gunzip_note(say_notes_t *notes, const uint8_t *bytes, uint32_t size) {
    gunzip_note_window(notes, gunzip_window(bytes, size), "compress");
}

void gunzip_note_window(say_notes_t *notes, uint32_t window_size, const char *command) {
    if (window_size > WINDOW_LIKELY) {
        say_note(notes,
            "a device with MicroPython needs %s of memory in one piece for this file, more than most have free; `molt %s` makes one "
            "that needs 4 KB",
            say_size(window_size).text, command);
    }
}
