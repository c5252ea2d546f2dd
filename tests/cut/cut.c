// The cut suite: every flash operation of an upgrade is cut, with every tear; see sim/torture.h for the fault
// model and for what a device is held to.
//
//   cut                     what `make test` runs; prints TAP
//   cut full                more: every tear everywhere, three cuts on the small device
//   cut SHAPE DEPTH [ID]    one device ("small", "full", "third", "small.gz", "small.resident", ...) with every tear, or one
//                           disturbance of it again; "small+erase" erases its filesystem; "small.resident+trial" is on
//                           trial and confirms, "small.resident+rollback" does not; "+misread" has misreads, too; "+page"
//                           is a chip that rewrites whole pages, "+pieces" one whose program commands are an eighth of a
//                           page; "+firm" leaves no weak cell behind. It stops at the first loss; with "all" as ID it tells each;
//                           with "/N" the first of the cuts is in every N-th operation only
//
// Exit status 0 if nothing was lost outside the named windows and every cut and misread that there had to be was made.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture/device.h"
#include "shipped.h"
#include "torture_jobs.h"

#define JOBS 2

// Tears that leave firm bits, and those that leave weak ones.
#define FIRM ((1u << SIM_TEAR_WEAK) - 1)
#define WEAK_TEARS (1u << SIM_TEAR_WEAK | 1u << SIM_TEAR_MARGINAL)
#define ALL (FIRM | WEAK_TEARS)
#define WEAK_ONLY (1u << SIM_TEAR_AFTER | WEAK_TEARS)
#define PAGES (1u << SIM_TEAR_PAGE)
// Where all would take too long, on the large devices and with misreads: cuts that leave recoveries of all kinds.
#define FEW (1u << SIM_TEAR_AFTER | 1u << SIM_TEAR_RANDOM)

// What is special about an upgrade or about the chip; its names stand behind the shape's, each after a "+".
enum {
    ERASE = 1,       // the filesystem is erased, too
    TRIAL = 2,       // the new firmware is on trial, and confirms
    ROLLBACK = 4,    // it is, and does not
    MISREAD = 8,     // reads are wrong, too
    PAGE = 16,       // the chip rewrites whole pages
    PIECES = 32,     // each program command is an operation: an eighth of a page
    FIRM_ONLY = 64,  // no cut leaves a weak cell
    WEAK = 128,      // each does, or comes right behind an operation
};
static const char *const kinds[] = { "erase", "trial", "rollback", "misread", "page", "pieces", "firm", "weak" };
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

typedef struct run {
    const char *fact;
    const fixture_shape_t *shape;
    uint32_t depth;
    uint32_t tears;
    uint32_t what;
    uint32_t seed_count;  // of a sample of what chance decides; 0 as 1
    uint32_t seed;        // the first
    uint32_t cut_step;    // the first cut is in every n-th operation only; 0 as 1
    bool stop_at_loss;
    bool tells_losses;
} run_t;

static void print_name(const run_t *run) {
    printf("%s", run->shape->name);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (run->what >> i & 1) {
            printf("+%s", kinds[i]);
        }
    }
    if (run->seed) {
        printf("+%u", run->seed);
    }
}

static uint64_t all_fired;
static uint32_t case_count;
static uint32_t failed_count;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell_loss(torture_verdict_t verdict, const char *id) {
    printf("# %s: %s\n", id, torture_verdict_text(verdict));
    fflush(stdout);
}

