// molt compress: a gzip file that a device can unpack.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/bytes.h"
#include "base/crc32.h"
#include "board.h"
#include "commands.h"
#include "describe.h"
#include "dump.h"
#include "files.h"
#include "gunzip.h"
#include "gzip.h"
#include "pack.h"
#include "percent.h"
#include "say.h"

#define IMAGE_SIZE_MAX (16u << 20)

static const struct argp_option options[] = {
    { "window", ARGS_WINDOW, "SIZE", 0,
        "How far back references may reach: 512 to 32K (default: 4K), up to the next power of 2. The device needs as much memory to check the file",
        0 },
    ARGS_OPTION_JSON,
    { 0 },
};

static int window_bits(uint32_t window_size) {
    int bits = 9;
    while (1u << bits < window_size) {
        bits++;
    }
    return bits;
}

// What a device would not take from the gzip file either. 0, or 1 after having said what is wrong.
static int check_image(const char *path, const uint8_t *bytes, uint32_t size, molt_image_t *image) {
    if (describe_verify(bytes, size, image) != 0) {
        return say_fail("%s: %s", path, molt_image_defect_text(image->defect));
    }
    if (board_port(image->chip) == NULL) {
        return say_fail("%s: this is an image for %s, for which molt has no loader so far", path, molt_chip_text(image->chip));
    }
    if (image->kind == MOLT_IMAGE_KIND_ESP32 && !image->has_sha256) {
        return say_fail(
            "%s: the image has no SHA-256 at its end, by which the boot loader knows that it is whole; build it with one", path);
    }
    return 0;
}

typedef struct packed {
    uint8_t *bytes;
    uint32_t size;
    uint32_t window_size;  // that it is unpacked with
} packed_t;

// RFC 1952: neither name nor time, so that the same image makes the same file.
#define HEAD_SIZE 10u
#define TAIL_SIZE 8u

// What pack_deflate() makes, as a gzip file; without bytes where there is not enough memory.
static packed_t pack_as_gzip(const uint8_t *bytes, uint32_t size, uint32_t window_size) {
    static const uint8_t head[HEAD_SIZE] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff };
    percent_t percent = { .what = "packing" };
    packed_t packed = { NULL, 0, 0 };
    uint32_t deflate_size = 0;
    uint32_t reach = 0;
    uint8_t *deflate = pack_deflate(bytes, size, window_size, percent_tell, &percent, &deflate_size, &reach);
    percent_end();
    packed.bytes = deflate ? malloc(HEAD_SIZE + deflate_size + TAIL_SIZE) : NULL;
    if (packed.bytes) {
        memcpy(packed.bytes, head, HEAD_SIZE);
        memcpy(packed.bytes + HEAD_SIZE, deflate, deflate_size);
        store32_le(packed.bytes + HEAD_SIZE + deflate_size, molt_crc32(0, bytes, size));
        store32_le(packed.bytes + HEAD_SIZE + deflate_size + 4, size);
        packed.size = HEAD_SIZE + deflate_size + TAIL_SIZE;
    }
    free(deflate);
    return packed;
}

// The smallest that there is, proved by the device's own inflater. 0, or 1 after having said what is wrong.
static int pack(packed_t *packed, const uint8_t *bytes, uint32_t size, int bits) {
    packed_t other = { NULL, 0, 0 };
    *packed = pack_as_gzip(bytes, size, 1u << bits);
    other.bytes = gzip_make(bytes, size, bits, &other.size);
    if (packed->bytes == NULL || other.bytes == NULL) {
        free(other.bytes);
        return say_fail("there is not enough memory to compress it; close other programs");
    }
    if (other.size < packed->size) {
        packed_t larger = *packed;
        *packed = other;
        other = larger;
    }
    free(other.bytes);
    packed->window_size = gunzip_window(packed->bytes, packed->size);
    if (packed->window_size == 0 || packed->window_size > 1u << bits) {
        return say_fail("the gzip file does not unpack to the image; please report that, with the image");
    }
    return 0;
}

static void print_json(const char *path, const char *out, const molt_image_t *image, const packed_t *packed) {
    printf("{\n  \"image\": { \"file\": ");
    say_json(stdout, path);
    printf(", \"size\": %u, \"chip\": ", image->size);
    say_json(stdout, molt_chip_text(image->chip));
    printf(", \"version\": ");
    say_json(stdout, image->version);
    printf(" },\n  \"made\": { \"file\": ");
    say_json(stdout, out);
    printf(", \"size\": %u, \"window\": %u }\n}\n", packed->size, packed->window_size);
}

static int compress_image(const args_t *args, const char *out, const uint8_t *bytes, uint32_t size) {
    char text[512];
    const char *path = args->positional[0];
    int bits = args->window ? window_bits(args->window) : GZIP_BITS_DEFAULT;
    molt_image_t image;
    packed_t packed = { NULL, 0, 0 };
    if (files_is_same(path, out)) {
        return say_fail("%s: the gzip file would take the place of the image; name another file", out);
    }
    int status = check_image(path, bytes, size, &image);
    status = status ? status : pack(&packed, bytes, size, bits);
    if (!status && sim_dump_write_file(out, packed.bytes, packed.size, text, sizeof text) != 0) {
        status = say_fail("%s", text);
    }
    if (!status && args->json) {
        print_json(path, out, &image, &packed);
    } else if (!status) {
        printf("%s: %s, %.1f %% of %s; a device needs %s of memory to check it\n", out, say_bytes(packed.size).text,
            100.0 * packed.size / size, say_bytes(size).text, say_size(packed.window_size).text);
    }
    free(packed.bytes);
    return status;
}

int cmd_compress(int argc, char **argv) {
    static const args_spec_t spec = {
        "IMAGE [OUT]",
        "Make a gzip file of the firmware IMAGE, for an ESP8266 or of the ESP32 family, from which a device can upgrade itself. OUT is "
        "IMAGE.gz if not given.\v"
        "Examples:\n"
        "  molt compress firmware.bin\n"
        "  molt compress firmware.bin small.gz --window 8K\n"
        "  molt compress firmware.bin --json",
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
