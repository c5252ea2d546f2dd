// A flash map as SVG.

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "map_view.h"
#include "say.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define WIDTH 960
#define MARGIN 40
#define BAR_WIDTH (WIDTH - 2 * MARGIN)
#define ROW_HEIGHT 28
#define LABELS_MAX 64
#define LABEL_GAP 14
// Of the table, for the labels of an ESP32.
#define LABEL_COLUMN 130

// One colour a kind; what is free is a tint of it.
static const char *const colors[] = {
    [MOLT_MAP_KIND_BOOT] = "#4b5563",
    [MOLT_MAP_KIND_FIRMWARE] = "#3f72c4",
    [MOLT_MAP_KIND_FROZEN] = "#2b9eb3",
    [MOLT_MAP_KIND_NATIVE] = "#dd8a26",
    [MOLT_MAP_KIND_ROMFS] = "#8a63b8",
    [MOLT_MAP_KIND_USER] = "#cf5480",
    [MOLT_MAP_KIND_RESERVED] = "#3f9b62",
    [MOLT_MAP_KIND_FILESYSTEM] = "#a3a13c",
    [MOLT_MAP_KIND_SYSTEM] = "#848d99",
    [MOLT_MAP_KIND_UNUSED] = "#d5dae1",
    [MOLT_MAP_KIND_TABLE] = "#a07855",
};
static const char *const color_changed = "#d0453a";

typedef struct svg {
    FILE *out;
    const survey_t *survey;
} svg_t;

// A bar: [from, to) of flash, drawn from the left margin to the right.
typedef struct bar {
    uint32_t from;
    uint32_t to;
    double y;
    double height;
} bar_t;

static double x_of(const bar_t *bar, uint32_t addr) {
    return MARGIN + (double)(addr - bar->from) * BAR_WIDTH / (double)(bar->to - bar->from);
}

static void print_escaped(FILE *out, const char *text) {
    for (const char *p = text; *p; p++) {
        switch (*p) {
            case '<':
                fputs("&lt;", out);
                break;
            case '>':
                fputs("&gt;", out);
                break;
            case '&':
                fputs("&amp;", out);
                break;
            default:
                fputc((unsigned char)*p < ' ' || (unsigned char)*p >= 127 ? '?' : *p, out);
        }
    }
}

