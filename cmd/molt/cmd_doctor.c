// molt doctor: what a dump's board is, which ways of upgrading it has, and what to do next, on one screen.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "doctor.h"
#include "say.h"

// Names come from the dump: no control character of theirs reaches the terminal.
static void print_name(const char *name) {
    say_plain(name, strlen(name));
}

// A paragraph between an indentation and the 80th column; the first line is indented already.
static void print_filled(const char *text, int indent) {
    enum { COLUMNS = 80 };
    int column = indent;
    while (*text) {
        int size = (int)strcspn(text, " ");
        if (column > indent && column + 1 + size > COLUMNS) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            column++;
        }
        say_plain(text, (size_t)size);
        column += size;
        text += (size_t)size + strspn(text + size, " ");
    }
    putchar('\n');
}

static void print_images(const doctor_t *doctor) {
    if (doctor->image_count) {
        printf("\n%simages on it%s\n", say_style(SAY_BOLD), say_style(SAY_PLAIN));
    }
    for (uint32_t i = 0; i < doctor->image_count; i++) {
        const doctor_image_t *image = &doctor->images[i];
        printf("  %s%s%s  ", say_style(image->is_possible ? SAY_GOOD : SAY_BAD), image->is_possible ? "ok" : "no",
            say_style(SAY_PLAIN));
        print_name(image->path);
        printf(", %s\n      ", say_size(image->size).text);
        print_filled(image->text, 6);
    }
}

static void print_text(const doctor_t *doctor) {
    const dumpfs_t *dump = doctor->dump;
    char text[500];
    printf("%s%s%s: %s with %s of flash\n\n", say_style(SAY_BOLD), dump->path, say_style(SAY_PLAIN), board_name(&dump->board),
        say_size(dump->nor.flash.geometry.size).text);
    doctor_firmware_text(doctor, text, sizeof text);
    printf("  %-11s ", "firmware");
    print_filled(text, 14);
    printf("  %-11s %s (%s)\n", "map", doctor->survey.map.name, doctor->survey.about);
    doctor_filesystem_text(doctor, text, sizeof text);
    printf("  %-11s %s\n", "filesystem", doctor->has_files ? text : "none that can be used, see below");
    doctor_boot_text(doctor, text, sizeof text);
    printf("  %-11s %s\n", "boot loader", text);
    print_images(doctor);
    printf("\n%sways of upgrading%s\n", say_style(SAY_BOLD), say_style(SAY_PLAIN));
    for (doctor_way_t way = 0; way < DOCTOR_WAY_COUNT; way++) {
        if (*doctor->ways[way].text) {
            printf("  %-15s ", doctor_way_name(way));
            print_filled(doctor->ways[way].text, 18);
        }
    }
    printf("\n%sin the way%s\n", say_style(SAY_BOLD), say_style(SAY_PLAIN));
    for (uint32_t i = 0; i < doctor->obstacles.count; i++) {
        printf("  - ");
        print_filled(doctor->obstacles.texts[i], 4);
    }
    printf("%s", doctor->obstacles.count ? "" : "  nothing\n");
    printf("\n%snext%s\n  ", say_style(SAY_BOLD), say_style(SAY_PLAIN));
    print_name(doctor->next);
    putchar('\n');
}

static void json_member(const char *name, const char *value) {
    printf("  \"%s\": ", name);
    say_json(stdout, value);
    printf(",\n");
}

static void print_json(const doctor_t *doctor) {
    static const char *const names[] = { "raw", "gzip", "resident", "map", "standby", "slots" };
    const dumpfs_t *dump = doctor->dump;
    char text[500];
    printf("{\n");
    json_member("flash", dump->path);
    printf("  \"size\": %u,\n", dump->nor.flash.geometry.size);
    doctor_firmware_text(doctor, text, sizeof text);
    json_member("firmware", text);
    json_member("chip", board_name(&dump->board));
    // Of an ESP32 the firmware does not tell.
    printf("  \"has_molt\": %s,\n", dump->board.is_esp32 ? "null" : dump->firmware.fs_addr ? "true" : "false");
    json_member("map", doctor->survey.map.name);
    doctor_filesystem_text(doctor, text, sizeof text);
    printf("  \"filesystem\": { \"usable\": %s, \"address\": %u, \"size\": %u, \"free\": %u, \"text\": ",
        doctor->has_files ? "true" : "false", dump->fs.addr, dump->fs.size, doctor->free_size);
    say_json(stdout, text);
    printf(" },\n");
    doctor_boot_text(doctor, text, sizeof text);
    json_member("boot", text);
    printf("  \"images\": [");
    for (uint32_t i = 0; i < doctor->image_count; i++) {
        const doctor_image_t *image = &doctor->images[i];
        printf("%s\n    { \"path\": ", i ? "," : "");
        say_json(stdout, image->path);
        printf(", \"size\": %u, \"possible\": %s, \"in_place\": %s, \"text\": ", image->size,
            image->is_possible ? "true" : "false", image->is_in_place ? "true" : "false");
        say_json(stdout, image->text);
        printf(" }");
    }
    printf("\n  ],\n  \"ways\": {");
    const char *comma = "";
    for (doctor_way_t way = 0; way < DOCTOR_WAY_COUNT; way++) {
        if (*doctor->ways[way].text) {
            printf("%s\n    \"%s\": { \"open\": %s, \"text\": ", comma, names[way], doctor->ways[way].is_open ? "true" : "false");
            say_json(stdout, doctor->ways[way].text);
            printf(" }");
            comma = ",";
        }
    }
    printf("\n  },\n  \"obstacles\": ");
    say_notes_json(stdout, &doctor->obstacles);
    printf(",\n  \"next\": ");
    say_json(stdout, doctor->next);
    printf("\n}\n");
}

int cmd_doctor(int argc, char **argv) {
    static const struct argp_option options[] = { ARGS_OPTION_JSON, ARGS_OPTION_FS_START, { 0 } };
    static const args_spec_t spec = { "FLASH",
        "Tell what board a flash dump is of, which ways of upgrading it has, what is in the way, and which command comes next. "
        "Nothing is changed.\v"
        "Examples:\n"
        "  esptool read_flash 0 ALL flash.bin\n"
        "  molt doctor flash.bin\n"
        "  molt doctor flash.bin --json",
        options, 1, 1 };
    args_t args;
    dumpfs_t dump;
    args_parse(&spec, argc, argv, &args);
    doctor_t *doctor = calloc(1, sizeof *doctor);
    int status = dumpfs_open_raw(&dump, args.positional[0]);
    if (!status && doctor == NULL) {
        status = say_fail("there is not enough memory; close other programs");
    }
    if (!status) {
        status = doctor_examine(doctor, &dump, &args);
    }
    if (!status && args.json) {
        print_json(doctor);
    } else if (!status) {
        print_text(doctor);
    }
    free(doctor);
    dumpfs_close(&dump);
    args_free(&args);
    return status;
}
