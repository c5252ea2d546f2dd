// Fuzz target: gzip files. What molt unpacks has to be what zlib unpacks; and what zlib refuses, molt refuses. Every second
// input is taken for bare deflate data and gets a gzip header, so that mutations reach the codes.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/crc32.h"
#include "base/reader.h"
#include "decode/unpack.h"
#include "fuzz.h"

#define SIZE_MAX_OUT (1u << 20)

// CRC and size of what zlib makes of the first member; false if it does not like it, or if it is too much.
static bool ask_zlib(const uint8_t *bytes, size_t size, molt_unpacked_t *unpacked) {
    enum { GZIP_ONLY = 16 };
    static uint8_t out[SIZE_MAX_OUT + 1];
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)size, .next_out = out, .avail_out = sizeof out };
    bool fine = inflateInit2(&stream, GZIP_ONLY + MAX_WBITS) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END;
    *unpacked = (molt_unpacked_t){ (uint32_t)stream.total_out, molt_crc32(0, out, (uint32_t)stream.total_out), 0 };
    (void)inflateEnd(&stream);
    return fine && unpacked->size <= SIZE_MAX_OUT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t header[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
    static molt_unpack_t unpack;
    static uint8_t window[MOLT_INFLATE_WINDOW_MAX];
    static uint32_t work[256];
    if (size < 2) {
        return 0;
    }
    uint32_t extra = data[0] == 0x1f ? 0 : (uint32_t)sizeof header;
    uint8_t *bytes = malloc(size + extra);
    if (bytes == NULL) {
        return 0;
    }
    memcpy(bytes, header, extra);
    memcpy(bytes + extra, data, size);
    molt_reader_t file = molt_memory_reader(bytes, (uint32_t)size + extra);
    molt_unpacked_t ours;
    molt_unpacked_t theirs;
    (void)molt_unpack_reader(&unpack, &file, window, sizeof window, 0);
    int err = molt_unpack_measure(&unpack, 512, SIZE_MAX_OUT, (uint8_t *)work, sizeof work, NULL, NULL, &ours);
    bool fine = ask_zlib(bytes, size + extra, &theirs);
    if (err == 0 && (!fine || ours.size != theirs.size || ours.crc != theirs.crc)) {
        abort();
    }
    free(bytes);
    return 0;
}
