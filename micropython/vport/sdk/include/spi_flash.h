// Flash of the running system. May be called at any time: the code lies in IRAM and keeps the flash
// cache off while the flash is busy.
#ifndef VSDK_SPI_FLASH_H
#define VSDK_SPI_FLASH_H

#include "c_types.h"

#define SPI_FLASH_SEC_SIZE 4096

typedef enum {
    SPI_FLASH_RESULT_OK,
    SPI_FLASH_RESULT_ERR,
    SPI_FLASH_RESULT_TIMEOUT,
} SpiFlashOpResult;

// The mask ROM's idea of the flash chip; it checks every access against chip_size.
typedef struct {
    uint32 deviceId;
    uint32 chip_size;
    uint32 block_size;
    uint32 sector_size;
    uint32 page_size;
    uint32 status_mask;
} SpiFlashChip;

// Addresses and sizes in bytes, multiples of 4; buffers in RAM, 4-aligned.
// The words are `unsigned int` as in Espressif's headers, and so not what uint32_t is with every compiler.
SpiFlashOpResult spi_flash_read(uint32 addr, uint32 *buf, uint32 size);
SpiFlashOpResult spi_flash_write(uint32 addr, uint32 *buf, uint32 size);
SpiFlashOpResult spi_flash_erase_sector(uint16_t sector);
uint32 spi_flash_get_id(void);

#endif  // VSDK_SPI_FLASH_H
