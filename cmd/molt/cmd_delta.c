// molt delta: a small file that makes one firmware of another, in its place; and one that takes it back.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "build.h"
#include "commands.h"
#include "dump.h"
#include "files.h"
#include "given.h"
#include "percent.h"
#include "say.h"

#define SECTOR_SIZE 4096u
// A device checks the file before it starts, and has a heap of 38 KB.
#define WINDOW_DEFAULT 4096u
// Of a sector, on a typical W25Q32.
#define SECTOR_SECONDS 0.053

static const struct argp_option options[] = {
    { "window", ARGS_WINDOW, "SIZE", 0,
        "How far back references may reach: 512 to 32K (default: 4K), up to the next power of 2. The device needs as much memory to check the file",
        0 },
    { "reverse", ARGS_REVERSE, 0, 0, "Make both: the file that makes NEW of OLD, and the one that makes OLD of NEW", 0 },
    ARGS_OPTION_JSON,
    { 0 },
};

// A file that is made, from one firmware to another.
typedef struct made {
    char path[FILES_PATH_MAX];
    const given_t *from;
    const given_t *to;
    build_result_t result;
} made_t;

// The stash, two logs, and what any upgrade does.
static uint32_t count_sectors(const build_result_t *result) {
    return result->write_count + result->stash_count + 2;
}

static uint32_t count_files(const build_result_t *result) {
    return MOLT_DELTA_STASH_SLOT + result->slot_count;
}

static void print_made(const made_t *made) {
    const build_result_t *result = &made->result;
    uint32_t sectors = count_sectors(result);
    printf("%s: %s, %.1f %% of %s\n", made->path, say_bytes(result->size).text, 100.0 * result->size / made->to->size,
        say_bytes(made->to->size).text);
    if (result->map_count) {
        printf("addresses that moved are predicted, by a map of %u entries; without it: %s\n", result->map_count,
            say_bytes(result->plain_size).text);
    }
    bool is_esp8266 = made->to->image.chip == MOLT_CHIP_ESP8266;
    printf("%s needs %u more files of 4 KB beside it, and writes %u sectors: some %.1f s of flash time\n",
        is_esp8266 ? "the device" : "in standby mode the device", count_files(result), sectors, sectors * SECTOR_SECONDS);
    if (!is_esp8266) {
        uint32_t image_sectors = (made->to->size + SECTOR_SIZE - 1) / SECTOR_SIZE;
        printf("with OTA slots it needs no other file, and writes %u sectors\n", image_sectors);
    }
}

static void print_given_json(const char *name, const given_t *given) {
    printf("  \"%s\": { \"file\": ", name);
    say_json(stdout, given->path);
    printf(", \"kind\": \"%s\", \"size\": %u, \"version\": ",
        given->is_dump   ? "dump"
        : given->is_gzip ? "gzip file"
                         : "image",
        given->size);
    say_json(stdout, given->image.version);
    if (given->is_dump) {
        printf(", \"resident\": %s, \"head_address\": %u", given->is_resident ? "true" : "false", given->head_addr);
    }
    printf(" },\n");
}

static void print_json(const made_t *made, uint32_t count) {
    printf("{\n");
    print_given_json("old", made->from);
    print_given_json("new", made->to);
    printf("  \"made\": [");
    for (uint32_t i = 0; i < count; i++) {
        const build_result_t *result = &made[i].result;
        printf("%s\n    { \"file\": ", i ? "," : "");
        say_json(stdout, made[i].path);
        printf(
            ", \"makes\": \"%s\", \"size\": %u, \"map_entries\": %u, \"size_without_map\": %u, \"window\": %u, \"stash_files\": %u, \"sectors_made\": %u, \"sectors_stashed\": "
            "%u, \"sectors_written\": %u, \"flash_seconds\": %.1f }",
            i ? "old" : "new", result->size, result->map_count, result->plain_size, result->window_size, count_files(result),
            result->write_count, result->stash_count, count_sectors(result), count_sectors(result) * SECTOR_SECONDS);
    }
    printf("\n  ]\n}\n");
}

static int fail(build_err_t err) {
    switch (err) {
        case BUILD_TOO_LARGE:
            return say_fail("the images are too large for a delta file; send the new one itself");
        case BUILD_TOO_MIXED:
            return say_fail("the images have too little in common where it stands; send the new one itself");
        case BUILD_WRONG:
            return say_fail("the delta file does not make the new image; please report that, with both images");
        case BUILD_OK:
        case BUILD_NO_MEMORY:
            break;
    }
    return say_fail("there is not enough memory; close other programs");
}

