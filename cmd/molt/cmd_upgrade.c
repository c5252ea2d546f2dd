// molt upgrade and molt boot: the upgrade itself, on the simulated device whose flash the dump is.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "dumpfs.h"
#include "molt/error.h"
#include "progress.h"
#include "rehearse.h"
#include "resident/resident.h"
#include "say.h"

// The state of a dump in resident mode; false if it is not.
static bool read_state(const dumpfs_t *dump, molt_state_t *state) {
    uint32_t addr;
    return !dump->board.is_esp32 && molt_resident_find(&dump->nor.flash, &addr) == 0
           && molt_state_read(&dump->nor.flash, addr, state) == 0;
}

// After a power cut: what a user of the device would find, and what goes on from there.
static void print_cut(const dumpfs_t *dump, const args_t *args, uint64_t prepare_op_count, uint64_t op_count) {
    printf("%s%s%s: power cut in flash operation %lld of %llu (%s)\n", say_style(SAY_BOLD), dump->path, say_style(SAY_PLAIN),
        (long long)args->cut_op, (unsigned long long)op_count, sim_tear_name(args->cut_tear));
    molt_region_t reserved;
    (void)rehearse_find_head(dump, &reserved);
    board_start_t start = board_start(&dump->board, &dump->nor);
    if (dump->board.has_slots && start != BOARD_STARTS_NOTHING) {
        printf("  with OTA slots what ran is still there and starts, or the new firmware does; see: molt info %s\n", dump->path);
    } else if (reserved.size && !dump->board.is_esp32) {
        printf("  in resident mode nothing is lost; go on with: molt boot %s\n", dump->path);
    } else if (start == BOARD_STARTS_NOTHING && dump->board.is_esp32) {
        printf("  nothing boots, which cannot be; this is a bug, report it\n");
    } else if (start == BOARD_STARTS_NOTHING) {
        printf("  sector 0 was being rewritten: this is one of the two windows in which a cut is fatal; nothing boots\n");
    } else if (start == BOARD_STARTS_LOADER) {
        printf("  %s; go on with: molt boot %s\n",
            dump->board.is_esp32 ? "the second-stage boot loader starts molt's" : "the boot loader is in place", dump->path);
    } else if ((uint64_t)args->cut_op < prepare_op_count) {
        printf("  the old firmware still boots; start again with: molt upgrade %s %s\n", dump->path, args->positional[1]);
    } else {
        printf("  the firmware was complete by then and starts\n");
    }
}

// Bytes outside the image's sectors and the filesystem that are no longer what they were in `before`.
static uint32_t changed_outside(const dumpfs_t *dump, const uint8_t *before, const molt_region_t *image) {
    uint32_t count = 0;
    molt_region_t reserved;
    (void)rehearse_find_head(dump, &reserved);
    for (uint32_t addr = 0; addr < dump->nor.flash.geometry.size; addr++) {
        if (addr - image->addr >= image->size && addr - dump->fs.addr >= dump->fs.size && addr - reserved.addr >= reserved.size) {
            count += dump->nor.bytes[addr] != before[addr];
        }
    }
    return count;
}

// The target holds the image, and nothing else was touched. 0, or 1 after
// having said what is wrong.
static int prove(const dumpfs_t *dump, const rehearsal_t *rehearsal, const uint8_t *before) {
    molt_region_t image = { rehearsal->plan.image_addr, (rehearsal->plan.image_size + 4095) / 4096 * 4096 };
    if (!rehearse_holds_image(dump, rehearsal)) {
        return say_fail("%s: the firmware is not the image after the upgrade; this is a bug, report it", dump->path);
    }
    if (changed_outside(dump, before, &image)) {
        return say_fail("%s: bytes outside firmware and filesystem have changed; this is a bug, report it", dump->path);
    }
    return 0;
}

