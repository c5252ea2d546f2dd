// The mask-ROM functions that molt uses on an ESP8266, called at their fixed addresses.
// Source of the addresses: the ROM address table that Espressif ships with the SDK (eagle.rom.addr.v6.ld); the
// boot loader gets them from rom_calls.S.
#ifndef MOLT_ESP8266_ROM_H
#define MOLT_ESP8266_ROM_H

#include <stdint.h>

// The ROM's own description of the flash chip, at a fixed place in its data. SPI functions refuse addresses
// beyond chip_size.
typedef struct esp8266_flashchip {
    uint32_t device_id;
    uint32_t chip_size;    // bytes
    uint32_t block_size;   // bytes, 65536
    uint32_t sector_size;  // bytes, 4096
    uint32_t page_size;    // bytes, 256
    uint32_t status_mask;
} esp8266_flashchip_t;

extern esp8266_flashchip_t *flashchip;

// The callbacks of molt_flash_t, by SPIRead, SPIWrite, SPIEraseSector and SPIEraseBlock. Addresses and sizes are multiples of 4,
// buffers 4-byte aligned. 0 or MOLT_ERR_IO, in place of the ROM's 1 and 2.
int flash_read(void *ctx, uint32_t addr, void *buf, uint32_t size);
int flash_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size);
int flash_erase_sector(void *ctx, uint32_t addr);
int flash_erase_block(void *ctx, uint32_t addr);

// Writes 0 into the chip's status register: non-volatile, some 10 ms, and in a quad mode two bytes of it, which also
// clears the quad-enable bit, so that nothing can be read any more. Only where protection is really on.
int SPIUnlock(void);
// Bits of *status: 0 busy, 1 write enabled, 2 to 5 block protection. Waits for nothing.
int SPI_read_status(const esp8266_flashchip_t *chip, uint32_t *status);

void ets_wdt_disable(void);
void ets_wdt_enable(uint32_t mode, uint32_t timeout_a, uint32_t timeout_b);
void ets_delay_us(uint32_t us);
int uart_tx_one_char(uint32_t c);
// %d, %x, %s, %c and %%. Reads the format by bytes, so not from IRAM.
int ets_printf(const char *format, ...);
void software_reset(void);

#endif
