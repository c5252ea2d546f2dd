// esp_flash_* of the virtual IDF.
//
// As IDF's default has it, a write or an erase of the boot loader, the table or the running program aborts. A program command takes 64
// bytes at most, which is what SPI1 has room for [hal/spi_flash_hal.h]; an erase takes 64 KB blocks where it can. The cache stays on
// meanwhile, which a chip does not allow.
#include <string.h>

#include "board.h"
#include "esp_flash.h"
#include "esp_flash_internal.h"
#include "esp_ota_ops.h"
#include "esp_system.h"

enum { SECTOR_SIZE = 4096, BLOCK_SIZE = 65536, PAGE_SIZE = 256, PIECE_SIZE = 64, TABLE_END = 0x8c00 };
#define SPI1(off) REG(0x60002000 + (off))
enum { COMMAND = 0, ADDR = 4, USER2 = 0x20, STATUS = 0x2c, DATA = 0x58 };
#define COMMAND_WRITE_ENABLE 0x40000000u
#define COMMAND_READ_ID 0x10000000u
#define COMMAND_READ_STATUS 0x08000000u
#define COMMAND_PROGRAM 0x02000000u
#define STATUS_BUSY 1u

int esp_rom_spiflash_read(uint32_t addr, void *buffer, uint32_t size);
int esp_rom_spiflash_erase_sector(uint32_t sector);
int esp_rom_spiflash_erase_block(uint32_t block);

static esp_flash_t main_chip = { .size = 0, .is_guarded = true };
esp_flash_t *esp_flash_default_chip = &main_chip;

void flash_init(void);

static void give(uint32_t command) {
    SPI1(COMMAND) = command;
    while (SPI1(COMMAND) != 0) {
    }
}

static void wait_idle(void) {
    do {
        give(COMMAND_READ_STATUS);
    } while ((SPI1(STATUS) & STATUS_BUSY) != 0);
}

esp_err_t esp_flash_read_id(esp_flash_t *chip, uint32_t *id) {
    (void)chip;
    give(COMMAND_READ_ID);
    uint32_t lines = SPI1(DATA);  // as they come: manufacturer, type, capacity
    *id = (lines & 0xff) << 16 | (lines & 0xff00) | (lines >> 16 & 0xff);
    return ESP_OK;
}

esp_err_t esp_flash_get_physical_size(esp_flash_t *chip, uint32_t *size) {
    uint32_t id;
    esp_err_t err = esp_flash_read_id(chip, &id);
    *size = 1u << (id & 0xff);
    return err;
}

esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *size) {
    *size = (chip != NULL ? chip : esp_flash_default_chip)->size;
    return ESP_OK;
}

// The size that the boot loader has found in its own header, and left in the ROM's data.
void flash_init(void) {
    const uint32_t *rom = *(const uint32_t *const *)0x3fcdfff0;
    main_chip.size = rom[1];
    esp_flash_read_id(&main_chip, &main_chip.chip_id);
}

esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *chip, const bool protect) {
    if (chip == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    chip->is_guarded = protect;
    return ESP_OK;
}

static bool is_dangerous(uint32_t addr, uint32_t size) {
    const esp_partition_t *running = esp_ota_get_running_partition();
    return addr <= TABLE_END || (addr >= running->address && addr < running->address + running->size)
           || (addr < running->address && addr + size > running->address);
}

static void guard(const esp_flash_t *chip, uint32_t addr, uint32_t size) {
    if (chip->is_guarded && is_dangerous(addr, size)) {
        esp_system_abort("a write to the boot loader, the partition table or the running program");
    }
}

esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t addr, uint32_t size) {
    chip = chip != NULL ? chip : esp_flash_default_chip;
    uint32_t words[PAGE_SIZE / 4];
    if (buffer == NULL || addr > chip->size || addr + size > chip->size) {
        return ESP_ERR_INVALID_ARG;
    }
    for (uint32_t done = 0; done < size;) {
        uint32_t piece = size - done < sizeof words ? size - done : sizeof words;
        if (esp_rom_spiflash_read(addr + done, words, (piece + 3) & ~3u) != 0) {
            // Whole words, and the last of them would be beyond the chip.
            uint32_t back = addr + done + piece - sizeof words;
            if (esp_rom_spiflash_read(back, words, sizeof words) != 0) {
                return ESP_FAIL;
            }
            memmove(words, (uint8_t *)words + sizeof words - piece, piece);
        }
        memcpy((uint8_t *)buffer + done, words, piece);
        done += piece;
    }
    return ESP_OK;
}

static void program(uint32_t addr, const uint8_t *bytes, uint32_t size) {
    uint32_t words[PIECE_SIZE / 4];
    memset(words, 0xff, sizeof words);
    memcpy(words, bytes, size);
    wait_idle();
    give(COMMAND_WRITE_ENABLE);
    for (uint32_t i = 0; i < PIECE_SIZE / 4; i++) {
        SPI1(DATA + 4 * i) = words[i];
    }
    SPI1(ADDR) = addr | size << 24;
    give(COMMAND_PROGRAM);
    wait_idle();
}

esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer, uint32_t addr, uint32_t size) {
    chip = chip != NULL ? chip : esp_flash_default_chip;
    guard(chip, addr, size);
    if (buffer == NULL || addr > chip->size || addr + size > chip->size) {
        return ESP_ERR_INVALID_ARG;
    }
    for (uint32_t done = 0; done < size;) {
        uint32_t room = PAGE_SIZE - (addr + done) % PAGE_SIZE, piece = size - done;
        piece = piece < room ? piece : room;
        piece = piece < PIECE_SIZE ? piece : PIECE_SIZE;
        program(addr + done, (const uint8_t *)buffer + done, piece);
        done += piece;
    }
    return ESP_OK;
}

esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t addr, uint32_t size) {
    chip = chip != NULL ? chip : esp_flash_default_chip;
    guard(chip, addr, size);
    if (addr > chip->size || size > chip->size - addr || addr % SECTOR_SIZE != 0 || size % SECTOR_SIZE != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    for (uint32_t end = addr + size; addr < end;) {
        bool is_block = addr % BLOCK_SIZE == 0 && end - addr >= BLOCK_SIZE;
        int result = is_block ? esp_rom_spiflash_erase_block(addr / BLOCK_SIZE)
                              : esp_rom_spiflash_erase_sector(addr / SECTOR_SIZE);
        if (result != 0) {
            return ESP_FAIL;
        }
        addr += is_block ? BLOCK_SIZE : SECTOR_SIZE;
    }
    return ESP_OK;
}
