// Covers, order, the stream of both, and the file.

#include "build.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/reader.h"
#include "base/sha1.h"
#include "delta/delta_format.h"
#include "moves.h"
#include "order.h"
#include "pack.h"

// Changes repeat in the near: so much is enough where the main stream takes its whole window.
#define FIX_WINDOW_SIZE 1024u
#define WINDOW_BITS_MIN 8

typedef struct stream {
    uint8_t *bytes;
    uint32_t size;
    uint32_t room;
    bool is_full;  // there was not enough memory
} stream_t;

static void put(stream_t *stream, const uint8_t *bytes, uint32_t size) {
    if (stream->room - stream->size < size) {
        uint32_t room = 2 * stream->room + size + 4096;
        uint8_t *grown = realloc(stream->bytes, room);
        stream->is_full = stream->is_full || grown == NULL;
        stream->bytes = grown ? grown : stream->bytes;
        stream->room = grown ? room : stream->room;
    }
    if (!stream->is_full && size) {
        memcpy(stream->bytes + stream->size, bytes, size);
        stream->size += size;
    }
}

static void put_number(stream_t *stream, uint32_t number) {
    uint8_t bytes[5];
    uint32_t size = 0;
    do {
        bytes[size] = (uint8_t)(number & 0x7f);
        number >>= 7;
        bytes[size] |= number ? 0x80 : 0;
        size++;
    } while (number);
    put(stream, bytes, size);
}

static uint32_t zigzag(int32_t v) {
    return ((uint32_t)v << 1) ^ (uint32_t)(v >> 31);
}

// The map that changes are predicted with.
static void put_map(stream_t *stream, const molt_delta_map_t *map) {
    molt_delta_move_t last = { DELTA_MAP_VADDR, 0 };
    for (uint32_t i = 0; i < map->count; i++) {
        put_number(stream, map->moves[i].addr - last.addr);
        put_number(stream, zigzag((int32_t)(map->moves[i].shift - last.shift)));
        last = map->moves[i];
    }
}

static void put_ops(stream_t *stream, stream_t *crcs, const order_t *order) {
    uint8_t stored[4];
    uint32_t crc = 0;
    int32_t last = 0;
    for (uint32_t i = 0; i < order->op_count; i++) {
        int32_t sector = (int32_t)MOLT_DELTA_OP_SECTOR(order->ops[i]);
        put_number(stream, zigzag(sector - last) * DELTA_OP_SLOTS + MOLT_DELTA_OP_SLOT(order->ops[i]));
        last = sector;
        store16_le(stored, order->ops[i]);
        crc = molt_crc32(crc, stored, 2);
    }
    store32_le(stored, crc);
    put(crcs, stored, sizeof stored);
}

// The streams of a patch, before they are packed.
typedef struct streams {
    stream_t main;
    stream_t fix;
    stream_t crcs;
    int32_t diagonal;
    uint32_t until_fix;  // bytes that were copied unchanged since the last change
    const molt_delta_map_t *map;
    uint8_t *copied;  // room for a sector: what was copied, with what is predicted
    votes_t *votes;   // what the copies say of how addresses have moved; or NULL
} streams_t;

// Changed bytes that follow each other are one number, lowest first, and what is added to them is another: a pointer that has moved
// by so much gets the same one wherever it points to.
static void put_copy(streams_t *streams, const build_request_t *request, uint32_t new_off, uint32_t old_off, uint32_t size) {
    uint32_t carry = 0;
    if (streams->votes) {
        votes_take(streams->votes, request->old_bytes, old_off, request->new_bytes, new_off, size);
    }
    memcpy(streams->copied, request->old_bytes + old_off, size);
    molt_delta_predict(streams->map, streams->copied, new_off, old_off - new_off, size);
    for (uint32_t i = 0; i < size; i++) {
        uint8_t old = streams->copied[i];
        if (request->new_bytes[new_off + i] == old) {
            streams->until_fix++;
            carry = 0;
            continue;
        }
        uint8_t difference = (uint8_t)(request->new_bytes[new_off + i] - old - carry);
        put_number(&streams->fix, streams->until_fix);
        put(&streams->fix, &difference, 1);
        streams->until_fix = 0;
        carry = (old + difference + carry) >> 8;
    }
}

