// Gzip files of images: unpacked with the code that a device has.
#ifndef MOLT_CMD_GUNZIP_H
#define MOLT_CMD_GUNZIP_H

#include <stdbool.h>
#include <stdint.h>

#include "say.h"

// Whether these are the first bytes of a gzip file.
bool gunzip_is_gzip(const uint8_t *bytes, uint32_t size);

// Replace a gzip file, in a buffer from malloc(), by what is in it. Returns NULL, or the sentence that says what is wrong; the
// buffer is then left as it is.
const char *gunzip(uint8_t **bytes, uint32_t *size);

// The smallest window with which the gzip file can be unpacked, a power of two, or 0 if it cannot.
uint32_t gunzip_window(const uint8_t *bytes, uint32_t size);

// Add the note about a file whose window is larger than a device is likely to have in one piece.
void gunzip_note(say_notes_t *notes, const uint8_t *bytes, uint32_t size);

// The same of a file whose window is known, and which that command of molt makes.
void gunzip_note_window(say_notes_t *notes, uint32_t window_size, const char *command);

#endif
