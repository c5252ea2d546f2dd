// A flash map for the terminal, and as JSON.

#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>

#include "esp32.h"
#include "map_view.h"
#include "say.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define ROW_CELLS 64u

typedef struct look {
    char letter;        // where there are no colours; small where the sector is free
    const char *color;  // on a terminal, of 256
    const char *about;
} look_t;

static const look_t looks[] = {
    [MOLT_MAP_KIND_BOOT] = { 'B', "\033[38;5;240m", "another boot loader, before the firmware" },
    [MOLT_MAP_KIND_FIRMWARE] = { 'F', "\033[38;5;68m", "boot sector and firmware" },
    [MOLT_MAP_KIND_FROZEN] = { 'Z', "\033[38;5;37m", "frozen modules added on the device, and room for the firmware to grow" },
    [MOLT_MAP_KIND_NATIVE] = { 'N', "\033[38;5;172m", "machine code of @native and @viper functions" },
    [MOLT_MAP_KIND_ROMFS] = { 'R', "\033[38;5;97m", "MicroPython's ROMFS" },
    [MOLT_MAP_KIND_USER] = { 'U', "\033[38;5;168m", "the user's own, molt.user()" },
    [MOLT_MAP_KIND_RESERVED] = { 'M', "\033[38;5;71m", "molt's own: two heads, plan, journal" },
    [MOLT_MAP_KIND_FILESYSTEM] = { 'L', "\033[38;5;143m", "littlefs" },
    [MOLT_MAP_KIND_SYSTEM] = { 'S', "\033[38;5;246m", "RF calibration, PHY data, SDK parameters" },
    [MOLT_MAP_KIND_UNUSED] = { '-', "\033[38;5;238m", "in no region" },
    [MOLT_MAP_KIND_TABLE] = { 'T', "\033[38;5;137m", "" },
};

const char *map_view_about(const survey_t *survey, const molt_partition_t *piece) {
    return survey->is_esp32 ? esp32_about(piece) : looks[piece->piece.kind].about;
}

// Whether stdout is a terminal that takes colours; say_style() knows.
static bool is_colored(void) {
    return *say_style(SAY_BOLD) != 0;
}

static bool has_blocks(void) {
    const char *locale = setlocale(LC_CTYPE, "");
    return locale && is_colored() && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

typedef struct cell {
    molt_map_kind_t kind;
    survey_use_t use;
} cell_t;

// The kinds, sector by sector.
static void spread(const survey_t *survey, uint8_t kinds[SURVEY_SECTORS_MAX]) {
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        const molt_map_piece_t *piece = &survey->pieces[i].piece;
        memset(kinds + piece->region.addr / SECTOR, (int)piece->kind, piece->region.size / SECTOR);
    }
}

static void print_cell(const survey_t *survey, cell_t cell, bool blocks) {
    const look_t *look = &looks[cell.kind];
    bool is_free = survey->has_dump && cell.use == SURVEY_FREE;
    if (cell.use == SURVEY_CHANGED) {
        fputs(is_colored() ? "\033[38;5;203m" : "", stdout);
        fputs(blocks ? "▓" : "*", stdout);
    } else {
        fputs(is_colored() ? look->color : "", stdout);
        if (blocks) {
            fputs(is_free || cell.kind == MOLT_MAP_KIND_UNUSED ? "░" : "█", stdout);
        } else {
            putchar(is_free && look->letter >= 'A' ? look->letter + ('a' - 'A') : look->letter);
        }
    }
}

static bool is_same_row(const survey_t *survey, const uint8_t *kinds, uint32_t a, uint32_t b) {
    return memcmp(kinds + a, kinds + b, ROW_CELLS) == 0 && memcmp(survey->use + a, survey->use + b, ROW_CELLS) == 0;
}

static bool is_uniform_row(const survey_t *survey, const uint8_t *kinds, uint32_t row) {
    return memcmp(kinds + row, kinds + row + 1, ROW_CELLS - 1) == 0
           && memcmp(survey->use + row, survey->use + row + 1, ROW_CELLS - 1) == 0;
}

static int address_digits(const survey_t *survey) {
    return survey->map.flash_size > 0xffffff ? 7 : 6;
}

// Rows of one sector a cell; of many rows that are all alike the first.
static void print_cells(const survey_t *survey) {
    uint8_t kinds[SURVEY_SECTORS_MAX];
    bool blocks = has_blocks();
    uint32_t sector_count = survey->map.flash_size / SECTOR;
    spread(survey, kinds);
    for (uint32_t row = 0; row < sector_count; row += ROW_CELLS) {
        printf("  %s0x%0*x%s  ", say_style(SAY_FAINT), address_digits(survey), row * SECTOR, say_style(SAY_PLAIN));
        for (uint32_t i = row; i < row + ROW_CELLS; i++) {
            print_cell(survey, (cell_t){ (molt_map_kind_t)kinds[i], (survey_use_t)survey->use[i] }, blocks);
        }
        printf("%s\n", say_style(SAY_PLAIN));
        uint32_t alike = 0;
        while (is_uniform_row(survey, kinds, row) && row + (alike + 1) * ROW_CELLS < sector_count
               && is_same_row(survey, kinds, row, row + (alike + 1) * ROW_CELLS)) {
            alike++;
        }
        if (alike > 2) {
            printf("      %*s%s(%u more rows like this)%s\n", address_digits(survey), "", say_style(SAY_FAINT), alike,
                say_style(SAY_PLAIN));
            row += alike * ROW_CELLS;
        }
    }
}