static void put_crc(stream_t *stream, const uint8_t *bytes, uint32_t size, uint32_t sector_size) {
    static const uint8_t blank = 0xff;
    uint32_t crc = molt_crc32(0, bytes, size);
    for (uint32_t left = sector_size - size; left; left--) {
        crc = molt_crc32(crc, &blank, 1);
    }
    uint8_t stored[4];
    store32_le(stored, crc);
    put(stream, stored, sizeof stored);
}

// One sector: literal bytes and copies, turn by turn.
static void put_sector(streams_t *streams, const build_request_t *request, const cover_list_t *list, uint32_t sector) {
    uint32_t begin = sector * request->sector_size;
    uint32_t end = min_u32(begin + request->sector_size, request->new_size);
    uint32_t off = begin;
    for (uint32_t i = 0; i < list->count; i++) {
        const cover_t *cover = &list->covers[i];
        uint32_t cover_end = min_u32(cover->new_off + cover->size, end);
        if (cover_end <= off || cover->new_off >= end) {
            continue;
        }
        uint32_t from = cover->new_off > off ? cover->new_off : off;
        int32_t shift = (int32_t)(cover->old_off - cover->new_off);
        put_number(&streams->main, from - off);
        put(&streams->main, request->new_bytes + off, from - off);
        put_number(&streams->main, cover_end - from);
        put_number(&streams->main, zigzag(shift - streams->diagonal));
        put_copy(streams, request, from, from + (uint32_t)shift, cover_end - from);
        streams->diagonal = shift;
        off = cover_end;
    }
    if (off < end) {
        put_number(&streams->main, end - off);
        put(&streams->main, request->new_bytes + off, end - off);
    }
    put_crc(&streams->crcs, request->new_bytes + begin, end - begin, request->sector_size);
}

// More than a sector's copies can have.
#define NO_FIX_LEFT 0x0fffffffu

static void put_all(streams_t *streams, const build_request_t *request, const cover_list_t *list, const order_t *order) {
    put_ops(&streams->main, &streams->crcs, order);
    put_map(&streams->main, streams->map);
    put_sector(streams, request, list, 0);
    for (uint32_t i = 0; i < order->op_count; i++) {
        if (MOLT_DELTA_OP_SLOT(order->ops[i]) == 0) {
            put_sector(streams, request, list, MOLT_DELTA_OP_SECTOR(order->ops[i]));
        }
    }
    put_number(&streams->fix, NO_FIX_LEFT);
}

// Put `stream` packed behind `file`, with a window of up to window_size bytes; the bits of the window that it takes go to *bits.
static void put_packed(stream_t *file, const stream_t *stream, uint32_t window_size, uint8_t *bits) {
    uint32_t size = 0;
    uint32_t reach = 0;
    uint8_t *packed = pack_deflate(stream->bytes, stream->size, window_size, NULL, NULL, &size, &reach);
    *bits = WINDOW_BITS_MIN;
    while (1u << *bits < reach) {
        (*bits)++;
    }
    file->is_full = file->is_full || packed == NULL;
    put(file, packed, size);
    free(packed);
}

// Of the memory for both windows what the first one leaves: a power of 2.
static uint32_t rest_of_window(uint32_t window_size, uint8_t bits) {
    uint32_t rest = FIX_WINDOW_SIZE;
    while (2 * rest <= window_size + FIX_WINDOW_SIZE - (1u << bits) && 2 * rest <= MOLT_INFLATE_WINDOW_MAX) {
        rest *= 2;
    }
    return rest;
}

static void put_sha1(uint8_t out[MOLT_SHA1_SIZE], const uint8_t *bytes, uint32_t size) {
    molt_sha1_t sha1;
    molt_sha1_init(&sha1);
    molt_sha1_update(&sha1, bytes, size);
    molt_sha1_finish(out, &sha1);
}

static void put_name(uint8_t *out, const char *name) {
    const char *date = strstr(name, " on ");
    size_t size = date ? (size_t)(date - name) : strlen(name);
    memcpy(out, name, size < MOLT_DELTA_NAME_SIZE ? size : MOLT_DELTA_NAME_SIZE);
}

