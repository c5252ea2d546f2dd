// A source without a filesystem.

#include "molt/source.h"

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/libc.h"

#define PIECE_SIZE 64u

// Flash is read by whole words, an image's headers are not.
static int read_region(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const molt_region_source_t *region = ctx;
    uint32_t words[PIECE_SIZE / 4 + 1];
    uint32_t piece;
    for (uint32_t done = 0; done < size; done += piece) {
        uint32_t skip = (off + done) & 3;
        piece = min_u32(PIECE_SIZE, size - done);
        int err = region->flash->read(region->flash->ctx, region->addr + off + done - skip, words, (skip + piece + 3) & ~3u);
        if (err) {
            return err;
        }
        memcpy((uint8_t *)buf + done, (const uint8_t *)words + skip, piece);
    }
    return 0;
}

static int walk_region(void *ctx, molt_emit_t *emit, void *emit_ctx) {
    const molt_region_source_t *region = ctx;
    const molt_extent_t whole = { 0, 0, region->addr, region->source.file.size };
    return emit(emit_ctx, &whole);
}

void molt_region_source(molt_region_source_t *region, const molt_flash_t *flash, uint32_t addr, uint32_t size) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    *region = (molt_region_source_t){
        .source = {
            .file = { region, size, read_region },
            .sector_count = ceil_div(size, sector_size),
            .block_size = sector_size,
            .walk = walk_region,
            .ctx = region,
        },
        .flash = flash,
        .addr = addr,
    };
}
