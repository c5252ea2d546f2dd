// What a resident boot loader says of itself: at the end of sector 0, and at the beginning of its overlay.

#include "resident/resident_config.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "molt/error.h"

#define CONFIG_MAGIC 0x3253524Du   // "MRS2"
#define FAMILY_MASK 0x00ffffffu    // "MRS" without the version
#define OVERLAY_MAGIC 0x31564F4Du  // "MOV1"

// A device that is taken for one without a resident boot loader loses it: it is read again before that is believed.
#define CONFIG_TRIES 3u

enum {
    CONFIG_OFF_MAGIC = 0,
    CONFIG_OFF_RESERVED_ADDR = 4,
    CONFIG_OFF_VERSION = 8,      // u8
    CONFIG_OFF_OVERLAY_ABI = 9,  // u8
    CONFIG_OFF_STATE = 10,       // u8
    CONFIG_OFF_ZERO = 11,        // u8
    CONFIG_OFF_MEMORY = 12,      // MOLT_RESIDENT_MEMORY_COUNT times address, size
    CONFIG_OFF_CRC = 28,
};

enum {
    OVERLAY_OFF_MAGIC = 0,
    OVERLAY_OFF_SIZE = 4,         // of the code
    OVERLAY_OFF_VADDR = 8,        // where it runs; it is entered at its beginning
    OVERLAY_OFF_ABI = 12,         // u8
    OVERLAY_OFF_PLAN_FIRST = 13,  // u8, the plan versions that it carries out
    OVERLAY_OFF_PLAN_LAST = 14,   // u8
    OVERLAY_OFF_EXTENSION = 15,   // u8, the ABI of its extensions
    OVERLAY_OFF_CRC = 16,         // of the 16 bytes before and the code behind
};

static int read_config(const molt_flash_t *flash, molt_resident_t *resident) {
    uint32_t words[MOLT_RESIDENT_CONFIG_SIZE / 4];
    const uint8_t *config = (const uint8_t *)words;
    int err = flash->read(flash->ctx, resident_config_addr(flash), words, sizeof words);
    if (err) {
        return err;
    }
    uint32_t magic = load32_le(config + CONFIG_OFF_MAGIC);
    if (magic != CONFIG_MAGIC) {
        return ((magic ^ CONFIG_MAGIC) & FAMILY_MASK) == 0 ? MOLT_ERR_NOTSUP : MOLT_ERR_NOENT;
    }
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    resident->reserved_addr = load32_le(config + CONFIG_OFF_RESERVED_ADDR);
    resident->version = config[CONFIG_OFF_VERSION];
    resident->overlay_abi = config[CONFIG_OFF_OVERLAY_ABI];
    resident->state_version = config[CONFIG_OFF_STATE];
    for (uint32_t i = 0; i < MOLT_RESIDENT_MEMORY_COUNT; i++) {
        resident->memory[i].addr = load32_le(config + CONFIG_OFF_MEMORY + 8 * i);
        resident->memory[i].size = load32_le(config + CONFIG_OFF_MEMORY + 8 * i + 4);
    }
    bool is_config = load32_le(config + CONFIG_OFF_CRC) == molt_crc32(0, config, CONFIG_OFF_CRC)
                     && resident->reserved_addr % sector_size == 0 && resident->reserved_addr != 0
                     && range_within(resident->reserved_addr, MOLT_RESERVED_SECTOR_COUNT * sector_size, flash->geometry.size);
    return is_config ? 0 : MOLT_ERR_CORRUPT;
}

int molt_resident_read(const molt_flash_t *flash, molt_resident_t *resident) {
    int err = MOLT_ERR_NOENT;
    for (uint32_t try = 0; err && try < CONFIG_TRIES; try++) {
        err = read_config(flash, resident);
    }
    return err;
}

int molt_resident_find(const molt_flash_t *flash, uint32_t *reserved_addr) {
    molt_resident_t resident;
    int err = molt_resident_read(flash, &resident);
    if (!err) {
        *reserved_addr = resident.reserved_addr;
    }
    return err;
}

void resident_config_store(uint8_t config[MOLT_RESIDENT_CONFIG_SIZE], uint32_t reserved_addr, const molt_loader_t *loader) {
    store32_le(config + CONFIG_OFF_MAGIC, CONFIG_MAGIC);
    store32_le(config + CONFIG_OFF_RESERVED_ADDR, reserved_addr);
    config[CONFIG_OFF_VERSION] = MOLT_RESIDENT_VERSION;
    config[CONFIG_OFF_OVERLAY_ABI] = MOLT_OVERLAY_ABI;
    config[CONFIG_OFF_STATE] = MOLT_STATE_VERSION;
    config[CONFIG_OFF_ZERO] = 0;
    for (uint32_t i = 0; i < MOLT_RESIDENT_MEMORY_COUNT; i++) {
        bool is_given = i < loader->memory_count;
        store32_le(config + CONFIG_OFF_MEMORY + 8 * i, is_given ? loader->memory[i].addr : 0);
        store32_le(config + CONFIG_OFF_MEMORY + 8 * i + 4, is_given ? loader->memory[i].size : 0);
    }
    store32_le(config + CONFIG_OFF_CRC, molt_crc32(0, config, CONFIG_OFF_CRC));
}

int molt_overlay_parse(const uint8_t *bytes, uint32_t size, molt_overlay_t *overlay) {
    if (size < MOLT_OVERLAY_HEADER_SIZE || load32_le(bytes + OVERLAY_OFF_MAGIC) != OVERLAY_MAGIC) {
        return MOLT_ERR_NOENT;
    }
    overlay->size = load32_le(bytes + OVERLAY_OFF_SIZE);
    overlay->vaddr = load32_le(bytes + OVERLAY_OFF_VADDR);
    overlay->abi = bytes[OVERLAY_OFF_ABI];
    overlay->plan_first = bytes[OVERLAY_OFF_PLAN_FIRST];
    overlay->plan_last = bytes[OVERLAY_OFF_PLAN_LAST];
    overlay->extension_abi = bytes[OVERLAY_OFF_EXTENSION];
    if (overlay->size % 4 != 0 || overlay->size > size - MOLT_OVERLAY_HEADER_SIZE) {
        return MOLT_ERR_CORRUPT;
    }
    uint32_t crc = molt_crc32(0, bytes, OVERLAY_OFF_CRC);
    crc = molt_crc32(crc, bytes + MOLT_OVERLAY_HEADER_SIZE, overlay->size);
    return crc == load32_le(bytes + OVERLAY_OFF_CRC) ? 0 : MOLT_ERR_CORRUPT;
}

int molt_overlay_read(const molt_flash_t *flash, uint32_t reserved_addr, uint8_t *buf, molt_overlay_t *overlay) {
    uint32_t size = molt_sector_size(&flash->geometry);
    uint32_t addr = molt_state_sector_addr(flash, reserved_addr, RESIDENT_OVERLAY_SECTOR);
    *overlay = (molt_overlay_t){ 0 };
    // Again where it is damaged: a reading can be.
    for (uint32_t try = 0; try < CONFIG_TRIES; try++) {
        int err = flash->read(flash->ctx, addr, buf, size);
        if (err) {
            return err;
        }
        if (molt_overlay_parse(buf, size, overlay) == 0) {
            return 0;
        }
    }
    return MOLT_ERR_NOENT;
}