__attribute__((format(printf, 5, 6))) static void put_text(
    const svg_t *svg, double x, double y, const char *class, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(svg->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    print_escaped(svg->out, text);
    fprintf(svg->out, "</text>\n");
}

static void put_rect(const svg_t *svg, double x, double y, double width, double height, const char *color, double opacity) {
    fprintf(svg->out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\"", x, y, width, height, color);
    fprintf(svg->out, opacity < 1 ? " fill-opacity=\"%.2f\"/>\n" : "/>\n", opacity);
}

// To whole pixels, so that all edges between regions look alike.
static double pixel(double x) {
    return (double)(int)(x + 0.5);
}

// The runs of sectors of one use in [addr, end).
static void put_uses(const svg_t *svg, const bar_t *bar, molt_map_kind_t kind, uint32_t addr, uint32_t end) {
    const uint8_t *use = svg->survey->use;
    while (addr < end) {
        uint32_t next = addr;
        while (next < end && use[next / SECTOR] == use[addr / SECTOR]) {
            next += SECTOR;
        }
        if (use[addr / SECTOR] != SURVEY_FREE) {
            const char *color = use[addr / SECTOR] == SURVEY_CHANGED ? color_changed : colors[kind];
            double x = pixel(x_of(bar, addr));
            double width = pixel(x_of(bar, next)) - x;
            put_rect(svg, x, bar->y, width < 1 ? 1 : width, bar->height, color, 1);
        }
        addr = next;
    }
}

static void put_bar(const svg_t *svg, const bar_t *bar) {
    fprintf(svg->out, "<g shape-rendering=\"crispEdges\">\n");
    for (uint32_t i = 0; i < svg->survey->piece_count && svg->survey->pieces[i].piece.region.addr < bar->to; i++) {
        molt_map_piece_t piece = svg->survey->pieces[i].piece;
        uint32_t addr = piece.region.addr;
        uint32_t end = addr + piece.region.size < bar->to ? addr + piece.region.size : bar->to;
        double x = pixel(x_of(bar, addr));
        double width = pixel(x_of(bar, end)) - x;
        bool has_use = svg->survey->has_dump && piece.kind != MOLT_MAP_KIND_UNUSED;
        put_rect(svg, x, bar->y, width, bar->height, colors[piece.kind], has_use ? 0.28 : 1);
        if (has_use) {
            put_uses(svg, bar, piece.kind, addr, end);
        }
        if (addr) {
            put_rect(svg, x, bar->y, 1, bar->height, "#ffffff", 1);
        }
    }
    fprintf(svg->out, "</g>\n");
}

// Addresses under a bar, at every quarter of what is round in it.
static void put_scale(const svg_t *svg, const bar_t *bar) {
    uint32_t step = SECTOR;
    while (step < (bar->to - bar->from) / 8) {
        step *= 2;
    }
    double y = bar->y + bar->height;
    for (uint32_t addr = bar->from; addr <= bar->to; addr += step) {
        bool is_last = addr + step > bar->to && addr != bar->to;
        if (is_last && bar->to - addr < step / 2) {
            continue;
        }
        double x = x_of(bar, addr);
        fprintf(svg->out, "<path d=\"M%.1f %.1fv5\" stroke=\"#9aa3af\"/>\n", x, y);
        put_text(svg, x, y + 17, addr == bar->from ? "tick start" : addr == bar->to ? "tick end" : "tick", "0x%06x", addr);
    }
}

typedef struct label {
    const char *text;
    const char *color;
    double center;  // of what it names
    double x;       // of its own
    double width;
} label_t;

static double text_width(const char *text) {
    return 7.2 * (double)strlen(text);
}

// Push labels apart, first to the right, then, from the right margin, back to the left.
static void place_labels(label_t *labels, uint32_t count) {
    double free_from = MARGIN;
    for (uint32_t i = 0; i < count; i++) {
        double left = labels[i].center - labels[i].width / 2;
        left = left < free_from ? free_from : left;
        labels[i].x = left + labels[i].width / 2;
        free_from = left + labels[i].width + LABEL_GAP;
    }
    double free_to = MARGIN + BAR_WIDTH;
    for (uint32_t i = count; i-- > 0;) {
        double right = labels[i].x + labels[i].width / 2;
        right = right > free_to ? free_to : right;
        labels[i].x = right - labels[i].width / 2;
        free_to = right - labels[i].width - LABEL_GAP;
    }
}

// What a piece is called: a partition by its label.
static const char *name_of(const molt_partition_t *piece) {
    return *piece->label ? piece->label : molt_map_kind_name(piece->piece.kind);
}

// Names of the regions: in the bar where there is room, else above it with a line.
//   skip_to  regions that end up to there get no name
static void put_labels(const svg_t *svg, const bar_t *bar, uint32_t skip_to) {
    label_t labels[LABELS_MAX];
    uint32_t count = 0;
    double room = BAR_WIDTH;
    for (uint32_t i = 0; i < svg->survey->piece_count && svg->survey->pieces[i].piece.region.addr < bar->to; i++) {
        molt_map_piece_t piece = svg->survey->pieces[i].piece;
        uint32_t addr = piece.region.addr;
        uint32_t end = addr + piece.region.size < bar->to ? addr + piece.region.size : bar->to;
        const char *text = name_of(&svg->survey->pieces[i]);
        double center = (x_of(bar, addr) + x_of(bar, end)) / 2;
        if (addr + piece.region.size <= skip_to || piece.kind == MOLT_MAP_KIND_UNUSED) {
            continue;
        }
        if (x_of(bar, end) - x_of(bar, addr) > text_width(text) + 16) {
            bool is_light = svg->survey->has_dump && survey_used(svg->survey, &piece.region) < piece.region.size / 2;
            put_text(svg, center, bar->y + bar->height / 2 + 4.5, is_light ? "name dark" : "name", "%s", text);
        } else if (count < LABELS_MAX && text_width(text) + LABEL_GAP <= room) {
            labels[count++] = (label_t){ text, colors[piece.kind], center, 0, text_width(text) };
            room -= text_width(text) + LABEL_GAP;
        }
    }
    place_labels(labels, count);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(svg->out, "<path d=\"M%.1f %.1fV%.1fL%.1f %.1f\" stroke=\"%s\" fill=\"none\"/>\n", labels[i].center, bar->y - 1,
            bar->y - 5, labels[i].x, bar->y - 20, labels[i].color);
        put_text(svg, labels[i].x, bar->y - 25, "label", "%s", labels[i].text);
    }
}

