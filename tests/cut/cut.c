// The cut suite: every flash operation of an upgrade is cut, with every tear; see cmd/molt/torture.h for the fault
// model and for what a device is held to.
//
//   cut                     what `make test` runs; prints TAP
//   cut full                more: every tear everywhere, three cuts on the small device
//   cut SHAPE DEPTH [ID]    one device ("small", "full", "third", "small.gz", "small.resident", ...), or one cut of it again;
//                           "small+erase" erases its filesystem; "small.resident+trial" is on trial and confirms,
//                           "small.resident+rollback" does not
//
// Exit status 0 if nothing was lost outside the named windows and every planned cut fired.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture/device.h"
#include "torture_jobs.h"

#define JOBS 2
// Those that leave firm bits.
#define ALL_TEARS ((1u << SIM_TEAR_WEAK) - 1)

typedef struct run {
    const char *fact;
    const fixture_shape_t *shape;
    uint32_t depth;
    uint32_t tears;
    bool erase_all;
    bool stop_at_loss;
    bool on_trial;
    bool confirms;
} run_t;

// Behind a shape's name: what is special about the upgrade.
typedef struct kind {
    const char *suffix;
    bool erase_all;
    bool on_trial;
    bool confirms;
} kind_t;

static const kind_t kinds[] = {
    { "", false, false, false },
    { "+erase", true, false, false },
    { "+trial", false, true, true },
    { "+rollback", false, true, false },
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static const char *suffix_of(const run_t *run) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].erase_all == run->erase_all && kinds[i].on_trial == run->on_trial && kinds[i].confirms == run->confirms) {
            return kinds[i].suffix;
        }
    }
    abort();
}

static uint64_t all_fired;
static uint32_t case_count;
static uint32_t failed_count;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set_up(const run_t *run, sim_nor_t *nor, torture_t *torture) {
    fixture_device(nor, run->shape);
    *torture = (torture_t){
        .nor = nor,
        .loader = fixture_loader(run->shape),
        .extension = fixture_extension(run->shape),
        .resident = fixture_resident(run->shape),
        .overlay = fixture_overlay(run->shape),
        .fallback_path = run->on_trial ? FIXTURE_OLD_PATH : NULL,
        .confirms = run->confirms,
        .fs = fixture_fs(run->shape),
        .path = FIXTURE_PATH,
        .options = { .safe_check = true, .erase_all = run->erase_all, .mapped_size = 0x100000 },
        .depth = run->depth,
        .tears = run->tears,
        .stop_at_loss = run->stop_at_loss,
    };
}

static void report(const run_t *run, bool came_to_end, const torture_totals_t *totals, const char *text, double seconds) {
    uint64_t losses = torture_loss_count(totals);
    bool fired = totals->fired_count == totals->planned_count && totals->fired_count > 0;
    bool fine = came_to_end && losses == 0 && fired;
    case_count++;
    failed_count += !fine;
    all_fired += totals->fired_count;
    printf("%sok %u - %s\n", fine ? "" : "not ", case_count, run->fact);
    if (!came_to_end) {
        printf("# %s\n", text);
        return;
    }
    printf("# %s, depth %u: %llu operations, %llu cuts planned, %llu fired: %llu recovered, %llu in the named windows, "
           "%llu lost (%.1f s)\n",
        run->shape->name, run->depth, (unsigned long long)totals->op_count, (unsigned long long)totals->planned_count,
        (unsigned long long)totals->fired_count, (unsigned long long)totals->verdicts[TORTURE_RECOVERED],
        (unsigned long long)totals->verdicts[TORTURE_WINDOW], (unsigned long long)losses, seconds);
    if (losses) {
        char id[128];
        torture_format_id(totals, id, sizeof id);
        printf("# first loss: %s (%s); again with: cut %s%s %u %s\n", torture_verdict_text(totals->lost_verdict), text,
            run->shape->name, suffix_of(run), totals->lost_depth, id);
    }
}

static void do_run(const run_t *run) {
    sim_nor_t nor;
    torture_t torture;
    torture_totals_t totals;
    char text[256] = "";
    double begin = now_s();
    set_up(run, &nor, &torture);
    bool came_to_end = torture_run_jobs(&torture, JOBS, &totals, text, sizeof text) == 0;
    report(run, came_to_end, &totals, text, now_s() - begin);
    sim_nor_free(&nor);
}

