// The standby loader's extension for gzip files.

#include "extension.h"

#include "arch.h"
#include "decode/unpack.h"

__attribute__((externally_visible)) void molt_extension(const molt_reader_t *source, molt_reader_t *image);

void molt_extension(const molt_reader_t *source, molt_reader_t *image) {
    static molt_unpack_t unpack;
    static uint8_t window[MOLT_INFLATE_WINDOW_MAX];
    *image = molt_unpack_reader(&unpack, source, window, sizeof window, 0);
}