// All but what put_packed() tells.
static void put_header(uint8_t *h, const build_request_t *request, const order_t *order) {
    store32_le(h + DELTA_OFF_MAGIC, DELTA_MAGIC);
    store32_le(h + DELTA_OFF_SECTOR_SIZE, request->sector_size);
    store32_le(h + DELTA_OFF_OLD_SIZE, request->old_size);
    store32_le(h + DELTA_OFF_NEW_SIZE, request->new_size);
    store32_le(h + DELTA_OFF_NEW_CRC, molt_crc32(0, request->new_bytes, request->new_size));
    store32_le(h + DELTA_OFF_FS_ADDR, request->fs_addr);
    put_sha1(h + DELTA_OFF_OLD_SHA1, request->old_bytes, request->old_size);
    put_sha1(h + DELTA_OFF_NEW_SHA1, request->new_bytes, request->new_size);
    store16_le(h + DELTA_OFF_OP_COUNT, (uint16_t)order->op_count);
    store16_le(h + DELTA_OFF_SLOT_COUNT, (uint16_t)order->slot_count);
    store16_le(h + DELTA_OFF_OLD_PARAMS, load16_le(request->old_bytes + 2));
    store16_le(h + DELTA_OFF_NEW_PARAMS, load16_le(request->new_bytes + 2));
    put_name(h + DELTA_OFF_OLD_NAME, request->old_name);
    put_name(h + DELTA_OFF_NEW_NAME, request->new_name);
}

static void align(stream_t *file) {
    static const uint8_t zeroes[4] = { 0 };
    put(file, zeroes, (0u - file->size) & 3);
}

// The file with this map. What its copies say is added to `votes`, which may be NULL.
static build_err_t pack_with(build_result_t *result, const build_request_t *request, const cover_list_t *list,
    const order_t *order, const molt_delta_map_t *map, votes_t *votes) {
    streams_t streams = { .map = map, .copied = malloc(request->sector_size), .votes = votes };
    stream_t file = { 0 };
    uint8_t header[MOLT_DELTA_HEADER_SIZE] = { 0 };
    if (streams.copied == NULL) {
        return BUILD_NO_MEMORY;
    }
    put_all(&streams, request, list, order);
    free(streams.copied);
    put_header(header, request, order);
    store16_le(header + DELTA_OFF_MAP, (uint16_t)(map->count ? 2 * map->count + map->has_calls : 0));
    put(&file, header, sizeof header);
    put(&file, streams.crcs.bytes, streams.crcs.size);
    store32_le(header + DELTA_OFF_MAIN_OFF, file.size);
    uint8_t *bits = header + DELTA_OFF_WINDOW_BITS;
    put_packed(&file, &streams.main, request->window_size, &bits[0]);
    align(&file);
    store32_le(header + DELTA_OFF_FIX_OFF, file.size);
    put_packed(&file, &streams.fix, rest_of_window(request->window_size, bits[0]), &bits[1]);
    align(&file);
    bool is_full = file.is_full || streams.main.is_full || streams.fix.is_full || streams.crcs.is_full;
    uint8_t crc[DELTA_TRAILER_SIZE];
    if (!is_full) {
        store32_le(header + DELTA_OFF_FILE_SIZE, file.size + DELTA_TRAILER_SIZE);
        memcpy(file.bytes, header, sizeof header);
        store32_le(crc, molt_crc32(0, file.bytes, file.size));
        put(&file, crc, sizeof crc);
    }
    free(streams.main.bytes);
    free(streams.fix.bytes);
    free(streams.crcs.bytes);
    result->window_size = (1u << bits[0]) + (1u << bits[1]) + map->count * (uint32_t)sizeof map->moves[0];
    result->map_count = map->count;
    result->bytes = file.bytes;
    result->size = file.size;
    return is_full || file.is_full ? BUILD_NO_MEMORY : BUILD_OK;
}

// The file without a map, or with the one that its copies suggest, where that is smaller.
static build_err_t pack(build_result_t *result, const build_request_t *request, const cover_list_t *list, const order_t *order) {
    molt_delta_move_t moves[MOLT_DELTA_MAP_MAX];
    molt_delta_map_t map = { moves, 0, moves_have_calls(request->chip) };
    votes_t votes = { .chip = request->chip };
    build_err_t err = pack_with(result, request, list, order, &map, request->map_max ? &votes : NULL);
    result->plain_size = result->size;
    if (!err && moves_find(moves, &map.count, request->map_max, &votes) != 0) {
        err = BUILD_NO_MEMORY;
    }
    free(votes.list);
    if (!err && map.count) {
        build_result_t predicted = *result;
        predicted.bytes = NULL;
        err = pack_with(&predicted, request, list, order, &map, NULL);
        bool is_better = !err && predicted.size < result->size;
        free(is_better ? result->bytes : predicted.bytes);
        *result = is_better ? predicted : *result;
    }
    return err;
}

