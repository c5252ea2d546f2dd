// The firmware of a dump.

#include "firmware.h"

#include <string.h>

#include "describe.h"
#include "map/map.h"
#include "molt/error.h"
#include "molt_esp8266.h"
#include "resident/resident.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE

// MicroPython: where its size word stands, and what follows the bytes that this counts. The first sector can be molt's boot
// loader. Source: ports/esp8266/makeimg.py of MicroPython.
enum { SIZE_WORD_OFF = MOLT_IMAGE_MICROPYTHON_SIZE_OFF, MD5_SIZE = 16 };

// A dump, read with another first sector in front.
typedef struct headed {
    const uint8_t *bytes;
    const uint8_t *head;
} headed_t;

static int read_headed(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const headed_t *headed = ctx;
    uint32_t head_size = off < SECTOR ? SECTOR - off : 0;
    head_size = head_size < size ? head_size : size;
    memcpy(buf, headed->head + (head_size ? off : 0), head_size);
    memcpy((uint8_t *)buf + head_size, headed->bytes + off + head_size, size - head_size);
    return 0;
}

static bool is_blank(const uint8_t *sector) {
    return sector[0] == 0xff && memcmp(sector, sector + 1, SECTOR - 1) == 0;
}

// Where MicroPython's code ends by its size word alone; 0 if there is none.
static uint32_t stated_end(const uint8_t *bytes, uint32_t addr, uint32_t limit) {
    const uint8_t *word = bytes + addr + SIZE_WORD_OFF;
    uint32_t size = (uint32_t)word[0] | (uint32_t)word[1] << 8 | (uint32_t)word[2] << 16 | (uint32_t)word[3] << 24;
    return size > SIZE_WORD_OFF && size % 4 == 0 && size <= limit - addr - MD5_SIZE ? addr + size + MD5_SIZE : 0;
}

// How many of the loader's bytes sector 0 has, but for the flash parameters.
static uint32_t count_equal(const molt_loader_t *loader, const uint8_t *bytes) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < loader->size; i++) {
        count += i == 2 || i == 3 || bytes[i] == loader->image[i];
    }
    return count;
}

// A damaged configuration does not say where the reserved region is: where a flash map has one, and the state log is in it.
// 0 if it is not found.
static uint32_t find_reserved(const molt_flash_t *flash) {
    molt_map_t map;
    molt_state_t state;
    for (uint32_t i = 0; i < molt_map_count(); i++) {
        for (uint32_t size = MOLT_MAP_FLASH_SIZE_MIN; size <= flash->geometry.size; size *= 2) {
            const molt_region_t *reserved = &map.regions[MOLT_MAP_KIND_RESERVED];
            if (molt_map_has_size(i, size) && molt_map_find(&map, molt_map_name(i), size) == 0 && reserved->size
                && molt_state_read(flash, reserved->addr, &state) == 0) {
                return reserved->addr;
            }
        }
    }
    return 0;
}

// What sector 0 is, in resident mode, and where the reserved region is.
static void judge_loader(firmware_t *firmware, const molt_flash_t *flash, const uint8_t *bytes) {
    static uint32_t buf[SECTOR / 4];
    const molt_loader_t *loader = &molt_esp8266.resident;
    uint32_t equal_count = count_equal(loader, bytes);
    molt_resident_t resident;
    molt_overlay_t overlay;
    int err = molt_resident_read(flash, &resident);
    if (err == MOLT_ERR_NOENT && equal_count < loader->size / 8 * 7) {
        return;
    }
    firmware->reserved_addr = err ? find_reserved(flash) : resident.reserved_addr;
    int check = err == MOLT_ERR_NOENT ? MOLT_ERR_CORRUPT : molt_resident_check(flash, loader, (uint8_t *)buf);
    bool is_first_whole = !err && equal_count == loader->size
                          && molt_overlay_read(flash, resident.reserved_addr, (uint8_t *)buf, &overlay) != 0;
    firmware->loader = check == 0                 ? FIRMWARE_LOADER_WHOLE
                       : check == MOLT_ERR_NOTSUP ? FIRMWARE_LOADER_OTHER
                       : is_first_whole           ? FIRMWARE_LOADER_OVERLAY
                                                  : FIRMWARE_LOADER_DAMAGED;
}

const char *firmware_loader_text(const firmware_t *firmware) {
    switch (firmware->loader) {
        case FIRMWARE_LOADER_NONE:
        case FIRMWARE_LOADER_WHOLE:
            break;
        case FIRMWARE_LOADER_OVERLAY:
            return "the part of the resident boot loader that carries out upgrades is damaged; molt install repairs it, and the next "
                   "upgrade does";
        case FIRMWARE_LOADER_DAMAGED:
            return "the resident boot loader in sector 0 is damaged; molt install repairs it";
        case FIRMWARE_LOADER_OTHER:
            return "the resident boot loader is of another version of molt; use that version";
    }
    return NULL;
}

