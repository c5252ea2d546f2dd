// molt compress: a gzip file that a device can unpack.

#include <libdeflate.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "args.h"
#include "commands.h"
#include "describe.h"
#include "dump.h"
#include "files.h"
#include "say.h"

// A device checks the file before it starts, and has a heap of 38 KB: the window is small unless told otherwise.
#define WINDOW_DEFAULT 4096u
#define IMAGE_SIZE_MAX (16u << 20)

static const struct argp_option options[] = {
    { "window", ARGS_WINDOW, "SIZE", 0,
        "How far back references may reach: 512 to 32K (default: 4K), up to the next power of 2. The device needs as much memory to check the file",
        0 },
    { 0 },
};

static int window_bits(uint32_t window_size) {
    int bits = 9;
    while (1u << bits < window_size) {
        bits++;
    }
    return bits;
}

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

// The smallest of what libdeflate and zlib's strategies make of it, in a new buffer.
static uint8_t *compress_best(const uint8_t *bytes, uint32_t size, int bits, uint32_t *best_size) {
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

// What a device would not take from the gzip file either. 0, or 1 after having said what is wrong.
static int check_image(const char *path, const uint8_t *bytes, uint32_t size) {
    molt_image_t image;
    if (describe_verify(bytes, size, &image) != 0) {
        return say_fail("%s: %s", path, molt_image_defect_text(image.defect));
    }
    if (image.chip != MOLT_CHIP_ESP8266) {
        return say_fail("%s: this is an image for %s; give one for the ESP8266", path, molt_chip_text(image.chip));
    }
    return 0;
}

static int compress_image(const args_t *args, const char *out, const uint8_t *bytes, uint32_t size) {
    char text[512];
    uint32_t gzip_size = 0;
    int bits = window_bits(args->window ? args->window : WINDOW_DEFAULT);
    if (check_image(args->positional[0], bytes, size)) {
        return 1;
    }
    uint8_t *gzip = compress_best(bytes, size, bits, &gzip_size);
    int status = 0;
    if (gzip == NULL) {
        status = say_fail("there is not enough memory to compress it; close other programs");
    } else if (sim_dump_write_file(out, gzip, gzip_size, text, sizeof text) != 0) {
        status = say_fail("%s", text);
    } else {
        printf("%s: %s, %.1f %% of %s; a device needs %s of memory to check it\n", out, say_bytes(gzip_size).text,
            100.0 * gzip_size / size, say_bytes(size).text, say_size(1u << bits).text);
    }
    free(gzip);
    return status;
}

int cmd_compress(int argc, char **argv) {
    static const args_spec_t spec = {
        "IMAGE [OUT]",
        "Make a gzip file of the firmware IMAGE, from which a device can upgrade itself. OUT is IMAGE.gz if not given.\v"
        "Examples:\n"
        "  molt compress firmware.bin\n"
        "  molt compress firmware.bin small.gz --window 8K",
        options,
        1,
        2,
    };
    args_t args;
    args_parse(&spec, argc, argv, &args);
    char out[FILES_PATH_MAX];
    int length = args.positional[1] ? snprintf(out, sizeof out, "%s", args.positional[1])
                                    : snprintf(out, sizeof out, "%s.gz", args.positional[0]);
    uint8_t *bytes;
    uint32_t size;
    int status = 0;
    if (length < 0 || (size_t)length >= sizeof out) {
        status = say_fail("the name is too long; choose a shorter one");
    } else {
        status = files_load_host(args.positional[0], IMAGE_SIZE_MAX, &bytes, &size);
    }
    if (status == 0) {
        status = compress_image(&args, out, bytes, size);
        free(bytes);
    }
    args_free(&args);
    return status;
}
