// An image's segments and checks.

#include "info.h"

#include <stdio.h>

#include "describe.h"
#include "say.h"

// MicroPython: where the mapped part begins in the file, and what ends it.
#define MAPPED_OFF 0x9000u
#define MD5_SIZE 16u

static void print_segment(const char *number, uint32_t vaddr, uint32_t off, uint32_t size, const char *memory) {
    printf("  %7s   0x%08x      0x%06x   %8u", number, vaddr, off, size);
    if (size >= 1024 || *memory) {
        printf("   %9s", say_column(size).text);
    }
    printf("%s%s\n", *memory ? "  " : "", memory);
}

void info_segments(const molt_image_t *image) {
    if (image->segment_count) {
        printf("\n  segment   address      in the file      bytes\n");
    }
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const molt_image_segment_t *segment = &image->segments[i];
        char number[8];
        snprintf(number, sizeof number, "%u", i);
        print_segment(number, segment->vaddr, segment->data_off, segment->size, describe_segment(image, segment));
    }
    if (image->kind == MOLT_IMAGE_KIND_MICROPYTHON && image->image_size > MAPPED_OFF + MD5_SIZE) {
        print_segment("-", 0x40200000 + MAPPED_OFF, MAPPED_OFF, image->image_size - MAPPED_OFF - MD5_SIZE, "mapped flash");
    }
}

void info_checks(const molt_image_t *image) {
    describe_check_t checks[DESCRIBE_CHECKS_MAX];
    uint32_t count = describe_checks(image, checks);
    static const char *const words[] = { "ok", "FAILED", "-" };
    static const say_style_t styles[] = { SAY_GOOD, SAY_BAD, SAY_FAINT };
    printf("\n  checks\n");
    for (uint32_t i = 0; i < count; i++) {
        printf("    %s%-6s%s  %s", say_style(styles[checks[i].result]), words[checks[i].result], say_style(SAY_PLAIN),
            checks[i].name);
        if (checks[i].result == DESCRIBE_FAILED) {
            printf(" (at 0x%x)", image->defect_off);
        }
        putchar('\n');
    }
}

void info_checks_json(const molt_image_t *image) {
    describe_check_t checks[DESCRIBE_CHECKS_MAX];
    uint32_t count = describe_checks(image, checks);
    static const char *const words[] = { "ok", "failed", "not made" };
    printf("\"checks\": [");
    for (uint32_t i = 0; i < count; i++) {
        printf("%s\n    { \"name\": ", i ? "," : "");
        say_json(stdout, checks[i].name);
        printf(", \"result\": \"%s\" }", words[checks[i].result]);
    }
    printf("\n  ]");
}