// Where the columns behind the names begin: further right where there are labels.
static double columns_x(const survey_t *survey) {
    bool has_labels = false;
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        has_labels |= *survey->pieces[i].label != 0;
    }
    return MARGIN + (has_labels ? LABEL_COLUMN : 0);
}

static double put_region(const svg_t *svg, const molt_partition_t *piece, double y) {
    const molt_region_t *region = &piece->piece.region;
    molt_map_kind_t kind = piece->piece.kind;
    double left = columns_x(svg->survey);
    put_rect(svg, MARGIN, y - 11, 14, 14, colors[kind], 1);
    if (*piece->label) {
        put_text(svg, MARGIN + 24, y, "cell", "%s%s", piece->label, survey_is_hidden(svg->survey, piece) ? " *" : "");
    }
    put_text(svg, left + 24, y, "cell", "%s", molt_map_kind_name(kind));
    put_text(svg, left + 124, y, "mono", "0x%06x", region->addr);
    put_text(svg, left + 204, y, "mono", "0x%06x", region->addr + region->size);
    put_text(svg, left + 345, y, "cell end", "%s", say_size(region->size).text);
    if (!svg->survey->has_dump) {
        put_text(svg, left + 375, y, "cell faint", "%s", map_view_about(svg->survey, piece));
    } else if (kind != MOLT_MAP_KIND_UNUSED) {
        uint32_t used = survey_used(svg->survey, region);
        double width = 200.0 * used / region->size;
        put_rect(svg, left + 375, y - 10, 200, 11, colors[kind], 0.28);
        put_rect(svg, left + 375, y - 10, width, 11, colors[kind], 1);
        put_text(svg, left + 660, y, "cell end", "%s", used ? say_size(used).text : "-");
        put_text(svg, left + 745, y, "cell end", "%s", region->size - used ? say_size(region->size - used).text : "-");
    }
    return y + ROW_HEIGHT;
}

static void put_table(const svg_t *svg, double y) {
    double left = columns_x(svg->survey);
    put_text(svg, left + 124, y, "cell faint", "begins");
    put_text(svg, left + 204, y, "cell faint", "ends");
    put_text(svg, left + 345, y, "cell faint end", "size");
    if (svg->survey->has_dump) {
        put_text(svg, left + 660, y, "cell faint end", "used");
        put_text(svg, left + 745, y, "cell faint end", "free");
    }
    y += ROW_HEIGHT - 2;
    for (uint32_t i = 0; i < svg->survey->piece_count; i++) {
        y = put_region(svg, &svg->survey->pieces[i], y);
    }
}

// What the magnified bar shows of a larger flash: of an ESP8266 the mapped part, and on to where the last filesystem
// begins.
static uint32_t zoom_end(const survey_t *survey) {
    uint32_t flash_size = survey->map.flash_size;
    uint32_t end = survey->is_esp32 ? 0 : survey->map.mapped_size;
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        const molt_map_piece_t *piece = &survey->pieces[i].piece;
        end = piece->kind == MOLT_MAP_KIND_FILESYSTEM && piece->region.addr > end ? piece->region.addr : end;
    }
    end += end / 16;
    return end && end < flash_size / 4 * 3 ? end : flash_size;
}

