// What is done with any reader.

#include "base/reader.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/libc.h"

static int read_memory(void *ctx, uint32_t off, void *buf, uint32_t size) {
    memcpy(buf, (const uint8_t *)ctx + off, size);
    return 0;
}

molt_reader_t molt_memory_reader(const void *bytes, uint32_t size) {
    return (molt_reader_t){ (void *)(uintptr_t)bytes, size, read_memory };
}

int molt_reader_crc(
    const molt_reader_t *reader, void *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx, uint32_t *crc) {
    *crc = 0;
    uint32_t size;
    for (uint32_t off = 0; off < reader->size; off += size) {
        size = min_u32(buf_size, reader->size - off);
        int err = reader->read(reader->ctx, off, buf, size);
        if (!err && progress) {
            err = progress(progress_ctx, off, reader->size);
        }
        if (err) {
            return err;
        }
        *crc = molt_crc32(*crc, buf, size);
    }
    return 0;
}
