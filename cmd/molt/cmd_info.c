// molt info: what a firmware image is, and whether it is whole.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/crc32.h"
#include "commands.h"
#include "delta/delta.h"
#include "describe.h"
#include "dump.h"
#include "dumpfs.h"
#include "factory.h"
#include "files.h"
#include "gunzip.h"
#include "image/image.h"
#include "info.h"
#include "molt/error.h"
#include "say.h"

#define IMAGE_SIZE_MAX 0x4000000u

// What there is around the image in the file that was given.
typedef struct wrapping {
    uint32_t gzip_size;   // of the gzip file, 0 if it is none
    uint32_t head_addr;   // of a dump in resident mode: where the image's first sector is; else 0
    bool is_resident;     // of a dump
    const char *trouble;  // why the image cannot be looked at, NULL if it can
} wrapping_t;

static void print_text(const char *path, const molt_image_t *image, const wrapping_t *wrapping) {
    bool is_known = image->kind != MOLT_IMAGE_KIND_UNKNOWN;
    printf("%s%s%s: %s", say_style(SAY_BOLD), path, say_style(SAY_PLAIN),
        is_known ? molt_image_kind_text(image->kind) : "no firmware image");
    if (image->kind == MOLT_IMAGE_KIND_ESP32) {
        printf(", for %s", molt_chip_text(image->chip));
    }
    printf("\n\n  %-10s %s\n", "file", say_bytes(wrapping->gzip_size ? wrapping->gzip_size : image->size).text);
    if (wrapping->gzip_size && wrapping->trouble == NULL) {
        printf("  %-10s %s; all that follows is about these\n", "unpacked", say_bytes(image->size).text);
    }
    if (wrapping->is_resident) {
        printf("  %-10s resident; the image's first sector is at 0x%06x\n", "boot", wrapping->head_addr);
    }
    if (!is_known) {
        return;
    }
    if (image->image_size && image->image_size < image->size) {
        printf("  %-10s %s\n", "image", say_bytes(image->image_size).text);
    }
    describe_header_t header = describe_header(image);
    printf("  %-10s %s, %s, %s\n", "flash", header.mode, header.size, header.freq);
    printf("  %-10s 0x%08x\n", "entry", image->entry_vaddr);
    if (image->fs_addr) {
        printf("  %-10s looks for its filesystem at 0x%06x%s%s\n", "map", image->fs_addr,
            image->romfs_size ? ", behind a ROMFS of " : "", image->romfs_size ? say_size(image->romfs_size).text : "");
    }
    if (image->crc32) {
        printf("  %-10s 0x%08x\n", "CRC-32", image->crc32);
    }
    info_segments(image);
}

static void print_json(const char *path, const molt_image_t *image, const wrapping_t *wrapping, const say_notes_t *notes) {
    printf("{\n  \"file\": ");
    say_json(stdout, path);
    bool is_fine = image->defect == MOLT_IMAGE_FINE && wrapping->trouble == NULL;
    printf(",\n  \"valid\": %s,\n", is_fine ? "true" : "false");
    printf("  \"gzip_size\": %u,\n  \"resident\": %s,\n", wrapping->gzip_size, wrapping->is_resident ? "true" : "false");
    describe_json(stdout, image);
    printf(",\n  ");
    info_checks_json(image);
    printf(",\n  \"notes\": ");
    say_notes_json(stdout, notes);
    printf(",\n  \"defect\": ");
    if (is_fine) {
        printf("null\n}\n");
        return;
    }
    printf("{ \"code\": %d, \"offset\": %u, \"text\": ", (int)image->defect, image->defect_off);
    say_json(stdout, wrapping->trouble ? wrapping->trouble : molt_image_defect_text(image->defect));
    printf(" }\n}\n");
}

// The image of a dump of an ESP8266, in resident mode with its own first sector, and what is to be said of the dump. Returns the
// error of molt_image_verify().
static int look_at_dump(dumpfs_t *dump, molt_image_t *image, wrapping_t *wrapping, say_notes_t *notes) {
    char text[400];
    const firmware_t *firmware = &dump->firmware;
    wrapping->head_addr = firmware->head_addr;
    wrapping->is_resident = firmware_is_resident(firmware);
    wrapping->trouble = firmware->state == FIRMWARE_UPGRADING
                            ? "an upgrade is in progress in this dump; molt boot goes on with it"
                            : firmware_loader_text(firmware);
    if (*dumpfs_size_text(dump, text, sizeof text)) {
        say_note(notes, "%s", text);
    }
    if (*dumpfs_repeat_text(dump, text, sizeof text)) {
        say_note(notes, "%s", text);
    }
    *image = firmware->image;
    image->size = dump->nor.flash.geometry.size;
    // Only what belongs to the image is summed, where it says what that is.
    bool has_end = firmware->state == FIRMWARE_WHOLE && firmware->end;
    image->image_size = has_end ? firmware->end : image->image_size ? image->size : 0;
    memcpy(dump->nor.bytes, dump->nor.bytes + firmware->head_addr, 4096);
    image->crc32 = has_end ? molt_crc32(0, dump->nor.bytes, firmware->end) : 0;
    return image->defect == MOLT_IMAGE_FINE ? 0 : MOLT_ERR_CORRUPT;
}

