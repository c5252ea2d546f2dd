// The standby loader's extension: code that reads a gzip file, kept outside the loader's sector because it does not fit in. The
// loader puts its bytes to EXTENSION_VADDR (chip.h) and calls their beginning.
#ifndef MOLT_ESP32_EXTENSION_H
#define MOLT_ESP32_EXTENSION_H

#include "molt/source.h"

// Make of `source`, which reads the file, a reader of the image in it. Both stay in use.
typedef void (*extension_entry_t)(const molt_reader_t *source, molt_reader_t *image);

#endif
