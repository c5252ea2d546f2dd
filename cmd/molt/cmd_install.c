// molt install, molt uninstall: resident mode in a flash dump; in that of an ESP32 standby mode.

#include <stdio.h>
#include <string.h>

#include "args.h"
#include "base/sector.h"
#include "commands.h"
#include "dumpfs.h"
#include "molt/error.h"
#include "molt_esp8266.h"
#include "rehearse.h"
#include "resident/resident.h"
#include "say.h"
#include "standby/standby.h"
#include "survey.h"

static const struct argp_option uninstall_options[] = { ARGS_OPTION_QUIET, { 0 } };
static const struct argp_option install_options[] = {
    { "force", ARGS_FORCE, 0, 0, "Overwrite what molt's reserved sectors hold, if that is not molt's", 0 },
    { "untried", ARGS_UNTRIED, 0, 0, "Install a loader for an ESP32 that has only been compiled, and has not run anywhere", 0 },
    ARGS_OPTION_FS_START,
    ARGS_OPTION_QUIET,
    { 0 },
};

// The sentence for an error of molt_resident_install().
static int refuse_install(const dumpfs_t *dump, const molt_map_t *map, int err) {
    switch (err) {
        case MOLT_ERR_EXIST:
            return say_fail("%s: resident mode is installed already, and its boot loader is whole", dump->path);
        case MOLT_ERR_BUSY:
            return say_fail(
                "%s: an upgrade is in progress in it; molt boot goes on with it, install resident mode after that", dump->path);
        case MOLT_ERR_RANGE:
            return say_fail(
                "%s: its flash map (%s) has no sectors for resident mode; molt migrate gives it some", dump->path, map->name);
        case MOLT_ERR_NOTSUP:
            return firmware_is_resident(&dump->firmware)
                       ? say_fail(
                           "%s: a resident boot loader of another version of molt is in it; take it out with that version first",
                           dump->path)
                       : say_fail("%s: this firmware would be loaded over the resident boot loader; use the upgrade without it",
                           dump->path);
        case MOLT_ERR_CORRUPT:
            return say_fail("%s: the firmware in it has no right checksum; put a whole one in first", dump->path);
        default:
            return say_fail("%s: the resident boot loader does not fit; this is a bug, report it", dump->path);
    }
}

// Where resident mode goes, or is. 0, or 1 after having said why it cannot go anywhere.
static int find_place(dumpfs_t *dump, const args_t *args, survey_t *survey, molt_region_t *reserved) {
    const firmware_t *firmware = &dump->firmware;
    if (firmware_is_resident(firmware)) {
        *reserved = (molt_region_t){ firmware->reserved_addr, MOLT_RESERVED_SECTOR_COUNT * 4096 };
        return reserved->addr
                   ? 0
                   : say_fail("%s: the resident boot loader is damaged, and so is its state log; write a firmware with "
                              "esptool",
                       dump->path);
    }
    if (dumpfs_look(dump, args) || (dump->places.verdict == PLACES_SEVERAL && dumpfs_refuse(dump))
        || survey_dump(survey, dump, NULL)) {
        return 1;
    }
    *reserved = survey->map.regions[MOLT_MAP_KIND_RESERVED];
    if (reserved->size && !args->force && molt_resident_check_free(&dump->nor.flash, reserved) == MOLT_ERR_NOSPC) {
        return say_fail(
            "%s: molt's reserved sectors, from 0x%06x on, hold something that is not molt's, or an installation that was "
            "cut short; --force overwrites it",
            dump->path, reserved->addr);
    }
    return 0;
}