// What is to be said of a whole image beside its checks.
static void note_image(const molt_image_t *image, bool is_dump, say_notes_t *notes) {
    if (!is_dump) {
        describe_note_tail(notes, image);
    }
    if (image->kind == MOLT_IMAGE_KIND_ARDUINO && image->has_crc
        && (image->crc_mode != image->flash_mode || image->crc_size_freq != image->flash_size_freq)) {
        molt_image_t made = *image;
        made.flash_mode = image->crc_mode;
        made.flash_size_freq = image->crc_size_freq;
        describe_header_t header = describe_header(&made);
        say_note(notes,
            "the CRC is right but for the flash parameters, which were %s, %s, %s when it was made: ESP.checkFlashCRC() "
            "will be false",
            header.mode, header.size, header.freq);
    }
}

static int tell(const args_t *args, const molt_image_t *image, const wrapping_t *wrapping, const say_notes_t *notes) {
    if (args->json) {
        print_json(args->positional[0], image, wrapping, notes);
    } else {
        print_text(args->positional[0], image, wrapping);
        info_checks(image);
    }
    if (wrapping->trouble) {
        return say_fail("%s: %s", args->positional[0], wrapping->trouble);
    }
    if (image->defect != MOLT_IMAGE_FINE) {
        return say_fail("%s: %s", args->positional[0], molt_image_defect_text(image->defect));
    }
    if (!args->json) {
        say_notes(notes);
    }
    return 0;
}

static int tell_file(const args_t *args, uint8_t **bytes, uint32_t size) {
    wrapping_t wrapping = { .gzip_size = 0 };
    say_notes_t notes = { .count = 0 };
    molt_image_t image;
    if (gunzip_is_gzip(*bytes, size)) {
        gunzip_note(&notes, *bytes, size);
        wrapping.gzip_size = size;
        wrapping.trouble = gunzip(bytes, &size);
    }
    if (describe_verify(*bytes, size, &image) == 0) {
        note_image(&image, false, &notes);
    }
    return tell(args, &image, &wrapping, &notes);
}

static int tell_dump(const args_t *args) {
    wrapping_t wrapping = { .gzip_size = 0 };
    say_notes_t notes = { .count = 0 };
    molt_image_t image;
    dumpfs_t dump;
    int status = dumpfs_load(&dump, args->positional[0]) || dumpfs_look(&dump, args);
    if (!status && dump.board.is_esp32) {
        status = info_esp32(&dump, args->json);
    } else if (!status) {
        if (look_at_dump(&dump, &image, &wrapping, &notes) == 0) {
            note_image(&image, true, &notes);
        }
        status = tell(args, &image, &wrapping, &notes);
    }
    dumpfs_close(&dump);
    return status;
}

int cmd_info(int argc, char **argv) {
    static const struct argp_option options[] = { ARGS_OPTION_JSON, { 0 } };
    static const args_spec_t spec = { "IMAGE",
        "Tell what a firmware image is, for which chip, its segments, and which checks it passes. A dump of a whole chip "
        "will do: the image at its beginning is looked at, in resident mode with its own first sector. So will a gzip file of "
        "an image, and a factory image of an ESP32. Of an ESP32's dump: boot loader, partition table, firmware, whether standby mode is "
        "in it, and whether an upgrade is prepared.\v"
        "Status 0 if everything that can be checked is right, 1 if not.\n\n"
        "Examples:\n"
        "  molt info firmware.bin\n"
        "  molt info flash.bin --json",
        options, 1, 1 };
    args_t args;
    uint8_t *bytes;
    uint32_t size;
    factory_t factory;
    args_parse(&spec, argc, argv, &args);
    if (files_load_host(args.positional[0], IMAGE_SIZE_MAX, &bytes, &size)) {
        return 1;
    }
    bool is_dump = sim_dump_is_size(size) && !gunzip_is_gzip(bytes, size);
    bool is_factory = factory_look(&factory, bytes, size) && (!is_dump || factory.base_addr);
    bool is_delta = size >= 4 && molt_delta_is_patch(bytes);
    int status = is_factory ? factory_print(&factory, args.positional[0], args.json)
                 : is_dump  ? tell_dump(&args)
                 : is_delta ? info_delta(args.positional[0], bytes, size, args.json)
                            : tell_file(&args, &bytes, size);
    free(bytes);
    return status;
}
