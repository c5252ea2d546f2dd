// Decoding a patch: the operations one after the other, and what of the old image is still there at each.

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/libc.h"
#include "delta/delta.h"
#include "delta/delta_format.h"
#include "delta/delta_stream.h"
#include "molt/error.h"

// molt_delta_t.where: below MOLT_DELTA_SLOTS_MAX the slot.
#define IN_PLACE 0xffu
#define GONE 0xfeu

// Bytes of the old image that are read at a time.
#define OLD_PIECE_SIZE 64u

static uint32_t sector_count(const molt_delta_t *delta, uint32_t size) {
    return ceil_div(size, delta->header.sector_size);
}

// The list of operations. Sectors are within the image that they are of, and the first one is none of them. It is held to its CRC each
// time: with an operation that is read wrong a sector that is needed would be written, or another one be stashed.
static int read_ops(molt_delta_t *delta) {
    int err = 0;
    uint32_t sector = 0;
    uint32_t sum = 0;
    uint32_t crc;
    for (uint32_t i = 0; i < delta->header.op_count; i++) {
        uint32_t number = molt_delta_read_number(&delta->main, &err);
        uint32_t slot = number % DELTA_OP_SLOTS;
        sector += (uint32_t)delta_zigzag(number / DELTA_OP_SLOTS);
        uint32_t limit = sector_count(delta, slot ? delta->header.old_size : delta->header.new_size);
        if (err || sector == 0 || sector >= limit || slot > delta->header.slot_count) {
            return err ? err : MOLT_ERR_CORRUPT;
        }
        uint8_t op[2];
        delta->ops[i] = (molt_delta_op_t)(sector | slot << 10);
        store16_le(op, delta->ops[i]);
        sum = molt_crc32(sum, op, sizeof op);
    }
    err = delta->patch.read(delta->patch.ctx, DELTA_OFF_OPS_CRC, &crc, sizeof crc);
    return err || sum == load32_le((const uint8_t *)&crc) ? err : MOLT_ERR_CORRUPT;
}

// The map. Its addresses ascend. Where a number is read wrong sectors come out wrong, which each one's CRC tells.
static int read_map(molt_delta_t *delta, molt_delta_move_t *moves) {
    int err = 0;
    molt_delta_move_t last = { DELTA_MAP_VADDR, 0 };
    delta->map = (molt_delta_map_t){ moves, delta->header.map_count, delta->header.map_has_calls };
    for (uint32_t i = 0; i < delta->map.count; i++) {
        uint32_t before = last.addr;
        last.addr += molt_delta_read_number(&delta->main, &err);
        last.shift += delta_zigzag(molt_delta_read_number(&delta->main, &err));
        moves[i] = last;
        if (err || last.addr <= before) {
            return err ? err : MOLT_ERR_CORRUPT;
        }
    }
    return err;
}

int molt_delta_begin(
    molt_delta_t *delta, const molt_reader_t *patch, const molt_delta_place_t *place, uint8_t *window, uint32_t window_size) {
    int err = molt_delta_read_header(patch, &delta->header);
    const molt_delta_header_t *header = &delta->header;
    if (err || window_size < molt_delta_window_size(header)) {
        return err ? err : MOLT_ERR_NOSPC;
    }
    delta->place = *place;
    delta->patch = *patch;
    delta->next = 0;
    delta->made = 0;
    delta->diagonal = 0;
    memset(delta->where, IN_PLACE, sizeof delta->where);
    molt_inflate_begin_raw(&delta->main, &delta->patch, header->main_off, window, header->main_window_size);
    molt_inflate_begin_raw(
        &delta->fix, &delta->patch, header->fix_off, window + header->main_window_size, header->fix_window_size);
    delta->until_fix = molt_delta_read_number(&delta->fix, &err);
    err = err ? err : read_ops(delta);
    uint8_t *map = window + header->main_window_size + header->fix_window_size;
    return err ? err : read_map(delta, (molt_delta_move_t *)(void *)map);
}

// Where in flash the old sector `old` is while operation `delta->next` is done, which writes `target`. False if it is gone, or would
// be with a write that the power cuts.
static bool find_old(const molt_delta_t *delta, uint32_t old, uint32_t target, uint32_t *addr) {
    uint32_t where = delta->where[old];
    if (old == 0) {
        *addr = delta->place.first_addr;
    } else if (where == IN_PLACE) {
        *addr = delta->place.image_addr + old * delta->header.sector_size;
        return old != target;
    } else if (where != GONE) {
        // Where nothing is really stashed it is in its place still.
        *addr = delta->place.plan ? molt_plan_stash_addr(delta->place.plan, MOLT_DELTA_STASH_SLOT + where)
                                  : delta->place.image_addr + old * delta->header.sector_size;
    }
    return where != GONE;
}