static void print_done(const dumpfs_t *dump, const args_t *args, const rehearsal_t *rehearsal) {
    const molt_plan_tally_t *tally = &rehearsal->tally;
    const sim_counts_t *counts = &dump->nor.counts;
    uint64_t us = sim_time_us(counts, &sim_timings[0]);
    printf("%s%s%s: %supgraded%s from %s\n\n", say_style(SAY_BOLD), dump->path, say_style(SAY_PLAIN), say_style(SAY_GOOD),
        say_style(SAY_PLAIN), args->positional[1]);
    printf("  firmware  %s, %s, CRC-32 0x%08x\n", molt_image_kind_text(rehearsal->image.kind),
        say_bytes(rehearsal->plan.image_size).text, rehearsal->plan.image_crc);
    printf("  sectors   %u: %u equal, %u programmed\n", tally->image_sector_count, tally->equal_count, tally->program_count);
    printf("  flash     %llu erases of 64 KB, %llu of 4 KB, %llu programs\n", (unsigned long long)counts->erase_block_count,
        (unsigned long long)counts->erase_sector_count, (unsigned long long)counts->prog_count);
    printf("  device    would take about %s (%s)\n", say_time(us).text, sim_timings[0].name);
    printf("  proved    the image is in place, by its CRC-32; no byte outside firmware and filesystem changed\n");
}

// Prepare and boot. 0, or 1 after having said what is wrong.
static int perform(dumpfs_t *dump, const args_t *args, const rehearsal_t *rehearsal, progress_t *progress) {
    sim_upgrade_t host;
    char sentence[400];
    rehearse_job(&host, dump, args);
    host.progress = progress_on_phase;
    host.progress_ctx = progress;
    int err = sim_upgrade_prepare(&host);
    sim_upgrade_text(&host, err, sentence, sizeof sentence);
    sim_upgrade_free(&host);
    sim_device_t device = board_device(&dump->board, &dump->nor, &progress->io);
    sim_outcome_t outcome = SIM_CUT;
    if (!dump->nor.is_cut) {
        outcome = err ? SIM_STUCK : sim_device_start(&device);
    }
    progress_end(progress);
    if (outcome == SIM_CUT) {
        print_cut(dump, args, rehearsal->prepare_op_count, rehearsal->op_count);
        return 0;
    }
    if (outcome != SIM_FIRMWARE) {
        return say_fail("%s: %s", dump->path, err ? sentence : "the boot loader gave up; this is a bug, report it");
    }
    return 0;
}

static int upgrade(dumpfs_t *dump, const args_t *args, const rehearsal_t *rehearsal) {
    progress_t progress;
    uint32_t flash_size = dump->nor.flash.geometry.size;
    if (args->cut_op >= (int64_t)rehearsal->op_count) {
        return say_fail("the power cannot be cut in operation %lld: the whole upgrade has %llu, 0 to %llu; choose one of these",
            (long long)args->cut_op, (unsigned long long)rehearsal->op_count, (unsigned long long)rehearsal->op_count - 1);
    }
    uint8_t *before = malloc(flash_size);
    if (before == NULL) {
        return say_fail("there is not enough memory; close other programs");
    }
    memcpy(before, dump->nor.bytes, flash_size);
    dump->nor.cut_op = args->cut_op;
    dump->nor.cut_tear = args->cut_tear;
    uint64_t total_us = sim_time_us(&rehearsal->prepare, &sim_timings[0]) + sim_time_us(&rehearsal->boot, &sim_timings[0]);
    progress_begin(&progress, &dump->nor, total_us, args->quiet, "check");
    int status = perform(dump, args, rehearsal, &progress);
    if (!status && !dump->nor.is_cut) {
        status = prove(dump, rehearsal, before);
    }
    free(before);
    if (!status) {
        status = dumpfs_save(dump);
    }
    if (!status && !dump->nor.is_cut && !args->quiet) {
        print_done(dump, args, rehearsal);
    }
    return status;
}

