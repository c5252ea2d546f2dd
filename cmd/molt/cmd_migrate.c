// molt migrate: a flash dump with another flash map, every file kept.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/reader.h"
#include "commands.h"
#include "describe.h"
#include "dump.h"
#include "dumpfs.h"
#include "files.h"
#include "frozen/store.h"
#include "gunzip.h"
#include "molt/error.h"
#include "say.h"
#include "survey.h"
#include "transfer.h"

#define BLOCK_SIZE MOLT_MAP_SECTOR_SIZE

static const struct argp_option options[] = {
    { "to", ARGS_VARIANT, "MAP", 0, "The map wanted: molt, stock, or another one of `molt map --list` (needed)", 0 },
    { "firmware", ARGS_FIRMWARE, "IMAGE", 0, "The firmware that is made for that map; needed where the filesystem moves", 0 },
    ARGS_OPTION_FS_START,
    { 0 },
};

typedef struct migration {
    const args_t *args;
    dumpfs_t from;
    dumpfs_t to;
    survey_t before;
    molt_map_t map;  // the one wanted, with the firmware that it will hold
    uint32_t module_count;
} migration_t;

static uint32_t end_of(const molt_region_t *region) {
    return region->addr + region->size;
}

static bool is_equal(const molt_region_t *a, const molt_region_t *b) {
    return a->size == b->size && (a->size == 0 || a->addr == b->addr);
}

static int refuse_size(const migration_t *m, uint32_t firmware_size) {
    uint32_t room = end_of(&m->map.regions[MOLT_MAP_KIND_FROZEN]) - m->map.regions[MOLT_MAP_KIND_FIRMWARE].addr;
    return say_fail("the firmware has %u bytes and the map %s has room for %u; take a smaller one or another map", firmware_size,
        m->map.name, room);
}

// Read the firmware that the command line gives, unpacked if it is a gzip file. 0, or 1 after having said what is wrong.
static int load_given(const migration_t *m, uint8_t **given, uint32_t *size) {
    const char *path = m->args->firmware;
    uint32_t fs_addr = m->map.regions[MOLT_MAP_KIND_FILESYSTEM].addr;
    molt_image_t image;
    if (files_load_host(path, m->map.flash_size, given, size)) {
        return 1;
    }
    const char *trouble = gunzip_is_gzip(*given, *size) ? gunzip(given, size) : NULL;
    if (!trouble && describe_verify(*given, *size, &image) != 0) {
        trouble = molt_image_defect_text(image.defect);
    } else if (!trouble && image.chip != MOLT_CHIP_ESP8266) {
        trouble = "this is no image for the ESP8266";
    }
    if (trouble) {
        return say_fail("%s: %s", path, trouble);
    }
    if (image.fs_addr && image.fs_addr != fs_addr) {
        return say_fail(
            "%s: this firmware looks for its filesystem at 0x%06x, and the map %s has it at 0x%06x; give the firmware made "
            "for that map",
            path, image.fs_addr, m->map.name, fs_addr);
    }
    // Boot loader and all: a map that has one keeps it, an image given takes its place.
    return m->map.regions[MOLT_MAP_KIND_FIRMWARE].addr
               ? say_fail("the map %s has another boot loader; migrate without --firmware", m->map.name)
               : 0;
}

// Put the firmware in: the one given, with the flash size that the present one states, or the present one.
static int fill_firmware(migration_t *m) {
    const uint8_t *old_bytes = m->from.nor.bytes;
    uint8_t *bytes = m->to.nor.bytes;
    uint32_t size = end_of(&m->before.map.regions[MOLT_MAP_KIND_FIRMWARE]);
    uint8_t *given = NULL;
    if (m->args->firmware == NULL && old_bytes[0] != 0xe9 && old_bytes[0] != 0xea) {
        return say_fail("%s: there is no firmware in it; give one with --firmware, or read the chip again", m->from.path);
    }
    int status = m->args->firmware ? load_given(m, &given, &size) : 0;
    if (!status && molt_map_set_firmware(&m->map, size) != 0) {
        status = refuse_size(m, size);
    }
    if (!status) {
        memcpy(bytes, given ? given : old_bytes, size);
    }
    if (!status && given && old_bytes[0] == 0xe9) {
        bytes[2] = old_bytes[2];
        bytes[3] = old_bytes[3];
    }
    free(given);
    return status;
}

