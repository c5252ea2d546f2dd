// molt compress: a gzip file that a device can unpack.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "describe.h"
#include "dump.h"
#include "files.h"
#include "gzip.h"
#include "say.h"

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
    int bits = args->window ? window_bits(args->window) : GZIP_BITS_DEFAULT;
    if (check_image(args->positional[0], bytes, size)) {
        return 1;
    }
    uint8_t *gzip = gzip_make(bytes, size, bits, &gzip_size);
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