static void set_up(const run_t *run, sim_nor_t *nor, torture_t *torture) {
    bool is_small = run->shape->geometry.size < 0x40000;
    bool is_on_trial = (run->what & (TRIAL | ROLLBACK)) != 0;
    static molt_target_t standby;
    bool is_esp32 = run->shape->is_standby || run->shape->slot_size;
    fixture_device(nor, run->shape);
    if (run->shape->is_standby) {
        standby = fixture_standby_target(run->shape, nor);
    } else if (run->shape->slot_size) {
        standby = fixture_slots_target(run->shape, nor, 0x10000);
    }
    nor->seed = run->seed;
    nor->piece_size = run->what & PIECES ? run->shape->geometry.page_size / 8 : 0;
    *torture = (torture_t){
        .nor = nor,
        .loader = fixture_loader(run->shape),
        .extension = fixture_extension(run->shape),
        .delta = fixture_delta(run->shape),
        .delta_rest = fixture_delta_rest(run->shape),
        .resident = fixture_resident(run->shape),
        .overlay = fixture_overlay(run->shape),
        .code_once = cut_code(),
        .code_resident = cut_code(),
        .standby = is_esp32 ? &standby : NULL,
        .code_standby = cut_code(),
        .fallback_path = is_on_trial ? FIXTURE_OLD_PATH : NULL,
        .confirms = (run->what & TRIAL) != 0,
        .fs = fixture_fs(run->shape),
        .path = FIXTURE_PATH,
        .options = { .safe_check = true, .erase_all = (run->what & ERASE) != 0, .mapped_size = 0x100000 },
        .depth = run->depth,
        .tears = run->tears,
        .misreads = run->what & MISREAD ? TORTURE_IN_UPGRADE | TORTURE_IN_RECOVERIES | TORTURE_IN_LATER_STARTS : 0,
        // On the larger devices a sample: a life there has thousands of reads.
        .misread_step = is_small ? 5 : 211,
        .cut_step = run->what & MISREAD && !is_small ? 61 : run->cut_step,
        .stop_at_loss = run->stop_at_loss,
        .on_loss = run->tells_losses ? tell_loss : NULL,
    };
}

static void report(const run_t *run, bool came_to_end, const torture_totals_t *totals, const char *text, double seconds) {
    uint64_t losses = torture_loss_count(totals);
    bool fine = came_to_end && losses == 0 && torture_is_complete(totals);
    case_count++;
    failed_count += !fine;
    all_fired += totals->fired_count;
    printf("%sok %u - %s\n", fine ? "" : "not ", case_count, run->fact);
    if (!came_to_end) {
        printf("# %s\n", text);
        return;
    }
    printf("# ");
    print_name(run);
    printf(", depth %u: %llu operations, %llu windows; %llu disturbances there have to be, %llu planned, %llu made (%llu "
           "misreads): %llu recovered, %llu in the named windows, "
           "%llu littlefs's own, %llu uncounted, %llu lost (%.1f s)\n",
        run->depth, (unsigned long long)totals->op_count, (unsigned long long)totals->window_count,
        (unsigned long long)totals->wanted_count, (unsigned long long)totals->planned_count,
        (unsigned long long)totals->fired_count, (unsigned long long)totals->misread_count,
        (unsigned long long)totals->verdicts[TORTURE_RECOVERED], (unsigned long long)totals->verdicts[TORTURE_WINDOW],
        (unsigned long long)totals->verdicts[TORTURE_LITTLEFS], (unsigned long long)totals->verdicts[TORTURE_UNCOUNTED],
        (unsigned long long)losses, seconds);
    if (losses) {
        char id[128];
        torture_format_id(totals->lost, totals->lost_depth, id, sizeof id);
        printf("# first loss: %s%s%s; again with: cut ", torture_verdict_text(totals->lost_verdict), *text ? ": " : "", text);
        print_name(run);
        printf(" %u %s\n", totals->lost_depth, id);
    }
}

// With one seed after the other, up to the first that loses something.
static void do_run(const run_t *run) {
    run_t seeded = *run;
    torture_totals_t totals = { 0 };
    char text[256] = "";
    double begin = now_s();
    bool came_to_end = true;
    for (uint32_t i = 0; i < run->seed_count || i == 0; i++) {
        sim_nor_t nor;
        torture_t torture;
        torture_totals_t more;
        seeded.seed = run->seed + i;
        set_up(&seeded, &nor, &torture);
        came_to_end = torture_run_jobs(&torture, JOBS, &more, text, sizeof text) == 0;
        sim_nor_free(&nor);
        torture_add(&totals, &more);
        if (!came_to_end || torture_loss_count(&totals)) {
            break;
        }
    }
    report(&seeded, came_to_end, &totals, text, now_s() - begin);
}

// The boot loaders' own compilation knows sectors of 4096 bytes only.
static void do_if_possible(const run_t *run) {
    if (cut_code() == NULL || run->shape->geometry.sector_size == 4096) {
        do_run(run);
    }
}

