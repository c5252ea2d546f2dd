// molt map: what lies where in flash, as a picture.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "dump.h"
#include "dumpfs.h"
#include "esp32.h"
#include "files.h"
#include "map_view.h"
#include "say.h"
#include "survey.h"

static const struct argp_option options[] = {
    { "size", ARGS_SIZE, "SIZE", 0,
        "Show the map for a chip of this size: 512K, 1M, 2M, 4M, 8M or 16M; of a partition table, the chip that it is on", 0 },
    { "variant", ARGS_VARIANT, "MAP", 0, "Which map: stock, molt, or one of --list; of a dump, if not the one found", 0 },
    { "firmware", ARGS_FIRMWARE, "IMAGE", 0, "With --size: show it with this firmware, an image file or a number of bytes", 0 },
    { "list", ARGS_LIST, 0, 0, "List the maps that there are", 0 },
    { "upgrade", ARGS_UPGRADE, "PATH", 0, "Show also what an upgrade from this file in the dump would change", 0 },
    { "svg", ARGS_SVG, "FILE", 0, "Write the picture as SVG", 0 },
    { "ld", ARGS_LD, "FILE", 0, "With --size: write the linker script with which MicroPython is built for this map", 0 },
    ARGS_OPTION_FS_START,
    ARGS_OPTION_JSON,
    { 0 },
};

static int list(void) {
    for (uint32_t i = 0; i < molt_map_count(); i++) {
        for (uint32_t size = MOLT_MAP_FLASH_SIZE_MIN; size <= MOLT_MAP_FLASH_SIZE_MAX; size *= 2) {
            molt_map_t map;
            if (molt_map_has_size(i, size) && molt_map_find(&map, molt_map_name(i), size) == 0) {
                const molt_region_t *fs = &map.regions[MOLT_MAP_KIND_FILESYSTEM];
                printf("  %-15s %6s   filesystem %s", map.name, say_size(size).text, fs->size ? "" : "none");
                printf(fs->size ? "0x%06x, %s\n" : "\n", fs->addr, say_size(fs->size).text);
            }
        }
    }
    return 0;
}

typedef void (*draw_t)(FILE *out, const survey_t *survey, const char *title);

static void draw_ld(FILE *out, const survey_t *survey, const char *title) {
    (void)title;
    map_view_ld(out, survey);
}

static int save(const survey_t *survey, const char *title, const char *path, draw_t draw) {
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    if (out == NULL) {
        return say_fail("there is not enough memory; close other programs");
    }
    draw(out, survey, title);
    char text[512];
    int status = fclose(out) == 0 ? sim_dump_write_file(path, bytes, size, text, sizeof text) : -1;
    free(bytes);
    return status == 0 ? 0 : say_fail("%s", text);
}

static int show(const survey_t *survey, const args_t *args, const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *title = slash ? slash + 1 : path;
    if ((args->svg && save(survey, title, args->svg, map_view_svg)) || (args->ld && save(survey, title, args->ld, draw_ld))) {
        return 1;
    }
    if (args->json) {
        map_view_json(stdout, survey);
    } else if (!args->svg && !args->ld) {
        map_view_text(survey, title);
    }
    if (!args->json) {
        say_notes(&survey->notes);
    }
    return 0;
}

// What a dump says itself. 0, or 1 after having said so.
static int refuse_size(const args_t *args) {
    const char *option = args->flash_size ? "--size" : args->firmware ? "--firmware" : NULL;
    return option ? say_fail("%s: a dump has a size and a firmware of its own; leave out %s", args->positional[0], option) : 0;
}

// What an ESP32 cannot be asked. 0, or 1 after having said so.
//   is_dump  and not a table alone
static int refuse_options(const args_t *args, bool is_dump) {
    const char *option = args->variant               ? "--variant"
                         : args->upgrade && !is_dump ? "--upgrade"
                         : args->ld                  ? "--ld"
                         : args->firmware            ? "--firmware"
                                                     : NULL;
    return option ? say_fail("%s: an ESP32's map is what its partition table says; leave out %s", args->positional[0], option)
                  : 0;
}

static int map_table(survey_t *survey, const args_t *args) {
    const char *path = args->positional[0];
    return refuse_options(args, false) || esp32_survey_table(survey, path, args->flash_size) || show(survey, args, path);
}

// What the picture does not say of its filesystem.
static void note_filesystem(say_notes_t *notes, const dumpfs_t *dump) {
    char text[400];
    if (dump->places.verdict != PLACES_NONE) {
        place_text(&dump->places, text, sizeof text);
        if (*text) {
            say_note(notes, "%s", text);
        }
    }
    if (*dumpfs_size_text(dump, text, sizeof text)) {
        say_note(notes, "%s", text);
    }
}

static int map_dump(survey_t *survey, const args_t *args) {
    dumpfs_t dump;
    if (refuse_size(args)) {
        return 1;
    }
    int status = dumpfs_open_raw(&dump, args->positional[0]) || dumpfs_look(&dump, args);
    if (!status && dump.board.is_esp32) {
        status = refuse_options(args, true);
    }
    if (!status) {
        status = survey_dump(survey, &dump, args->variant);
    }
    if (!status && args->upgrade) {
        dumpfs_power_on(&dump);
        status = dumpfs_refuse(&dump) || survey_upgrade(survey, &dump, args->upgrade);
    }
    if (!status) {
        note_filesystem(&survey->notes, &dump);
        status = show(survey, args, args->positional[0]);
    }
    dumpfs_close(&dump);
    return status;
}

static int map_size(survey_t *survey, const args_t *args) {
    uint32_t firmware_size = 0;
    uint8_t *bytes = NULL;
    if (args->firmware && !args_parse_bytes(args->firmware, &firmware_size)
        && files_load_host(args->firmware, MOLT_MAP_FLASH_SIZE_MAX, &bytes, &firmware_size)) {
        return 1;
    }
    free(bytes);
    int status = survey_size(survey, args->variant ? args->variant : "stock", args->flash_size, firmware_size);
    return status ? status : show(survey, args, NULL);
}

int cmd_map(int argc, char **argv) {
    static const args_spec_t spec = { "[FLASH]",
        "Show what lies where in an ESP8266's flash: of a dump with what is used and what is free, or of a chip of a given "
        "size. Of an ESP32 a dump, a factory image or partition-table.bin is needed; what only its boot loader sees, molt's loader, is "
        "shown too.\vA cell is a sector of 4 KB; where there are no colours, its letter is small if the sector is free. docs/"
        "flash-map.md explains the regions.\n\n"
        "Examples:\n"
        "  molt map flash.bin\n"
        "  molt map flash.bin --upgrade firmware.bin --svg map.svg\n"
        "  molt map --size 4M --variant molt",
        options, 0, 1 };
    args_t args;
    args_parse(&spec, argc, argv, &args);
    survey_t *survey = calloc(1, sizeof *survey);
    int status = 2;
    if (survey == NULL) {
        status = say_fail("there is not enough memory; close other programs");
    } else if (args.list) {
        status = list();
    } else if (args.positional[0]) {
        status = esp32_is_table(args.positional[0]) ? map_table(survey, &args) : map_dump(survey, &args);
    } else if (args.flash_size && !args.upgrade) {
        status = map_size(survey, &args);
    } else {
        fprintf(stderr, "%s: FLASH or --size is needed%s\nTry `%s --help' for more information.\n", argv[0],
            args.upgrade ? ", with --upgrade FLASH" : "", argv[0]);
    }
    free(survey);
    args_free(&args);
    return status;
}
