// The boot loader's extension: code that reads a gzip file, kept outside the boot sector because it does not fit in.
// The loader puts its bytes into IRAM and calls their beginning.
#ifndef MOLT_ESP8266_EXTENSION_H
#define MOLT_ESP8266_EXTENSION_H

#include "image/image.h"

// Below the boot loader, above what firmwares use. The same in extension.ld.
#define EXTENSION_VADDR 0x4010d000u

// Make of `source`, which reads the file, a reader of the image in it. Both stay in use.
typedef void (*extension_entry_t)(const molt_reader_t *source, molt_reader_t *image);

#endif
