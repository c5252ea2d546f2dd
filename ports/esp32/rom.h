// The mask-ROM functions that molt uses on the chips of the ESP32 family, called at their fixed addresses, which each chip's chip.ld has.
// Those for SHA are in rom_digests.c.
#ifndef MOLT_ESP32_ROM_H
#define MOLT_ESP32_ROM_H

#include <stdint.h>

// 0 is success, 1 and 2 are failures. Addresses and sizes are multiples of 4, buffers 4-byte aligned. They use the SPI controller as the
// second-stage boot loader has set it up: its read mode, its clock, the chip's size, the protection taken off. Those that erase take the number of a sector or block, and look at nothing else.
typedef int rom_flash_t(uint32_t what, void *buf, uint32_t size);
rom_flash_t esp_rom_spiflash_read;
rom_flash_t esp_rom_spiflash_write;
rom_flash_t esp_rom_spiflash_erase_sector;
rom_flash_t esp_rom_spiflash_erase_block;

// The common CRC-32, continued from `crc`. (An entry of otadata shows that it is: 0x4743989a for the word 1 from UINT32_MAX on.)
uint32_t crc32_le(uint32_t crc, const void *data, uint32_t size);

void ets_delay_us(uint32_t us);
// %d, %x, %s, %c and %%, to where the second-stage boot loader's messages go.
int ets_printf(const char *format, ...);
void software_reset(void);

#endif