// Shape and what is special, from "small.resident+trial". 0, or -1 if there is no such thing.
static int parse_name(const char *name, run_t *run) {
    static const fixture_shape_t *const shapes[] = { &fixture_small, &fixture_full, &fixture_third, &fixture_small_gzip,
        &fixture_full_gzip, &fixture_small_resident, &fixture_small_resident_gzip, &fixture_full_resident, &fixture_short,
        &fixture_short_gzip, &fixture_short_resident, &fixture_small_standby, &fixture_small_standby_gzip,
        &fixture_small_standby_trial, &fixture_small_slots, &fixture_small_slots_gzip, &fixture_short_slots,
        &fixture_short_standby, &fixture_full_standby, &fixture_small_standby_delta, &fixture_short_standby_delta,
        &fixture_full_standby_delta, &fixture_small_delta, &fixture_short_delta, &fixture_full_delta,
        &fixture_small_resident_delta, &fixture_short_resident_delta, &fixture_small_resident_back,
        &fixture_short_resident_back };
    size_t length = strcspn(name, "+");
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (strlen(shapes[i]->name) == length && memcmp(shapes[i]->name, name, length) == 0) {
            run->shape = shapes[i];
        }
    }
    for (name += length; *name == '+'; name += length) {
        uint32_t before = run->what;
        length = strcspn(++name, "+");
        for (size_t i = 0; i < KIND_COUNT; i++) {
            bool is_it = strlen(kinds[i]) == length && memcmp(kinds[i], name, length) == 0;
            run->what |= is_it ? 1u << i : 0;
        }
        if (run->what == before) {
            char *end;
            run->seed = (uint32_t)strtoul(name, &end, 10);
            if (end == name || end != name + length) {
                return -1;
            }
        }
    }
    return run->shape ? 0 : -1;
}

static uint32_t tears_of(uint32_t what) {
    return what & PAGE ? PAGES : what & MISREAD ? FEW : what & FIRM_ONLY ? FIRM : what & WEAK ? WEAK_ONLY : ALL;
}

static int run_again(const char *name, const char *depth, const char *id) {
    run_t run = { .fact = "nothing is lost", .depth = (uint32_t)atoi(depth), .stop_at_loss = true };
    int err = parse_name(name, &run);
    run.tears = tears_of(run.what);
    if (err || run.depth < 1 || run.depth > TORTURE_DEPTH_MAX) {
        fprintf(stderr,
            "usage: cut [full | SHAPE[+erase|+trial|+rollback|+misread|+page|+pieces|+firm|+weak|+SEED] DEPTH [ID|all|/N]]\n");
        return 2;
    }
    bool is_sample = id && id[0] == '/';
    if (id == NULL || is_sample || strcmp(id, "all") == 0) {
        run.cut_step = is_sample ? (uint32_t)atoi(id + 1) : 0;
        run.stop_at_loss = id == NULL || is_sample;
        run.tells_losses = !run.stop_at_loss;
        do_run(&run);
        return failed_count != 0;
    }
    torture_cut_t cuts[TORTURE_DEPTH_MAX + 1] = { { 0 } };
    if (torture_parse_id(id, cuts) != (int)run.depth) {
        fprintf(stderr, "cut: \"%s\" does not name %u disturbances\n", id, run.depth);
        return 2;
    }
    sim_nor_t nor;
    torture_t torture;
    set_up(&run, &nor, &torture);
    torture.replay = cuts;
    torture.misreads = TORTURE_IN_UPGRADE | TORTURE_IN_RECOVERIES | TORTURE_IN_LATER_STARTS;
    err = torture_run(&torture);
    report(&run, err == 0, &torture.totals, torture.text, 0);
    sim_nor_free(&nor);
    return failed_count != 0;
}

