// The ROM's flash functions, step by step as the mask ROM's: what they check, and the commands that they give.
//
// They check little: that the range ends within `flashchip`'s size, by an addition that may wrap around, and that what is
// to be programmed is made of whole words. Each waits until the chip is no longer busy, however long that takes.
#include "../board.h"
#include "cache.h"
#include "chip.h"
#include "controller.h"
#include "power.h"
#include "rom.h"
#include "watchdog.h"

enum {
    PIECE_SIZE = 32,  // of a read or program command: half of the data registers
    ADDR_MASK = 0xffffff,
    SIZE_SHIFT = 24,
    STATUS_QE = 0x0200,
    STATUS_LOCKED = CHIP_STATUS_BP,
    CTRL_BASE = 0x288000,
    CTRL_DIVIDER_4 = 0x313,
    USER_CS_SETUP = 4,
    MODE_QIO = 0,
    MODE_QOUT = 1,
    MODE_DIO = 2,
    MODE_DOUT = 3,
    MODE_FAST = 4,
    MODE_SLOW = 5,
};

// The mode bits of the control register, without the fast-read bit's neighbours.
#define CTRL_MODES (SPI_CTRL_FAST | SPI_CTRL_DOUT | SPI_CTRL_QOUT | SPI_CTRL_DIO | SPI_CTRL_QIO)

static struct flashchip *flashchip(void) {
    return *(struct flashchip **)(uintptr_t)FLASHCHIP_POINTER_VADDR;
}

static void begin(const char *function) {
    cache_note_command(function);
    watchdog_check();
}

// ---- status register

int SPI_read_status(struct flashchip *chip, uint32_t *status) {
    uint32_t value;
    do {
        SPI0->status = 0;
        controller_run(SPI_READ_STATUS);
        value = SPI0->status & chip->status_mask;
        watchdog_check();
        if (chip_is_stuck() && !watchdog_is_armed()) {
            power_hang("the ROM waits for a flash chip that stays busy");
        }
    } while ((value & CHIP_STATUS_WIP) != 0);
    *status = value;
    return SPI_OK;
}

int Wait_SPI_Idle(struct flashchip *chip) {
    uint32_t status;
    return SPI_read_status(chip, &status);
}

int SPI_write_enable(struct flashchip *chip) {
    uint32_t status = 0;
    Wait_SPI_Idle(chip);
    controller_run(SPI_WRITE_ENABLE);
    while ((status & CHIP_STATUS_WEL) == 0) {
        SPI_read_status(chip, &status);
    }
    return SPI_OK;
}

// Returns with the chip busy. The control register decides on one byte or two.
int SPI_write_status(struct flashchip *chip, uint32_t status) {
    begin("SPI_write_status");
    Wait_SPI_Idle(chip);
    SPI0->status = status;
    controller_run(SPI_WRITE_STATUS);
    return SPI_OK;
}

// Zero in all of it. In two bytes once the ROM has booted, and then quad-enable goes as well.
int SPIUnlock(void) {
    SPI_write_enable(flashchip());
    return SPI_write_status(flashchip(), 0);
}

int SPILock(void) {
    SPI_write_enable(flashchip());
    return SPI_write_status(flashchip(), STATUS_LOCKED);
}

int Enable_QMode(struct flashchip *chip) {
    SPI0->ctrl |= SPI_CTRL_TWO_STATUS_BYTES;
    SPI_write_enable(chip);
    return SPI_write_status(chip, STATUS_QE);
}

// The first byte as it is, and zero in the second.
static int disable_quad(struct flashchip *chip) {
    uint32_t status;
    SPI0->ctrl |= SPI_CTRL_TWO_STATUS_BYTES;
    SPI_write_enable(chip);
    SPI_read_status(chip, &status);
    return SPI_write_status(chip, status & 0xff);
}

// ---- setting up

// A mode as in byte 2 of an image's header; 4 is a fast read on one line, anything else a slow one.
int SPIReadModeCnfig(uint32_t mode) {
    static const uint32_t bits[] = {
        [MODE_QIO] = SPI_CTRL_QIO | SPI_CTRL_FAST,
        [MODE_QOUT] = SPI_CTRL_QOUT | SPI_CTRL_FAST,
        [MODE_DIO] = SPI_CTRL_DIO | SPI_CTRL_FAST,
        [MODE_DOUT] = SPI_CTRL_DOUT | SPI_CTRL_FAST,
        [MODE_FAST] = SPI_CTRL_FAST,
        [MODE_SLOW] = 0,
    };
    SPI0->ctrl &= ~(uint32_t)CTRL_MODES;
    if (mode == MODE_QIO || mode == MODE_QOUT) {
        Enable_QMode(flashchip());
    } else {
        disable_quad(flashchip());
    }
    SPI0->ctrl |= bits[mode < MODE_SLOW ? mode : MODE_SLOW];
    return SPI_OK;
}

void SelectSpiFunction(void) {
}

void spi_flash_attach(void) {
    SelectSpiFunction();
    SPI0->user |= USER_CS_SETUP;
    SPI0->ctrl = CTRL_BASE | CTRL_DIVIDER_4;
    SPIReadModeCnfig(MODE_SLOW);
}

int SPIParamCfg(
    uint32_t device_id, uint32_t chip_size, uint32_t block_size, uint32_t sector_size, uint32_t page_size, uint32_t status_mask) {
    *flashchip() = (struct flashchip){ device_id, chip_size, block_size, sector_size, page_size, status_mask };
    return SPI_OK;
}

