// The mask-ROM functions that molt uses on the RISC-V chips of the ESP32 family, called at their fixed addresses, which each chip's
// chip.ld has.
#ifndef MOLT_ESP32_ROM_H
#define MOLT_ESP32_ROM_H

#include <stdbool.h>
#include <stdint.h>

// 0 is success. Addresses and sizes are multiples of 4, buffers 4-byte aligned. They use the SPI controller as the second-stage boot
// loader has set it up: its read mode, its clock, the chip's size, the protection taken off.
int esp_rom_spiflash_read(uint32_t addr, void *buf, uint32_t size);
int esp_rom_spiflash_write(uint32_t addr, const void *buf, uint32_t size);
int esp_rom_spiflash_erase_sector(uint32_t sector);
int esp_rom_spiflash_erase_block(uint32_t block);

// SHA by the chip's accelerator. Source: ESP-IDF, rom/sha.h for ESP32-C3. The second-stage boot loader uses the same functions.
#define ROM_SHA1 0
typedef struct rom_sha {
    bool is_first;
    bool is_in_hardware;
    uint32_t type;
    uint32_t state[16];
    uint8_t block[128];
    uint32_t bit_count[4];
} rom_sha_t;
void ets_sha_enable(void);
int ets_sha_init(rom_sha_t *sha, uint32_t type);
int ets_sha_starts(rom_sha_t *sha, uint32_t truncated_bits);
void ets_sha_update(rom_sha_t *sha, const void *data, uint32_t size, bool keeps_state);
int ets_sha_finish(rom_sha_t *sha, uint8_t *digest);

// The common CRC-32, continued from `crc`. (An entry of otadata shows that it is: 0x4743989a for the word 1 from UINT32_MAX on.)
uint32_t crc32_le(uint32_t crc, const void *data, uint32_t size);

void ets_delay_us(uint32_t us);
// %d, %x, %s, %c and %%, to where the second-stage boot loader's messages go.
int ets_printf(const char *format, ...);
void software_reset(void);

#endif
