// A patch held to what it promises, before anything is written. In the firmware and the boot loader's extension.

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/libc.h"
#include "delta/delta.h"
#include "molt/error.h"

// Take a sector of the new image into the CRC of all of it.
static void take(const molt_delta_t *delta, uint32_t sector, const uint8_t *bytes, uint32_t *image_crc) {
    uint32_t begin = sector * delta->header.sector_size;
    uint32_t size = min_u32(delta->header.sector_size, delta->header.new_size - begin);
    *image_crc ^= molt_crc32_shift(molt_crc32(0, bytes, size), delta->header.new_size - begin - size);
}

bool molt_delta_is_written(const molt_delta_t *delta, uint32_t sector) {
    bool is = sector == 0;
    for (uint32_t i = 0; i < delta->header.op_count && !is; i++) {
        is = delta->ops[i] == sector;
    }
    return is;
}

// Whether the sector in flash is the one that was made as number `made`, 0 or MOLT_ERR_CORRUPT; or an error of flash or reader.
static int compare_present(const molt_delta_t *delta, uint32_t sector, uint32_t made, uint8_t *buf) {
    int err = molt_delta_read_sector(&delta->header, &delta->place, sector, buf);
    return err ? err : molt_delta_check_made(delta, made, buf);
}

int molt_delta_read_sector(const molt_delta_header_t *header, const molt_delta_place_t *place, uint32_t sector, uint8_t *buf) {
    uint32_t begin = sector * header->sector_size;
    uint32_t size = min_u32(header->sector_size, header->new_size - begin);
    uint32_t addr = sector ? place->image_addr + begin : place->first_addr;
    int err = place->flash->read(place->flash->ctx, addr, buf, header->sector_size);
    memset(buf + size, 0xff, header->sector_size - size);
    if (sector == 0) {
        store16_le(buf + 2, header->new_params);
    }
    return err;
}

int molt_delta_present_first(const molt_delta_t *delta, uint8_t *buf) {
    return compare_present(delta, 0, 0, buf);
}

int molt_delta_check_back(molt_delta_t *delta, uint8_t *buf, molt_progress_t progress, void *progress_ctx) {
    int err = molt_delta_present_first(delta, buf);
    for (uint32_t i = 0; !err && i < delta->header.op_count; i++) {
        molt_delta_write_t write;
        err = molt_delta_next(delta, buf, false, &write);
        if (!err && write.old_addr == UINT32_MAX) {
            err = compare_present(delta, MOLT_DELTA_OP_SECTOR(delta->ops[i]), delta->made - 1, buf);
        }
        err = err || progress == NULL ? err : progress(progress_ctx, i, delta->header.op_count);
    }
    return err;
}

int molt_delta_check(molt_delta_t *delta, uint8_t *buf, molt_progress_t progress, void *progress_ctx) {
    const molt_delta_place_t *place = &delta->place;
    uint32_t image_crc = 0;
    int err = molt_delta_first(delta, buf);
    take(delta, 0, buf, &image_crc);
    for (uint32_t i = 0; !err && i < delta->header.op_count; i++) {
        molt_delta_write_t write;
        err = molt_delta_next(delta, buf, true, &write);
        if (write.old_addr == UINT32_MAX) {
            take(delta, MOLT_DELTA_OP_SECTOR(delta->ops[i]), buf, &image_crc);
        }
        err = err || progress == NULL ? err : progress(progress_ctx, i, delta->header.op_count);
    }
    uint32_t sector_count = ceil_div(delta->header.new_size, delta->header.sector_size);
    for (uint32_t sector = 1; !err && sector < sector_count; sector++) {
        if (!molt_delta_is_written(delta, sector)) {
            uint32_t addr = place->image_addr + sector * delta->header.sector_size;
            err = place->flash->read(place->flash->ctx, addr, buf, delta->header.sector_size);
            take(delta, sector, buf, &image_crc);
        }
    }
    return err || image_crc == delta->header.new_crc ? err : MOLT_ERR_CORRUPT;
}