// Put every module of the old store into the new one. The device links them again at its next start.
static int move_modules(migration_t *m, molt_store_t *old, molt_store_t *new) {
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    char name[MOLT_RECORD_NAME_MAX + 1];
    molt_record_t record;
    molt_record_t copy;
    uint32_t at = 0;
    while (molt_store_next(old, &at, &record) == 1) {
        if (!record.is_live || molt_store_name(old, &record, name) != 0) {
            continue;
        }
        molt_reader_t reader = molt_memory_reader(m->from.nor.bytes + record.mpy_addr, record.mpy_size);
        int err = molt_store_put(new, name, record.name_size, &reader, 0, work, &copy);
        if (err) {
            return say_fail(
                "the frozen modules need %s and the map %s has %s behind that firmware: remove some on the device, by "
                "esp.del_frozen()",
                say_size(old->live_size).text, m->map.name, say_size(new->region.size).text);
        }
        m->module_count++;
    }
    return 0;
}

// With the same firmware, in the same place, links and all; else module by module.
static int fill_frozen(migration_t *m) {
    const molt_region_t *region = &m->before.map.regions[MOLT_MAP_KIND_FROZEN];
    const molt_region_t *wanted = &m->map.regions[MOLT_MAP_KIND_FROZEN];
    molt_store_t old;
    molt_store_t new;
    if (is_equal(region, wanted) && m->args->firmware == NULL) {
        memcpy(m->to.nor.bytes + region->addr, m->from.nor.bytes + region->addr, region->size);
        return 0;
    }
    int err = region->size ? molt_store_open(&old, &m->from.nor.flash, region) : MOLT_ERR_NOSPC;
    if (err == MOLT_ERR_NOSPC || (!err && old.live_count == 0 && !old.is_damaged)) {
        return 0;
    }
    if (err || old.is_damaged) {
        return say_fail(err == MOLT_ERR_BUSY
                            ? "the device has not finished compacting its frozen modules; start it once, and read the "
                              "chip again"
                            : "the store of frozen modules is damaged; esp.reset_frozen() on the device empties it");
    }
    if (molt_store_open(&new, &m->to.nor.flash, wanted) != 0) {
        return say_fail(
            "there are frozen modules (%s), and the map %s has no room for any behind that firmware; remove them on the "
            "device, by esp.reset_frozen()",
            say_size(old.live_size).text, m->map.name);
    }
    return move_modules(m, &old, &new);
}

// A region that is kept byte for byte where both maps have it in the same place. 0, or 1 after having said that what is in
// it would be lost, unless that `may_go`.
static int keep_region(migration_t *m, molt_map_kind_t kind, bool may_go) {
    const molt_region_t *old = &m->before.map.regions[kind];
    const molt_region_t *new = &m->map.regions[kind];
    if (is_equal(old, new)) {
        memcpy(m->to.nor.bytes + new->addr, m->from.nor.bytes + new->addr, new->size);
        return 0;
    }
    uint32_t used = survey_used(&m->before, old);
    if (used == 0 || may_go) {
        return 0;
    }
    return say_fail("the map %s has no %s region at 0x%06x, where the dump has %s in it; save that and erase it first",
        m->map.name, molt_map_kind_name(kind), old->addr, say_size(used).text);
}

// What belongs to nobody but the user or the chip. With another firmware molt's own state means nothing, and native code is
// created again at each start.
static int fill_kept(migration_t *m) {
    const molt_region_t *system = &m->map.regions[MOLT_MAP_KIND_SYSTEM];
    const molt_region_t *old_system = &m->before.map.regions[MOLT_MAP_KIND_SYSTEM];
    uint32_t first = system->addr > old_system->addr ? system->addr : old_system->addr;
    memcpy(m->to.nor.bytes + first, m->from.nor.bytes + first, m->to.nor.flash.geometry.size - first);
    int status = keep_region(m, MOLT_MAP_KIND_USER, false) || keep_region(m, MOLT_MAP_KIND_ROMFS, false)
                 || keep_region(m, MOLT_MAP_KIND_NATIVE, true);
    return status || m->args->firmware ? status : keep_region(m, MOLT_MAP_KIND_RESERVED, false);
}