static void put_zoom(const svg_t *svg, const bar_t *whole, const bar_t *zoom) {
    double top = whole->y + whole->height;
    fprintf(svg->out, "<path d=\"M%d %.1fH%.1fL%d %.1fH%dZ\" fill=\"#eef1f5\"/>\n", MARGIN, top, x_of(whole, zoom->to),
        MARGIN + BAR_WIDTH, zoom->y, MARGIN);
}

void map_view_svg(FILE *out, const survey_t *survey, const char *title) {
    svg_t svg = { out, survey };
    const molt_map_t *map = &survey->map;
    uint32_t window = zoom_end(survey);
    bool is_zoomed = window < map->flash_size;
    bar_t whole = { 0, map->flash_size, 116, is_zoomed ? 30 : 62 };
    bar_t zoom = { 0, window, 236, 62 };
    const bar_t *last = is_zoomed ? &zoom : &whole;
    double table_y = last->y + last->height + 60;
    int height = (int)(table_y + ROW_HEIGHT * (survey->piece_count + 1)) + 14 + (survey->upgrade ? ROW_HEIGHT : 0)
                 + (survey->hidden_count ? ROW_HEIGHT : 0);
    fprintf(out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n<style>\n"
        "text { font-family: 'DejaVu Sans', Verdana, sans-serif; font-size: 13px; fill: #1f2933 }\n"
        ".title { font-size: 20px; font-weight: bold }\n.faint { fill: #6b7683 }\n"
        ".tick { font-family: 'DejaVu Sans Mono', monospace; font-size: 10.5px; fill: #6b7683; text-anchor: middle }\n"
        ".mono { font-family: 'DejaVu Sans Mono', monospace; font-size: 12px }\n"
        ".name { fill: #ffffff; font-weight: bold; text-anchor: middle; font-size: 12px }\n.dark { fill: #1f2933 }\n"
        ".label { text-anchor: middle; font-weight: bold; font-size: 11.5px }\n"
        ".start { text-anchor: start }\n.end { text-anchor: end }\n</style>\n",
        WIDTH, height, WIDTH, height);
    fprintf(out, "<rect width=\"%d\" height=\"%d\" rx=\"10\" fill=\"#ffffff\"/>\n", WIDTH, height);
    put_text(&svg, MARGIN, 44, "title", "%s%s%s of flash", title ? title : "", title ? ": " : "", say_size(map->flash_size).text);
    put_text(&svg, MARGIN, 66, "faint", "map %s: %s", map->name, survey->about);
    if (is_zoomed) {
        put_zoom(&svg, &whole, &zoom);
        put_bar(&svg, &zoom);
        put_scale(&svg, &zoom);
        put_labels(&svg, &zoom, 0);
    } else {
        put_scale(&svg, &whole);
    }
    put_bar(&svg, &whole);
    put_labels(&svg, &whole, is_zoomed ? window : 0);
    put_table(&svg, table_y);
    if (survey->hidden_count) {
        put_text(&svg, MARGIN + 24, table_y + ROW_HEIGHT * (survey->piece_count + 1.0) + 2, "cell faint",
            "* in a row behind the table's MD5, which the boot loader reads and the firmware does not");
    }
    if (survey->upgrade) {
        put_rect(&svg, MARGIN, height - 35, 14, 14, color_changed, 1);
        put_text(&svg, MARGIN + 24, height - 24.0, "cell", "what an upgrade from %s (%s) changes: %u sectors%s%s",
            survey->upgrade, say_size(survey->image_size).text, survey->changed_count, survey->frozen_met ? "; in the way: " : "",
            survey->frozen_names);
    }
    fprintf(out, "</svg>\n");
}