static int run_again(const char *shape_name, const char *depth, const char *id) {
    const fixture_shape_t *shapes[] = { &fixture_small, &fixture_full, &fixture_third, &fixture_small_gzip, &fixture_full_gzip,
        &fixture_small_resident, &fixture_small_resident_gzip, &fixture_full_resident };
    run_t run = { "nothing is lost", NULL, (uint32_t)atoi(depth), ALL_TEARS, .stop_at_loss = true };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        size_t length = strlen(shapes[i]->name);
        for (size_t k = 0; strncmp(shapes[i]->name, shape_name, length) == 0 && k < KIND_COUNT; k++) {
            if (strcmp(shape_name + length, kinds[k].suffix) == 0) {
                run.shape = shapes[i];
                run.erase_all = kinds[k].erase_all;
                run.on_trial = kinds[k].on_trial;
                run.confirms = kinds[k].confirms;
            }
        }
    }
    if (run.shape == NULL || run.depth < 1 || run.depth > TORTURE_DEPTH_MAX) {
        fprintf(stderr, "usage: cut [full | SHAPE[+erase|+trial|+rollback] DEPTH [ID]]\n");
        return 2;
    }
    if (id == NULL) {
        do_run(&run);
        return failed_count != 0;
    }
    torture_cut_t cuts[TORTURE_DEPTH_MAX];
    if (torture_parse_id(id, cuts) != (int)run.depth) {
        fprintf(stderr, "cut: \"%s\" does not name %u cuts\n", id, run.depth);
        return 2;
    }
    sim_nor_t nor;
    torture_t torture;
    set_up(&run, &nor, &torture);
    torture.replay = cuts;
    int err = torture_run(&torture);
    report(&run, err == 0, &torture.totals, torture.text, 0);
    sim_nor_free(&nor);
    return failed_count != 0;
}

int main(int argc, char **argv) {
    static const run_t runs[] = {
        { "a small device survives every cut and every second cut", &fixture_small, 2, ALL_TEARS },
        { "a small device survives every cut of an upgrade that erases the filesystem", &fixture_small, 1, ALL_TEARS, .erase_all = true },
        { "a 4 MB device survives every cut of a 640 KB upgrade", &fixture_full, 1, ALL_TEARS },
        { "a 4 MB device survives every cut of an upgrade of two thirds", &fixture_third, 1, ALL_TEARS },
        { "a small device survives every cut and every second cut of an upgrade from a gzip file", &fixture_small_gzip, 2, ALL_TEARS },
        { "in resident mode a small device survives every cut and every second cut", &fixture_small_resident, 2, ALL_TEARS },
        { "in resident mode it survives every two cuts of a trial that is confirmed", &fixture_small_resident, 2, ALL_TEARS,
            .on_trial = true, .confirms = true },
        { "in resident mode it survives every two cuts of a trial that falls back", &fixture_small_resident, 2, ALL_TEARS,
            .on_trial = true },
        { "in resident mode it survives every cut of an upgrade from a gzip file", &fixture_small_resident_gzip, 1, ALL_TEARS },
        { "in resident mode it survives every cut of an upgrade that erases the filesystem", &fixture_small_resident, 1,
            ALL_TEARS, .erase_all = true },
        { "in resident mode a 4 MB device survives every cut of a 640 KB upgrade", &fixture_full_resident, 1, ALL_TEARS },
        { "a small device survives every cut of one that erases the filesystem", &fixture_small_gzip, 1, ALL_TEARS, .erase_all = true },
    };
    static const run_t full_runs[] = {
        { "a small device survives two cuts of an upgrade that erases the filesystem", &fixture_small, 2, ALL_TEARS, .erase_all = true },
        { "a 4 MB device survives every cut of an upgrade that erases the filesystem", &fixture_full, 1, ALL_TEARS, .erase_all = true },
        { "a 4 MB device survives every cut of an upgrade from a gzip file", &fixture_full_gzip, 1, ALL_TEARS },
        { "in resident mode a small device survives every two cuts of an upgrade from a gzip file", &fixture_small_resident_gzip, 2,
            ALL_TEARS },
        { "in resident mode it survives every two cuts of an upgrade that erases the filesystem", &fixture_small_resident, 2,
            ALL_TEARS, .erase_all = true },
    };
    bool full = argc == 2 && strcmp(argv[1], "full") == 0;
    if (argc > 1 && !full) {
        return run_again(argv[1], argc > 2 ? argv[2] : "1", argc > 3 ? argv[3] : NULL);
    }
    double begin = now_s();
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        do_run(&runs[i]);
    }
    for (size_t i = 0; full && i < sizeof full_runs / sizeof full_runs[0]; i++) {
        do_run(&full_runs[i]);
    }
    printf("# %llu cuts in %.1f s on %d cores\n", (unsigned long long)all_fired, now_s() - begin, JOBS);
    printf("1..%u\n", case_count);
    return failed_count != 0;
}
