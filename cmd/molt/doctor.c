// Making a diagnosis.

#include "doctor.h"

#include <string.h>

#include "describe.h"
#include "description.h"
#include "rehearse.h"
#include "resident/resident.h"
#include "sim_upgrade.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define DEPTH_MAX 16
// What molt.head takes beside the image: the first sector, the report, and for a gzip file the extension.
#define HEAD_SIZE (2 * SECTOR)
#define HEAD_GZIP_SIZE (3 * SECTOR)
// `molt compress` makes 67 to 69 % of MicroPython firmwares (1.25 to 1.28, 4 KB of window); other code can be different.
#define GZIP_PERCENT 70u

const char *doctor_way_name(doctor_way_t way) {
    static const char *const names[] = { "image as it is", "gzip file", "resident mode", "another map", "standby mode",
        "OTA slots" };
    return names[way];
}

// What the firmware is: of an ESP32 as it describes itself.
static const char *kind_text(const dumpfs_t *dump, char *text, uint32_t text_size) {
    description_t description;
    text[0] = 0;
    if (dump->board.is_esp32) {
        description_of_app(&description, dump->nor.bytes + dump->board.app.addr, dump->board.app.size);
        (void)description_text(&description, text, text_size);
    }
    return *text ? text : molt_image_kind_text(dump->firmware.image.kind);
}

void doctor_firmware_text(const doctor_t *doctor, char *text, uint32_t text_size) {
    const firmware_t *firmware = &doctor->dump->firmware;
    char kind_buf[120];
    const char *kind = kind_text(doctor->dump, kind_buf, sizeof kind_buf);
    switch (firmware->state) {
        case FIRMWARE_UPGRADING:
            snprintf(text, text_size, "%s",
                doctor->dump->board.is_esp32 ? "an upgrade of it is prepared, or in progress"
                                             : "half old, half new: an upgrade is in progress");
            return;
        case FIRMWARE_WHOLE:
            snprintf(text, text_size, "%s%s%s%s", kind, firmware->end ? ", " : "",
                firmware->end ? say_bytes(firmware_size(firmware)).text : "", firmware->fs_addr ? "; molt is in it" : "");
            return;
        case FIRMWARE_NONE:
            snprintf(text, text_size, "none that is whole: %s", molt_image_defect_text(firmware->image.defect));
            return;
    }
}

void doctor_boot_text(const doctor_t *doctor, char *text, uint32_t text_size) {
    const dumpfs_t *dump = doctor->dump;
    const firmware_t *firmware = &dump->firmware;
    const board_t *board = &dump->board;
    description_t description;
    if (board->is_esp32) {
        description_of_boot(&description, dump->nor.bytes + board->boot_addr, MOLT_PARTITION_TABLE_ADDR - board->boot_addr);
        bool is_read = board->chip != MOLT_CHIP_UNKNOWN;
        snprintf(text, text_size, "%s%s%s",
            !is_read           ? "none that can be read"
            : *description.idf ? "ESP-IDF "
                               : "second-stage boot loader of an unknown version",
            is_read ? description.idf : "", board->work == BOARD_AT_REST ? "" : "; an upgrade is in progress");
        return;
    }
    bool boots = firmware->loader != FIRMWARE_LOADER_NONE || sim_device_boots(&dump->nor);
    snprintf(text, text_size, "%s",
        !boots                                      ? "nothing that the mask ROM would start"
        : firmware->state == FIRMWARE_UPGRADING     ? "an upgrade is in progress"
        : firmware->loader == FIRMWARE_LOADER_NONE  ? "ordinary"
        : firmware->loader == FIRMWARE_LOADER_WHOLE ? "resident"
                                                    : "resident, and not whole");
}

void doctor_filesystem_text(const doctor_t *doctor, char *text, uint32_t text_size) {
    const dumpfs_t *dump = doctor->dump;
    if (doctor->has_files) {
        snprintf(text, text_size, "littlefs at 0x%06x, %s, of which %s are free", dump->fs.addr, say_size(dump->fs.size).text,
            say_size(doctor->free_size).text);
    } else {
        place_text(&dump->places, text, text_size);
    }
}

