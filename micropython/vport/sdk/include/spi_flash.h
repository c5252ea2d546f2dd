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
    uint32_t deviceId;
    uint32_t chip_size;
    uint32_t block_size;
    uint32_t sector_size;
    uint32_t page_size;
    uint32_t status_mask;
} SpiFlashChip;

// Addresses and sizes in bytes, multiples of 4; buffers in RAM, 4-aligned.
SpiFlashOpResult spi_flash_read(uint32_t addr, uint32_t *buf, uint32_t size);
SpiFlashOpResult spi_flash_write(uint32_t addr, uint32_t *buf, uint32_t size);
SpiFlashOpResult spi_flash_erase_sector(uint16_t sector);
uint32_t spi_flash_get_id(void);

#endif // VSDK_SPI_FLASH_H
