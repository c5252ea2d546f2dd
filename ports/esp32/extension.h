// The standby loader's extensions: code that reads a gzip file, or carries out a delta file, kept outside the loader's sector because it
// does not fit in. The loader puts its bytes to EXTENSION_VADDR (chip.h) and calls their beginning.
#ifndef MOLT_ESP32_EXTENSION_H
#define MOLT_ESP32_EXTENSION_H

#include "molt/source.h"

// The longest one: what a block of molt.head has room for, behind littlefs's pointers. The same in riscv and xtensa/extension.ld. That for
// delta files is longer, and loads the rest itself, to behind this.
#define EXTENSION_SIZE_MAX 4080u

// Make of `source`, which reads the file, a reader of the image in it. Both stay in use.
typedef void (*extension_entry_t)(const molt_reader_t *source, molt_reader_t *image);

#endif
