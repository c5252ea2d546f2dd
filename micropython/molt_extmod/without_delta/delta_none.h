// In place of src/delta where a firmware takes no delta files (MOLT_DELTA=0). They are known, and refused when they are opened: the
// chip's target has no extension for them. So nothing here but the first is ever called.

#include "base/bytes.h"
#include "delta/delta.h"
#include "delta/delta_format.h"
#include "delta/delta_log.h"
#include "molt/error.h"

bool molt_delta_is_patch(const uint8_t bytes[4]) {
    return load32_le(bytes) == DELTA_MAGIC;
}

int molt_delta_read_header(const molt_reader_t *patch, molt_delta_header_t *header) {
    (void)patch;
    (void)header;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_check_file(
    const molt_reader_t *patch, uint8_t *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx) {
    (void)patch;
    (void)buf;
    (void)buf_size;
    (void)progress;
    (void)progress_ctx;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_begin(
    molt_delta_t *delta, const molt_reader_t *patch, const molt_delta_place_t *place, uint8_t *window, uint32_t window_size) {
    (void)delta;
    (void)patch;
    (void)place;
    (void)window;
    (void)window_size;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_find_standing(const molt_delta_header_t *header, const molt_delta_place_t *place, uint8_t *buf, uint32_t buf_size,
    molt_progress_t progress, void *progress_ctx, molt_delta_standing_t *standing) {
    (void)header;
    (void)place;
    (void)buf;
    (void)buf_size;
    (void)progress;
    (void)progress_ctx;
    (void)standing;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_first(molt_delta_t *delta, uint8_t *buf) {
    (void)delta;
    (void)buf;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_check(molt_delta_t *delta, uint8_t *buf, molt_progress_t progress, void *progress_ctx) {
    (void)delta;
    (void)buf;
    (void)progress;
    (void)progress_ctx;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_check_back(molt_delta_t *delta, uint8_t *buf, molt_progress_t progress, void *progress_ctx) {
    (void)delta;
    (void)buf;
    (void)progress;
    (void)progress_ctx;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_read_sector(const molt_delta_header_t *header, const molt_delta_place_t *place, uint32_t sector, uint8_t *buf) {
    (void)header;
    (void)place;
    (void)sector;
    (void)buf;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_present_first(const molt_delta_t *delta, uint8_t *buf) {
    (void)delta;
    (void)buf;
    return MOLT_ERR_NOTSUP;
}

int molt_delta_next(molt_delta_t *delta, uint8_t *buf, bool is_wanted, molt_delta_write_t *write) {
    (void)delta;
    (void)buf;
    (void)is_wanted;
    (void)write;
    return MOLT_ERR_NOTSUP;
}

bool molt_delta_is_written(const molt_delta_t *delta, uint32_t sector) {
    (void)delta;
    (void)sector;
    return true;
}

void molt_delta_log_init(const molt_geometry_t *geometry, uint32_t seed, uint32_t index, uint8_t *sector) {
    (void)geometry;
    (void)seed;
    (void)index;
    (void)sector;
}
