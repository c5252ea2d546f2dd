// The flash of an extension that is linked beside the loader: board.c's, which is the loader's driver on its model.

#include "loader_flash.h"

int board_read(uint32_t addr, void *buf, uint32_t size);
int board_prog(uint32_t addr, const void *buf, uint32_t size);
int board_erase_sector(uint32_t addr);

static void flash_begin(void) {
}

static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return board_read(addr, buf, size);
}

static int flash_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    return board_prog(addr, buf, size);
}

static int flash_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    return board_erase_sector(addr);
}

// No delta erases one.
static int flash_erase_block(void *ctx, uint32_t addr) {
    (void)ctx;
    (void)addr;
    return -1;
}
