// What is done with any flash.

#include "molt/flash.h"

#include "base/bytes.h"
#include "base/flash_io.h"
#include "base/geometry.h"

#define PROBE_SIZE 64u

int molt_flash_prog(const molt_flash_t *flash, uint32_t addr, const void *data, uint32_t size) {
    uint32_t page_size = molt_page_size(&flash->geometry);
    const uint8_t *bytes = data;
    while (size) {
        uint32_t piece = min_u32(size, page_size - addr % page_size);
        int err = flash->prog(flash->ctx, addr, bytes, piece);
        if (err) {
            return err;
        }
        addr += piece;
        bytes += piece;
        size -= piece;
    }
    return 0;
}

int molt_flash_is_blank(const molt_flash_t *flash, uint32_t addr, uint32_t size) {
    uint32_t words[PROBE_SIZE / 4];
    while (size) {
        uint32_t piece = min_u32(size, PROBE_SIZE);
        int err = flash->read(flash->ctx, addr, words, piece);
        if (err) {
            return err;
        }
        for (uint32_t i = 0; i < piece / 4; i++) {
            if (words[i] != UINT32_MAX) {
                return 0;
            }
        }
        addr += piece;
        size -= piece;
    }
    return 1;
}
