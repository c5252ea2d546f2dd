// What the tool says.

#include "say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Bytes of the control character at `p`, of those behind ASCII, too (U+0080 to U+009F: terminals obey them); 0 if it is none.
static size_t control_size(const char *p) {
    unsigned char c = (unsigned char)p[0];
    if (c == 0xc2) {
        return ((unsigned char)p[1] & 0xe0) == 0x80 ? 2 : 0;
    }
    return c && (c < ' ' || c == 127) ? 1 : 0;
}

void say_clean(char *text) {
    char *end = text;
    for (const char *p = text; *p;) {
        size_t size = control_size(p);
        *end++ = size ? '?' : *p;
        p += size ? size : 1;
    }
    *end = 0;
}

void say_plain(const char *text, size_t size) {
    for (const char *p = text; p < text + size;) {
        size_t control = control_size(p);
        putchar(control ? '?' : *p);
        p += control ? control : 1;
    }
}

// Names come from outside: whatever is in them, it stays one line.
static void print_line(const char *before, char *sentence) {
    say_clean(sentence);
    fflush(stdout);
    fprintf(stderr, "molt: %s%s\n", before, sentence);
}

int say_fail(const char *format, ...) {
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    print_line("", sentence);
    return 1;
}

void say_note(say_notes_t *notes, const char *format, ...) {
    if (notes->count < SAY_NOTES_MAX) {
        va_list args;
        va_start(args, format);
        vsnprintf(notes->texts[notes->count], sizeof notes->texts[0], format, args);
        va_end(args);
        notes->count++;
    }
}

void say_notes(const say_notes_t *notes) {
    for (uint32_t i = 0; i < notes->count; i++) {
        char sentence[sizeof notes->texts[0]];
        snprintf(sentence, sizeof sentence, "%s", notes->texts[i]);
        print_line("note: ", sentence);
    }
}

void say_notes_json(FILE *out, const say_notes_t *notes) {
    fputc('[', out);
    for (uint32_t i = 0; i < notes->count; i++) {
        fprintf(out, "%s", i ? ", " : "");
        say_json(out, notes->texts[i]);
    }
    fputc(']', out);
}

say_text_t say_size(uint32_t size) {
    say_text_t result;
    if (size < 1024) {
        snprintf(result.text, sizeof result.text, "%u bytes", size);
    } else if (size % 0x100000 == 0) {
        snprintf(result.text, sizeof result.text, "%u MB", size / 0x100000);
    } else if (size % 1024 == 0) {
        snprintf(result.text, sizeof result.text, "%u KB", size / 1024);
    } else {
        snprintf(result.text, sizeof result.text, "%.1f KB", size / 1024.0);
    }
    return result;
}

say_text_t say_bytes(uint32_t size) {
    say_text_t result = say_size(size);
    if (size >= 1024) {
        snprintf(result.text, sizeof result.text, "%u bytes (%.14s)", size, say_size(size).text);
    }
    return result;
}

say_text_t say_column(uint32_t size) {
    return size >= 1024 ? say_size(size) : (say_text_t){ "" };
}

say_text_t say_time(uint64_t us) {
    say_text_t result;
    if (us && us < 1000) {
        snprintf(result.text, sizeof result.text, "%llu us", (unsigned long long)us);
    } else if (us < 1000000) {
        snprintf(result.text, sizeof result.text, "%llu ms", (unsigned long long)((us + 500) / 1000));
    } else {
        snprintf(result.text, sizeof result.text, "%.1f s", (double)us / 1e6);
    }
    return result;
}

const char *say_style(say_style_t style) {
    static const char *const codes[] = { "\033[0m", "\033[1m", "\033[32m", "\033[31m", "\033[2m" };
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");
    bool wanted = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && !(no_color && *no_color);
    return wanted ? codes[style] : "";
}

// Bytes of the UTF-8 sequence at `p`, or 0 if it is none.
static size_t utf8_size(const unsigned char *p) {
    size_t size = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 : *p >= 0xf0 && *p < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool is_no_character = (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90);
    return is_overlong || is_no_character ? 0 : size;
}

void say_json(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t size = utf8_size(p);
        size_t control = size ? control_size((const char *)p) : 1;
        if (control) {
            fprintf(out, "\\u%04x", p[control - 1]);
            p += control;
            continue;
        }
        if (*p == '"' || *p == '\\') {
            fputc('\\', out);
        }
        fwrite(p, 1, size, out);
        p += size;
    }
    fputc('"', out);
}