// Which pieces are best depends on how they and their changes pack, which is known afterwards only: each of these is tried. bsdiff
// takes the first.
static const uint32_t gains[] = { 8, 6, 5, 4 };
#define GAIN_COUNT (sizeof gains / sizeof gains[0])

// How far all tries are.
typedef struct tries {
    const build_request_t *request;
    uint32_t done;
} tries_t;

static void tell(void *ctx, uint32_t done, uint32_t total) {
    const tries_t *tries = ctx;
    if (tries->request->progress) {
        tries->request->progress(tries->request->progress_ctx, tries->done * total + done, GAIN_COUNT * total);
    }
}

static build_err_t build_once(build_result_t *result, const build_request_t *request, uint32_t gain, tries_t *tries) {
    cover_list_t list;
    order_t order = { 0 };
    *result = (build_result_t){ 0 };
    if (cover_list_find(&list, request->old_bytes, request->old_size, request->new_bytes, request->new_size, gain, tell, tries)
        != 0) {
        return BUILD_NO_MEMORY;
    }
    const order_images_t images = { request->old_bytes, request->new_bytes, request->old_size, request->new_size,
        request->sector_size };
    build_err_t err = (build_err_t)order_find(&order, &images, &list);
    if (!err) {
        result->slot_count = order.slot_count;
        result->write_count = order.write_count;
        result->stash_count = order.op_count - order.write_count;
        result->cover_count = list.count;
        err = pack(result, request, &list, &order);
    }
    free(order.ops);
    cover_list_free(&list);
    return err;
}

build_err_t build_delta(build_result_t *result, const build_request_t *request) {
    uint32_t size_max = MOLT_DELTA_SECTORS_MAX * request->sector_size;
    tries_t tries = { request, 0 };
    uint32_t plain_size = UINT32_MAX;
    build_err_t err = BUILD_TOO_MIXED;
    *result = (build_result_t){ 0 };
    if (request->old_size > size_max || request->new_size > size_max) {
        return BUILD_TOO_LARGE;
    }
    for (; tries.done < GAIN_COUNT && (err == BUILD_OK || err == BUILD_TOO_MIXED); tries.done++) {
        build_result_t tried;
        build_err_t failed = build_once(&tried, request, gains[tries.done], &tries);
        plain_size = failed == BUILD_OK ? min_u32(plain_size, tried.plain_size) : plain_size;
        if (failed == BUILD_OK && (result->bytes == NULL || tried.size < result->size)) {
            build_result_t before = *result;
            *result = tried;
            tried = before;
        }
        err = failed == BUILD_TOO_MIXED && result->bytes ? BUILD_OK : failed;
        free(tried.bytes);
    }
    result->plain_size = plain_size;
    return err;
}

// The old image in flash, with nothing behind it.
static int read_old(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    const build_request_t *request = ctx;
    uint32_t there = addr < request->old_size ? min_u32(size, request->old_size - addr) : 0;
    memset(buf, 0xff, size);
    memcpy(buf, request->old_bytes + (there ? addr : 0), there);
    return 0;
}

static int tell_proof(void *ctx, uint32_t done, uint32_t total) {
    const build_request_t *request = ctx;
    if (request->progress) {
        request->progress(request->progress_ctx, done, total);
    }
    return 0;
}

build_err_t build_prove(const build_result_t *result, const build_request_t *request) {
    // Neither is written to.
    void *ctx = (void *)(uintptr_t)request;
    const molt_flash_t flash = { .ctx = ctx, .geometry = { 16u << 20, request->sector_size, 65536, 256 }, .read = read_old };
    const molt_reader_t patch = molt_memory_reader(result->bytes, result->size);
    const molt_delta_place_t place = { &flash, 0, 0, NULL };
    molt_delta_t *delta = malloc(sizeof *delta);
    uint8_t *memory = malloc(MOLT_DELTA_WINDOWS_MAX + request->sector_size);
    build_err_t err = BUILD_NO_MEMORY;
    if (delta && memory) {
        uint8_t *buf = memory + MOLT_DELTA_WINDOWS_MAX;
        bool is_right = molt_delta_check_file(&patch, memory, request->sector_size, NULL, NULL) == 0
                        && molt_delta_begin(delta, &patch, &place, memory, MOLT_DELTA_WINDOWS_MAX) == 0
                        && molt_delta_check(delta, buf, tell_proof, ctx) == 0;
        err = is_right ? BUILD_OK : BUILD_WRONG;
    }
    free(memory);
    free(delta);
    return err;
}