// ---- reading

int SPIRead(uint32_t addr, uint32_t *buffer, uint32_t size) {
    begin("SPIRead");
    if (addr + size > flashchip()->chip_size) {
        return SPI_ERROR;
    }
    Wait_SPI_Idle(flashchip());
    if ((int32_t)size <= 0) {
        return SPI_OK;
    }
    // All but the last piece goes straight to the buffer; from a buffer that is not aligned the processor turns away.
    uint32_t straight = ((uintptr_t)buffer & 3) == 0 ? (size - 1) / PIECE_SIZE * PIECE_SIZE : 0;
    if (straight > 0) {
        controller_read_pieces(addr, buffer, straight, PIECE_SIZE);
    }
    for (uint32_t done = straight; done < size; done += PIECE_SIZE) {
        uint32_t piece = size - done < PIECE_SIZE ? size - done : PIECE_SIZE;
        SPI0->addr = (addr + done) | piece << SIZE_SHIFT;
        controller_run(SPI_READ);
        for (uint32_t i = 0; i < (piece + 3) / 4; i++) {
            ((volatile uint32_t *)buffer)[done / 4 + i] = SPI0->data[i];
        }
    }
    return SPI_OK;
}

// ---- programming and erasing

static int program_page(struct flashchip *chip, uint32_t addr, const volatile uint32_t *data, uint32_t size) {
    if ((size & 3) != 0 || size + addr % chip->page_size > chip->page_size) {
        return SPI_ERROR;
    }
    Wait_SPI_Idle(chip);
    while (size > 0) {
        uint32_t piece = size < PIECE_SIZE ? size : PIECE_SIZE;
        SPI0->addr = (addr & ADDR_MASK) | piece << SIZE_SHIFT;
        for (uint32_t i = 0; i < piece / 4; i++) {
            SPI0->data[i] = *data++;
        }
        SPI_write_enable(chip);
        controller_run(SPI_PROGRAM);
        Wait_SPI_Idle(chip);
        addr += piece;
        size -= piece;
    }
    return SPI_OK;
}

// Page by page. The number of whole pages is counted in a byte: more than 255 of them never end.
int SPIWrite(uint32_t addr, const uint32_t *data, uint32_t size) {
    begin("SPIWrite");
    struct flashchip *chip = flashchip();
    if (addr + size > chip->chip_size) {
        return SPI_ERROR;
    }
    uint32_t done = chip->page_size - addr % chip->page_size;
    if (size < done) {
        return program_page(chip, addr, data, size);
    }
    if (program_page(chip, addr, data, done) != SPI_OK) {
        return SPI_ERROR;
    }
    uint32_t pages = (size - done) / chip->page_size;
    for (uint8_t page = 0; page != pages; page++) {
        if (program_page(chip, addr + done, data + done / 4, chip->page_size) != SPI_OK) {
            return SPI_ERROR;
        }
        done += chip->page_size;
    }
    return program_page(chip, addr + done, data + done / 4, size - done);
}

static int erase(const char *function, uint32_t index, uint32_t size, uint32_t command) {
    begin(function);
    struct flashchip *chip = flashchip();
    if (index >= chip->chip_size / size) {
        return SPI_ERROR;
    }
    SPI_write_enable(chip);
    Wait_SPI_Idle(chip);
    SPI0->addr = (index * size) & ADDR_MASK;
    controller_run(command);
    return Wait_SPI_Idle(chip);
}

int SPIEraseSector(uint32_t sector) {
    return erase("SPIEraseSector", sector, flashchip()->sector_size, SPI_ERASE_SECTOR);
}

int SPIEraseBlock(uint32_t block) {
    return erase("SPIEraseBlock", block, flashchip()->block_size, SPI_ERASE_BLOCK);
}

int SPIEraseChip(void) {
    begin("SPIEraseChip");
    SPI_write_enable(flashchip());
    Wait_SPI_Idle(flashchip());
    controller_run(SPI_ERASE_CHIP);
    return Wait_SPI_Idle(flashchip());
}

// As it is in the mask ROM, with its mistake: the sectors up to the first 64 KB block are erased, and then as many
// sectors as were asked for from there on. It ends in the slow mode, and unlocks the chip before.
int SPIEraseArea(uint32_t addr, uint32_t size) {
    struct flashchip *chip = flashchip();
    SPIReadModeCnfig(MODE_SLOW);
    if (addr + size > chip->chip_size || addr % chip->sector_size != 0 || SPIUnlock() != SPI_OK) {
        return SPI_ERROR;
    }
    uint32_t sector = addr / chip->sector_size;
    uint32_t per_block = chip->block_size / chip->sector_size;
    uint32_t count = (size + chip->sector_size - 1) / chip->sector_size;
    uint32_t first = per_block - sector % per_block;
    for (first = first < count ? first : count; first > 0; first--) {
        if (SPIEraseSector(sector++) != SPI_OK) {
            return SPI_ERROR;
        }
    }
    for (; count > per_block; count -= per_block) {
        if (SPIEraseBlock(sector / per_block) != SPI_OK) {
            return SPI_ERROR;
        }
        sector += per_block;
    }
    for (; count > 0; count--) {
        if (SPIEraseSector(sector++) != SPI_OK) {
            return SPI_ERROR;
        }
    }
    return SPI_OK;
}