static void look_at_image(doctor_t *doctor, const char *path, uint32_t size) {
    uint8_t magic[2];
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    lfs2_t *lfs = &doctor->dump->volume.lfs;
    if (size < SECTOR || doctor->image_count == DOCTOR_IMAGES_MAX || strcmp(path, SIM_HEAD_PATH) == 0
        || lfs2_file_opencfg(lfs, &file, path, LFS2_O_RDONLY, &config) != 0) {
        return;
    }
    bool is_read = lfs2_file_read(lfs, &file, magic, sizeof magic) == sizeof magic;
    (void)lfs2_file_close(lfs, &file);
    if (is_read && (magic[0] == 0xe9 || magic[0] == 0xea || (magic[0] == 0x1f && magic[1] == 0x8b))) {
        doctor_image_t *image = &doctor->images[doctor->image_count++];
        snprintf(image->path, sizeof image->path, "%s", path);
        image->size = size;
    }
}

// The files that look like firmwares, in the directory `path` and below it.
static void find_images(doctor_t *doctor, const char *path, uint32_t depth) {
    lfs2_t *lfs = &doctor->dump->volume.lfs;
    struct lfs2_info info;
    lfs2_dir_t dir;
    if (depth > DEPTH_MAX || lfs2_dir_open(lfs, &dir, *path ? path : "/") != 0) {
        return;
    }
    while (lfs2_dir_read(lfs, &dir, &info) > 0) {
        char inner[FILES_PATH_MAX];
        int size = snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "/" : "", info.name);
        if (size < 0 || (size_t)size >= sizeof inner || strcmp(info.name, ".") == 0 || strcmp(info.name, "..") == 0) {
            continue;
        }
        if (info.type == LFS2_TYPE_DIR) {
            find_images(doctor, inner, depth + 1);
        } else {
            look_at_image(doctor, inner, info.size);
        }
    }
    (void)lfs2_dir_close(lfs, &dir);
}

// Free space, and what is there to upgrade from.
static void look_into_files(doctor_t *doctor) {
    dumpfs_t *dump = doctor->dump;
    if (dump->places.verdict != PLACES_ONE || molt_volume_mount(&dump->volume, &dump->nor.flash, &dump->fs, 0, false) != 0) {
        return;
    }
    doctor->has_files = true;
    lfs2_ssize_t used = lfs2_fs_size(&dump->volume.lfs);
    uint32_t block_count = dump->volume.lfs.block_count;
    uint32_t used_count = used < 0 || (uint32_t)used > block_count ? block_count : (uint32_t)used;
    doctor->free_size = (block_count - used_count) * dump->volume.config.block_size;
    find_images(doctor, "", 0);
    molt_volume_unmount(&dump->volume);
}

// What would become of an upgrade from each.
static void try_images(doctor_t *doctor, const args_t *args) {
    const char *after = doctor->dump->board.is_esp32 && doctor->needs_install ? "can be put in, when standby mode is installed"
                                                                              : "can be put in";
    for (uint32_t i = 0; i < doctor->image_count; i++) {
        doctor_image_t *image = &doctor->images[i];
        rehearsal_t rehearsal;
        args_t try_args = *args;
        if (!doctor->can_upgrade) {
            snprintf(image->text, sizeof image->text, "nothing would carry the upgrade out, see below");
            continue;
        }
        try_args.positional[1] = image->path;
        image->is_possible = rehearse(&rehearsal, doctor->dump, &try_args) == 0;
        image->is_in_place = image->is_possible && rehearsal.is_in_place;
        if (image->is_possible) {
            snprintf(image->text, sizeof image->text, "%s, %s", molt_image_kind_text(rehearsal.image.kind),
                image->is_in_place      ? "in place already"
                : rehearsal.notes.count ? rehearsal.notes.texts[0]
                                        : after);
        } else {
            // The path is in front of it.
            size_t prefix = strlen(image->path) + 2;
            snprintf(image->text, sizeof image->text, "%s",
                strlen(rehearsal.text) > prefix ? rehearsal.text + prefix : rehearsal.text);
        }
        rehearse_free(&rehearsal);
    }
}

