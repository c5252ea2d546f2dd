// Which map a dump has, and which of its sectors are in use.

#include "survey.h"

#include <string.h>

#include "describe.h"
#include "esp32.h"
#include "host.h"
#include "molt/error.h"
#include "molt/store.h"
#include "say.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE

static uint32_t end_of(const molt_region_t *region) {
    return region->addr + region->size;
}

static const char *about_map(const molt_map_t *map) {
    static const char *const abouts[][2] = {
        { "stock-512K", "MicroPython for 512 KB, without a filesystem" },
        { "stock-2M", "MicroPython for 2 MB and more" },
        { "stock-1M", "MicroPython for 1 MB" },
        { "stock-OTA", "MicroPython behind the boot loader yaota8266" },
        { "stock-2M-ROMFS", "MicroPython with a ROMFS partition" },
        { "stock-old", "MicroPython up to 1.8" },
        { "molt", "molt's own for this size" },
    };
    for (uint32_t i = 0; i < sizeof abouts / sizeof abouts[0]; i++) {
        if (strcmp(map->name, abouts[i][0]) == 0) {
            return abouts[i][1];
        }
    }
    return "none that molt knows";
}

// The map is settled: its pieces, for the pictures.
static void collect(survey_t *survey) {
    const molt_map_t *map = &survey->map;
    molt_partition_t *piece = survey->pieces;
    for (uint32_t addr = 0; molt_map_next(map, addr, &piece->piece); addr += piece++->piece.region.size) {
    }
    survey->piece_count = (uint32_t)(piece - survey->pieces);
    snprintf(survey->about, sizeof survey->about, "%s", about_map(map));
}

// The names of the maps, for a sentence.
static void list_names(char *text, size_t text_size, uint32_t flash_size) {
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < molt_map_count(); i++) {
        if (molt_map_has_size(i, flash_size) && used < text_size) {
            int size = snprintf(text + used, text_size - used, "%s%s", used ? ", " : "", molt_map_name(i));
            used += size > 0 ? (size_t)size : 0;
        }
    }
}

static int find_map(molt_map_t *map, const char *name, uint32_t flash_size) {
    int err = molt_map_find(map, name, flash_size);
    if (err) {
        char names[200];
        list_names(names, sizeof names, flash_size);
        return say_fail("there is no map %s for a flash of %s; there are %s", name, say_size(flash_size).text, names);
    }
    return 0;
}

// Where the room of the firmware ends at the most: it can take the reserved sectors of a stock map, too.
static uint32_t limit_of(const molt_map_t *map) {
    return end_of(&map->regions[MOLT_MAP_FROZEN]) + (map->is_molt ? 0 : map->regions[MOLT_MAP_RESERVED].size);
}

int survey_size(survey_t *survey, const char *name, uint32_t flash_size, uint32_t firmware_size) {
    *survey = (survey_t){ .has_dump = false };
    if (find_map(&survey->map, name, flash_size)) {
        return 1;
    }
    molt_map_t *map = &survey->map;
    uint32_t start = map->regions[MOLT_MAP_FIRMWARE].addr;
    uint32_t room = limit_of(map) - start;
    if (firmware_size > room || (firmware_size && molt_map_set_firmware(map, start + firmware_size) != 0)) {
        return say_fail("the map %s has room for a firmware of %u bytes, this one has %u; take a smaller image or another map",
            map->name, room, firmware_size);
    }
    collect(survey);
    return 0;
}

static bool is_blank(const uint8_t *bytes) {
    return bytes[0] == 0xff && memcmp(bytes, bytes + 1, SECTOR - 1) == 0;
}

// Where MicroPython's code ends by its size word alone; 0 if there is none. The first sector can be molt's boot loader.
// Source: ports/esp8266/makeimg.py of MicroPython.
static uint32_t stated_end(const dumpfs_t *dump, uint32_t addr, uint32_t limit) {
    enum { SIZE_WORD_OFF = 0x8ffc, MD5_SIZE = 16 };
    const uint8_t *word = dump->nor.bytes + addr + SIZE_WORD_OFF;
    uint32_t size = (uint32_t)word[0] | (uint32_t)word[1] << 8 | (uint32_t)word[2] << 16 | (uint32_t)word[3] << 24;
    return size > SIZE_WORD_OFF && size % 4 == 0 && size <= limit - addr - MD5_SIZE ? addr + size + MD5_SIZE : 0;
}