// What `make test` runs.
static const run_t runs[] = {
    { "a small device survives every cut and every second cut", &fixture_small, 2, ALL },
    { "a small device survives every cut of an upgrade that erases the filesystem", &fixture_small, 1, ALL, ERASE },
    { "a small device survives every cut of an upgrade from a gzip file", &fixture_small_gzip, 1, ALL },
    { "a small device survives every cut of one that erases the filesystem", &fixture_small_gzip, 1, ALL, ERASE },
    { "a small device survives every cut of each program command", &fixture_small, 1, ALL, PIECES },
    { "a device with sectors of 4096 bytes survives every cut", &fixture_short, 1, ALL },
    { "a 4 MB device survives cuts of a 640 KB upgrade", &fixture_full, 1, FEW, 0, 1, 0, 3 },
    { "a 4 MB device survives cuts of an upgrade of two thirds", &fixture_third, 1, FEW, 0, 1, 0, 3 },
    { "in resident mode a small device survives every cut and every second cut", &fixture_small_resident, 2, ALL },
    { "in resident mode it survives every two cuts of a trial that is confirmed", &fixture_small_resident, 2, FIRM, TRIAL },
    { "in resident mode it survives two cuts of a trial that falls back", &fixture_small_resident, 2, FIRM, ROLLBACK, 1, 0, 3 },
    { "in resident mode it survives every cut of a trial that is confirmed", &fixture_small_resident, 1, ALL, TRIAL },
    { "in resident mode it survives every cut of a trial that falls back", &fixture_small_resident, 1, ALL, ROLLBACK },
    { "in resident mode it survives every cut of an upgrade from a gzip file", &fixture_small_resident_gzip, 1, ALL },
    { "in resident mode it survives every cut of an upgrade that erases the filesystem", &fixture_small_resident, 1, ALL, ERASE },
    { "in resident mode it survives every cut of each program command", &fixture_small_resident, 1, ALL, PIECES },
    { "in resident mode a device with sectors of 4096 bytes survives every cut", &fixture_short_resident, 1, ALL },
    { "in resident mode it survives every cut of a trial that falls back", &fixture_short_resident, 1, ALL, ROLLBACK },
    { "in resident mode a 4 MB device survives cuts of a 640 KB upgrade", &fixture_full_resident, 1, FEW, 0, 1, 0, 3 },
    { "a small device survives every misread", &fixture_small, 1, FEW, MISREAD, 4 },
    { "a small device survives every misread of an upgrade that erases the filesystem", &fixture_small, 1, FEW, MISREAD | ERASE,
        4 },
    { "a small device survives every misread of an upgrade from a gzip file", &fixture_small_gzip, 1, FEW, MISREAD, 4 },
    { "in resident mode it survives every misread, then and later", &fixture_small_resident, 1, FEW, MISREAD, 4 },
    { "in resident mode it survives every misread of a trial that is confirmed", &fixture_small_resident, 1, FEW, MISREAD | TRIAL,
        4 },
    { "in resident mode it survives every misread of a trial that falls back", &fixture_small_resident, 1, FEW,
        MISREAD | ROLLBACK, 4 },
    { "a chip that rewrites pages survives every cut", &fixture_short, 1, PAGES, PAGE },
    { "in resident mode a chip that rewrites pages survives every cut", &fixture_short_resident, 1, PAGES, PAGE },
    { "in resident mode a small chip that rewrites pages survives every two cuts", &fixture_small_resident, 2, PAGES, PAGE, 8 },
    { "in resident mode a small chip that rewrites pages survives every cut of an upgrade that erases the filesystem",
        &fixture_small_resident, 1, PAGES, PAGE | ERASE, 64 },
    { "in resident mode a small device survives two cuts that leave weak cells", &fixture_small_resident, 2, WEAK_ONLY, WEAK, 8 },
    { "a small device survives every cut of an upgrade from a delta file", &fixture_small_delta, 1, ALL },
    { "it survives every cut of each program command of one", &fixture_small_delta, 1, ALL, PIECES },
    { "it survives misreads in one, then and later", &fixture_small_delta, 1, FEW, MISREAD, 1, 0, 11 },
    { "it survives every two cuts of one on a chip that rewrites pages", &fixture_small_delta, 2, PAGES, PAGE },
    { "in resident mode it survives every cut of an upgrade from a delta file", &fixture_small_resident_delta, 1, ALL },
    { "in resident mode it survives every cut of a trial of one that falls back", &fixture_small_resident_delta, 1, ALL,
        ROLLBACK },
    { "in resident mode it survives every two cuts of one on a chip that rewrites pages", &fixture_small_resident_delta, 2, PAGES,
        PAGE },
    { "in resident mode it survives two cuts of one that leave weak cells", &fixture_small_resident_delta, 2, WEAK_ONLY, WEAK, 1,
        0, 11 },
    { "in resident mode a device with sectors of 4096 bytes survives cuts of one", &fixture_short_resident_delta, 1, FEW, 0, 1, 0,
        3 },
    { "in resident mode it survives every cut of a trial that falls back by a delta file", &fixture_small_resident_back, 1, ALL,
        ROLLBACK },
    { "in resident mode it survives misreads of one, then and later", &fixture_small_resident_back, 1, FEW, MISREAD | ROLLBACK, 1,
        0, 29 },
    { "in resident mode a device with sectors of 4096 bytes survives cuts of one", &fixture_short_resident_back, 1, FEW, ROLLBACK,
        1, 0, 9 },
    { "in standby mode a small device survives every cut", &fixture_small_standby, 1, ALL },
    { "in standby mode it survives every cut of an upgrade that erases the filesystem", &fixture_small_standby, 1, ALL, ERASE },
    { "in standby mode it survives every cut of an upgrade from a gzip file", &fixture_small_standby_gzip, 1, ALL },
    { "in standby mode it survives every cut of one that erases the filesystem", &fixture_small_standby_gzip, 1, ALL, ERASE },
    { "in standby mode it survives every cut of each program command", &fixture_small_standby, 1, ALL, PIECES },
    { "in standby mode it survives every misread, then and later", &fixture_small_standby, 1, FEW, MISREAD },
    { "in standby mode it survives every two cuts on a chip that rewrites pages", &fixture_small_standby, 2, PAGES, PAGE },
    { "in standby mode it survives two cuts that leave weak cells", &fixture_small_standby, 2, WEAK_ONLY, WEAK, 1, 0, 5 },
    { "in standby mode a device with sectors of 4096 bytes survives cuts", &fixture_short_standby, 1, FEW },
    { "in standby mode it survives every cut of an upgrade from a delta file", &fixture_small_standby_delta, 1, ALL },
    { "in standby mode it survives misreads in one, then and later", &fixture_small_standby_delta, 1, FEW, MISREAD, 1, 0, 29 },
    { "in standby mode it survives two cuts of one on a chip that rewrites pages", &fixture_small_standby_delta, 2, PAGES, PAGE,
        1, 0, 7 },
    { "in standby mode it survives two cuts of one that leave weak cells", &fixture_small_standby_delta, 2, WEAK_ONLY, WEAK, 1, 0,
        61 },
    { "in standby mode a device with sectors of 4096 bytes survives cuts of one", &fixture_short_standby_delta, 1, FEW, 0, 1, 0,
        11 },
    { "in standby mode it survives every cut of a trial that is confirmed", &fixture_small_standby_trial, 1, ALL, TRIAL },
    { "in standby mode it survives every cut of a trial that falls back", &fixture_small_standby_trial, 1, ALL, ROLLBACK },
    { "in standby mode it survives misreads of a trial that falls back, then and later", &fixture_small_standby_trial, 1, FEW,
        MISREAD | ROLLBACK },
    { "in standby mode it survives two cuts of a trial on a chip that rewrites pages", &fixture_small_standby_trial, 2, PAGES,
        PAGE | TRIAL, 1, 0, 17 },
    { "with OTA slots a small device survives every cut", &fixture_small_slots, 1, ALL },
    { "with OTA slots it survives every cut of an upgrade from a gzip file", &fixture_small_slots_gzip, 1, ALL },
    { "with OTA slots it survives every cut of a trial that is confirmed", &fixture_small_slots, 1, ALL, TRIAL },
    { "with OTA slots it survives every cut of a trial that falls back", &fixture_small_slots, 1, ALL, ROLLBACK },
    { "with OTA slots it survives misreads of one, then and later", &fixture_small_slots, 1, FEW, MISREAD | ROLLBACK },
    { "with OTA slots it survives misreads of one that is confirmed", &fixture_small_slots, 1, FEW, MISREAD | TRIAL },
    { "with OTA slots it survives two cuts that leave weak cells", &fixture_small_slots, 2, WEAK_ONLY, WEAK | ROLLBACK, 1, 0, 7 },
    { "with OTA slots it survives every two cuts on a chip that rewrites pages", &fixture_small_slots, 2, PAGES, PAGE | TRIAL },
};

