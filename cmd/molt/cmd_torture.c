// molt torture: cut the power in every flash operation of an upgrade and see what recovers.

#include <stdio.h>
#include <unistd.h>

#include "args.h"
#include "commands.h"
#include "dumpfs.h"
#include "rehearse.h"
#include "say.h"
#include "sim_upgrade.h"
#include "torture_jobs.h"

static const struct argp_option options[] = {
    { "depth", ARGS_DEPTH, "1|2", 0, "Cuts in a row: 2 cuts the recovery of each cut again, everywhere (small devices only)", 0 },
    { "tears", ARGS_TEARS, "TEAR[,TEAR]...", 0,
        "Kinds of torn operations: before, after, prefix, suffix, random, stray, zero (default: all)", 0 },
    { "jobs", ARGS_JOBS, "N", 0, "Processes (default: 2)", 0 },
    { "replay", ARGS_REPLAY, "ID", 0, "Only the cut of this name, as a loss is reported", 0 },
    { "erase-all", ARGS_ERASE_ALL, 0, 0, "Of an upgrade that erases the filesystem, too", 0 },
    { "flash-params", ARGS_FLASH_PARAMS, "keep|image", 0,
        "Whose flash mode, size and frequency the new header gets; of an ESP32 always the image's", 0 },
    ARGS_OPTION_QUIET,
    ARGS_OPTION_FS_START,
    ARGS_OPTION_FS_SIZE,
    { 0 },
};

typedef struct progress_line {
    uint64_t op_count;
    uint32_t percent;
} progress_line_t;

static void on_progress(void *ctx, const torture_totals_t *totals) {
    progress_line_t *line = ctx;
    line->op_count++;
    if (line->op_count % 16 == 0) {
        fprintf(stderr, "\rcutting: flash operation %llu, %llu cuts, %llu lost ", (unsigned long long)line->op_count,
            (unsigned long long)totals->fired_count, (unsigned long long)torture_loss_count(totals));
    }
}

static void print_totals(const torture_totals_t *totals, const args_t *args, board_mode_t mode) {
    printf("%llu operations, %llu cuts planned, %llu fired\n\n", (unsigned long long)totals->op_count,
        (unsigned long long)totals->planned_count, (unsigned long long)totals->fired_count);
    for (int i = 0; i < TORTURE_VERDICT_COUNT; i++) {
        if (totals->verdicts[i] || i == TORTURE_RECOVERED
            || (i == TORTURE_WINDOW && mode != BOARD_STANDBY && mode != BOARD_SLOTS)) {
            const char *style = i == TORTURE_RECOVERED ? say_style(SAY_GOOD) : i > TORTURE_WINDOW ? say_style(SAY_BAD) : "";
            printf("  %s%10llu%s  %s\n", style, (unsigned long long)totals->verdicts[i], say_style(SAY_PLAIN),
                torture_verdict_text((torture_verdict_t)i));
        }
    }
    if (mode == BOARD_RESIDENT) {
        printf("\nIn resident mode there are no windows: sector 0 is not written.\n");
    } else if (mode == BOARD_STANDBY) {
        printf(
            "\nIn standby mode there are no windows: the second-stage boot loader falls back to molt's loader, which is not written.\n");
    } else if (mode == BOARD_SLOTS) {
        printf("\nWith OTA slots there are no windows: what runs is not written.\n");
    } else {
        printf("\nThe named windows: sector 0 is erased and programmed twice, when the boot loader goes in and when the new\n"
               "first sector goes in; each takes %s on a %s.\n",
            say_time(rehearse_window_us(&sim_timings[0])).text, sim_timings[0].name);
    }
    if (totals->lost_depth) {
        char id[128];
        torture_format_id(totals->lost, totals->lost_depth, id, sizeof id);
        printf("\nThe first loss: %s. Again with: molt torture %s %s --depth %u --replay %s\n",
            torture_verdict_text(totals->lost_verdict), args->positional[0], args->positional[1], totals->lost_depth, id);
    }
}

static int run(dumpfs_t *dump, const args_t *args, board_mode_t mode) {
    torture_cut_t cuts[TORTURE_DEPTH_MAX];
    progress_line_t line = { 0, 0 };
    sim_upgrade_t host;
    rehearse_job(&host, dump, args);
    torture_t torture = {
        .nor = &dump->nor,
        .loader = host.target.transient,
        .extension = host.target.extension,
        .resident = host.target.resident,
        .overlay = host.target.overlay,
        .standby = mode == BOARD_STANDBY || mode == BOARD_SLOTS ? &dump->board.target : NULL,
        .fs = dump->fs,
        .path = args->positional[1],
        .options = host.options,
        .depth = args->depth,
        .tears = args->tears,
        .progress = !args->quiet && isatty(STDERR_FILENO) ? on_progress : NULL,
        .progress_ctx = &line,
    };
    uint32_t jobs = args->jobs ? args->jobs : 2;
    if (args->replay) {
        int count = torture_parse_id(args->replay, cuts);
        if (count < 1) {
            return say_fail("\"%s\" names no cut; a name is like 17.random or 17.random/230.zero", args->replay);
        }
        torture.replay = cuts;
        torture.depth = (uint32_t)count;
        jobs = 1;
    }
    torture_totals_t totals;
    char text[256] = "";
    int err = torture_run_jobs(&torture, jobs, &totals, text, sizeof text);
    if (torture.progress) {
        fprintf(stderr, "\r\033[K");
    }
    if (err) {
        return say_fail("%s", text);
    }
    if (!torture_is_complete(&totals)) {
        return say_fail("a cut that was planned did not happen; the upgrade has no such operation");
    }
    print_totals(&totals, args, mode);
    return torture_loss_count(&totals) != 0;
}

int cmd_torture(int argc, char **argv) {
    static const args_spec_t spec = {
        "FLASH PATH",
        "Upgrade a device from the file PATH on its littlefs, again and again, and cut the power in each flash operation "
        "in turn, with each kind of tear. After each cut the device is powered up until a firmware runs, and everything "
        "is compared: firmware, files, every other byte. The dump is not changed.\v"
        "Exit status 1 if anything was lost outside the two rewritings of sector 0, which resident mode, standby mode and OTA slots do without.\n\n"
        "Examples:\n"
        "  molt torture flash.bin firmware.bin\n"
        "  molt torture flash.bin firmware.bin --replay 17.random",
        options,
        2,
        2,
    };
    args_t args;
    args_parse(&spec, argc, argv, &args);
    dumpfs_t dump;
    int status = dumpfs_open(&dump, &args, true) || board_refuse_job(&dump.board, dump.path);
    rehearsal_t rehearsal = { .op_count = 0 };
    // What is wrong without any cut is told as plan and upgrade tell it.
    if (status == 0 && rehearse(&rehearsal, &dump, &args) != 0) {
        status = say_fail("%s", rehearsal.text);
    }
    if (status == 0) {
        status = run(&dump, &args, rehearsal.mode);
    }
    rehearse_free(&rehearsal);
    dumpfs_close(&dump);
    args_free(&args);
    return status;
}