// An ESP32 that is not in standby mode yet, and can be: what is said of images is what will be then. Returns whether the chip was
// changed for that; sim_nor_pop() undoes it.
static bool install_for_now(doctor_t *doctor) {
    static uint32_t buf[MOLT_STANDBY_BUF_SIZE / 4];
    dumpfs_t *dump = doctor->dump;
    molt_standby_t standby;
    if (!doctor->needs_install) {
        return false;
    }
    sim_nor_push(&dump->nor);
    (void)molt_standby_install(&dump->nor.flash, dump->board.port->standby, (uint8_t *)buf, &standby);
    dumpfs_look_again(dump);
    return true;
}

// An image of the size of the present firmware, as a file.
static void judge_files(doctor_t *doctor) {
    uint32_t size_of_firmware = firmware_size(&doctor->dump->firmware);
    uint32_t sizes[] = { size_of_firmware, size_of_firmware / 100 * GZIP_PERCENT };
    bool has_slots = doctor->dump->board.has_slots;
    const uint32_t head_sizes[] = { has_slots ? 0 : HEAD_SIZE, has_slots ? 0 : HEAD_GZIP_SIZE };
    for (doctor_way_t way = DOCTOR_WAY_RAW; way <= DOCTOR_WAY_GZIP; way++) {
        uint32_t need = sizes[way] + head_sizes[way];
        char *text = doctor->ways[way].text;
        const char *about = way == DOCTOR_WAY_GZIP ? "about " : "";
        if (!doctor->can_upgrade) {
            snprintf(text, sizeof doctor->ways[way].text, "no: nothing would carry the upgrade out");
        } else if (!doctor->has_files) {
            snprintf(text, sizeof doctor->ways[way].text, "no: there is no littlefs to take it from");
        } else if (size_of_firmware == 0) {
            doctor->ways[way].is_open = true;
            snprintf(text, sizeof doctor->ways[way].text, "for files of up to %s",
                say_size(doctor->free_size > head_sizes[way] ? doctor->free_size - head_sizes[way] : 0).text);
        } else {
            bool is_open = need <= doctor->free_size;
            bool fits_empty = need <= doctor->dump->fs.size - 2 * SECTOR;
            doctor->ways[way].is_open = is_open;
            snprintf(text, sizeof doctor->ways[way].text, "%s: a firmware of the present size needs %s%s, and %s are free%s",
                is_open ? "yes" : "no", about, say_size(need / SECTOR * SECTOR + SECTOR).text, say_size(doctor->free_size).text,
                is_open      ? ""
                : fits_empty ? "; remove files"
                             : ": it would not fit into the empty filesystem, either");
        }
        *(way == DOCTOR_WAY_RAW ? &doctor->need_size : &doctor->need_gzip_size) = size_of_firmware ? need : 0;
    }
}

static void judge_resident(doctor_t *doctor) {
    const dumpfs_t *dump = doctor->dump;
    const molt_region_t *reserved = &doctor->survey.map.regions[MOLT_MAP_KIND_RESERVED];
    bool *is_open = &doctor->ways[DOCTOR_WAY_RESIDENT].is_open;
    const char *text = "no: the flash map has no sectors for it";
    if (firmware_is_resident(&dump->firmware)) {
        *is_open = dump->firmware.loader == FIRMWARE_LOADER_WHOLE;
        text = *is_open ? "installed: no power cut in an upgrade is fatal" : "installed, and not whole";
    } else if (doctor->has_map && reserved->size) {
        *is_open = dump->firmware.state == FIRMWARE_WHOLE && dump->firmware.image.kind != MOLT_IMAGE_KIND_ARDUINO
                   && molt_resident_check_free(&dump->nor.flash, reserved) == 0;
        text = *is_open ? "not installed; `molt install` puts it in, and no power cut in an upgrade is fatal then"
               : dump->firmware.image.kind == MOLT_IMAGE_KIND_ARDUINO ? "no: Arduino's firmware brings a boot loader of its own"
               : dump->firmware.state != FIRMWARE_WHOLE
                   ? "no: the firmware is not whole"
                   : "no: something else is in the sectors for it; `molt install --force` overwrites it";
    }
    snprintf(doctor->ways[DOCTOR_WAY_RESIDENT].text, sizeof doctor->ways[0].text, "%s", text);
}