// More of the same, for `make test-full`.
static const run_t full_runs[] = {
    { "a device with sectors of 4096 bytes survives every cut of an upgrade from a gzip file", &fixture_short_gzip, 1, ALL },
    { "a small device survives two cuts of an upgrade that erases the filesystem", &fixture_small, 2, ALL, ERASE },
    { "a small device survives every two cuts of an upgrade from a gzip file", &fixture_small_gzip, 2, ALL },
    { "a 4 MB device survives every cut of a 640 KB upgrade", &fixture_full, 1, ALL },
    { "a 4 MB device survives every cut of an upgrade that erases the filesystem", &fixture_full, 1, ALL, ERASE },
    { "a 4 MB device survives every cut of an upgrade from a gzip file", &fixture_full_gzip, 1, ALL },
    { "a 4 MB device survives every cut of an upgrade of two thirds", &fixture_third, 1, ALL },
    { "a small device survives every two cuts of each program command", &fixture_small, 2, ALL, PIECES },
    { "a device with sectors of 4096 bytes survives every misread", &fixture_short, 1, FEW, MISREAD },
    { "in resident mode a small device survives every two cuts of a trial that is confirmed", &fixture_small_resident, 2, ALL,
        TRIAL },
    { "in resident mode it survives every two cuts of a trial that falls back", &fixture_small_resident, 2, ALL, ROLLBACK },
    { "in resident mode it survives every two cuts of an upgrade from a gzip file", &fixture_small_resident_gzip, 2, ALL },
    { "in resident mode it survives every two cuts of an upgrade that erases the filesystem", &fixture_small_resident, 2, ALL,
        ERASE },
    { "in resident mode a device with sectors of 4096 bytes survives every misread, then and later", &fixture_short_resident, 1,
        FEW, MISREAD },
    { "in resident mode it survives every cut of a trial that is confirmed", &fixture_short_resident, 1, ALL, TRIAL },
    { "in resident mode a 4 MB device survives every cut of a trial that falls back", &fixture_full_resident, 1, FIRM, ROLLBACK },
    { "in resident mode a 4 MB device survives every cut of a 640 KB upgrade", &fixture_full_resident, 1, ALL },
    { "a small device survives every two cuts of an upgrade from a delta file", &fixture_small_delta, 2, ALL },
    { "a small device survives every misread in one, then and later", &fixture_small_delta, 1, FEW, MISREAD },
    { "a device with sectors of 4096 bytes survives every cut of one", &fixture_short_delta, 1, ALL },
    { "a 4 MB device survives cuts of a 640 KB upgrade from a delta file", &fixture_full_delta, 1, ALL, 0, 1, 0, 31 },
    { "in resident mode a small device survives every two cuts of one", &fixture_small_resident_delta, 2, ALL },
    { "in resident mode it survives two cuts of one that leave weak cells", &fixture_small_resident_delta, 2, WEAK_ONLY, WEAK },
    { "in resident mode it survives every misread in one, then and later", &fixture_small_resident_delta, 1, FEW, MISREAD },
    { "in resident mode it survives every misread of a trial that falls back by one", &fixture_small_resident_back, 1, FEW,
        MISREAD | ROLLBACK },
    { "in resident mode it survives two cuts of a trial that falls back by one", &fixture_small_resident_back, 2, ALL, ROLLBACK,
        1, 0, 11 },
    { "in resident mode it survives two cuts of one that leave weak cells", &fixture_small_resident_back, 2, WEAK_ONLY,
        WEAK | ROLLBACK, 1, 0, 5 },
    { "in resident mode it survives every two cuts of one on a chip that rewrites pages", &fixture_small_resident_back, 2, PAGES,
        PAGE | ROLLBACK },
    { "in resident mode a device with sectors of 4096 bytes survives cuts of one", &fixture_short_resident_back, 1, ALL, ROLLBACK,
        1, 0, 3 },
    { "in standby mode a small device survives every two cuts", &fixture_small_standby, 2, ALL },
    { "in standby mode it survives every two cuts of an upgrade that erases the filesystem", &fixture_small_standby, 2, FIRM,
        ERASE },
    { "in standby mode it survives every two cuts of an upgrade from a gzip file", &fixture_small_standby_gzip, 2, FEW },
    { "in standby mode a device with sectors of 4096 bytes survives every cut", &fixture_short_standby, 1, ALL },
    { "in standby mode a device with sectors of 4096 bytes survives misreads", &fixture_short_standby, 1, FEW, MISREAD },
    { "in standby mode a 4 MB device survives cuts of a 640 KB upgrade", &fixture_full_standby, 1, ALL, 0, 1, 0, 3 },
    { "in standby mode a small device survives two cuts of an upgrade from a delta file", &fixture_small_standby_delta, 2, ALL, 0,
        1, 0, 7 },
    { "in standby mode it survives every misread in one, then and later", &fixture_small_standby_delta, 1, FEW, MISREAD },
    { "in standby mode it survives every cut of each program command of one", &fixture_small_standby_delta, 1, ALL, PIECES },
    { "in standby mode it survives every two cuts of one on a chip that rewrites pages", &fixture_small_standby_delta, 2, PAGES,
        PAGE },
    { "in standby mode it survives two cuts of one that leave weak cells", &fixture_small_standby_delta, 2, WEAK_ONLY, WEAK },
    { "in standby mode a device with sectors of 4096 bytes survives every cut of one", &fixture_short_standby_delta, 1, ALL },
    { "in standby mode a 4 MB device survives cuts of a 640 KB upgrade from one", &fixture_full_standby_delta, 1, ALL, 0, 1, 0,
        31 },
    { "in standby mode it survives two cuts of a trial that is confirmed", &fixture_small_standby_trial, 2, ALL, TRIAL, 1, 0,
        23 },
    { "in standby mode it survives two cuts of a trial that falls back", &fixture_small_standby_trial, 2, ALL, ROLLBACK, 1, 0,
        97 },
    { "in standby mode it survives every cut of each program command of one", &fixture_small_standby_trial, 1, ALL,
        PIECES | ROLLBACK },
    { "in standby mode it survives misreads of a trial that is confirmed", &fixture_small_standby_trial, 1, FEW,
        MISREAD | TRIAL },
    { "in standby mode it survives two cuts of one that falls back on a chip that rewrites pages", &fixture_small_standby_trial,
        2, PAGES, PAGE | ROLLBACK, 1, 0, 7 },
    { "in standby mode it survives two cuts of one that leave weak cells", &fixture_small_standby_trial, 2, WEAK_ONLY,
        WEAK | ROLLBACK, 1, 0, 61 },
    { "in standby mode a device with sectors of 4096 bytes survives every cut of one", &fixture_short_standby, 1, ALL, ROLLBACK },
    { "with OTA slots a small device survives every two cuts", &fixture_small_slots, 2, ALL },
    { "with OTA slots it survives two cuts of a trial that is confirmed", &fixture_small_slots, 2, ALL, TRIAL, 1, 0, 7 },
    { "with OTA slots it survives two cuts of a trial that falls back", &fixture_small_slots, 2, ALL, ROLLBACK, 1, 0, 7 },
    { "with OTA slots it survives every cut of each program command", &fixture_small_slots, 1, ALL, PIECES | ROLLBACK },
    { "with OTA slots a device with sectors of 4096 bytes survives every cut of a trial that falls back", &fixture_short_slots, 1,
        ALL, ROLLBACK },
    { "with OTA slots it survives misreads of one that is confirmed", &fixture_short_slots, 1, FEW, MISREAD | TRIAL },
};

int main(int argc, char **argv) {
    bool full = argc == 2 && strcmp(argv[1], "full") == 0;
    if (argc > 1 && !full) {
        return run_again(argv[1], argc > 2 ? argv[2] : "1", argc > 3 ? argv[3] : NULL);
    }
    double begin = now_s();
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        do_if_possible(&runs[i]);
    }
    for (size_t i = 0; full && i < sizeof full_runs / sizeof full_runs[0]; i++) {
        do_if_possible(&full_runs[i]);
    }
    printf("# %llu cuts in %.1f s on %d cores\n", (unsigned long long)all_fired, now_s() - begin, JOBS);
    printf("1..%u\n", case_count);
    return failed_count != 0;
}
