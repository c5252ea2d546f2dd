// Which map a dump has, and which of its sectors are in use.

#include "survey.h"

#include <string.h>

#include "describe.h"
#include "esp32.h"
#include "firmware.h"
#include "frozen/store.h"
#include "molt/error.h"
#include "say.h"
#include "sim_upgrade.h"

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
    return end_of(&map->regions[MOLT_MAP_KIND_FROZEN]) + (map->is_molt ? 0 : map->regions[MOLT_MAP_KIND_RESERVED].size);
}

int survey_size(survey_t *survey, const char *name, uint32_t flash_size, uint32_t firmware_size) {
    *survey = (survey_t){ .has_dump = false };
    if (find_map(&survey->map, name, flash_size)) {
        return 1;
    }
    molt_map_t *map = &survey->map;
    uint32_t start = map->regions[MOLT_MAP_KIND_FIRMWARE].addr;
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

// Where the firmware of the map that the dump has ends. 0: it has none, or a damaged one.
static uint32_t end_of_firmware(const dumpfs_t *dump, const molt_map_t *map) {
    return firmware_end(&dump->firmware, dump->nor.bytes, map->regions[MOLT_MAP_KIND_FIRMWARE].addr, limit_of(map));
}

static int detect_map(molt_map_t *map, const dumpfs_t *dump) {
    int err = dumpfs_map(dump, map);
    return err ? say_fail("%s: the filesystem it has (0x%06x, %s) fits no flash of this size; read the chip again", dump->path,
               dump->fs.addr, say_size(dump->fs.size).text)
               : 0;
}

bool survey_find_frozen(const dumpfs_t *dump, molt_region_t *region) {
    molt_map_t map;
    if (dump->board.is_esp32 || dumpfs_map(dump, &map) != 0) {
        return false;
    }
    uint32_t end = end_of_firmware(dump, &map);
    bool is_split = end && molt_map_set_firmware(&map, end) == 0;
    *region = map.regions[MOLT_MAP_KIND_FROZEN];
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

// What the map's filesystem is, if it is no littlefs that mounts; if it is, which of its sectors are in use.
static void name_filesystem(survey_t *survey, dumpfs_t *dump) {
    const molt_region_t *fs = &survey->map.regions[MOLT_MAP_KIND_FILESYSTEM];
    const place_t *place = place_at(&dump->places, fs->addr);
    molt_partition_t *piece = survey->pieces;
    if (fs->size == 0 || place == NULL || fs->addr != dump->fs.addr || fs->size != dump->fs.size) {
        return;
    }
    while (piece->piece.region.addr != fs->addr) {
        piece++;
    }
    if (place->state == PLACE_MOUNTS) {
        survey_mark_littlefs(survey, dump);
    } else {
        snprintf(piece->label, sizeof piece->label, "%s", place->state == PLACE_FAT ? "FAT" : "damaged");
    }
}

bool survey_put_in(survey_t *survey, const molt_partition_t *inner, bool is_hidden) {
    const molt_region_t *region = &inner->piece.region;
    for (uint32_t i = 0; i < survey->piece_count && survey->piece_count + 2 <= SURVEY_PIECES_MAX; i++) {
        molt_partition_t *piece = &survey->pieces[i];
        const molt_region_t room = piece->piece.region;
        bool is_inside = region->size <= room.size && region->addr >= room.addr
                         && region->addr - room.addr <= room.size - region->size;
        if (!is_inside || (region->addr | region->size) % SECTOR || (is_hidden && survey->hidden_count == SURVEY_HIDDEN_MAX)) {
            continue;
        }
        molt_partition_t parts[3] = { *piece, *inner, *piece };
        parts[0].piece.region.size = region->addr - room.addr;
        parts[2].piece.region = (molt_region_t){ end_of(region), end_of(&room) - end_of(region) };
        uint32_t first = parts[0].piece.region.size ? 0 : 1;
        uint32_t count = (parts[2].piece.region.size ? 3 : 2) - first;
        memmove(piece + count, piece + 1, (survey->piece_count - i - 1) * sizeof *piece);
        memcpy(piece, parts + first, count * sizeof *piece);
        survey->piece_count += count - 1;
        if (is_hidden) {
            survey->hidden[survey->hidden_count++] = *region;
        }
        return true;
    }
    return false;
}

bool survey_is_hidden(const survey_t *survey, const molt_partition_t *piece) {
    for (uint32_t i = 0; i < survey->hidden_count; i++) {
        if (survey->hidden[i].addr == piece->piece.region.addr && survey->hidden[i].size == piece->piece.region.size) {
            return true;
        }
    }
    return false;
}

// Put a piece for `region` in, where the map has nothing but room: what is left of that stays room.
static void cut_out(survey_t *survey, const molt_region_t *region, const char *label) {
    for (uint32_t i = 0; i < survey->piece_count; i++) {
        const molt_partition_t *piece = &survey->pieces[i];
        bool is_room = piece->piece.kind == MOLT_MAP_KIND_UNUSED || piece->piece.kind == MOLT_MAP_KIND_FROZEN;
        if (is_room && region->addr >= piece->piece.region.addr && end_of(region) <= end_of(&piece->piece.region)) {
            molt_partition_t inner = *piece;
            inner.piece = (molt_map_piece_t){ MOLT_MAP_KIND_FILESYSTEM, *region };
            snprintf(inner.label, sizeof inner.label, "%s", label);
            (void)survey_put_in(survey, &inner, false);
            return;
        }
    }
}

// Filesystems beside the firmware's own: where they are nothing is unused.
static void add_others(survey_t *survey, dumpfs_t *dump) {
    const molt_region_t own = dump->fs;
    const place_t *place;
    for (uint32_t i = 0; (place = place_next_beside(&dump->places, &own, &i)) != NULL; i++) {
        cut_out(survey, &place->region, place->state == PLACE_FAT ? "another FAT" : "another littlefs");
        if (place->state == PLACE_MOUNTS) {
            dump->fs = place->region;
            survey_mark_littlefs(survey, dump);
        }
    }
    dump->fs = own;
}

int survey_dump(survey_t *survey, dumpfs_t *dump, const char *name) {
    *survey = (survey_t){ .has_dump = true };
    if (dump->board.is_esp32) {
        return esp32_survey_dump(survey, dump);
    }
    molt_map_t own;
    if (detect_map(&own, dump) || (name && find_map(&survey->map, name, own.flash_size))) {
        return 1;
    }
    survey->map = name ? survey->map : own;
    molt_map_t *map = &survey->map;
    uint32_t limit = limit_of(map);
    uint32_t end = end_of_firmware(dump, map);
    if (end && molt_map_set_firmware(map, end) != 0) {
        return say_fail("%s: the firmware ends at 0x%06x and the map %s has room for it up to 0x%06x only; name another map "
                        "with --variant",
            dump->path, end, map->name, limit);
    }
    survey_mark_blank(survey, dump);
    collect(survey);
    name_filesystem(survey, dump);
    add_others(survey, dump);
    return 0;
}

uint32_t survey_frozen_met(
    const dumpfs_t *dump, const molt_region_t *region, uint32_t image_size, char *names, size_t names_size) {
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

// Where a firmware can be, and how large it can be.
static molt_region_t room_of(const survey_t *survey, const dumpfs_t *dump) {
    molt_region_t room = dump->board.app;
    if (!dump->board.is_esp32) {
        room = (molt_region_t){ 0, end_of(&survey->map.regions[MOLT_MAP_KIND_FROZEN]) };
    }
    return room;
}

static void note_changes(survey_t *survey, const molt_plan_t *plan) {
    for (uint32_t i = 0; i < plan->step_count; i++) {
        molt_step_t step = molt_plan_step(plan, i);
        if (step.kind == MOLT_STEP_SECTOR && molt_plan_is_todo(plan, i)) {
            survey->use[step.addr / SECTOR] = SURVEY_CHANGED;
        }
    }
    survey->use[plan->image_addr / SECTOR] = SURVEY_CHANGED;
}

int survey_upgrade(survey_t *survey, dumpfs_t *dump, const char *path) {
    sim_upgrade_t host;
    sim_upgrade_init(&host, &dump->nor, &dump->fs, path);
    molt_region_t kept[MOLT_MAP_KEPT_MAX];
    host.target = dump->board.target;
    host.options.reserved = kept;
    host.options.reserved_count = dump->board.is_esp32 ? 0 : molt_map_kept(&survey->map, kept);
    if (board_refuse_job(&dump->board, dump->path)) {
        return 1;
    }
    if (dump->fs.size == 0) {
        return say_fail("%s: no littlefs in it to take %s from; put it there first", dump->path, path);
    }
    int err = sim_upgrade_plan(&host);
    if (err) {
        char text[512];
        sim_upgrade_text(&host, err, text, sizeof text);
        sim_upgrade_free(&host);
        return say_fail("%s: %s", path, text);
    }
    molt_plan_tally_t tally;
    molt_plan_count(&host.job.plan, &tally);
    survey->upgrade = path;
    survey->image_size = host.job.plan.image_size;
    survey->changed_count = tally.program_count;
    survey->room_size = room_of(survey, dump).size;
    note_changes(survey, &host.job.plan);
    const molt_region_t *frozen = &survey->map.regions[MOLT_MAP_KIND_FROZEN];
    if (frozen->size) {
        survey->frozen_met = survey_frozen_met(
            dump, frozen, survey->image_size, survey->frozen_names, sizeof survey->frozen_names);
    }
    sim_upgrade_free(&host);
    return 0;
}

uint32_t survey_used(const survey_t *survey, const molt_region_t *region) {
    uint32_t used = 0;
    for (uint32_t addr = region->addr; addr < end_of(region); addr += SECTOR) {
        used += survey->use[addr / SECTOR] != SURVEY_FREE ? SECTOR : 0;
    }
    return used;
}