// How many blocks the files need in a filesystem of their own, found out by copying them into a large one. 0: not known.
static uint32_t blocks_needed(migration_t *m) {
    dumpfs_t large = { .path = "" };
    molt_geometry_t geometry = { MOLT_MAP_FLASH_SIZE_MAX, BLOCK_SIZE, 65536, 256 };
    uint32_t count = 0;
    large.fs = (molt_region_t){ 0, MOLT_MAP_FLASH_SIZE_MAX };
    if (sim_nor_init(&large.nor, &geometry) == 0
        && molt_volume_format(&large.volume, &large.nor.flash, &large.fs, BLOCK_SIZE) == 0
        && transfer_tree(&m->from.volume, &large.volume, NULL) == 0) {
        lfs2_ssize_t size = lfs2_fs_size(&large.volume.lfs);
        count = size > 0 ? (uint32_t)size : 0;
    }
    sim_nor_free(&large.nor);
    return count;
}

static int refuse_files(migration_t *m, int err, const char *at) {
    uint32_t room = m->to.fs.size;
    uint32_t need = err == MOLT_ERR_NOSPC ? blocks_needed(m) * BLOCK_SIZE : 0;
    if (need > room) {
        return say_fail("the files need %s and the filesystem of the map %s has %s: remove %s of them", say_size(need).text,
            m->map.name, say_size(room).text, say_size(need - room).text);
    }
    if (err == MOLT_ERR_NOSPC) {
        return say_fail(
            "the files do not fit into the %s of the map %s; remove a few KB of them", say_size(room).text, m->map.name);
    }
    return say_fail("%s: %s", *at ? at : "/", files_text(err));
}

static int fill_files(migration_t *m) {
    char at[FILES_PATH_MAX] = "/";
    const molt_region_t *fs = &m->map.regions[MOLT_MAP_KIND_FILESYSTEM];
    m->to.fs = *fs;
    if (m->from.fs.size == 0) {
        return 0;
    }
    if (fs->size == 0) {
        return say_fail("the map %s has no filesystem, and the dump has files; choose another map", m->map.name);
    }
    if (is_equal(fs, &m->from.fs)) {
        memcpy(m->to.nor.bytes + fs->addr, m->from.nor.bytes + fs->addr, fs->size);
        return 0;
    }
    if (dumpfs_mount(&m->from, false)) {
        return 1;
    }
    int err = molt_volume_format_like(&m->to.volume, &m->to.nor.flash, fs, BLOCK_SIZE, &m->from.volume);
    if (!err) {
        err = transfer_tree(&m->from.volume, &m->to.volume, at);
    }
    int status = err ? refuse_files(m, err, at) : 0;
    molt_volume_unmount(&m->to.volume);
    molt_volume_unmount(&m->from.volume);
    return status;
}

// What is told at the end, read back from the result.
static int report(const migration_t *m, uint32_t file_count) {
    printf("%s%s%s: from %s to %s, %u files kept", say_style(SAY_BOLD), m->to.path, say_style(SAY_PLAIN), m->before.map.name,
        m->map.name, file_count);
    if (m->module_count) {
        printf(", %u frozen modules", m->module_count);
    }
    if (m->to.fs.size) {
        printf(", littlefs of %s at 0x%06x", say_size(m->to.fs.size).text, m->to.fs.addr);
    }
    putchar('\n');
    return 0;
}

static int verify_files(migration_t *m, uint32_t *file_count) {
    *file_count = 0;
    if (m->from.fs.size == 0) {
        return 0;
    }
    if (dumpfs_mount(&m->from, false) || dumpfs_mount(&m->to, false)) {
        return 1;
    }
    char at[FILES_PATH_MAX] = "/";
    int err = transfer_compare(&m->from.volume, &m->to.volume, at, file_count);
    molt_volume_unmount(&m->to.volume);
    molt_volume_unmount(&m->from.volume);
    return err ? say_fail("%s: it did not arrive as it was; the dump is damaged there, read the chip again", *at ? at : "/") : 0;
}

