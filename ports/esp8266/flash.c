// molt_flash_t over Espressif's SDK.

#include "flash.h"

#include "c_types.h"
#include "molt/error.h"
#include "spi_flash.h"
#include "user_interface.h"

// The mask ROM's description of the chip: a pointer, and right behind it what it points to.
extern char flashchip;

static int result(SpiFlashOpResult res) {
    return res == SPI_FLASH_RESULT_OK ? 0 : MOLT_ERR_IO;
}

static int sdk_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return result(spi_flash_read(addr, buf, size));
}

static int sdk_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    return result(spi_flash_write(addr, (void *)(uintptr_t)buf, size));
}

static int sdk_erase_sector(void *ctx, uint32_t addr) {
    (void)ctx;
    return result(spi_flash_erase_sector((uint16_t)(addr / SPI_FLASH_SEC_SIZE)));
}

void molt_esp8266_flash(molt_flash_t *flash) {
    const SpiFlashChip *chip = (const SpiFlashChip *)(&flashchip + 4);
    *flash = (molt_flash_t){
        .geometry = { chip->chip_size, SPI_FLASH_SEC_SIZE, 65536, 256 },
        .read = sdk_read,
        .prog = sdk_prog,
        .erase_sector = sdk_erase_sector,
        // The running firmware erases no 64 KB block; the boot loader does, by the mask ROM.
        .erase_block = 0,
    };
}

void molt_esp8266_restart(void) {
    system_restart();
    for (;;) {
    }
}

void molt_esp8266_feed(void) {
    system_soft_wdt_feed();
}