// Where the image's first sector is, and whether the boot loader has something to finish first.
static void find_head(firmware_t *firmware, const molt_flash_t *flash, const uint8_t *bytes) {
    static uint32_t sector[SECTOR / 4];
    molt_plan_t plan;
    molt_state_t state;
    memcpy(sector, bytes, sizeof sector);
    if (molt_plan_open(&plan, &flash->geometry, (uint8_t *)sector) == 0) {
        firmware->state = FIRMWARE_UPGRADING;
        return;
    }
    judge_loader(firmware, flash, bytes);
    if (firmware->reserved_addr && molt_state_read(flash, firmware->reserved_addr, &state) == 0) {
        firmware->head_addr = molt_state_head_addr(flash, firmware->reserved_addr, state.head);
        firmware->state = state.kind == MOLT_STATE_UPGRADE ? FIRMWARE_UPGRADING : FIRMWARE_NONE;
    }
}

// Behind a small image that needs no mapped flash the size word and the code of the MicroPython before it can still be there,
// and do not belong to it. Check it once more without them: code that refers to mapped flash is damaged all the same.
static int verify_small(molt_reader_t *reader, void *work, uint32_t work_size, molt_image_t *image) {
    uint32_t end = 0;
    for (uint32_t i = 0; i < image->segment_count; i++) {
        uint32_t segment_end = image->segments[i].data_off + image->segments[i].size;
        end = segment_end > end ? segment_end : end;
    }
    molt_image_t small;
    reader->size = (end / SECTOR + 1) * SECTOR;
    int err = molt_image_verify(reader, work, work_size, NULL, NULL, &small);
    if (!err) {
        *image = small;
    }
    return err;
}

void firmware_look(firmware_t *firmware, const molt_flash_t *flash, const uint8_t *bytes, uint32_t size) {
    static uint32_t work[SECTOR / 4];
    *firmware = (firmware_t){ .state = FIRMWARE_NONE };
    firmware->flash_size = bytes[0] == 0xe9 ? molt_image_flash_size(bytes[3]) : 0;
    find_head(firmware, flash, bytes);
    headed_t headed = { bytes, bytes + firmware->head_addr };
    // No code runs from above the mapped part.
    uint32_t limit = size < MOLT_MAP_MAPPED_SIZE ? size : MOLT_MAP_MAPPED_SIZE;
    molt_reader_t reader = { &headed, limit, read_headed };
    int err = molt_image_verify(&reader, work, sizeof work, NULL, NULL, &firmware->image);
    if (err && firmware->image.kind == MOLT_IMAGE_KIND_MICROPYTHON && firmware->image.defect == MOLT_IMAGE_BAD_MD5) {
        err = verify_small(&reader, work, sizeof work, &firmware->image);
    }
    if (!err && firmware->state == FIRMWARE_NONE && firmware->image.chip == MOLT_CHIP_ESP8266) {
        firmware->state = FIRMWARE_WHOLE;
        firmware->end = firmware->image.image_size < limit ? firmware->image.image_size : 0;
        firmware->fs_addr = firmware->image.fs_addr;
        firmware->romfs_size = firmware->image.romfs_size;
    } else if (stated_end(bytes, 0, limit)) {
        // Half old, half new, or damaged: the mark may be there all the same. Both images of an upgrade have the same.
        firmware->end = stated_end(bytes, 0, limit);
        firmware->fs_addr = molt_image_mark(bytes, firmware->end, &firmware->romfs_size);
    }
}

void firmware_look_at(firmware_t *firmware, const uint8_t *bytes, const molt_region_t *app, bool is_upgrading) {
    *firmware = (firmware_t){
        .state = is_upgrading ? FIRMWARE_UPGRADING : FIRMWARE_NONE, .addr = app->addr, .head_addr = app->addr
    };
    int err = describe_verify(bytes + app->addr, app->size, &firmware->image);
    if (!err && firmware->image.kind == MOLT_IMAGE_KIND_ESP32 && !is_upgrading) {
        firmware->state = FIRMWARE_WHOLE;
        firmware->end = app->addr + firmware->image.image_size;
    }
}

uint32_t firmware_end(const firmware_t *firmware, const uint8_t *bytes, uint32_t addr, uint32_t limit) {
    molt_image_t image;
    bool is_whole = addr == 0 ? firmware->state == FIRMWARE_WHOLE
                              : describe_verify(bytes + addr, limit - addr, &image) == 0 && image.image_size > 0;
    uint32_t end = addr == 0 ? firmware->end : is_whole && image.image_size < limit - addr ? addr + image.image_size : 0;
    if (!is_whole) {
        return stated_end(bytes, addr, limit);
    }
    if (end) {
        return end;
    }
    while (limit > addr + SECTOR && is_blank(bytes + limit - SECTOR)) {
        limit -= SECTOR;
    }
    return limit;
}
