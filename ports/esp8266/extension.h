// The boot loader's extensions: code that reads a gzip file, or carries out a delta file, kept outside the boot sector because it does
// not fit in. The loader puts its bytes into IRAM and calls their beginning.
#ifndef MOLT_ESP8266_EXTENSION_H
#define MOLT_ESP8266_EXTENSION_H

#include "image/image.h"

// Below the boot loader, above what firmwares use. The same in extension.ld.
#define EXTENSION_VADDR 0x4010d000u

// Make of `source`, which reads the file, a reader of the image in it. Both stay in use. Without a source, afterwards: carry out the
// delta. Returns as extend() and transform() of molt_boot_io_t do.
typedef int (*extension_entry_t)(const molt_reader_t *source, molt_reader_t *image);

// What of the extension for delta files is in a sector of its own, and the bytes of that: code and, last, the CRC-32 of it.
#define EXTENSION_REST_VADDR 0x4010c000u
#define EXTENSION_REST_SIZE 4096u

#endif