// Where the firmware whose image begins at `addr` ends, by its own account. An image that does not say (only MicroPython
// and Arduino do) ends with the last sector before `limit` that is not blank. 0: there is none, or it is not whole.
static uint32_t firmware_end(const dumpfs_t *dump, uint32_t addr, uint32_t limit) {
    molt_image_t image;
    if (describe_verify(dump->nor.bytes + addr, limit - addr, &image) != 0 || image.image_size == 0) {
        return stated_end(dump, addr, limit);
    }
    if (image.image_size < limit - addr) {
        return addr + image.image_size;
    }
    while (is_blank(dump->nor.bytes + limit - SECTOR)) {
        limit -= SECTOR;
    }
    return limit;
}

// The flash size that the firmware believes in, by its header: the dump can be of a larger chip.
static uint32_t stated_flash_size(const dumpfs_t *dump) {
    uint32_t size = dump->nor.flash.geometry.size;
    uint32_t stated = dump->nor.bytes[0] == 0xe9 ? molt_image_flash_size(dump->nor.bytes[3]) : 0;
    return stated >= MOLT_MAP_FLASH_SIZE_MIN && stated < size ? stated : size;
}

// Whether a ROMFS begins where the port has its partition. Source: MicroPython's extmod/vfs_rom.c, magic bytes.
static bool has_romfs(const dumpfs_t *dump, uint32_t flash_size) {
    molt_map_t map;
    return molt_map_find(&map, "stock-2M-ROMFS", flash_size) == 0
           && memcmp(dump->nor.bytes + map.regions[MOLT_MAP_ROMFS].addr, "\xd2\xcd\x31", 3) == 0;
}

static int detect(molt_map_t *map, const dumpfs_t *dump) {
    uint32_t flash_size = stated_flash_size(dump);
    molt_map_evidence_t evidence = { .flash_size = flash_size, .has_romfs = has_romfs(dump, flash_size) };
    if (dump->fs.size && dump->fs.addr + dump->fs.size <= flash_size) {
        evidence.fs = dump->fs;
    }
    return molt_map_detect(map, &evidence);
}

static int detect_map(molt_map_t *map, const dumpfs_t *dump) {
    if (detect(map, dump) != 0) {
        return say_fail("%s: its filesystem (0x%06x, %s) does not go with a flash of %s; read the chip again", dump->path,
            dump->fs.addr, say_size(dump->fs.size).text, say_size(stated_flash_size(dump)).text);
    }
    return 0;
}

bool survey_find_frozen(const dumpfs_t *dump, molt_region_t *region) {
    molt_map_t map;
    if (detect(&map, dump) != 0) {
        return false;
    }
    uint32_t end = firmware_end(dump, map.regions[MOLT_MAP_FIRMWARE].addr, limit_of(&map));
    bool is_split = end && molt_map_set_firmware(&map, end) == 0;
    *region = map.regions[MOLT_MAP_FROZEN];
    return is_split && region->size;
}

static int mark_block(void *ctx, lfs2_block_t block) {
    const dumpfs_t *dump = ((void **)ctx)[0];
    survey_t *survey = ((void **)ctx)[1];
    uint32_t block_size = dump->volume.config.block_size;
    uint32_t first = (dump->fs.addr + block * block_size) / SECTOR;
    for (uint32_t i = 0; i * SECTOR < block_size && first + i < SURVEY_SECTORS_MAX; i++) {
        survey->use[first + i] = SURVEY_USED;
    }
    return 0;
}

void survey_mark_blank(survey_t *survey, const dumpfs_t *dump) {
    for (uint32_t addr = 0; addr < survey->map.flash_size; addr += SECTOR) {
        survey->use[addr / SECTOR] = is_blank(dump->nor.bytes + addr) ? SURVEY_FREE : SURVEY_USED;
    }
}

void survey_mark_littlefs(survey_t *survey, dumpfs_t *dump) {
    memset(survey->use + dump->fs.addr / SECTOR, SURVEY_FREE, dump->fs.size / SECTOR);
    if (molt_volume_mount(&dump->volume, &dump->nor.flash, &dump->fs, 0, false) == 0) {
        void *ctx[] = { dump, survey };
        (void)lfs2_fs_traverse(&dump->volume.lfs, mark_block, ctx);
        molt_volume_unmount(&dump->volume);
    }
}

