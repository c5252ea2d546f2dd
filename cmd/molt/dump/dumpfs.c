// A flash dump: loading it, settling what is where in it, saving it.

#include "dumpfs.h"

#include <string.h>

#include "dump.h"
#include "esp32.h"
#include "molt/error.h"
#include "say.h"

// Flash callbacks after which one fails, so that no loop in a damaged filesystem is without end. The largest upgrade
// needs less than a hundredth of it.
#define CALLS_MAX 50000000

void dumpfs_power_on(dumpfs_t *dump) {
    sim_nor_power_on(&dump->nor);
    dump->nor.fail_call = CALLS_MAX;
}

// Whether the block at `addr` is the second superblock block of the littlefs before it.
static const place_t *first_of(const dumpfs_t *dump, uint32_t addr) {
    for (uint32_t i = 0; i < dump->places.count; i++) {
        const place_t *place = &dump->places.items[i];
        if (place->is_pair && place->state != PLACE_FAT && place->region.addr + place->block_size == addr) {
            return place;
        }
    }
    return NULL;
}

// The size that the superblocks of a filesystem from `addr` on state, or 0.
static uint32_t stated_size(const dumpfs_t *dump, uint32_t addr) {
    molt_region_t region;
    uint32_t block_size;
    if (molt_volume_find(&dump->nor.flash, addr, &region, &block_size) == 0) {
        return region.size;
    }
    for (uint32_t size = 4096; size <= 0x10000; size *= 2) {
        if (molt_volume_find(&dump->nor.flash, addr + size, &region, &block_size) == 0 && block_size == size) {
            return region.size;
        }
    }
    return 0;
}

// The filesystem at the place that the user names. 0, or 1 after having said what is wrong.
static int take_named(dumpfs_t *dump, const args_t *args) {
    uint32_t size = dump->nor.flash.geometry.size;
    uint32_t start = args->has_fs_start ? args->fs_start : dump->fs.addr;
    const place_t *place = place_at(&dump->places, start);
    const place_t *first = first_of(dump, start);
    dump->fs = (molt_region_t){ start, args->fs_size ? args->fs_size : stated_size(dump, start) };
    if (start >= size || dump->fs.size > size - start) {
        return say_fail("%s: a filesystem of %s does not fit at 0x%x, the chip ends at 0x%x; correct --fs-start and --fs-size",
            dump->path, say_size(dump->fs.size).text, start, size);
    }
    if (place && place->state == PLACE_FAT) {
        return say_fail(
            "%s: the filesystem at 0x%x is FAT, and molt works with littlefs only; name another one", dump->path, start);
    }
    if (first) {
        return say_fail("%s: at 0x%x is the second block of the littlefs that begins at 0x%x; say --fs-start 0x%x", dump->path,
            start, first->region.addr, first->region.addr);
    }
    int err = dump->fs.size ? molt_volume_mount(&dump->volume, &dump->nor.flash, &dump->fs, 0, false) : MOLT_ERR_CORRUPT;
    if (err) {
        return say_fail(
            err == MOLT_ERR_NOTSUP
                ? "%s: the littlefs at 0x%x is not of that size, or of an unknown version; correct --fs-start and --fs-size"
                : "%s: no littlefs at 0x%x; leave --fs-start out to look for it",
            dump->path, start);
    }
    molt_volume_unmount(&dump->volume);
    dump->places.verdict = PLACES_ONE;
    return 0;
}

int dumpfs_refuse(const dumpfs_t *dump) {
    char text[400];
    place_text(&dump->places, text, sizeof text);
    return *text ? say_fail("%s: %s", dump->path, text) : 0;
}