// Made and proved, but not written yet. 0, or 1 after having said what is wrong.
static int make(made_t *made, uint32_t window_size) {
    percent_t percent = { .what = "comparing" };
    const build_request_t request = {
        .old_bytes = made->from->bytes,
        .new_bytes = made->to->bytes,
        .old_size = made->from->size,
        .new_size = made->to->size,
        .sector_size = SECTOR_SIZE,
        .window_size = window_size ? window_size : WINDOW_DEFAULT,
        .fs_addr = made->to->image.fs_addr,
        .chip = made->to->image.chip,
        .map_max = MOLT_DELTA_MAP_MAX,
        .old_name = made->from->image.version,
        .new_name = made->to->image.version,
        .progress = percent_tell,
        .progress_ctx = &percent,
    };
    build_err_t err = build_delta(&made->result, &request);
    // As long as what was told before it.
    percent.what = "applying ";
    err = err ? err : build_prove(&made->result, &request);
    percent_end();
    return err ? fail(err) : 0;
}

static int write_made(const made_t *made) {
    char text[512];
    return sim_dump_write_file(made->path, made->result.bytes, made->result.size, text, sizeof text) ? say_fail("%s", text) : 0;
}

// `name`, or the name of the firmware that is made with ".delta" behind it. 0, or 1 after having said what is wrong.
static int name_file(made_t *made, const char *name) {
    int length = name ? snprintf(made->path, sizeof made->path, "%s", name)
                      : snprintf(made->path, sizeof made->path, "%s.delta", made->to->path);
    if (length < 0 || (size_t)length >= sizeof made->path) {
        return say_fail("the name is too long; choose a shorter one");
    }
    if (files_is_same(made->path, made->from->path) || files_is_same(made->path, made->to->path)) {
        return say_fail(
            "%s: the delta file would take the place of a firmware that it is made from; name another file", made->path);
    }
    return 0;
}

// What the two firmwares are, and whether there is anything to do between them.
static int load_both(given_t *old_firmware, given_t *new_firmware, const args_t *args) {
    int status = given_load(old_firmware, args->positional[0]);
    status = status ? status : given_load(new_firmware, args->positional[1]);
    if (!status && old_firmware->image.chip != new_firmware->image.chip) {
        status = say_fail("%s is for %s and %s for %s; give two images for one chip", args->positional[0],
            molt_chip_text(old_firmware->image.chip), args->positional[1], molt_chip_text(new_firmware->image.chip));
    }
    if (!status && old_firmware->size == new_firmware->size
        && memcmp(old_firmware->bytes, new_firmware->bytes, new_firmware->size) == 0) {
        status = say_fail(
            "%s and %s are the same firmware; there is nothing to upgrade", args->positional[0], args->positional[1]);
    }
    if (!status && !args->json) {
        given_tell(old_firmware);
        given_tell(new_firmware);
    }
    return status;
}

static int run(made_t *made, uint32_t count, const args_t *args) {
    int status = 0;
    for (uint32_t i = 0; i < count && !status; i++) {
        status = name_file(&made[i], args->positional[2 + i]);
    }
    if (!status && count > 1 && strcmp(made[0].path, made[1].path) == 0) {
        status = say_fail("%s: both delta files would have this name; name two", made[0].path);
    }
    for (uint32_t i = 0; i < count && !status; i++) {
        status = make(&made[i], args->window);
    }
    for (uint32_t i = 0; i < count && !status; i++) {
        status = write_made(&made[i]);
    }
    for (uint32_t i = 0; i < count && !status && !args->json; i++) {
        print_made(&made[i]);
    }
    if (!status && args->json) {
        print_json(made, count);
    }
    return status;
}

int cmd_delta(int argc, char **argv) {
    static const args_spec_t spec = {
        "OLD NEW [OUT [BACK]]",
        "Make a delta file that turns the firmware OLD, which is on the device, into NEW. Each is an image, a gzip file of one, or the "
        "dump of a chip that it is on. OUT is NEW.delta if not given. The device upgrades itself from it as from an image: an ESP8266, or one of the ESP32 family. With "
        "--reverse also BACK, OLD.delta if not given, which makes OLD of NEW.\v"
        "Examples:\n"
        "  molt delta v1.bin v2.bin\n"
        "  molt delta --reverse v1.bin v2.bin up.delta back.delta\n"
        "  molt delta flash.bin v2.bin --json",
        options,
        2,
        4,
    };
    args_t args;
    args_parse(&spec, argc, argv, &args);
    given_t old_firmware = { 0 };
    given_t new_firmware = { 0 };
    made_t made[2] = { { .from = &old_firmware, .to = &new_firmware }, { .from = &new_firmware, .to = &old_firmware } };
    int status = args.positional[3] && !args.reverse ? say_fail("BACK is made with --reverse only; say that, or leave BACK out")
                                                     : 0;
    status = status ? status : load_both(&old_firmware, &new_firmware, &args);
    status = status ? status : run(made, args.reverse ? 2 : 1, &args);
    for (uint32_t i = 0; i < 2; i++) {
        free(made[i].result.bytes);
    }
    given_free(&old_firmware);
    given_free(&new_firmware);
    args_free(&args);
    return status;
}
