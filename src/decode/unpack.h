// Unpack: the image inside a gzip file, as a reader. Reading goes forward; a step back begins again at the file's
// first byte, so it is done once or twice, not often.
#ifndef MOLT_UNPACK_H
#define MOLT_UNPACK_H

#include <stdint.h>

#include "decode/inflate.h"
#include "molt/source.h"

typedef struct molt_unpack {
    molt_inflate_t inflate;
    molt_reader_t source;
    uint8_t *window;
    uint32_t window_size;
    uint32_t next_off;  // of the image: what inflate gives next
} molt_unpack_t;

// Whether `bytes`, the first of a file, are those of a gzip file.
bool molt_unpack_is_gzip(const uint8_t bytes[2]);

// A reader of the image in the gzip file `source`.
//   unpack      stays in use with the reader
//   window      as for molt_inflate_begin()
//   image_size  bytes of the image; what it is when it is not known yet, molt_unpack_measure() tells
molt_reader_t molt_unpack_reader(
    molt_unpack_t *unpack, const molt_reader_t *source, uint8_t *window, uint32_t window_size, uint32_t image_size);

typedef struct molt_unpacked {
    uint32_t size;       // bytes of the image
    uint32_t crc;        // CRC-32 of them
    uint32_t head_used;  // bytes of the file that the first `head_size` bytes of the image come from
} molt_unpacked_t;

// Unpack everything once, and hold it against the file's trailer.
//   size_max   more is refused: a small file can hold a very large one
//   buf        buf_size bytes, 4-aligned
//   progress   in bytes of the file; may be NULL
// Returns 0, MOLT_ERR_FBIG (more than size_max), or the errors of inflate.h and of progress.
int molt_unpack_measure(molt_unpack_t *unpack, uint32_t head_size, uint32_t size_max, uint8_t *buf, uint32_t buf_size,
    molt_progress_t progress, void *progress_ctx, molt_unpacked_t *unpacked);

#endif
