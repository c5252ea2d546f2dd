// Gzip files of images, as small as can be.
#ifndef MOLT_CMD_GZIP_H
#define MOLT_CMD_GZIP_H

#include <stdint.h>

// A device checks the file before it starts, and has a heap of 38 KB: the window is small unless told otherwise. 4096 bytes.
#define GZIP_BITS_DEFAULT 12

// The smallest of what libdeflate and zlib's strategies make of `bytes`, in a new buffer, which the caller frees. NULL where there is not
// enough memory.
//   bits  of the window, 9 to 15
uint8_t *gzip_make(const uint8_t *bytes, uint32_t size, int bits, uint32_t *best_size);

#endif