// The sentence for an error of molt_standby_install() or _uninstall().
static int refuse_standby(const dumpfs_t *dump, int err) {
    switch (err) {
        case MOLT_ERR_EXIST:
            return say_fail("%s: standby mode is installed already, and its loader is whole", dump->path);
        case MOLT_ERR_NOENT:
            return say_fail("%s: standby mode is not installed in it", dump->path);
        case MOLT_ERR_BUSY:
            return dump->board.work != BOARD_AT_REST
                       ? say_fail("%s: an upgrade is in progress in it; molt boot goes on with it", dump->path)
                       : say_fail("%s: there is no firmware at 0x%06x that would start; write one with esptool first", dump->path,
                           dump->board.app.addr);
        case MOLT_ERR_NOTSUP:
            return board_refuse_job(&dump->board, dump->path);
        default:
            return say_fail("%s: the standby loader does not fit; this is a bug, report it", dump->path);
    }
}

// A damaged loader goes in again, also while an upgrade is in progress: a device could lose its power meanwhile, a dump cannot.
static int refuse_slots(const dumpfs_t *dump) {
    const molt_standby_t standby = { .defect = MOLT_STANDBY_OTA };
    return say_fail("%s: %s", dump->path, molt_standby_text(&standby));
}

static int repair_standby(dumpfs_t *dump, uint8_t *buf) {
    uint32_t addr = dump->board.standby.loader_addr;
    (void)molt_standby_image(dump->board.port->standby, addr, dump->board.standby.plan_addr, 4096, buf);
    return molt_sector_write(&dump->nor.flash, addr, buf, false);
}

static int install_standby(dumpfs_t *dump, const args_t *args) {
    static uint32_t buf[MOLT_STANDBY_BUF_SIZE / 4];
    const molt_standby_chip_t *chip = dump->board.port->standby;
    molt_standby_t standby;
    if (dump->board.has_slots) {
        return refuse_slots(dump);
    }
    bool is_repair = dump->board.standby.defect == MOLT_STANDBY_LOADER_DAMAGED;
    if (args->force) {
        return say_fail("%s: nothing is overwritten in an ESP32's flash; leave out --force", dump->path);
    }
    if (board_is_untried(&dump->board) && !args->untried) {
        return say_fail(
            "%s: molt's loader for the %s has only been compiled so far, and has not run anywhere; --untried installs it",
            dump->path, board_name(&dump->board));
    }
    int err = molt_standby_install(&dump->nor.flash, chip, (uint8_t *)buf, &standby);
    if (err == MOLT_ERR_BUSY && is_repair && dump->board.work != BOARD_AT_REST) {
        err = repair_standby(dump, (uint8_t *)buf);
    }
    if (err) {
        // What it found on its way it says there.
        dump->board.standby = standby;
        return refuse_standby(dump, err);
    }
    int status = dumpfs_save(dump);
    if (status || args->quiet) {
        return status;
    }
    printf("%s: standby mode is %s\n", dump->path, is_repair ? "repaired" : "installed");
    bool has_trials = standby.plan_addr > standby.loader_addr + 4096;
    printf("  Its loader is in the sector at 0x%06x; the one at 0x%06x is for the plan of an upgrade%s.\n", standby.loader_addr,
        standby.plan_addr, has_trials ? ", that between them for trials" : "");
    if (is_repair) {
        printf("  Its row was in the partition table already.%s\n",
            dump->board.work == BOARD_AT_REST ? "" : " An upgrade is in progress; molt boot goes on with it.");
        return 0;
    }
    printf("  Its rows are at 0x%06x, behind the partition table's MD5: %u bytes are programmed there, and nothing is erased.\n",
        standby.row_addr, has_trials ? 128u : 64u);
    printf("  On a device the power must not fail while the last 4 bytes are programmed, %s (%s); after that, no upgrade\n"
           "  can brick it.\n",
        say_time(rehearse_word_us(&sim_timings[0])).text, sim_timings[0].name);
    return 0;
}

static int uninstall_standby(dumpfs_t *dump, const args_t *args) {
    static uint32_t buf[MOLT_STANDBY_BUF_SIZE / 4];
    if (dump->board.has_slots) {
        return refuse_slots(dump);
    }
    int err = molt_standby_uninstall(&dump->nor.flash, dump->board.port->standby, (uint8_t *)buf);
    if (err) {
        return refuse_standby(dump, err);
    }
    int status = dumpfs_save(dump);
    if (!status && !args->quiet) {
        printf("%s: standby mode is gone; of its row in the partition table the size is 0 now\n", dump->path);
    }
    return status;
}

