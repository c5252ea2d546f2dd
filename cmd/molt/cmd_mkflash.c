// molt mkflash: a flash dump from a firmware and files, as a device has it after its first flashing.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "describe.h"
#include "dump.h"
#include "dumpfs.h"
#include "files.h"
#include "gunzip.h"
#include "molt/error.h"
#include "say.h"
#include "survey.h"

static const struct argp_option options[] = {
    { "size", ARGS_SIZE, "SIZE", 0, "Size of the chip: 512K, 1M, 2M, 4M, 8M or 16M (needed)", 0 },
    { "firmware", ARGS_FIRMWARE, "IMAGE", 0, "What stands at the beginning of flash (needed)", 0 },
    { "variant", ARGS_VARIANT, "MAP", 0,
        "Flash map that says where the filesystem goes, if the firmware does not: stock (the default), molt, or one "
        "of `molt map --list`",
        0 },
    { "keep-header", ARGS_KEEP_HEADER, 0, 0, "Leave the flash size in the firmware's header as it is", 0 },
    { "put", ARGS_PUT, "FILE[:PATH]", 0, "Put FILE on the filesystem, as PATH or by its own name; any number of times", 0 },
    { "fs-start", ARGS_FS_START, "ADDR", 0, "Where the filesystem begins", 0 },
    { "fs-size", ARGS_FS_SIZE, "SIZE", 0, "Its size, if it is not to reach up to the system sectors", 0 },
    { 0 },
};

// Where the firmware's mark says that the filesystem goes; nothing that is asked for may contradict it. 0, or 1 after having
// said what does.
static int choose_by_mark(const args_t *args, const molt_image_t *image, const survey_t *survey, molt_region_t *fs) {
    uint32_t end = args->flash_size - DUMPFS_SYSTEM_SIZE;
    const molt_region_t *mapped = &survey->map.regions[MOLT_MAP_KIND_FILESYSTEM];
    if (args->variant && (mapped->size == 0 || mapped->addr != image->fs_addr)) {
        return say_fail(
            "%s: this firmware looks for its filesystem at 0x%06x, and the map %s has it elsewhere; leave out --variant",
            args->firmware, image->fs_addr, survey->map.name);
    }
    if (args->has_fs_start && args->fs_start != image->fs_addr) {
        return say_fail("%s: this firmware looks for its filesystem at 0x%06x, not at 0x%06x; leave out --fs-start",
            args->firmware, image->fs_addr, args->fs_start);
    }
    if (image->fs_addr + 2 * 4096 > end) {
        return say_fail(
            "%s: this firmware looks for its filesystem at 0x%06x, which a chip of %s does not have; take the firmware made "
            "for that size, or a larger chip",
            args->firmware, image->fs_addr, say_size(args->flash_size).text);
    }
    *fs = (molt_region_t){ image->fs_addr, end - image->fs_addr };
    return 0;
}

// Where the filesystem goes: size 0 for none. 0, or 1 after having said what is wrong.
static int choose_fs(const args_t *args, const molt_image_t *image, molt_region_t *fs) {
    uint32_t end = args->flash_size - DUMPFS_SYSTEM_SIZE;
    static survey_t survey;
    if (survey_size(&survey, args->variant ? args->variant : "stock", args->flash_size, 0)) {
        return 1;
    }
    *fs = survey.map.regions[MOLT_MAP_KIND_FILESYSTEM];
    if (image->fs_addr && choose_by_mark(args, image, &survey, fs)) {
        return 1;
    }
    if (args->has_fs_start) {
        *fs = (molt_region_t){ args->fs_start, args->fs_start < end ? end - args->fs_start : 0 };
    }
    if (args->fs_size && args->fs_size <= fs->size) {
        fs->size = args->fs_size;
    } else if (args->fs_size || (args->has_fs_start && fs->size < 2 * 4096)) {
        return say_fail("no room for that filesystem: it may reach up to 0x%06x, where the five system sectors begin; correct "
                        "--fs-start and --fs-size",
            end);
    }
    if (args->put_count && fs->size == 0) {
        return say_fail("a chip of %s has no filesystem to put files on; name a place for one with --fs-start",
            say_size(args->flash_size).text);
    }
    return 0;
}

// The header's size code as esptool sets it for a chip of `size` bytes. Source: esptool, flash sizes of the ESP8266.
static uint8_t size_code(uint32_t size) {
    static const uint8_t codes[] = { 0, 2, 3, 4, 8, 9 };
    uint32_t index = 0;
    while (size > SIM_DUMP_SIZE_MIN << index) {
        index++;
    }
    return codes[index];
}