int dumpfs_look(dumpfs_t *dump, const args_t *args) {
    bool is_whole = dump->firmware.state == FIRMWARE_WHOLE;
    uint32_t known[ESP32_FILESYSTEMS_MAX];
    place_hints_t hints = { is_whole ? dump->firmware.end : 0, dump->firmware.fs_addr, !dump->board.is_esp32, known, 0 };
    if (dump->board.is_esp32 && dump->board.table.defect == MOLT_MAP_FINE) {
        hints.known_count = esp32_filesystems(&dump->board.table, known, &hints.wanted);
    }
    place_find(&dump->places, &dump->nor.flash, &dump->volume, &hints);
    bool has_own = dump->places.verdict != PLACES_NONE && dump->places.verdict != PLACES_ELSEWHERE;
    dump->fs = has_own ? dump->places.items[dump->places.own].region : (molt_region_t){ 0, 0 };
    dumpfs_power_on(dump);
    if (!args->has_fs_start && args->fs_size && dumpfs_refuse(dump)) {
        return 1;
    }
    return args->has_fs_start || args->fs_size ? take_named(dump, args) : 0;
}

const char *dumpfs_repeat_text(const dumpfs_t *dump, char *text, uint32_t text_size) {
    const uint8_t *bytes = dump->nor.bytes;
    uint32_t size = dump->nor.flash.geometry.size;
    bool is_uniform = memcmp(bytes, bytes + 1, size - 1) == 0;
    while (!is_uniform && size > SIM_DUMP_SIZE_MIN && memcmp(bytes, bytes + size / 2, size / 2) == 0) {
        size /= 2;
    }
    text[0] = 0;
    if (size != dump->nor.flash.geometry.size) {
        snprintf(text, text_size,
            "the second half repeats the first: the chip has %s and was read with a wrong size; read it again, or "
            "cut the file to %u bytes",
            say_size(size).text, size);
    }
    return text;
}

void dumpfs_look_again(dumpfs_t *dump) {
    uint32_t size = dump->nor.flash.geometry.size;
    const board_t *board = &dump->board;
    dumpfs_power_on(dump);
    board_look(&dump->board, &dump->nor.flash, dump->nor.bytes, size);
    if (board->is_esp32) {
        firmware_look_at(&dump->firmware, dump->nor.bytes, &board->app, board->work != BOARD_AT_REST);
    } else {
        firmware_look(&dump->firmware, &dump->nor.flash, dump->nor.bytes, size);
    }
}

int dumpfs_load(dumpfs_t *dump, const char *path) {
    char text[512];
    *dump = (dumpfs_t){ .path = path };
    if (sim_dump_load(&dump->nor, path, text, sizeof text) != 0) {
        return say_fail("%s", text);
    }
    uint32_t size = dump->nor.flash.geometry.size;
    dumpfs_look_again(dump);
    dump->system.size = dump->board.is_esp32 ? 0 : DUMPFS_SYSTEM_SIZE;
    dump->system.addr = size - dump->system.size;
    return 0;
}

int dumpfs_open_raw(dumpfs_t *dump, const char *path) {
    char text[400];
    if (dumpfs_load(dump, path)) {
        return 1;
    }
    return *dumpfs_repeat_text(dump, text, sizeof text) ? say_fail("%s: %s", path, text) : 0;
}

// A device goes by the size that its header states. A dump can be of a larger chip, but what lies in it is there.
static uint32_t device_size(const dumpfs_t *dump) {
    uint32_t size = dump->nor.flash.geometry.size;
    uint32_t stated = dump->firmware.flash_size;
    bool is_smaller = stated >= MOLT_MAP_FLASH_SIZE_MIN && stated < size;
    uint32_t fs_addr = dump->fs.size ? dump->fs.addr + dump->fs.size : dump->firmware.fs_addr;
    return is_smaller && fs_addr <= stated ? stated : size;
}

// Whether the firmware has a ROMFS partition: by its mark, or because there is a ROMFS in the one that the port has.
// Source: MicroPython's extmod/vfs_rom.c, magic bytes.
static bool has_romfs(const dumpfs_t *dump, uint32_t flash_size) {
    molt_map_t map;
    return dump->firmware.romfs_size
           || (molt_map_find(&map, "stock-2M-ROMFS", flash_size) == 0
               && memcmp(dump->nor.bytes + map.regions[MOLT_MAP_KIND_ROMFS].addr, "\xd2\xcd\x31", 3) == 0);
}

