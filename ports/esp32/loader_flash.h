// The flash of the standby loader, which is one translation unit: each is defined by one of its files, by
// the mask ROM (rom_flash.c, rom_read.c) or without it.
#ifndef MOLT_ESP32_LOADER_FLASH_H
#define MOLT_ESP32_LOADER_FLASH_H

#include <stdint.h>

#define SECTOR_SIZE 4096u
#define BLOCK_SIZE 65536u
#define PAGE_SIZE 256u

static void flash_begin(void);
static int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size);
static int flash_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size);
static int flash_erase_sector(void *ctx, uint32_t addr);
static int flash_erase_block(void *ctx, uint32_t addr);

#endif
