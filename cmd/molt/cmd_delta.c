// molt delta: a small file that makes one firmware of another, in its place.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "base/reader.h"
#include "build.h"
#include "commands.h"
#include "describe.h"
#include "dump.h"
#include "files.h"
#include "gunzip.h"
#include "say.h"

#define IMAGE_SIZE_MAX (16u << 20)
#define SECTOR_SIZE 4096u
// A device checks the file before it starts, and has a heap of 38 KB.
#define WINDOW_DEFAULT 4096u

static const struct argp_option options[] = {
    { "window", ARGS_WINDOW, "SIZE", 0,
        "How far back references may reach: 512 to 32K (default: 4K), up to the next power of 2. The device needs as much memory to check the file",
        0 },
    { 0 },
};

typedef struct firmware {
    uint8_t *bytes;
    uint32_t size;
    molt_image_t image;
} firmware_t;

// An image, or a gzip file of one. 0, or 1 after having said what is wrong.
static int load(const char *path, firmware_t *firmware) {
    int status = files_load_host(path, IMAGE_SIZE_MAX, &firmware->bytes, &firmware->size);
    if (!status && gunzip_is_gzip(firmware->bytes, firmware->size)) {
        const char *sentence = gunzip(&firmware->bytes, &firmware->size);
        status = sentence ? say_fail("%s: %s", path, sentence) : 0;
    }
    if (!status && describe_verify(firmware->bytes, firmware->size, &firmware->image) != 0) {
        status = say_fail("%s: %s", path, molt_image_defect_text(firmware->image.defect));
    }
    if (!status && firmware->image.chip != MOLT_CHIP_ESP8266) {
        status = say_fail(
            "%s: this is an image for %s; delta files are for the ESP8266", path, molt_chip_text(firmware->image.chip));
    }
    return status;
}

// "v1.25.0" of "v1.25.0 on 2025-04-15".
static void cut_date(char *version) {
    char *date = strstr(version, " on ");
    if (date) {
        *date = 0;
    }
}

static void tell(void *ctx, uint32_t done, uint32_t total) {
    const char *what = ctx;
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%s %u%% ", what, (unsigned)(100ull * done / total));
    }
}

// What the device does with the file, before it writes anything.
static int prove(const build_result_t *result, const firmware_t *old_firmware) {
    sim_nor_t nor;
    const molt_geometry_t geometry = { IMAGE_SIZE_MAX, SECTOR_SIZE, 65536, 256 };
    molt_delta_t *delta = malloc(sizeof *delta);
    uint8_t *memory = malloc(MOLT_DELTA_WINDOWS_MAX + SECTOR_SIZE);
    int err = delta && memory ? sim_nor_init(&nor, &geometry) : -1;
    if (!err) {
        const molt_reader_t patch = molt_memory_reader(result->bytes, result->size);
        const molt_delta_place_t place = { &nor.flash, 0, 0, NULL };
        memcpy(nor.bytes, old_firmware->bytes, old_firmware->size);
        err = molt_delta_check_file(&patch, memory, SECTOR_SIZE, NULL, NULL);
        err = err ? err : molt_delta_begin(delta, &patch, &place, memory, MOLT_DELTA_WINDOWS_MAX);
        err = err ? err : molt_delta_check(delta, memory + MOLT_DELTA_WINDOWS_MAX, NULL, NULL);
        sim_nor_free(&nor);
    }
    free(memory);
    free(delta);
    return err;
}

static void print_result(const char *out, const build_result_t *result, const firmware_t *new_firmware) {
    uint32_t files = MOLT_DELTA_STASH_SLOT + result->slot_count;
    // The stash, two logs, and what any upgrade does.
    uint32_t sectors = result->write_count + result->stash_count + 2;
    printf("%s: %s, %.1f %% of %s\n", out, say_bytes(result->size).text, 100.0 * result->size / new_firmware->size,
        say_bytes(new_firmware->size).text);
    printf("the device needs %u more files of 4 KB beside it, and writes %u sectors: some %.1f s of flash time\n", files, sectors,
        sectors * 0.053);
}

static int fail(build_err_t err) {
    switch (err) {
        case BUILD_TOO_LARGE:
            return say_fail("the images are too large; delta files are for up to 4 MB");
        case BUILD_TOO_MIXED:
            return say_fail("the images have too little in common where it stands; send the new one itself");
        case BUILD_OK:
        case BUILD_NO_MEMORY:
            break;
    }
    return say_fail("there is not enough memory; close other programs");
}

static int make(const args_t *args, const char *out, const firmware_t *old_firmware, const firmware_t *new_firmware) {
    char text[512];
    build_result_t result;
    const build_request_t request = {
        .old_bytes = old_firmware->bytes,
        .new_bytes = new_firmware->bytes,
        .old_size = old_firmware->size,
        .new_size = new_firmware->size,
        .sector_size = SECTOR_SIZE,
        .window_size = args->window ? args->window : WINDOW_DEFAULT,
        .fs_addr = new_firmware->image.fs_addr,
        .old_name = old_firmware->image.version,
        .new_name = new_firmware->image.version,
        .progress = tell,
        .progress_ctx = "comparing",
    };
    build_err_t err = build_delta(&result, &request);
    tell("comparing", 1, 1);
    fprintf(stderr, isatty(STDERR_FILENO) ? "\r                \r" : "");
    int status = err ? fail(err) : 0;
    if (!status && prove(&result, old_firmware) != 0) {
        status = say_fail("the delta file does not make the new image; please report that, with both images");
    } else if (!status && sim_dump_write_file(out, result.bytes, result.size, text, sizeof text) != 0) {
        status = say_fail("%s", text);
    } else if (!status) {
        print_result(out, &result, new_firmware);
    }
    free(result.bytes);
    return status;
}

int cmd_delta(int argc, char **argv) {
    static const args_spec_t spec = {
        "OLD NEW [OUT]",
        "Make a delta file that turns the firmware OLD, which is on the device, into NEW. Both are images, or gzip files of them. "
        "OUT is NEW.delta if not given. The device upgrades itself from it as from an image.\v"
        "Examples:\n"
        "  molt delta v1.bin v2.bin\n"
        "  molt delta v2.bin v1.bin back.delta",
        options,
        2,
        3,
    };
    args_t args;
    args_parse(&spec, argc, argv, &args);
    char out[FILES_PATH_MAX];
    firmware_t old_firmware = { 0 };
    firmware_t new_firmware = { 0 };
    int length = args.positional[2] ? snprintf(out, sizeof out, "%s", args.positional[2])
                                    : snprintf(out, sizeof out, "%s.delta", args.positional[1]);
    int status = length < 0 || (size_t)length >= sizeof out ? say_fail("the name is too long; choose a shorter one") : 0;
    status = status ? status : load(args.positional[0], &old_firmware);
    status = status ? status : load(args.positional[1], &new_firmware);
    cut_date(old_firmware.image.version);
    cut_date(new_firmware.image.version);
    status = status ? status : make(&args, out, &old_firmware, &new_firmware);
    free(old_firmware.bytes);
    free(new_firmware.bytes);
    args_free(&args);
    return status;
}
