// Links in flash: one behind the other from the bottom of the region upwards, each complete once its magic is there.

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/flash_io.h"
#include "base/libc.h"
#include "frozen/link.h"
#include "frozen/link_layout.h"
#include "frozen/link_parts.h"
#include "frozen/store_layout.h"
#include "molt/error.h"

#define PIECE 64

static bool decode_link(const uint8_t *header, uint32_t addr, uint32_t room, molt_link_t *link) {
    uint32_t pool = load32_le(header + LINK_POOL_OFF);
    uint32_t version = load32_le(header + LINK_VERSION_OFF);
    *link = (molt_link_t){
        .addr = addr,
        .data_size = load32_le(header + LINK_SIZE_OFF),
        .record_addr = load32_le(header + LINK_RECORD_OFF),
        .mpy_crc = load32_le(header + LINK_MPY_CRC_OFF),
        .abi_crc = load32_le(header + LINK_ABI_CRC_OFF),
        .qstr_base = load32_le(header + LINK_QSTR_BASE_OFF),
        .prev_pool_vaddr = load32_le(header + LINK_PREV_POOL_OFF),
        .pool_off = pool & 0xffffu,
        .qstr_count = pool >> 16,
        .data_crc = load32_le(header + LINK_DATA_CRC_OFF),
        .is_linked = !(version & LINK_REFUSED),
    };
    memcpy(link->build, header + LINK_BUILD_OFF, MOLT_LINK_BUILD_SIZE);
    return load32_le(header) == LINK_MAGIC && (version & 0xffffu) == MOLT_LINK_VERSION
           && load32_le(header + LINK_CRC_OFF) == molt_crc32(0, header + LINK_VERSION_OFF, LINK_CRC_OFF - LINK_VERSION_OFF)
           && link->data_size <= room && link->data_size % 4 == 0
           && link->pool_off < MOLT_LINK_HEADER_SIZE + (link->data_size ? link->data_size : 1);
}

int molt_link_next(const molt_flash_t *flash, uint32_t bottom_addr, uint32_t limit_addr, uint32_t *at, molt_link_t *link) {
    uint32_t words[MOLT_LINK_HEADER_SIZE / 4];
    *at = *at ? *at : bottom_addr;
    if (*at > limit_addr || limit_addr - *at < MOLT_LINK_HEADER_SIZE) {
        return 0;
    }
    int err = flash->read(flash->ctx, *at, words, sizeof words);
    if (err) {
        return err;
    }
    uint32_t room = limit_addr - *at - MOLT_LINK_HEADER_SIZE;
    if (decode_link((const uint8_t *)words, *at, room, link)) {
        *at += MOLT_LINK_HEADER_SIZE + link->data_size;
        return 1;
    }
    for (uint32_t i = 0; i < MOLT_LINK_HEADER_SIZE / 4; i++) {
        if (words[i] != ERASED) {
            return MOLT_ERR_CORRUPT;
        }
    }
    return 0;
}

int molt_link_peek(const molt_flash_t *flash, uint32_t addr, molt_link_t *link) {
    uint32_t words[MOLT_LINK_HEADER_SIZE / 4];
    int err = flash->read(flash->ctx, addr, words, LINK_MPY_CRC_OFF);
    const uint8_t *header = (const uint8_t *)words;
    link->addr = addr;
    link->data_size = load32_le(header + LINK_SIZE_OFF);
    link->record_addr = load32_le(header + LINK_RECORD_OFF);
    link->is_linked = !(load32_le(header + LINK_VERSION_OFF) & LINK_REFUSED);
    return err;
}

int molt_link_check(const molt_flash_t *flash, const molt_link_t *link, void *work) {
    uint32_t crc = 0;
    for (uint32_t off = 0; off < link->data_size; off += MOLT_STORE_WORK_SIZE) {
        uint32_t size = min_u32(link->data_size - off, MOLT_STORE_WORK_SIZE);
        int err = flash->read(flash->ctx, link->addr + MOLT_LINK_HEADER_SIZE + off, work, size);
        if (err) {
            return err;
        }
        crc = molt_crc32(crc, work, size);
    }
    return crc == link->data_crc ? 0 : MOLT_ERR_CORRUPT;
}

// Erase the sectors that [addr, end) needs, and the next one where `end` is between two: nothing may stand there
// that looks like a further link. The rest of the sector that `addr` is within has to be erased.
static int make_room(const molt_flash_t *flash, uint32_t addr, uint32_t end, uint32_t limit_addr) {
    uint32_t sector_size = flash->geometry.sector_size;
    uint32_t begin = addr - addr % sector_size;
    for (uint32_t sector = begin; sector <= end && sector < limit_addr; sector += sector_size) {
        uint32_t low = sector < addr ? addr : sector;
        int blank = molt_flash_is_blank(flash, low, sector + sector_size - low);
        if (blank < 0) {
            return blank;
        }
        if (blank == 0 && sector < addr) {
            return MOLT_ERR_CORRUPT;
        }
        int err = blank ? 0 : flash->erase_sector(flash->ctx, sector);
        if (err) {
            return err;
        }
    }
    return 0;
}

int molt_link_write(
    const molt_flash_t *flash, uint32_t addr, uint32_t limit_addr, const uint32_t *words, const molt_link_t *link) {
    uint32_t size = MOLT_LINK_HEADER_SIZE + link->data_size;
    const uint8_t *bytes = (const uint8_t *)words;
    if (addr > limit_addr || size > limit_addr - addr) {
        return MOLT_ERR_NOSPC;
    }
    int err = make_room(flash, addr, addr + size, limit_addr);
    // The header's magic is still erased in `words`.
    err = err ? err : molt_flash_prog(flash, addr + 4, bytes + 4, size - 4);
    for (uint32_t off = 4; !err && off < size;) {
        uint32_t read[PIECE / 4];
        uint32_t piece = min_u32(size - off, PIECE);
        err = flash->read(flash->ctx, addr + off, read, piece);
        if (!err && memcmp(read, bytes + off, piece) != 0) {
            err = MOLT_ERR_IO;
        }
        off += piece;
    }
    return err ? err : store_prog_word(flash, addr, LINK_MAGIC);
}
