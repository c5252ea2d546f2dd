// The end of sector 0 in resident mode: where the reserved region is.

#include "resident_config.h"

#include "bytes.h"
#include "molt/crc32.h"
#include "molt/error.h"

#define CONFIG_MAGIC 0x3153524Du  // "MRS1"
enum { CONFIG_OFF_MAGIC = 0, CONFIG_OFF_RESERVED_ADDR = 4, CONFIG_OFF_ZERO = 8, CONFIG_OFF_CRC = 12 };

int molt_resident_find(const molt_flash_t *flash, uint32_t *reserved_addr) {
    uint32_t words[MOLT_RESIDENT_CONFIG_SIZE / 4];
    const uint8_t *config = (const uint8_t *)words;
    int err = flash->read(flash->ctx, resident_config_addr(flash), words, sizeof words);
    if (err) {
        return err;
    }
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    *reserved_addr = load32_le(config + CONFIG_OFF_RESERVED_ADDR);
    bool is_config = load32_le(config + CONFIG_OFF_MAGIC) == CONFIG_MAGIC
                     && load32_le(config + CONFIG_OFF_CRC) == molt_crc32(0, config, CONFIG_OFF_CRC)
                     && *reserved_addr % sector_size == 0 && *reserved_addr != 0
                     && range_within(*reserved_addr, MOLT_RESERVED_SECTOR_COUNT * sector_size, flash->geometry.size);
    return is_config ? 0 : MOLT_ERR_NOENT;
}

void resident_config_store(uint8_t config[MOLT_RESIDENT_CONFIG_SIZE], uint32_t reserved_addr) {
    store32_le(config + CONFIG_OFF_MAGIC, CONFIG_MAGIC);
    store32_le(config + CONFIG_OFF_RESERVED_ADDR, reserved_addr);
    store32_le(config + CONFIG_OFF_ZERO, 0);
    store32_le(config + CONFIG_OFF_CRC, molt_crc32(0, config, CONFIG_OFF_CRC));
}