// Whatever filesystem there is goes along, or nothing is done. One in the user's own sectors is kept with these.
static int refuse_left_behind(const migration_t *m) {
    const places_t *places = &m->from.places;
    const molt_region_t *user = &m->before.map.regions[MOLT_MAP_KIND_USER];
    const place_t *place;
    if (places->verdict != PLACES_NONE && dumpfs_refuse(&m->from)) {
        return 1;
    }
    for (uint32_t i = 0; (place = place_next_beside(places, &m->from.fs, &i)) != NULL; i++) {
        if (place->region.addr < user->addr || end_of(&place->region) > end_of(user)) {
            return say_fail(
                "%s: there is another filesystem, at 0x%06x, which would be left behind; copy its files out (molt get, with "
                "--fs-start 0x%06x) and erase it first",
                m->from.path, place->region.addr, place->region.addr);
        }
    }
    return 0;
}

static int migrate(migration_t *m) {
    uint32_t size = m->from.nor.flash.geometry.size;
    molt_geometry_t geometry = { size, BLOCK_SIZE, 65536, 256 };
    uint32_t file_count;
    if (board_refuse_esp32(&m->from.board, m->from.path) || dumpfs_look(&m->from, m->args)
        || survey_dump(&m->before, &m->from, NULL) || refuse_left_behind(m)) {
        return 1;
    }
    survey_t *wanted = calloc(1, sizeof *wanted);
    int status = wanted ? survey_size(wanted, m->args->variant, m->before.map.flash_size, 0)
                        : say_fail("there is not enough memory; close other programs");
    m->map = wanted ? wanted->map : m->map;
    free(wanted);
    if (status) {
        return status;
    }
    if (m->from.fs.size && m->from.fs.addr != m->map.regions[MOLT_MAP_KIND_FILESYSTEM].addr && m->args->firmware == NULL) {
        return say_fail("the filesystem moves from 0x%06x to 0x%06x, where the present firmware does not look for it; give the "
                        "firmware made for the map %s with --firmware",
            m->from.fs.addr, m->map.regions[MOLT_MAP_KIND_FILESYSTEM].addr, m->map.name);
    }
    m->to.path = m->args->positional[1];
    if (sim_nor_init(&m->to.nor, &geometry) != 0) {
        return say_fail("there is not enough memory for a chip of that size; close other programs");
    }
    dumpfs_power_on(&m->from);
    status = fill_firmware(m) || fill_frozen(m) || fill_kept(m) || fill_files(m);
    if (!status) {
        status = verify_files(m, &file_count) || dumpfs_save(&m->to) || report(m, file_count);
    }
    sim_nor_free(&m->to.nor);
    return status;
}

int cmd_migrate(int argc, char **argv) {
    static const args_spec_t spec = { "FLASH OUT",
        "Make OUT, a dump with another flash map, from FLASH: every file, frozen modules, user and system sectors are kept. It "
        "refuses, and says by how much, if they do not fit.\v"
        "A firmware looks for its filesystem where its own map has it. Where the filesystem moves, give the firmware that was made "
        "for the new map (micropython/boards) with --firmware; its flash mode and size are taken from the present one. FLASH is "
        "left as it is. docs/flash-map.md has the way from a device and back to it.\n\n"
        "Examples:\n"
        "  molt migrate old.bin new.bin --to molt --firmware firmware.bin",
        options, 2, 2 };
    args_t args;
    args_parse(&spec, argc, argv, &args);
    int status = 2;
    migration_t *migration = calloc(1, sizeof *migration);
    if (args.variant == NULL) {
        fprintf(stderr, "%s: --to is needed\nTry `%s --help' for more information.\n", argv[0], argv[0]);
    } else if (migration == NULL) {
        status = say_fail("there is not enough memory; close other programs");
    } else {
        migration->args = &args;
        status = dumpfs_open_raw(&migration->from, args.positional[0]);
        status = status ? status : migrate(migration);
        dumpfs_close(&migration->from);
    }
    free(migration);
    args_free(&args);
    return status;
}
