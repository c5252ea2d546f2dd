// How far an upgrade has come.

#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "say.h"
#include "upgrade/report.h"

#define BAR_WIDTH 40

static void draw_bar(const progress_t *progress, uint64_t us) {
    char bar[BAR_WIDTH + 1];
    int filled = progress->percent * BAR_WIDTH / 100;
    for (int i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r\033[K  %-10s [%s] %3d %%  %s of %s", progress->phase, bar, progress->percent, say_time(us).text,
        say_time(progress->total_us).text);
    fflush(stderr);
}

static void update(progress_t *progress) {
    uint64_t us = sim_time_us(&progress->nor->counts, &sim_timings[0]);
    int percent = progress->total_us ? (int)(us * 100 / progress->total_us) : 0;
    percent = percent > 100 ? 100 : percent;
    if (progress->is_quiet || (percent == progress->percent && progress->phase == progress->shown_phase)) {
        return;
    }
    if (progress->is_terminal) {
        progress->percent = percent;
        progress->shown_phase = progress->phase;
        draw_bar(progress, us);
    } else if (progress->percent < 0 || percent / 10 > progress->percent / 10) {
        progress->percent = percent;
        fprintf(stderr, "%3d %%  %s\n", percent / 10 * 10, progress->phase);
    }
}

static void on_operation(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    (void)kind;
    (void)addr;
    (void)data;
    (void)size;
    update(ctx);
}

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    static const char *const phases[] = { "boot", "recheck", "program", "finish" };
    progress_t *progress = ctx;
    progress->phase = event == MOLT_BOOT_FINISH && arg == MOLT_REPORT_RESTORED ? "restore" : phases[event];
    update(progress);
}

int progress_on_phase(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total) {
    static const char *const phases[] = { "check", "source", "compare", "write" };
    progress_t *progress = ctx;
    (void)done;
    (void)total;
    progress->phase = phases[phase];
    update(progress);
    return 0;
}

void progress_begin(progress_t *progress, sim_nor_t *nor, uint64_t total_us, bool is_quiet, const char *first_phase) {
    *progress = (progress_t){
        .nor = nor,
        .total_us = total_us,
        .is_quiet = is_quiet,
        .is_terminal = isatty(STDERR_FILENO),
        .percent = -1,
        .phase = first_phase,
        .io = { .ctx = progress, .event = on_event },
    };
    nor->counts = (sim_counts_t){ 0 };
    nor->watch = on_operation;
    nor->watch_ctx = progress;
}

void progress_end(progress_t *progress) {
    progress->nor->watch = NULL;
    if (progress->is_quiet) {
        return;
    }
    if (progress->is_terminal) {
        fprintf(stderr, "\r\033[K");
    } else if (!progress->nor->is_cut && progress->percent / 10 < 10) {
        fprintf(stderr, "100 %%  done\n");
    }
}