static int install(dumpfs_t *dump, const args_t *args) {
    static survey_t survey;
    uint8_t buf[4096];
    molt_region_t reserved;
    uint32_t found_addr;
    bool is_repair = firmware_is_resident(&dump->firmware);
    if (find_place(dump, args, &survey, &reserved)) {
        return 1;
    }
    if (is_repair && molt_resident_find(&dump->nor.flash, &found_addr) == MOLT_ERR_NOENT) {
        // Not even what says that it is one is left of it: install it once more, for the firmware that it started.
        memcpy(dump->nor.bytes, dump->nor.bytes + dump->firmware.head_addr, 4096);
    }
    int err = molt_resident_install(&dump->nor.flash, &reserved, &molt_esp8266.resident, &molt_esp8266.overlay, buf);
    if (err) {
        return refuse_install(dump, &survey.map, err);
    }
    int status = dumpfs_save(dump);
    if (!status && !args->quiet) {
        printf("%s: resident mode is %s; its sectors are 0x%06x to 0x%06x\n", dump->path, is_repair ? "repaired" : "installed",
            reserved.addr, reserved.addr + reserved.size - 1);
        printf("  On a device the power must not fail for the %s that this takes (%s); after that, no upgrade can brick it.\n",
            say_time(rehearse_window_us(&sim_timings[0])).text, sim_timings[0].name);
    }
    return status;
}

static int uninstall(dumpfs_t *dump, const args_t *args) {
    uint8_t buf[4096];
    int err = molt_resident_uninstall(&dump->nor.flash, buf);
    if (err == MOLT_ERR_BUSY) {
        return say_fail("%s: an upgrade or a trial is in progress; molt boot goes on with it", dump->path);
    }
    if (err) {
        const char *text = firmware_loader_text(&dump->firmware);
        return say_fail("%s: %s", dump->path, text ? text : "resident mode is not installed in it");
    }
    int status = dumpfs_save(dump);
    if (!status && !args->quiet) {
        printf("%s: resident mode is gone; the firmware's first sector is back in sector 0\n", dump->path);
    }
    return status;
}

typedef int (*command_on_dump_t)(dumpfs_t *dump, const args_t *args);

// on_esp32: the same for a board of that family
static int run(int argc, char **argv, const char *doc, const struct argp_option *options, command_on_dump_t on_esp8266,
    command_on_dump_t on_esp32) {
    const args_spec_t spec = { "FLASH", doc, options, 1, 1 };
    args_t args;
    dumpfs_t dump;
    args_parse(&spec, argc, argv, &args);
    int status = dumpfs_open_raw(&dump, args.positional[0]) || board_refuse_loader(&dump.board, dump.path);
    if (!status) {
        status = dump.board.is_esp32 ? on_esp32(&dump, &args) : on_esp8266(&dump, &args);
    }
    dumpfs_close(&dump);
    args_free(&args);
    return status;
}

int cmd_install(int argc, char **argv) {
    return run(argc, argv,
        "Put the resident boot loader into sector 0 of a flash dump: from then on no power cut during an upgrade leaves a "
        "device that does not start. Where it is in already and damaged, it is repaired. Of an ESP32 this is standby mode: molt's "
        "loader goes into a sector that nobody uses, and a row for it behind the MD5 of the partition table, where only the chip's "
        "own boot loader looks.\v"
        "Examples:\n"
        "  molt install flash.bin",
        install_options, install, install_standby);
}

int cmd_uninstall(int argc, char **argv) {
    return run(argc, argv,
        "Put the firmware's own first sector back into sector 0; of an ESP32, end standby mode.\v"
        "Examples:\n"
        "  molt uninstall flash.bin",
        uninstall_options, uninstall, uninstall_standby);
}
