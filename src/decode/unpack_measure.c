// What is in a gzip file: its size and CRC. In the firmware and the tool, not in the boot loader.

#include "base/crc32.h"
#include "decode/unpack.h"
#include "molt/error.h"

int molt_unpack_measure(molt_unpack_t *unpack, uint32_t head_size, uint32_t size_max, uint8_t *buf, uint32_t buf_size,
    molt_progress_t progress, void *progress_ctx, molt_unpacked_t *unpacked) {
    *unpacked = (molt_unpacked_t){ 0, 0, 0 };
    unpack->next_off = UINT32_MAX;
    int err = molt_inflate_begin(&unpack->inflate, &unpack->source, unpack->window, unpack->window_size);
    uint32_t got = 1;
    while (!err && got) {
        err = molt_inflate_read(&unpack->inflate, buf, buf_size, &got);
        if (!err && progress) {
            err = progress(progress_ctx, molt_inflate_input_used(&unpack->inflate), unpack->source.size);
        }
        if (unpacked->size < head_size) {
            unpacked->head_used = molt_inflate_input_used(&unpack->inflate);
        }
        unpacked->size += got;
        unpacked->crc = molt_crc32(unpacked->crc, buf, got);
        if (!err && unpacked->size > size_max) {
            return MOLT_ERR_FBIG;
        }
    }
    return err ? err : molt_inflate_end(&unpack->inflate, unpacked->crc, unpacked->size);
}