// `size` bytes from `off` of the old image into `out`, for the sector `target`. If they are not wanted it is only seen that they would
// be there.
static int copy_old(molt_delta_t *delta, uint32_t off, uint32_t target, uint8_t *out, uint32_t size, bool is_wanted) {
    const molt_flash_t *flash = delta->place.flash;
    uint32_t words[OLD_PIECE_SIZE / 4 + 1];
    while (size) {
        uint32_t in_sector = off % delta->header.sector_size;
        uint32_t skip = in_sector % 4;
        uint32_t piece = min_u32(min_u32(size, OLD_PIECE_SIZE), delta->header.sector_size - in_sector);
        uint32_t addr = 0;
        if (!find_old(delta, off / delta->header.sector_size, target, &addr)) {
            return MOLT_ERR_CORRUPT;
        }
        int err = is_wanted ? flash->read(flash->ctx, addr + in_sector - skip, words, (skip + piece + 3) & ~3u) : 0;
        if (err) {
            return err;
        }
        if (off - skip == 0) {
            // Not the device's own flash parameters.
            store16_le((uint8_t *)words + 2, delta->header.old_params);
        }
        memcpy(out, (const uint8_t *)words + skip, piece);
        off += piece;
        out += piece;
        size -= piece;
    }
    return 0;
}

// Literal bytes and pieces of the old image, turn by turn, until the sector is full. If it is not wanted `buf` is left with nothing in
// particular.
static int decode_pieces(molt_delta_t *delta, uint32_t sector, uint32_t size, uint8_t *buf, bool is_wanted) {
    int err = 0;
    uint32_t off = 0;
    while (!err && off < size) {
        uint32_t count = molt_delta_read_number(&delta->main, &err);
        if (err || count > size - off) {
            return err ? err : MOLT_ERR_CORRUPT;
        }
        err = molt_delta_read(&delta->main, buf + off, count);
        off += count;
        if (err || off == size) {
            break;
        }
        count = molt_delta_read_number(&delta->main, &err);
        delta->diagonal += delta_zigzag(molt_delta_read_number(&delta->main, &err));
        uint32_t from = sector * delta->header.sector_size + off + delta->diagonal;
        if (err || count == 0 || count > size - off || !range_within(from, count, delta->header.old_size)) {
            return err ? err : MOLT_ERR_CORRUPT;
        }
        err = copy_old(delta, from, sector, buf + off, count, is_wanted);
        molt_delta_predict(&delta->map, buf + off, sector * delta->header.sector_size + off, delta->diagonal, count);
        err = err ? err : molt_delta_fix(delta, buf + off, count);
        off += count;
    }
    return err;
}

int molt_delta_check_made(const molt_delta_t *delta, uint32_t made, const uint8_t *buf) {
    uint32_t crc_off = DELTA_OFF_CRCS + 4 * made;
    uint32_t crc;
    int err = crc_off < delta->header.main_off ? delta->patch.read(delta->patch.ctx, crc_off, &crc, sizeof crc)
                                               : MOLT_ERR_CORRUPT;
    return err || molt_crc32(0, buf, delta->header.sector_size) == load32_le((const uint8_t *)&crc) ? err : MOLT_ERR_CORRUPT;
}

// A sector of the new image, held to its CRC.
static int decode_sector(molt_delta_t *delta, uint32_t sector, uint8_t *buf, bool is_wanted) {
    uint32_t sector_size = delta->header.sector_size;
    uint32_t size = min_u32(sector_size, delta->header.new_size - sector * sector_size);
    uint32_t made = delta->made++;
    int err = decode_pieces(delta, sector, size, buf, is_wanted);
    if (err || !is_wanted) {
        return err;
    }
    memset(buf + size, 0xff, sector_size - size);
    return molt_delta_check_made(delta, made, buf);
}

int molt_delta_first(molt_delta_t *delta, uint8_t *buf) {
    return decode_sector(delta, 0, buf, true);
}

// The old sector goes to a slot, and what was in that is gone.
static int stash_sector(molt_delta_t *delta, uint32_t sector, uint32_t slot) {
    bool is_there = delta->where[sector] == IN_PLACE;
    for (uint32_t i = 0; i < MOLT_DELTA_SECTORS_MAX; i++) {
        if (delta->where[i] == slot) {
            delta->where[i] = GONE;
        }
    }
    delta->where[sector] = (uint8_t)slot;
    return is_there ? 0 : MOLT_ERR_CORRUPT;
}

int molt_delta_next(molt_delta_t *delta, uint8_t *buf, bool is_wanted, molt_delta_write_t *write) {
    const molt_delta_place_t *place = &delta->place;
    uint32_t sector = MOLT_DELTA_OP_SECTOR(delta->ops[delta->next]);
    uint32_t slot = MOLT_DELTA_OP_SLOT(delta->ops[delta->next]);
    uint32_t addr = place->image_addr + sector * delta->header.sector_size;
    delta->next++;
    if (slot) {
        *write = (molt_delta_write_t){ place->plan ? molt_plan_stash_addr(place->plan, MOLT_DELTA_STASH_SLOT + slot - 1) : 0,
            addr };
        int err = stash_sector(delta, sector, slot - 1);
        return err || !is_wanted ? err : place->flash->read(place->flash->ctx, addr, buf, delta->header.sector_size);
    }
    *write = (molt_delta_write_t){ addr, UINT32_MAX };
    int err = delta->made ? 0 : decode_sector(delta, 0, buf, false);
    err = err ? err : decode_sector(delta, sector, buf, is_wanted);
    if (delta->where[sector] == IN_PLACE) {
        delta->where[sector] = GONE;
    }
    return err;
}