// The width of the column of labels: 0 where there are none.
static int label_width(const survey_t *survey) {
    size_t width = 0;
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        size_t size = strlen(survey->pieces[i].label) + (survey_is_hidden(survey, &survey->pieces[i]) ? 2 : 0);
        width = size > width ? size : width;
    }
    return width ? (int)width + 2 : 0;
}

static void print_region(const survey_t *survey, const molt_partition_t *piece) {
    const molt_region_t *region = &piece->piece.region;
    molt_map_kind_t kind = piece->piece.kind;
    int digits = address_digits(survey);
    printf("  ");
    print_cell(survey, (cell_t){ kind, SURVEY_USED }, has_blocks());
    char label[MOLT_PARTITION_LABEL_MAX + 3];
    snprintf(label, sizeof label, "%s%s", piece->label, survey_is_hidden(survey, piece) ? " *" : "");
    printf("%s %-*s%-10s  0x%0*x  0x%0*x  %8s", say_style(SAY_PLAIN), label_width(survey), label, molt_map_kind_name(kind),
        digits, region->addr, digits, region->addr + region->size, say_size(region->size).text);
    if (!survey->has_dump) {
        printf("  %s%s%s\n", say_style(SAY_FAINT), map_view_about(survey, piece), say_style(SAY_PLAIN));
    } else if (kind == MOLT_MAP_KIND_UNUSED) {
        printf("\n");
    } else {
        uint32_t used = survey_used(survey, region);
        printf("  %8s  %8s\n", used ? say_size(used).text : "-", region->size - used ? say_size(region->size - used).text : "-");
    }
}

static void print_upgrade(const survey_t *survey) {
    uint32_t room_size = survey->room_size;
    printf("\n  ");
    print_cell(survey, (cell_t){ MOLT_MAP_KIND_FIRMWARE, SURVEY_CHANGED }, has_blocks());
    printf("%s %s%s%s: %s; it changes %u of %u sectors and leaves %s of its room\n", say_style(SAY_PLAIN), say_style(SAY_BOLD),
        survey->upgrade, say_style(SAY_PLAIN), say_size(survey->image_size).text, survey->changed_count,
        (survey->image_size + SECTOR - 1) / SECTOR,
        say_size(room_size > survey->image_size ? room_size - survey->image_size : 0).text);
    if (survey->frozen_met) {
        printf("  %sit would run over the frozen modules %s%s, and is refused\n", say_style(SAY_BAD), survey->frozen_names,
            say_style(SAY_PLAIN));
    }
}

// What only the boot loader sees.
static void print_hidden(const survey_t *survey) {
    printf("\n  * in a row behind the table's MD5, which the boot loader reads and the firmware does not\n");
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        const molt_partition_t *piece = &survey->pieces[i];
        if (survey->has_dump && survey_is_hidden(survey, piece)) {
            printf("  * %s: %s\n", piece->label, map_view_about(survey, piece));
        }
    }
}

void map_view_text(const survey_t *survey, const char *title) {
    const molt_map_t *map = &survey->map;
    printf("%s%s%s%s%s of flash, map %s (%s)\n\n", say_style(SAY_BOLD), title ? title : "", title ? ": " : "",
        say_size(map->flash_size).text, say_style(SAY_PLAIN), map->name, survey->about);
    print_cells(survey);
    int width = address_digits(survey) + 2;
    printf("\n    %*s%-10s  %-*s  %-*s  %8s%s\n", label_width(survey), "", "", width, "begins", width, "ends", "size",
        survey->has_dump ? "      used      free" : "");
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        print_region(survey, &survey->pieces[i]);
    }
    if (survey->hidden_count) {
        print_hidden(survey);
    }
    if (survey->upgrade) {
        print_upgrade(survey);
    }
}

void map_view_json(FILE *out, const survey_t *survey) {
    const molt_map_t *map = &survey->map;
    fprintf(out, "{\"map\": \"%s\", \"flash_size\": %u, \"mapped_size\": %u, \"regions\": [", map->name, map->flash_size,
        map->mapped_size);
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        const molt_partition_t *piece = &survey->pieces[i];
        const molt_region_t *region = &piece->piece.region;
        fprintf(out, "%s\n  {\"kind\": \"%s\", \"addr\": %u, \"size\": %u", i ? "," : "", molt_map_kind_name(piece->piece.kind),
            region->addr, region->size);
        if (*piece->label) {
            fprintf(out, ", \"label\": ");
            say_json(out, piece->label);
        }
        if (survey_is_hidden(survey, piece)) {
            fprintf(out, ", \"behind_md5\": true, \"about\": ");
            say_json(out, map_view_about(survey, piece));
        }
        if (survey->has_dump && piece->piece.kind != MOLT_MAP_KIND_UNUSED) {
            fprintf(out, ", \"used\": %u", survey_used(survey, region));
        }
        fputc('}', out);
    }
    fprintf(out, "\n]");
    if (survey->upgrade) {
        fprintf(out, ", \"upgrade\": {\"path\": ");
        say_json(out, survey->upgrade);
        fprintf(out, ", \"size\": %u, \"changed_sectors\": %u, \"frozen_modules_met\": %u}", survey->image_size,
            survey->changed_count, survey->frozen_met);
    }
    if (survey->has_dump) {
        fprintf(out, ", \"notes\": ");
        say_notes_json(out, &survey->notes);
    }
    fprintf(out, "}\n");
}
