// What is asked of any reader.
#ifndef MOLT_BASE_READER_H
#define MOLT_BASE_READER_H

#include "molt/source.h"

// A reader of `size` bytes at `bytes`, which stay the caller's. They are copied by memcpy(), of which a port has one that can read
// there: in an ESP8266's mapped flash only words can be loaded.
molt_reader_t molt_memory_reader(const void *bytes, uint32_t size);

// CRC-32 of all that `reader` has, in pieces of buf_size bytes; `progress` may be NULL.
// Returns 0, the reader's error or progress's.
int molt_reader_crc(
    const molt_reader_t *reader, void *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx, uint32_t *crc);

#endif