int dumpfs_map(const dumpfs_t *dump, molt_map_t *map) {
    uint32_t flash_size = device_size(dump);
    molt_map_evidence_t evidence = { .flash_size = flash_size, .has_romfs = has_romfs(dump, flash_size), .fs = dump->fs };
    uint32_t wanted = dump->firmware.fs_addr;
    if (evidence.fs.size == 0 && wanted && wanted < flash_size - DUMPFS_SYSTEM_SIZE) {
        // The firmware has not made it yet.
        evidence.fs = (molt_region_t){ wanted, flash_size - DUMPFS_SYSTEM_SIZE - wanted };
    } else if (evidence.fs.size == 0 && evidence.has_romfs) {
        return molt_map_find(map, "stock-2M-ROMFS", flash_size);
    }
    return molt_map_detect(map, &evidence);
}

const char *dumpfs_size_text(const dumpfs_t *dump, char *text, uint32_t text_size) {
    uint32_t size = dump->nor.flash.geometry.size;
    uint32_t stated = dump->firmware.flash_size;
    uint32_t fs_end = dump->fs.size ? dump->fs.addr + dump->fs.size : dump->firmware.fs_addr;
    const char *advice = "write the firmware with esptool's --flash_size detect";
    text[0] = 0;
    if (dump->board.is_esp32 || stated == 0) {
        return text;
    }
    if (stated > size) {
        snprintf(text, text_size,
            "the header says that the flash has %s, and the dump has %s: a device would look for its last "
            "sectors where its chip has none; read the whole chip, or %s",
            say_size(stated).text, say_size(size).text, advice);
    } else if (fs_end > stated) {
        snprintf(text, text_size,
            "the header says that the flash has %s, and the dump has %s: a device would not find the filesystem "
            "at 0x%06x; %s",
            say_size(stated).text, say_size(size).text, dump->fs.size ? dump->fs.addr : dump->firmware.fs_addr, advice);
    }
    return text;
}

void dumpfs_find_kept(dumpfs_t *dump) {
    molt_map_t map;
    dump->kept[0] = dump->system;
    if (dump->board.is_esp32) {
        // What an image may not reach into begins behind its partition, and that it may not reach past.
        dump->kept_count = 0;
        return;
    }
    dump->kept_count = dumpfs_map(dump, &map) == 0 ? molt_map_kept(&map, dump->kept) : 1;
}

int dumpfs_open(dumpfs_t *dump, const args_t *args, bool writes) {
    if (dumpfs_open_raw(dump, args->positional[0]) || dumpfs_look(dump, args) || dumpfs_refuse(dump)) {
        return 1;
    }
    if (writes && dump->fs.addr + dump->fs.size > dump->system.addr) {
        return say_fail("%s: the filesystem (0x%06x to 0x%06x) reaches into the five system sectors from 0x%06x on; format it "
                        "again, smaller",
            dump->path, dump->fs.addr, dump->fs.addr + dump->fs.size, dump->system.addr);
    }
    dumpfs_find_kept(dump);
    dumpfs_power_on(dump);
    return 0;
}

void dumpfs_close(dumpfs_t *dump) {
    sim_nor_free(&dump->nor);
}

int dumpfs_mount(dumpfs_t *dump, bool is_writable) {
    int err = molt_volume_mount(&dump->volume, &dump->nor.flash, &dump->fs, 0, is_writable);
    if (!err && is_writable && dump->volume.config.block_size % 4096) {
        return say_fail("%s: the filesystem at 0x%x has blocks of %u bytes, smaller than a sector of flash, and can only be read",
            dump->path, dump->fs.addr, dump->volume.config.block_size);
    }
    return err ? say_fail("%s: the filesystem at 0x%x cannot be mounted; read the chip again", dump->path, dump->fs.addr) : 0;
}

int dumpfs_save(const dumpfs_t *dump) {
    char text[512];
    return sim_dump_save(&dump->nor, dump->path, text, sizeof text) == 0 ? 0 : say_fail("%s", text);
}
