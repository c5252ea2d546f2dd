// A patch's header, and the checks of whole files.

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "delta/delta.h"
#include "delta/delta_format.h"
#include "molt/error.h"

bool molt_delta_is_patch(const uint8_t bytes[4]) {
    return load32_le(bytes) == DELTA_MAGIC;
}

static bool is_power_of_2(uint32_t n) {
    return n != 0 && (n & (n - 1)) == 0;
}

static void read_name(char name[MOLT_DELTA_NAME_SIZE + 1], const uint8_t *bytes) {
    for (uint32_t i = 0; i < MOLT_DELTA_NAME_SIZE; i++) {
        name[i] = bytes[i] >= ' ' && bytes[i] < 0x7f ? (char)bytes[i] : 0;
    }
    name[MOLT_DELTA_NAME_SIZE] = 0;
}

static uint32_t window_size(uint8_t bits) {
    return bits >= 8 && bits <= 15 ? 1u << bits : 0;
}

int molt_delta_read_header(const molt_reader_t *patch, molt_delta_header_t *header) {
    uint32_t words[MOLT_DELTA_HEADER_SIZE / 4];
    const uint8_t *h = (const uint8_t *)words;
    if (patch->size < MOLT_DELTA_HEADER_SIZE + DELTA_TRAILER_SIZE) {
        return MOLT_ERR_CORRUPT;
    }
    int err = patch->read(patch->ctx, 0, words, sizeof words);
    if (err) {
        return err;
    }
    *header = (molt_delta_header_t){
        .sector_size = load32_le(h + DELTA_OFF_SECTOR_SIZE),
        .file_size = load32_le(h + DELTA_OFF_FILE_SIZE),
        .old_size = load32_le(h + DELTA_OFF_OLD_SIZE),
        .new_size = load32_le(h + DELTA_OFF_NEW_SIZE),
        .new_crc = load32_le(h + DELTA_OFF_NEW_CRC),
        .fs_addr = load32_le(h + DELTA_OFF_FS_ADDR),
        .op_count = load16_le(h + DELTA_OFF_OP_COUNT),
        .slot_count = load16_le(h + DELTA_OFF_SLOT_COUNT),
        .main_off = load32_le(h + DELTA_OFF_MAIN_OFF),
        .fix_off = load32_le(h + DELTA_OFF_FIX_OFF),
        .main_window_size = window_size(h[DELTA_OFF_WINDOW_BITS]),
        .fix_window_size = window_size(h[DELTA_OFF_WINDOW_BITS + 1]),
        .old_params = load16_le(h + DELTA_OFF_OLD_PARAMS),
        .new_params = load16_le(h + DELTA_OFF_NEW_PARAMS),
    };
    uint32_t map = load16_le(h + DELTA_OFF_MAP);
    header->map_count = (uint16_t)(map / 2);
    header->map_has_calls = map % 2 != 0;
    memcpy(header->old_sha1, h + DELTA_OFF_OLD_SHA1, MOLT_SHA1_SIZE);
    memcpy(header->new_sha1, h + DELTA_OFF_NEW_SHA1, MOLT_SHA1_SIZE);
    read_name(header->old_name, h + DELTA_OFF_OLD_NAME);
    read_name(header->new_name, h + DELTA_OFF_NEW_NAME);
    if (load32_le(h + DELTA_OFF_MAGIC) != DELTA_MAGIC || map == 1 || map > 2 * MOLT_DELTA_MAP_MAX + 1) {
        return MOLT_ERR_NOTSUP;
    }
    uint32_t end = patch->size - DELTA_TRAILER_SIZE;
    bool is_whole = header->file_size == patch->size && (patch->size & 3) == 0 && is_power_of_2(header->sector_size)
                    && header->sector_size >= 256 && header->main_window_size && header->fix_window_size && header->old_size
                    && header->new_size && ((header->main_off | header->fix_off) & 3) == 0 && header->main_off >= DELTA_OFF_CRCS
                    && header->main_off < end && header->fix_off < end;
    if (!is_whole) {
        return MOLT_ERR_CORRUPT;
    }
    uint32_t size_max = MOLT_DELTA_SECTORS_MAX * header->sector_size;
    bool fits = header->old_size <= size_max && header->new_size <= size_max && header->op_count <= MOLT_DELTA_OPS_MAX
                && header->slot_count <= MOLT_DELTA_SLOTS_MAX && molt_delta_window_size(header) <= MOLT_DELTA_WINDOWS_MAX;
    return fits ? 0 : MOLT_ERR_NOTSUP;
}