int cmd_upgrade(int argc, char **argv) {
    static const struct argp_option options[] = {
        { "erase-all", ARGS_ERASE_ALL, 0, 0, "Erase the filesystem, too, as the last steps", 0 },
        { "no-safe-check", ARGS_NO_SAFE_CHECK, 0, 0, "Check only the image's headers, not its sums", 0 },
        { "flash-params", ARGS_FLASH_PARAMS, "keep|image", 0,
            "Whose flash mode, size and frequency the new header gets: those of the present firmware (keep, the default) or "
            "those in the image; of an ESP32 always the image's",
            0 },
        ARGS_OPTION_QUIET,
        ARGS_OPTION_CUT,
        ARGS_OPTION_FS_START,
        ARGS_OPTION_FS_SIZE,
        { 0 },
    };
    static const args_spec_t spec = { "FLASH PATH",
        "Upgrade the firmware in a flash dump from the image file PATH on the dump's own littlefs, exactly as the device would: "
        "the running firmware checks and prepares, the boot loader does the rewriting. The dump is replaced as a whole, or "
        "not at all.\v"
        "The file molt.head stays on the filesystem: it holds the old first sector and the boot loader's report. After --cut, "
        "`molt boot FLASH` goes on. Of the ESP32 family it takes chips in standby mode (molt install), and such with OTA slots.\n\n"
        "Examples:\n"
        "  molt upgrade flash.bin firmware.bin\n"
        "  molt upgrade flash.bin firmware.bin --cut 1500:random",
        options, 2, 2 };
    args_t args;
    dumpfs_t dump;
    rehearsal_t rehearsal = { .op_count = 0 };
    args_parse(&spec, argc, argv, &args);
    int status = dumpfs_open(&dump, &args, true) || board_refuse_job(&dump.board, dump.path);
    if (!status && rehearse(&rehearsal, &dump, &args) != 0) {
        status = say_fail("%s", rehearsal.text);
    }
    if (!status && rehearsal.is_in_place) {
        printf("%s: this firmware is in place already; nothing to do\n", dump.path);
    } else if (!status) {
        status = upgrade(&dump, &args, &rehearsal);
    }
    if (!status) {
        say_notes(&rehearsal.notes);
    }
    rehearse_free(&rehearsal);
    dumpfs_close(&dump);
    return status;
}

// The sentence for what molt_boot_run() and its like returned last.
static const char *error_text(int result) {
    switch (result) {
        case MOLT_BOOT_IDLE:
            return "the firmware does not boot, and no upgrade is prepared, so that molt's loader has nothing to do; write a firmware "
                   "with esptool";
        case MOLT_ERR_NOENT:
        case MOLT_ERR_CORRUPT:
            return "the boot loader is there, but its plan or the saved first sector is damaged; write a firmware with esptool";
        case MOLT_ERR_NOTSUP:
            return "the plan is of another version of molt; use that version";
        default:
            return "the boot loader gave up; read the chip again";
    }
}

