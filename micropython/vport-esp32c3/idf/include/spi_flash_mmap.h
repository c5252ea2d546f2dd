#ifndef VPORT_SPI_FLASH_MMAP_H
#define VPORT_SPI_FLASH_MMAP_H

#include "esp_err.h"

#define SPI_FLASH_SEC_SIZE 4096
#define SPI_FLASH_MMU_PAGE_SIZE CONFIG_MMU_PAGE_SIZE
#define SPI_FLASH_CACHE2PHYS_FAIL UINT32_MAX

typedef enum { SPI_FLASH_MMAP_DATA, SPI_FLASH_MMAP_INST } spi_flash_mmap_memory_t;
typedef uint32_t spi_flash_mmap_handle_t;

// addr is a multiple of 64 KB.
esp_err_t spi_flash_mmap(
    uint32_t addr, uint32_t size, spi_flash_mmap_memory_t memory, const void **pointer, spi_flash_mmap_handle_t *handle);
void spi_flash_munmap(spi_flash_mmap_handle_t handle);
uint32_t spi_flash_cache2phys(const void *cached);

#endif
