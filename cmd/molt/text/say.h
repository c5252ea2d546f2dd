// What the tool says: sentences for failures, sizes, colours, JSON strings.
#ifndef MOLT_CMD_SAY_H
#define MOLT_CMD_SAY_H

#include <stdint.h>
#include <stdio.h>

typedef struct say_text {
    char text[48];
} say_text_t;

// Print "molt: " and the sentence on stderr, on one line. Returns 1, the exit status that goes with it.
__attribute__((format(printf, 1, 2))) int say_fail(const char *format, ...);

// Remarks beside a result: each is a sentence without full stop. What does not fit is left out.
#define SAY_NOTES_MAX 6
typedef struct say_notes {
    char texts[SAY_NOTES_MAX][400];
    uint32_t count;
} say_notes_t;

__attribute__((format(printf, 2, 3))) void say_note(say_notes_t *notes, const char *format, ...);

// Print them on stderr, "molt: note: " before each; or as a JSON array.
void say_notes(const say_notes_t *notes);
void say_notes_json(FILE *out, const say_notes_t *notes);

// Text from outside: each control character becomes a question mark, so that none reaches the terminal.
void say_clean(char *text);

// Print so many bytes of it likewise.
void say_plain(const char *text, size_t size);

// "640 KB", "634.0 KB", "4 MB", "12 bytes".
say_text_t say_size(uint32_t size);

// "649404 bytes (634.2 KB)" or "12 bytes".
say_text_t say_bytes(uint32_t size);

// For a column beside the bytes: "634.2 KB", or nothing where that says no more than the bytes do.
say_text_t say_column(uint32_t size);

// "5.3 s", "51 ms" or "40 us".
say_text_t say_time(uint64_t us);

// What turns a style on and, with SAY_PLAIN, off again; empty unless stdout is a terminal that wants colour.
typedef enum say_style { SAY_PLAIN, SAY_BOLD, SAY_GOOD, SAY_BAD, SAY_FAINT } say_style_t;
const char *say_style(say_style_t style);

// Print `text` as a JSON string, quotes included; bytes that are no UTF-8 become \u00xx.
void say_json(FILE *out, const char *text);

#endif
