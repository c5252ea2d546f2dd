// Dynamic frozen modules on the ESP8266: behind the firmware, in the first megabyte of flash, which is mapped at one address.

#include "frozen.h"

#if MOLT_FROZEN

#include "flash.h"
#include "image/image.h"
#include "map_glue.h"
#include "user_interface.h"

// Where the firmware's own MD5 lies, 16 bytes before its end; 0 if there is none.
static uint32_t firmware_md5_addr(void) {
    uint32_t size = *(const volatile uint32_t *)molt_mapped(MOLT_IMAGE_MICROPYTHON_SIZE_OFF);
    return size >= MOLT_IMAGE_MICROPYTHON_HEAD_SIZE && size <= MOLT_ESP8266_MAPPED_SIZE - 16 && size % 4 == 0 ? size : 0;
}

// From the end of the firmware to the reserved sectors below 1 MB, or to the filesystem.
void molt_frozen_find_region(molt_flash_t *flash) {
    molt_map_t map;
    molt_esp8266_flash(flash);
    bool has_firmware_end = firmware_md5_addr() != 0;
    bool is_mapped = molt_device_map(&map, NULL) == 0 && map.flash_size == flash->geometry.size;
    const molt_region_t *region = &map.regions[MOLT_MAP_KIND_FROZEN];
    if (has_firmware_end && is_mapped && region->size >= 3 * 4096) {
        molt_frozen.region = *region;
    } else {
        molt_frozen.why = "there is no room for frozen modules between the firmware and the filesystem";
    }
}

int molt_frozen_read_build(uint8_t build[MOLT_LINK_BUILD_SIZE]) {
    molt_flash_t flash;
    molt_esp8266_flash(&flash);
    return flash.read(flash.ctx, firmware_md5_addr(), build, MOLT_LINK_BUILD_SIZE);
}

// The cache has 32 KB in lines of 32 bytes. Whether the SDK's functions drop the lines of what they write is written
// nowhere, so twice as much of the firmware is read: no line of anything else is left.
#define CACHE_LINE 32u
#define CACHE_SIZE_MAX 0x8000u
#define FIRMWARE_MAPPED_ADDR MOLT_IMAGE_MICROPYTHON_HEAD_SIZE

void molt_frozen_drop_cache(void) {
    const volatile uint32_t *line = molt_mapped(FIRMWARE_MAPPED_ADDR);
    for (uint32_t i = 0; i < 2 * CACHE_SIZE_MAX / CACHE_LINE; i++) {
        (void)line[i * (CACHE_LINE / 4)];
    }
}

void molt_frozen_feed(void) {
    molt_esp8266_feed();
}

// The count of starts is in word 191 of RTC memory, the last of the 128 words that the SDK leaves to programs. MicroPython's
// machine.RTC().memory() has words 69 to 191 (ports/esp8266/machine_rtc.c), and word 191 only where more than 488 bytes are stored:
// then nothing is counted. After power-on the word holds anything, and a count of none.
#define RTC_MAGIC_WORD 67
#define RTC_MAGIC 0x75507921u
#define RTC_DATA_WORD 69
#define GUARD_WORD 191
#define GUARD_MAGIC 0x4d4c5400u  // "MLT", and the count in the lowest byte

static bool has_guard(void) {
    uint32_t words[2];
    return system_rtc_mem_read(RTC_MAGIC_WORD, words, sizeof words)
           && (words[0] != RTC_MAGIC || words[1] <= (GUARD_WORD - RTC_DATA_WORD) * 4);
}

void molt_frozen_set_starts(uint32_t starts) {
    uint32_t word = GUARD_MAGIC | starts;
    if (has_guard()) {
        system_rtc_mem_write(GUARD_WORD, &word, sizeof word);
    }
}

uint32_t molt_frozen_get_starts(void) {
    uint32_t word;
    bool is_count = has_guard() && system_rtc_mem_read(GUARD_WORD, &word, sizeof word) && (word & ~0xffu) == GUARD_MAGIC;
    return is_count ? word & 0xffu : 0;
}

#endif