int molt_delta_check_file(
    const molt_reader_t *patch, uint8_t *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx) {
    uint32_t crc = 0;
    uint32_t end = patch->size - DELTA_TRAILER_SIZE;
    uint32_t trailer;
    uint32_t size;
    for (uint32_t off = 0; off < end; off += size) {
        size = min_u32(buf_size, end - off);
        int err = patch->read(patch->ctx, off, buf, size);
        err = err || progress == NULL ? err : progress(progress_ctx, off, patch->size);
        if (err) {
            return err;
        }
        crc = molt_crc32(crc, buf, size);
    }
    int err = patch->read(patch->ctx, end, &trailer, sizeof trailer);
    return err || load32_le((const uint8_t *)&trailer) == crc ? err : MOLT_ERR_CORRUPT;
}

// Whether the image of `size` bytes in its place has this digest, with `params` for bytes 2 and 3.
static int has_digest(const molt_delta_place_t *place, uint32_t size, uint16_t params, const uint8_t wanted[MOLT_SHA1_SIZE],
    uint8_t *buf, uint32_t buf_size, molt_progress_t progress, void *progress_ctx, bool *has) {
    uint32_t sector_size = molt_sector_size(&place->flash->geometry);
    uint8_t digest[MOLT_SHA1_SIZE];
    molt_sha1_t sha1;
    uint32_t piece;
    molt_sha1_init(&sha1);
    for (uint32_t off = 0; off < size; off += piece) {
        piece = min_u32(min_u32(buf_size, sector_size - off % sector_size), size - off);
        uint32_t addr = off < sector_size ? place->first_addr : place->image_addr;
        int err = place->flash->read(place->flash->ctx, addr + off, buf, (piece + 3) & ~3u);
        err = err || progress == NULL ? err : progress(progress_ctx, off, size);
        if (err) {
            return err;
        }
        if (off == 0) {
            store16_le(buf + 2, params);
        }
        molt_sha1_update(&sha1, buf, piece);
    }
    molt_sha1_finish(digest, &sha1);
    *has = memcmp(digest, wanted, sizeof digest) == 0;
    return 0;
}

int molt_delta_find_standing(const molt_delta_header_t *header, const molt_delta_place_t *place, uint8_t *buf, uint32_t buf_size,
    molt_progress_t progress, void *progress_ctx, molt_delta_standing_t *standing) {
    bool has = false;
    *standing = MOLT_DELTA_OTHER;
    int err = has_digest(
        place, header->old_size, header->old_params, header->old_sha1, buf, buf_size, progress, progress_ctx, &has);
    if (err || has) {
        *standing = MOLT_DELTA_OLD;
        return err;
    }
    err = has_digest(place, header->new_size, header->new_params, header->new_sha1, buf, buf_size, progress, progress_ctx, &has);
    *standing = has ? MOLT_DELTA_NEW : MOLT_DELTA_OTHER;
    return err;
}

int molt_delta_check_first(const molt_flash_t *flash, uint32_t addr, uint16_t params, uint32_t crc, uint8_t *buf) {
    uint32_t size = molt_sector_size(&flash->geometry);
    int err = flash->read(flash->ctx, addr, buf, size);
    store16_le(buf + 2, params);
    return err || molt_crc32(0, buf, size) == crc ? err : MOLT_ERR_CORRUPT;
}

int molt_delta_check_blank(const molt_flash_t *flash, uint32_t addr, uint8_t *buf) {
    uint32_t size = molt_sector_size(&flash->geometry);
    int err = flash->read(flash->ctx, addr, buf, size);
    bool is_blank = buf[0] == 0xff && memcmp(buf, buf + 1, size - 1) == 0;
    return err || is_blank ? err : MOLT_ERR_CORRUPT;
}
