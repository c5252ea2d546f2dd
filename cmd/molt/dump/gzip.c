// Gzip files of images, as small as can be.

#include "gzip.h"

#include <libdeflate.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

// One try: *out_size bytes in a new buffer, or NULL.
static uint8_t *compress_once(const uint8_t *bytes, uint32_t size, int bits, int mem_level, int strategy, uint32_t *out_size) {
    enum { GZIP = 16 };
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = size };
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP + bits, mem_level, strategy) != Z_OK) {
        return NULL;
    }
    uLong room = deflateBound(&stream, size);
    uint8_t *out = malloc(room);
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    bool fine = out != NULL && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    *out_size = (uint32_t)stream.total_out;
    (void)deflateEnd(&stream);
    if (!fine) {
        free(out);
    }
    return fine ? out : NULL;
}

// libdeflate packs tighter, but knows no other window than the largest. As compress_once().
static uint8_t *compress_far(const uint8_t *bytes, uint32_t size, uint32_t *out_size) {
    enum { LEVEL_MAX = 12 };
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL_MAX);
    if (compressor == NULL) {
        return NULL;
    }
    size_t room = libdeflate_gzip_compress_bound(compressor, size);
    uint8_t *out = malloc(room);
    *out_size = out ? (uint32_t)libdeflate_gzip_compress(compressor, bytes, size, out, room) : 0;
    libdeflate_free_compressor(compressor);
    if (*out_size == 0) {
        free(out);
    }
    return *out_size ? out : NULL;
}

// Keep the smaller one of `best` and `out`, either of which may be NULL.
static uint8_t *choose(uint8_t *best, uint32_t *best_size, uint8_t *out, uint32_t out_size) {
    if (out == NULL || (best && *best_size <= out_size)) {
        free(out);
        return best;
    }
    free(best);
    *best_size = out_size;
    return out;
}

uint8_t *gzip_make(const uint8_t *bytes, uint32_t size, int bits, uint32_t *best_size) {
    static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_FILTERED };
    uint8_t *best = NULL;
    uint32_t out_size;
    if (bits == MAX_WBITS) {
        best = compress_far(bytes, size, best_size);
    }
    for (size_t i = 0; i < sizeof strategies / sizeof strategies[0]; i++) {
        for (int mem_level = 6; mem_level <= 9; mem_level++) {
            uint8_t *out = compress_once(bytes, size, bits, mem_level, strategies[i], &out_size);
            best = choose(best, best_size, out, out_size);
        }
    }
    return best;
}