static void judge_map(doctor_t *doctor) {
    const molt_map_t *map = &doctor->survey.map;
    const char *text = "not needed";
    bool *is_open = &doctor->ways[DOCTOR_WAY_MAP].is_open;
    if (doctor->has_map && !map->is_molt && map->flash_size >= MOLT_MAP_MAPPED_SIZE) {
        *is_open = true;
        text = map->flash_size > MOLT_MAP_MAPPED_SIZE
                   ? "molt's own has 32 KB for native code and sectors for the user (molt migrate --to molt)"
                   : "molt's own for 1 MB has 720 KB for firmware and modules, and less for files (molt migrate --to molt)";
    } else if (doctor->has_map && map->is_molt) {
        text = "it has molt's own";
    } else {
        text = "no: this flash has no other";
    }
    snprintf(doctor->ways[DOCTOR_WAY_MAP].text, sizeof doctor->ways[0].text, "%s", text);
}

static void judge_standby(doctor_t *doctor) {
    const board_t *board = &doctor->dump->board;
    bool is_in = board->port && board->standby.defect == MOLT_STANDBY_FINE;
    doctor->ways[DOCTOR_WAY_STANDBY].is_open = is_in;
    snprintf(doctor->ways[DOCTOR_WAY_STANDBY].text, sizeof doctor->ways[0].text, "%s%s",
        is_in || doctor->needs_install ? "" : "no: ",
        is_in ? "installed: no power cut in an upgrade is fatal"
        : doctor->needs_install
            ? "not installed, or not whole; `molt install` puts it in, and no power cut in an upgrade is fatal then"
        : board->port ? molt_standby_text(&board->standby)
                      : "molt has no loader for this chip so far");
}

static void judge_slots(doctor_t *doctor) {
    const board_t *board = &doctor->dump->board;
    bool is_open = board_can_upgrade(board);
    bool is_usable = board->slots.defect == MOLT_SLOTS_FINE;
    doctor->ways[DOCTOR_WAY_SLOTS].is_open = is_open;
    snprintf(doctor->ways[DOCTOR_WAY_SLOTS].text, sizeof doctor->ways[0].text, "%s%s", is_open ? "" : "no: ",
        is_open     ? "an upgrade goes into the one that does not run, and no power cut in it is fatal"
        : is_usable ? molt_standby_text(&board->standby)
                    : molt_slots_text(&board->slots));
}

// Neither as it is nor as a gzip file there is ever room for an image of the present size.
static bool needs_serial(const doctor_t *doctor) {
    return doctor->has_files && doctor->need_gzip_size > doctor->dump->fs.size - 2 * SECTOR;
}

static void find_obstacles(doctor_t *doctor) {
    const dumpfs_t *dump = doctor->dump;
    const firmware_t *firmware = &dump->firmware;
    say_notes_t *obstacles = &doctor->obstacles;
    char text[600];
    if (*board_trouble(&dump->board, dump->path, text, sizeof text)) {
        say_note(obstacles, "%s", text);
    }
    if (firmware->state == FIRMWARE_UPGRADING) {
        say_note(obstacles, "an upgrade is in progress; it goes on when the device is powered on");
    } else if (firmware->state == FIRMWARE_NONE) {
        say_note(obstacles, "no firmware runs that could upgrade anything; write one with esptool, or read the chip again");
    } else if (firmware->fs_addr == 0 && !dump->board.is_esp32) {
        say_note(obstacles,
            "the firmware has no molt in it, so that the device cannot upgrade itself: the first one that has goes in by "
            "the serial line");
    }
    if (firmware_loader_text(firmware)) {
        say_note(obstacles, "%s", firmware_loader_text(firmware));
    }
    if (!doctor->has_files) {
        doctor_filesystem_text(doctor, text, sizeof text);
        say_note(obstacles, "%s", text);
    }
    if (*dumpfs_size_text(dump, text, sizeof text)) {
        say_note(obstacles, "%s", text);
    }
    if (doctor->can_upgrade && doctor->has_files && doctor->need_size && !doctor->ways[DOCTOR_WAY_RAW].is_open
        && !doctor->ways[DOCTOR_WAY_GZIP].is_open) {
        say_note(
            obstacles, !needs_serial(doctor)
                           ? "the filesystem is too full for a firmware; remove files"
                           : "the filesystem is too small for a firmware of the present size, also as a gzip file: this board "
                             "is upgraded by the serial line, or with a smaller firmware");
    }
}

