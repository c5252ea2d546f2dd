// The flash chip's cells on a host file, which is always the state after the last operation.
#include "cells.h"

#include "../board.h"
#include "cache.h"
#include "host.h"
#include "power.h"
#include "rom.h"
#include "say.h"

// A copy of the sector that was changed last, so that the next change in it need not read it.
static struct {
    int fd;
    uint8_t bytes[CELLS_SECTOR_SIZE];
    uint32_t addr;
    bool is_valid;
} cells;

uint32_t cells_open(const char *path) {
    cells.fd = host_open(path, HOST_O_RDWR);
    if (cells.fd < 0) {
        board_say("cannot open the flash file %s", path);
        host_exit(EXIT_BROKEN);
    }
    return host_file_size(cells.fd);
}

void cells_read(uint32_t addr, void *to, uint32_t size) {
    host_read_at(cells.fd, addr, to, size);
}

uint8_t *cells_borrow(uint32_t addr) {
    uint32_t first = addr % CELLS_SECTOR_SIZE;
    if (!cells.is_valid || cells.addr != addr - first) {
        host_read_at(cells.fd, addr - first, cells.bytes, CELLS_SECTOR_SIZE);
    }
    cells.addr = addr - first;
    cells.is_valid = true;
    return cells.bytes + first;
}

void cells_store(uint32_t addr, const uint8_t *borrowed, uint32_t size) {
    host_write_at(cells.fd, addr, borrowed, size);
}

void cells_blank(uint32_t addr) {
    cells.addr = addr;
    cells.is_valid = true;
    memset(cells.bytes, 0xff, CELLS_SECTOR_SIZE);
    host_write_at(cells.fd, addr, cells.bytes, CELLS_SECTOR_SIZE);
}

void cells_operation(uint32_t number) {
    (void)number;
}

void cells_changed(uint32_t addr, uint32_t size) {
    cache_flash_changed(addr, size);
}

void cells_power_lost(void) {
    power_off(EXIT_CUT);
}