// Say how the power-on ended. Returns the exit status.
static int report_boot(
    const dumpfs_t *dump, const args_t *args, const sim_device_t *device, sim_outcome_t outcome, uint64_t op_count) {
    switch (outcome) {
        case SIM_BRICK:
            return say_fail("%s: nothing %s that %s would start; write a firmware with esptool", dump->path,
                board_place(&dump->board), board_starter(&dump->board));
        case SIM_STUCK:
            return say_fail("%s: %s", dump->path, error_text(device->boot_result));
        case SIM_CUT:
            print_cut(dump, args, 0, op_count);
            return 0;
        case SIM_FIRMWARE:
            break;
    }
    if (args->quiet) {
        return 0;
    }
    printf("%s%s%s: ", say_style(SAY_BOLD), dump->path, say_style(SAY_PLAIN));
    molt_state_t state;
    bool is_resident = read_state(dump, &state);
    molt_status_t status;
    (void)board_status(&dump->board, &dump->nor.flash, &status);
    uint32_t result = is_resident                                  ? state.result
                      : status.outcome == MOLT_OUTCOME_ROLLED_BACK ? MOLT_STATE_RESULT_ROLLED_BACK
                                                                   : MOLT_STATE_RESULT_NONE;
    if (is_resident && state.kind == MOLT_STATE_TRIAL) {
        printf("the firmware starts on trial; unless it confirms, it has %u more starts before the fallback is put in\n",
            state.trial_starts - state.tally);
    } else if (status.is_on_trial) {
        printf("the firmware starts on trial; unless it confirms, it has %u more starts before the fallback is put in\n",
            status.starts_left);
    } else if (op_count == 0) {
        printf("the firmware starts; no upgrade was in progress\n");
    } else if (result == MOLT_STATE_RESULT_ROLLED_BACK) {
        printf("the firmware on trial was not confirmed, so that of the fallback was put in; it starts\n");
    } else if (result == MOLT_STATE_RESULT_RESTORED) {
        printf("the image file no longer matched, so the firmware was left as it was; it starts\n");
    } else if (device->boot_result == MOLT_BOOT_RESTORED && dump->board.work == BOARD_CANCELLED) {
        printf("the upgrade had been taken back, so the firmware was left as it was; it starts\n");
    } else if (device->boot_result == MOLT_BOOT_RESTORED) {
        printf("the image file no longer matched, so the old firmware was put back; it starts\n");
    } else {
        printf(
            "the upgrade is finished, %llu flash operations; the new firmware starts\n", (unsigned long long)dump->nor.op_count);
    }
    return 0;
}

// A power-on. What it takes is found out by a rehearsal, so that progress and --cut know the total.
static int boot(dumpfs_t *dump, const args_t *args) {
    progress_t progress;
    sim_device_t device = board_device(&dump->board, &dump->nor, NULL);
    sim_nor_push(&dump->nor);
    sim_outcome_t outcome = sim_device_start(&device);
    sim_nor_pop(&dump->nor);
    uint64_t op_count = dump->nor.op_count;
    uint64_t total_us = sim_time_us(&dump->nor.counts, &sim_timings[0]);
    if (outcome == SIM_FIRMWARE && op_count == 0 && args->cut_op >= 0) {
        return say_fail("%s: there is no flash operation to cut the power in: no upgrade is in progress", dump->path);
    }
    if (outcome != SIM_FIRMWARE || op_count == 0) {
        return report_boot(dump, args, &device, outcome, op_count);
    }
    if (args->cut_op >= (int64_t)op_count) {
        return say_fail("the power cannot be cut in operation %lld: what is left has %llu, 0 to %llu; choose one of these",
            (long long)args->cut_op, (unsigned long long)op_count, (unsigned long long)op_count - 1);
    }
    device = board_device(&dump->board, &dump->nor, &progress.io);
    dumpfs_power_on(dump);
    dump->nor.cut_op = args->cut_op;
    dump->nor.cut_tear = args->cut_tear;
    progress_begin(&progress, &dump->nor, total_us, args->quiet, "boot");
    outcome = sim_device_start(&device);
    progress_end(&progress);
    int status = dumpfs_save(dump);
    return status ? status : report_boot(dump, args, &device, outcome, op_count);
}

int cmd_boot(int argc, char **argv) {
    static const struct argp_option options[] = { ARGS_OPTION_QUIET, ARGS_OPTION_CUT, { 0 } };
    static const args_spec_t spec = { "FLASH",
        "Power the device on: what the mask ROM does, then molt's boot loader if it is in sector 0; of an ESP32 what its "
        "second-stage boot loader does, then molt's. An upgrade that was cut goes on and is finished.\v"
        "Examples:\n"
        "  molt boot flash.bin",
        options, 1, 1 };
    args_t args;
    dumpfs_t dump;
    args_parse(&spec, argc, argv, &args);
    int status = dumpfs_open_raw(&dump, args.positional[0]) || board_refuse_start(&dump.board, dump.path);
    if (!status && dump.firmware.loader == FIRMWARE_LOADER_DAMAGED) {
        status = say_fail("%s: %s", dump.path, firmware_loader_text(&dump.firmware));
    }
    if (!status) {
        status = boot(&dump, &args);
    }
    dumpfs_close(&dump);
    return status;
}
