// Where bytes come from: a file, flash, memory, or what is unpacked of another reader.
#ifndef MOLT_READER_H
#define MOLT_READER_H

#include <stdint.h>

typedef struct molt_reader {
    void *ctx;
    uint32_t size;  // bytes that can be read
    // Read `size` bytes from `off` into `buf`; off + size never exceeds `size`. 0 or a negative molt_err_t.
    int (*read)(void *ctx, uint32_t off, void *buf, uint32_t size);
} molt_reader_t;

// Reports how far a long check has come; `done` and `total` in bytes. Non-zero stops the check with that code.
typedef int (*molt_progress_t)(void *ctx, uint32_t done, uint32_t total);

// A reader of `size` bytes at `bytes`, which stay the caller's. They are copied by memcpy(), of which a port has one that can read
// there: in an ESP8266's mapped flash only words can be loaded.
molt_reader_t molt_memory_reader(const void *bytes, uint32_t size);

// CRC-32 of all that `reader` has, in pieces of buf_size bytes; `progress` may be NULL.
// Returns 0, the reader's error or progress's.
int molt_reader_crc(const molt_reader_t *reader, void *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx,
    uint32_t *crc);

#endif
