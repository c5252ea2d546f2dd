// The ROM's flash functions: what they refuse, and what they pass on to the chip.
//
// They take addresses, lengths and buffers in multiples of four, and know the chip's size only from `flashchip`.
#include "../board.h"
#include "cache.h"
#include "nor.h"
#include "print.h"
#include "rom.h"
#include "watchdog.h"

static uint32_t chip_size(void) {
    return ((const uint32_t *)(uintptr_t)FLASHCHIP_VADDR)[1];
}

static bool acceptable(uint32_t addr, const void *buffer, uint32_t size) {
    uint32_t limit = chip_size();
    return ((addr | (uintptr_t)buffer | size) & 3) == 0 && addr <= limit && size <= limit - addr;
}

// A protected chip takes the command and does nothing; the function reports success all the same.
static bool protected_from(const char *function) {
    if (nor_is_protected) {
        board_say("%s: the chip is write-protected and ignores it; call SPIUnlock first", function);
    }
    return nor_is_protected;
}

static void begin(const char *function) {
    cache_note_command(function);
    watchdog_check();
}

int SPIRead(uint32_t addr, uint32_t *buffer, uint32_t size) {
    begin("SPIRead");
    if (!acceptable(addr, buffer, size)) {
        return SPI_ERROR;
    }
    nor_read(addr, buffer, size);
    return SPI_OK;
}

int SPIWrite(uint32_t addr, const uint32_t *data, uint32_t size) {
    begin("SPIWrite");
    if (!acceptable(addr, data, size)) {
        return SPI_ERROR;
    }
    if (!protected_from("SPIWrite")) {
        nor_program(addr, data, size);
    }
    return SPI_OK;
}

static int erase(const char *function, uint32_t index, uint32_t size) {
    begin(function);
    if (index >= chip_size() / size) {
        return SPI_ERROR;
    }
    if (!protected_from(function)) {
        nor_erase(index * size, size);
    }
    return SPI_OK;
}

int SPIEraseSector(uint32_t sector) {
    return erase("SPIEraseSector", sector, NOR_SECTOR_SIZE);
}

int SPIEraseBlock(uint32_t block) {
    return erase("SPIEraseBlock", block, NOR_BLOCK_SIZE);
}

// Every sector that the range touches, by 64 KB blocks where whole ones are.
int SPIEraseArea(uint32_t addr, uint32_t size) {
    uint32_t limit = chip_size();
    if (addr > limit || size > limit - addr) {
        return SPI_ERROR;
    }
    uint32_t end = (addr + size + NOR_SECTOR_SIZE - 1) & ~(NOR_SECTOR_SIZE - 1u);
    addr &= ~(NOR_SECTOR_SIZE - 1u);
    int err = SPI_OK;
    while (addr < end && err == SPI_OK) {
        bool by_block = addr % NOR_BLOCK_SIZE == 0 && end - addr >= NOR_BLOCK_SIZE;
        uint32_t step = by_block ? NOR_BLOCK_SIZE : NOR_SECTOR_SIZE;
        err = by_block ? SPIEraseBlock(addr / step) : SPIEraseSector(addr / step);
        addr += step;
    }
    return err;
}

int SPIEraseChip(void) {
    return SPIEraseArea(0, chip_size());
}

int SPIUnlock(void) {
    nor_is_protected = false;
    return SPI_OK;
}

int SPILock(void) {
    nor_is_protected = true;
    return SPI_OK;
}

enum { STATUS_PROTECTED = 0x1c };  // block-protect bits BP0..BP2 [W25Q32JV data sheet]

int SPI_read_status(void *chip, uint32_t *status) {
    (void)chip;
    *status = nor_is_protected ? STATUS_PROTECTED : 0;
    return SPI_OK;
}

int SPI_write_status(void *chip, uint32_t status) {
    (void)chip;
    nor_is_protected = (status & STATUS_PROTECTED) != 0;
    return SPI_OK;
}

// Every operation is over when its function returns, so there is never anything to wait for.
int Wait_SPI_Idle(void *chip) {
    (void)chip;
    return SPI_OK;
}

int SPI_write_enable(void *chip) {
    (void)chip;
    return SPI_OK;
}

int Enable_QMode(void *chip) {
    (void)chip;
    return SPI_OK;
}

int SPIReadModeCnfig(uint32_t mode) {
    (void)mode;
    return SPI_OK;
}

void SelectSpiFunction(void) {
}

void spi_flash_attach(void) {
}