// Read the firmware, unpacked if it is a gzip file. 0, or 1 after having said what is wrong; the caller frees *bytes.
static int load_firmware(const args_t *args, uint8_t **bytes, uint32_t *size, molt_image_t *image) {
    *bytes = NULL;
    if (files_load_host(args->firmware, SIM_DUMP_SIZE_MAX, bytes, size)) {
        return 1;
    }
    const char *trouble = gunzip_is_gzip(*bytes, *size) ? gunzip(bytes, size) : NULL;
    if (trouble) {
        return say_fail("%s: %s", args->firmware, trouble);
    }
    if (describe_verify(*bytes, *size, image) != 0) {
        return say_fail("%s: %s", args->firmware, molt_image_defect_text(image->defect));
    }
    if (image->chip != MOLT_CHIP_ESP8266) {
        return say_fail("%s: this is an image for %s; give one for the ESP8266", args->firmware, molt_chip_text(image->chip));
    }
    if (image->kind == MOLT_IMAGE_KIND_ESP8266_V2) {
        return say_fail("%s: the mask ROM cannot start this image, it needs Espressif's second-stage boot loader; give an image "
                        "that begins with 0xE9",
            args->firmware);
    }
    return 0;
}

// Whether the firmware fits in front of what comes behind it. 0, or 1 after having said that it does not.
static int check_room(const args_t *args, const molt_image_t *image, uint32_t size, const molt_region_t *fs) {
    uint32_t limit = fs->size ? fs->addr : args->flash_size - DUMPFS_SYSTEM_SIZE;
    if (image->romfs_size && image->romfs_size < limit && size > limit - image->romfs_size) {
        return say_fail("%s: the image ends at 0x%06x, but its own ROMFS partition begins at 0x%06x; take a smaller image",
            args->firmware, size, limit - image->romfs_size);
    }
    if (size > limit) {
        return say_fail("%s: the image ends at 0x%06x, but %s at 0x%06x; take a smaller image, a larger chip or another "
                        "--fs-start",
            args->firmware, size, fs->size ? "the filesystem begins" : "the system sectors begin", limit);
    }
    return 0;
}

static int fill(dumpfs_t *dump, const args_t *args, const uint8_t *firmware, uint32_t firmware_size) {
    memcpy(dump->nor.bytes, firmware, firmware_size);
    if (!args->keep_header) {
        dump->nor.bytes[3] = (uint8_t)((dump->nor.bytes[3] & 15) | size_code(args->flash_size) << 4);
    }
    if (dump->fs.size == 0) {
        return 0;
    }
    int err = molt_volume_format(&dump->volume, &dump->nor.flash, &dump->fs, 4096);
    if (err) {
        return say_fail("a filesystem of %s cannot be made; make it larger", say_size(dump->fs.size).text);
    }
    for (int i = 0; i < args->put_count; i++) {
        if (files_put(&dump->volume, args->puts[i])) {
            return 1;
        }
    }
    molt_volume_unmount(&dump->volume);
    return 0;
}

static int make(const args_t *args) {
    dumpfs_t dump = { .path = args->positional[0] };
    molt_geometry_t geometry = { args->flash_size, 4096, 65536, 256 };
    molt_image_t image;
    uint8_t *firmware;
    uint32_t firmware_size;
    int status = load_firmware(args, &firmware, &firmware_size, &image) || choose_fs(args, &image, &dump.fs)
                 || check_room(args, &image, firmware_size, &dump.fs);
    if (!status && sim_nor_init(&dump.nor, &geometry) != 0) {
        status = say_fail("there is not enough memory for a chip of that size; close other programs");
    }
    if (!status) {
        status = fill(&dump, args, firmware, firmware_size);
    }
    if (!status) {
        status = dumpfs_save(&dump);
    }
    if (!status) {
        printf("%s%s%s: %s of flash, firmware up to 0x%06x", say_style(SAY_BOLD), dump.path, say_style(SAY_PLAIN),
            say_size(args->flash_size).text, firmware_size);
        if (dump.fs.size) {
            printf(", littlefs of %s at 0x%06x", say_size(dump.fs.size).text, dump.fs.addr);
        }
        putchar('\n');
    }
    free(firmware);
    dumpfs_close(&dump);
    return status;
}

int cmd_mkflash(int argc, char **argv) {
    static const args_spec_t spec = { "OUT",
        "Make a raw dump of a whole ESP8266 flash chip: firmware at the beginning, and a littlefs where MicroPython has it "
        "(on 512 KB there is none) up to the five system sectors at the end. A firmware with molt in it says itself where that "
        "is. IMAGE can be a gzip file.\v"
        "The flash size in the firmware's header is set to that of the chip, as esptool does. An existing OUT is replaced.\n\n"
        "Examples:\n"
        "  molt mkflash flash.bin --size 4M --firmware firmware.bin\n"
        "  molt mkflash flash.bin --size 4M --firmware a.bin --put b.bin:fw/b.bin",
        options, 1, 1 };
    args_t args;
    args_parse(&spec, argc, argv, &args);
    int status = 2;
    if (args.flash_size == 0 || args.firmware == NULL) {
        fprintf(stderr, "%s: --size and --firmware are needed\nTry `%s --help' for more information.\n", argv[0], argv[0]);
    } else {
        status = make(&args);
    }
    args_free(&args);
    return status;
}
