// See base/sector.h.

#include "base/sector.h"

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "molt/error.h"

// Bytes that are compared at a time.
#define VERIFY_SIZE 256u

static bool is_erased(const uint8_t *data, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (data[i] != 0xff) {
            return false;
        }
    }
    return true;
}

// Program what of a sector is not all ones, page by page from its end to its begin, and the header by itself.
static int program_pages(const molt_flash_t *flash, uint32_t addr, const uint8_t *data) {
    uint32_t page_size = molt_page_size(&flash->geometry);
    uint32_t off = molt_sector_size(&flash->geometry);
    do {
        uint32_t size = off > page_size ? page_size : off > MOLT_SECTOR_HEADER_SIZE ? off - MOLT_SECTOR_HEADER_SIZE : off;
        off -= size;
        if (!is_erased(data + off, size)) {
            int err = flash->prog(flash->ctx, addr + off, data + off, size);
            if (err) {
                return err;
            }
        }
    } while (off != 0);
    return 0;
}

int molt_sector_verify(const molt_flash_t *flash, uint32_t addr, const uint8_t *data) {
    uint32_t words[VERIFY_SIZE / 4];
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    for (uint32_t off = 0; off < sector_size; off += VERIFY_SIZE) {
        int err = flash->read(flash->ctx, addr + off, words, VERIFY_SIZE);
        if (err) {
            return err;
        }
        if (memcmp(words, data + off, VERIFY_SIZE) != 0) {
            return MOLT_ERR_IO;
        }
    }
    return 0;
}

int molt_sector_write(const molt_flash_t *flash, uint32_t addr, const uint8_t *data, bool is_blank) {
    int err = MOLT_ERR_IO;
    for (uint32_t try = 0; try < MOLT_SECTOR_TRIES; try++) {
        err = is_blank && try == 0 ? 0 : flash->erase_sector(flash->ctx, addr);
        if (!err) {
            err = program_pages(flash, addr, data);
        }
        if (!err) {
            err = molt_sector_verify(flash, addr, data);
        }
        if (!err) {
            return 0;
        }
    }
    return err;
}
