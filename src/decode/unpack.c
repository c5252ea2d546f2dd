// Unpack: inflate as a reader of the image.

#include "decode/unpack.h"

#include "base/bytes.h"
#include "molt/error.h"

bool molt_unpack_is_gzip(const uint8_t bytes[2]) {
    return bytes[0] == 0x1f && bytes[1] == 0x8b;
}

static int begin_inflate(molt_unpack_t *unpack) {
    unpack->next_off = 0;
    return molt_inflate_begin(&unpack->inflate, &unpack->source, unpack->window, unpack->window_size);
}

static int read_image(void *ctx, uint32_t off, void *buf, uint32_t size) {
    molt_unpack_t *unpack = ctx;
    int err = off < unpack->next_off ? begin_inflate(unpack) : 0;
    while (!err) {
        // What lies before `off` goes through `buf` as well.
        uint32_t wanted = unpack->next_off < off ? min_u32(size, off - unpack->next_off) : size;
        bool is_it = unpack->next_off == off;
        uint32_t got;
        err = molt_inflate_read(&unpack->inflate, buf, wanted, &got);
        unpack->next_off += got;
        if (!err && got < wanted) {
            err = MOLT_ERR_CORRUPT;
        }
        if (is_it) {
            break;
        }
    }
    if (err) {
        // Whoever reads again begins at the beginning.
        unpack->next_off = UINT32_MAX;
    }
    return err;
}

molt_reader_t molt_unpack_reader(
    molt_unpack_t *unpack, const molt_reader_t *source, uint8_t *window, uint32_t window_size, uint32_t image_size) {
    unpack->source = *source;
    unpack->window = window;
    unpack->window_size = window_size;
    unpack->next_off = UINT32_MAX;
    return (molt_reader_t){ unpack, image_size, read_image };
}