int survey_dump(survey_t *survey, dumpfs_t *dump, const char *name) {
    *survey = (survey_t){ .has_dump = true };
    if (esp32_refuse(dump)) {
        return 1;
    }
    if (!dumpfs_find(dump)) {
        dump->fs = (molt_region_t){ 0, 0 };
    }
    if (name ? find_map(&survey->map, name, stated_flash_size(dump)) : detect_map(&survey->map, dump)) {
        return 1;
    }
    molt_map_t *map = &survey->map;
    uint32_t limit = limit_of(map);
    uint32_t end = firmware_end(dump, map->regions[MOLT_MAP_FIRMWARE].addr, limit);
    if (end && molt_map_set_firmware(map, end) != 0) {
        return say_fail("%s: the firmware ends at 0x%06x and the map %s has room for it up to 0x%06x only; name another map "
                        "with --variant", dump->path, end, map->name, limit);
    }
    survey_mark_blank(survey, dump);
    const molt_region_t *fs = &map->regions[MOLT_MAP_FILESYSTEM];
    if (dump->fs.size && fs->addr == dump->fs.addr && fs->size == dump->fs.size) {
        survey_mark_littlefs(survey, dump);
    }
    collect(survey);
    return 0;
}

uint32_t survey_frozen_met(const dumpfs_t *dump, const molt_region_t *region, uint32_t image_size, char *names,
    size_t names_size) {
    // What the device leaves below a module: molt_frozen_extent() of the firmware.
    enum { SPARE_SIZE = 2 * SECTOR };
    molt_store_t store;
    molt_record_t record;
    uint32_t count = 0;
    uint32_t at = 0;
    size_t used = 0;
    names[0] = 0;
    if (molt_store_open(&store, &dump->nor.flash, region) != 0) {
        return 0;
    }
    while (molt_store_next(&store, &at, &record) == 1) {
        char name[MOLT_RECORD_NAME_MAX + 1];
        if (!record.is_live || record.mpy_addr / SECTOR * SECTOR - SPARE_SIZE >= image_size) {
            continue;
        }
        if (used < names_size && molt_store_name(&store, &record, name) == 0) {
            int size = snprintf(names + used, names_size - used, "%s%s", count ? ", " : "", name);
            used += size > 0 ? (size_t)size : 0;
        }
        count++;
    }
    return count;
}

int survey_upgrade(survey_t *survey, dumpfs_t *dump, const char *path) {
    host_job_t job;
    host_job_init(&job, &dump->nor, &dump->fs, path);
    molt_region_t kept[MOLT_MAP_KEPT_MAX];
    job.options.reserved = kept;
    job.options.reserved_count = molt_map_kept(&survey->map, kept);
    if (dump->fs.size == 0) {
        return say_fail("%s: no littlefs in it to take %s from; put it there first", dump->path, path);
    }
    int err = host_plan(&job);
    if (err) {
        char text[512];
        host_text(&job, err, text, sizeof text);
        host_job_free(&job);
        return say_fail("%s: %s", path, text);
    }
    molt_plan_tally_t tally;
    molt_plan_finish(&job.upgrade.plan);
    molt_plan_count(&job.upgrade.plan, &tally);
    survey->upgrade = path;
    survey->image_size = job.upgrade.plan.image_size;
    survey->changed_count = tally.program_count;
    for (uint32_t i = 0; i < job.upgrade.plan.step_count; i++) {
        molt_step_t step = molt_plan_step(&job.upgrade.plan, i);
        if (step.kind == MOLT_STEP_SECTOR && molt_plan_is_todo(&job.upgrade.plan, i)) {
            survey->use[step.addr / SECTOR] = SURVEY_CHANGED;
        }
    }
    survey->use[0] = SURVEY_CHANGED;
    const molt_region_t *frozen = &survey->map.regions[MOLT_MAP_FROZEN];
    survey->frozen_met = survey_frozen_met(dump, frozen, survey->image_size, survey->frozen_names, sizeof survey->frozen_names);
    host_job_free(&job);
    return 0;
}

uint32_t survey_used(const survey_t *survey, const molt_region_t *region) {
    uint32_t used = 0;
    for (uint32_t addr = region->addr; addr < end_of(region); addr += SECTOR) {
        used += survey->use[addr / SECTOR] != SURVEY_FREE ? SECTOR : 0;
    }
    return used;
}