// The first file that can be put in, or NULL.
static const doctor_image_t *first_possible(const doctor_t *doctor) {
    for (uint32_t i = 0; i < doctor->image_count; i++) {
        if (doctor->images[i].is_possible && !doctor->images[i].is_in_place) {
            return &doctor->images[i];
        }
    }
    return NULL;
}

static void choose_next(doctor_t *doctor) {
    const dumpfs_t *dump = doctor->dump;
    const char *path = dump->path;
    const doctor_image_t *image = first_possible(doctor);
    char *next = doctor->next;
    size_t size = sizeof doctor->next;
    bool is_esp32 = dump->board.is_esp32;
    const char *to_esp32 = "esptool write_flash 0x10000 firmware.bin";
    const char *to_serial = is_esp32 ? to_esp32 : "esptool write_flash --flash_size detect 0 firmware.bin";
    if (dump->firmware.loader == FIRMWARE_LOADER_DAMAGED || dump->firmware.loader == FIRMWARE_LOADER_OVERLAY
        || doctor->needs_install) {
        bool is_untried = is_esp32 && board_is_untried(&dump->board);
        snprintf(next, size, "molt install %s%s", is_untried ? "--untried " : "", path);
    } else if (dump->firmware.state == FIRMWARE_UPGRADING) {
        snprintf(next, size, "molt boot %s", path);
    } else if (dump->firmware.state == FIRMWARE_NONE) {
        snprintf(next, size, "%s", to_serial);
    } else if (dump->places.verdict == PLACES_SEVERAL) {
        snprintf(next, size, "molt ls %s --fs-start 0x%06x", path, dump->places.items[dump->places.own].region.addr);
    } else if (dump->places.verdict == PLACES_ELSEWHERE) {
        snprintf(next, size, "molt ls %s --fs-start 0x%06x", path, dump->places.items[dump->places.other].region.addr);
    } else if (!doctor->has_files) {
        snprintf(next, size, "molt map %s", path);
    } else if (image) {
        snprintf(next, size, "molt plan %s %s", path, image->path);
    } else if ((dump->firmware.fs_addr == 0 && !is_esp32) || !doctor->can_upgrade || needs_serial(doctor)) {
        snprintf(next, size, "%s", to_serial);
    } else if (doctor->ways[DOCTOR_WAY_RAW].is_open) {
        snprintf(next, size, "molt put %s firmware.bin", path);
    } else if (doctor->ways[DOCTOR_WAY_GZIP].is_open) {
        snprintf(next, size, "molt compress firmware.bin && molt put %s firmware.bin.gz", path);
    } else {
        snprintf(next, size, "molt ls %s", path);
    }
}

int doctor_examine(doctor_t *doctor, dumpfs_t *dump, const args_t *args) {
    doctor->dump = dump;
    if (dumpfs_look(dump, args)) {
        return 1;
    }
    dumpfs_find_kept(dump);
    doctor->has_map = survey_dump(&doctor->survey, dump, NULL) == 0;
    if (!doctor->has_map) {
        return 1;
    }
    const board_t *board = &dump->board;
    bool is_installable = board->is_esp32 && board->port
                          && (board->standby.defect == MOLT_STANDBY_NOT_INSTALLED
                              || board->standby.defect == MOLT_STANDBY_LOADER_DAMAGED);
    bool is_damaged = is_installable && board->standby.defect == MOLT_STANDBY_LOADER_DAMAGED;
    doctor->needs_install = is_installable && (is_damaged || dump->firmware.state == FIRMWARE_WHOLE);
    doctor->can_upgrade = is_installable || board_can_upgrade(board);
    dumpfs_power_on(dump);
    look_into_files(doctor);
    dumpfs_power_on(dump);
    if (dump->firmware.state == FIRMWARE_WHOLE) {
        bool is_changed = install_for_now(doctor);
        try_images(doctor, args);
        if (is_changed) {
            sim_nor_pop(&dump->nor);
            dumpfs_look_again(dump);
        }
    }
    judge_files(doctor);
    if (board->has_slots) {
        judge_slots(doctor);
    } else if (board->is_esp32) {
        judge_standby(doctor);
    } else {
        judge_resident(doctor);
        judge_map(doctor);
    }
    find_obstacles(doctor);
    choose_next(doctor);
    return 0;
}
