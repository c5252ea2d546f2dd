// Fuzz target: delta files. Whatever they say, nothing is read outside flash or file, nothing is written outside the memory that the
// header asks for, and what is taken for right makes the image whose CRC they state.

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/reader.h"
#include "delta/delta.h"
#include "delta/delta_format.h"
#include "fuzz.h"

#define FLASH_SIZE 0x10000u
#define SECTOR_MAX 4096u

static uint8_t bytes[FLASH_SIZE];

// Windows and map: as many bytes as the header asks for, behind which a sanitizer sees it.
typedef struct memory {
    uint8_t *bytes;
    uint32_t size;
} memory_t;

static int begin(molt_delta_t *delta, const molt_reader_t *patch, const molt_delta_place_t *place, const memory_t *memory) {
    int err = molt_delta_begin(delta, patch, place, memory->bytes, memory->size);
    REQUIRE(err || delta->map.count <= MOLT_DELTA_MAP_MAX);
    for (uint32_t i = 1; !err && i < delta->map.count; i++) {
        REQUIRE(delta->map.moves[i].addr > delta->map.moves[i - 1].addr);
    }
    return err;
}

// Past the end of flash there are no bytes; a driver says so.
static int read_flash(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    if (!range_within(addr, size, FLASH_SIZE)) {
        return -5;
    }
    memcpy(buf, bytes + addr, size);
    return 0;
}

// What was found right, made once more and put together.
static void require_image(
    molt_delta_t *delta, const molt_reader_t *patch, const molt_delta_place_t *place, const memory_t *memory) {
    uint32_t sector_size = delta->header.sector_size;
    uint8_t *image = malloc(FLASH_SIZE + SECTOR_MAX);
    uint8_t *buf = malloc(SECTOR_MAX);
    if (image == NULL || buf == NULL) {
        abort();
    }
    memcpy(image, bytes, FLASH_SIZE);
    REQUIRE(begin(delta, patch, place, memory) == 0);
    REQUIRE(molt_delta_first(delta, buf) == 0);
    memcpy(image, buf, sector_size);
    for (uint32_t i = 0; i < delta->header.op_count; i++) {
        molt_delta_write_t write;
        REQUIRE(molt_delta_next(delta, buf, true, &write) == 0);
        if (write.old_addr == UINT32_MAX) {
            memcpy(image + write.addr, buf, sector_size);
        }
    }
    REQUIRE(molt_crc32(0, image, delta->header.new_size) == delta->header.new_crc);
    free(buf);
    free(image);
}

// A patch whose CRCs are right: of its operations, and of each sector that is made, in `buf` at that moment. Chance finds none.
typedef struct repaired {
    const uint8_t *bytes;
    uint32_t size;
    const molt_delta_t *delta;
    const uint8_t *buf;
} repaired_t;

static uint32_t crc_of_ops(const molt_delta_t *delta) {
    uint32_t crc = 0;
    for (uint32_t i = 0; i < delta->header.op_count; i++) {
        uint8_t op[2];
        store16_le(op, delta->ops[i]);
        crc = molt_crc32(crc, op, sizeof op);
    }
    return crc;
}

// The one of which it is asked is the first, or that of the operation that was begun last.
static uint32_t crc_of_sector(const molt_delta_t *delta, const uint8_t *buf, bool is_first) {
    static const uint8_t blank = 0xff;
    uint32_t sector = is_first ? 0 : MOLT_DELTA_OP_SECTOR(delta->ops[delta->next - 1]);
    uint32_t size = min_u32(delta->header.sector_size, delta->header.new_size - sector * delta->header.sector_size);
    uint32_t crc = molt_crc32(0, buf, size);
    for (; size < delta->header.sector_size; size++) {
        crc = molt_crc32(crc, &blank, 1);
    }
    return crc;
}

static int read_repaired(void *ctx, uint32_t off, void *out, uint32_t size) {
    const repaired_t *repaired = ctx;
    REQUIRE(range_within(off, size, repaired->size));
    memcpy(out, repaired->bytes + off, size);
    if (size == 4 && off == DELTA_OFF_OPS_CRC) {
        store32_le(out, crc_of_ops(repaired->delta));
    } else if (size == 4 && off >= DELTA_OFF_CRCS && off < repaired->delta->header.main_off) {
        store32_le(out, crc_of_sector(repaired->delta, repaired->buf, off == DELTA_OFF_CRCS));
    }
    return 0;
}

// As a start that goes on does: what is done is passed over; where that ends the file's last byte says.
static void go_on(
    molt_delta_t *delta, const molt_reader_t *patch, const molt_delta_place_t *place, const memory_t *memory, uint8_t *buf) {
    int err = begin(delta, patch, place, memory);
    uint32_t op_count = err ? 0 : delta->header.op_count;
    uint8_t last;
    REQUIRE(patch->read(patch->ctx, patch->size - 1, &last, 1) == 0);
    for (uint32_t i = 0; !err && i < op_count; i++) {
        molt_delta_write_t write;
        err = molt_delta_next(delta, buf, i >= last % op_count, &write);
        REQUIRE(err || write.addr < place->image_addr + MOLT_DELTA_SECTORS_MAX * delta->header.sector_size);
    }
}

// Whether there is room for such images here.
static bool fits(const molt_delta_header_t *header) {
    return header->sector_size <= SECTOR_MAX && header->new_size <= FLASH_SIZE && header->old_size <= FLASH_SIZE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool is_filled;
    static molt_delta_t delta;
    static uint32_t words[SECTOR_MAX / 4];
    uint8_t *buf = (uint8_t *)words;
    const molt_flash_t flash = { .geometry = { FLASH_SIZE, 512, 2048, 128 }, .read = read_flash };
    const molt_delta_place_t place = { &flash, 0, 0, NULL };
    for (uint32_t i = 0; i < FLASH_SIZE && !is_filled; i++) {
        bytes[i] = (uint8_t)(i * i >> 7);
    }
    is_filled = true;
    uint8_t *file = malloc(size + 1);
    if (file == NULL) {
        return 0;
    }
    memcpy(file, data, size);
    const molt_reader_t patch = molt_memory_reader(file, (uint32_t)size);
    molt_delta_header_t header;
    memory_t memory = { NULL, molt_delta_read_header(&patch, &header) == 0 ? molt_delta_window_size(&header) : 0 };
    memory.bytes = malloc(memory.size ? memory.size : 1);
    if (memory.bytes == NULL) {
        abort();
    }
    repaired_t repaired = { file, (uint32_t)size, &delta, buf };
    const molt_reader_t right = { &repaired, (uint32_t)size, read_repaired };
    int err = begin(&delta, &patch, &place, &memory);
    if (!err && fits(&delta.header) && molt_delta_check(&delta, buf, NULL, NULL) == 0) {
        require_image(&delta, &patch, &place, &memory);
    } else if (begin(&delta, &right, &place, &memory) == 0 && fits(&delta.header)) {
        (void)molt_delta_check(&delta, buf, NULL, NULL);
        go_on(&delta, &right, &place, &memory, buf);
        if (begin(&delta, &right, &place, &memory) == 0) {
            (void)molt_delta_check_back(&delta, buf, NULL, NULL);
        }
    }
    free(memory.bytes);
    free(file);
    return 0;
}
