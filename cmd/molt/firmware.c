// The firmware of a dump.

#include "firmware.h"

#include <string.h>

#include "describe.h"
#include "molt/map.h"
#include "molt/resident.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE

// MicroPython: where its size word stands, and what follows the bytes that this counts. The first sector can be molt's boot
// loader. Source: ports/esp8266/makeimg.py of MicroPython.
enum { SIZE_WORD_OFF = 0x8ffc, MD5_SIZE = 16 };

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

// Where the image's first sector is, and whether the boot loader has something to finish first.
static void find_head(firmware_t *firmware, const molt_flash_t *flash, const uint8_t *bytes) {
    static uint32_t sector[SECTOR / 4];
    molt_plan_t plan;
    molt_state_t state;
    uint32_t reserved_addr;
    memcpy(sector, bytes, sizeof sector);
    if (molt_plan_open(&plan, &flash->geometry, (uint8_t *)sector) == 0) {
        firmware->state = FIRMWARE_UPGRADING;
    } else if (molt_resident_find(flash, &reserved_addr) == 0 && molt_state_read(flash, reserved_addr, &state) == 0) {
        firmware->is_resident = true;
        firmware->head_addr = molt_state_head_addr(flash, reserved_addr, state.head);
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
    if (err && firmware->image.kind == MOLT_IMAGE_MICROPYTHON && firmware->image.defect == MOLT_IMAGE_BAD_MD5) {
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
