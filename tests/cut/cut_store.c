// The cut suite of the frozen modules' store: add, replace, delete, reset, compaction and relinking are cut in every
// flash operation, with every tear of sim, and cut again while the device makes good what the first cut left.
//
//   cut_store            every operation and tear, one cut, with other dice SEEDS times; every second cut for a part of
//                        them, and a clean one behind each cut that leaves one weak cell
//   cut_store full       every second cut for all
//   cut_store small [N]  one cut only; with N other dice
//   cut_store ID [N]     replay one: OPERATION:TEAR[:OPERATION:TEAR]; with those dice
//   cut_store a ...      an ESP32's: links of object representation A; and what changes in the script is not the firmware
//                        but where the store is mapped
//
// Crash model: that of nor.h. After a cut, at the next start, each module has to be there whole, in the version it
// had before the call that was cut or in that after it; every module has to be linked; and the call, made again,
// has to come to the same end as without the cut.
//
// The device: sectors of 512 bytes, pages of 64, a region of 13 sectors, of which the script fills most.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "fixture/frozen.h"
#include "molt/error.h"

#define SECTOR 512u
#define NAMES 5
#define ABSENT 0
// Where weak cells are left when all is done.
#define LATER_STARTS 3
#define SEEDS 8
#define ALL_TEARS ((1u << SIM_TEAR_COUNT) - 1)

enum kind { PUT, DELETE, RESET, WANT, START, UPGRADE };

typedef struct call {
    enum kind kind;
    int name;
    uint32_t version;
} call_t;

// Version 0 is "not there".
static const call_t script[] = {
    // Small moves, within a sector.
    { START, 0, 0 },
    { PUT, 0, 1 },
    { PUT, 1, 1 },
    { PUT, 2, 1 },
    { START, 0, 0 },
    { DELETE, 0, 0 },
    { WANT, 0, 0 },
    { START, 0, 0 },
    { RESET, 0, 0 },
    { START, 0, 0 },
    // The first one stays where it is, in a sector that has to be written again.
    { PUT, 0, 1 },
    { PUT, 2, 1 },
    { PUT, 1, 1 },
    { START, 0, 0 },
    { DELETE, 2, 0 },
    { WANT, 0, 0 },
    { START, 0, 0 },
    { RESET, 0, 0 },
    { START, 0, 0 },
    { PUT, 0, 1 },
    { PUT, 1, 1 },
    { START, 0, 0 },
    { PUT, 2, 1 },
    { PUT, 0, 2 },
    { PUT, 1, 1 },
    { START, 0, 0 },
    { DELETE, 1, 0 },
    { PUT, 3, 1 },
    { START, 0, 0 },
    { PUT, 2, 2 },
    { PUT, 4, 3 },
    { PUT, 4, 4 },
    { START, 0, 0 },
    { UPGRADE, 0, 0 },
    { START, 0, 0 },
    { PUT, 1, 5 },
    { PUT, 3, 6 },
    { START, 0, 0 },
    { DELETE, 0, 0 },
    { PUT, 2, 7 },
    { PUT, 4, 8 },
    { START, 0, 0 },
    { RESET, 0, 0 },
    { START, 0, 0 },
    { PUT, 1, 2 },
    { START, 0, 0 },
};
#define CALLS ((int)(sizeof script / sizeof *script))

static const char *const names[NAMES] = { "alpha", "beta", "pkg.gamma", "pkg.sub.delta", "main" };
// What is there before each call, and behind the last.
static uint32_t model[CALLS + 1][NAMES];
static sim_nor_t nor;
static frozen_rig_t rig;
static uint8_t *pristine;
static uint64_t run_count;
static uint32_t seed;
static bool is_a;

static void make_model(void) {
    for (int i = 0; i < CALLS; i++) {
        memcpy(model[i + 1], model[i], sizeof model[i]);
        if (script[i].kind == RESET) {
            memset(model[i + 1], 0, sizeof model[i]);
        } else if (script[i].kind == PUT || script[i].kind == DELETE) {
            model[i + 1][script[i].name] = script[i].version;
        }
    }
}

static int put(int name, uint32_t version) {
    uint8_t mpy[FROZEN_MPY_MAX];
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_record_t record;
    molt_reader_t reader = molt_memory_reader(mpy, frozen_make_mpy(mpy, (uint32_t)name, version));
    uint32_t size = (uint32_t)strlen(names[name]);
    int err = molt_store_put(&rig.store, names[name], size, &reader, 0, work, &record);
    if (err == MOLT_ERR_NOSPC) {
        // As a user does: a reset, and again.
        err = molt_store_want_compaction(&rig.store);
        err = err ? err : frozen_start(&rig);
        err = err ? err : molt_store_put(&rig.store, names[name], size, &reader, 0, work, &record);
    }
    return err;
}

static int do_call(const call_t *call) {
    int err = 0;
    switch (call->kind) {
        case PUT:
            return put(call->name, call->version);
        case DELETE:
            err = molt_store_delete(&rig.store, names[call->name], (uint32_t)strlen(names[call->name]));
            return err == MOLT_ERR_NOENT ? 0 : err;
        case RESET:
            return molt_store_reset(&rig.store);
        case WANT:
            return molt_store_want_compaction(&rig.store);
        case UPGRADE:
            rig.build = !is_a;
            rig.is_moved = is_a;
            return 0;
        case START:
        default:
            return frozen_start(&rig);
    }
}

// Make the calls from the first on. Returns the one that was cut or failed, with *err, or CALLS.
static int run(int *err) {
    for (int i = 0; i < CALLS; i++) {
        *err = do_call(&script[i]);
        if (*err) {
            return i;
        }
    }
    return CALLS;
}

// The version that is there, or -1 if what is there is not whole.
static int64_t version_of(int name) {
    molt_record_t record;
    int err = molt_store_find(&rig.store, names[name], (uint32_t)strlen(names[name]), &record);
    if (err == MOLT_ERR_NOENT) {
        return ABSENT;
    }
    for (uint32_t version = 1; !err && version < 10; version++) {
        uint8_t mpy[FROZEN_MPY_MAX];
        if (frozen_make_mpy(mpy, (uint32_t)name, version) == record.mpy_size
            && memcmp(mpy, nor.bytes + record.mpy_addr, record.mpy_size) == 0) {
            return version;
        }
    }
    return -1;
}

// NULL if each module is as it was before call `index` or as it is after it.
static const char *check_modules(int index) {
    uint32_t count = 0;
    const uint32_t *before = model[index];
    const uint32_t *after = model[index < CALLS ? index + 1 : index];
    for (int i = 0; i < NAMES; i++) {
        int64_t version = version_of(i);
        if (version < 0) {
            return "a module is not whole";
        }
        if (version != before[i] && version != after[i]) {
            return version == ABSENT ? "a module is lost" : "a module has another version";
        }
        count += version != ABSENT;
    }
    return count == rig.store.live_count ? frozen_check_links(&rig) : "there are more modules than there should be";
}

// Make the calls from `first` on, each start with the power off before it: what a cut has left weak may read otherwise at any.
static const char *go_on(int first) {
    const char *wrong = NULL;
    for (int i = first; i < CALLS && !wrong; i++) {
        bool is_start = script[i].kind == START;
        if (is_start) {
            sim_nor_power_on(&nor);
        }
        wrong = do_call(&script[i]) ? "the calls that follow fail" : is_start ? check_modules(i + 1) : NULL;
    }
    return wrong ? wrong : check_modules(CALLS);
}

static void set_up(int64_t cut_op, sim_tear_t tear) {
    sim_nor_make_firm(&nor);
    nor.chance = 0;
    nor.seed = (uint32_t)(cut_op + 1) + 1000 * seed;
    memcpy(nor.bytes, pristine, nor.flash.geometry.size);
    sim_nor_power_on(&nor);
    nor.cut_op = cut_op;
    nor.cut_tear = tear;
    rig = (frozen_rig_t){ .nor = &nor, .region = rig.region, .is_a = is_a };
}

// Start again, as often as it is cut; the second cut at `second` operations from the start, -1 for none.
// Returns how many operations the start took, or -1 with *wrong.
static int64_t recover(int64_t second, sim_tear_t tear, const char **wrong) {
    sim_nor_power_on(&nor);
    nor.cut_op = second;
    nor.cut_tear = tear;
    int err = frozen_start(&rig);
    if (err == SIM_ERR_CUT) {
        sim_nor_power_on(&nor);
        err = frozen_start(&rig);
    }
    if (err) {
        *wrong = "the start fails";
        return -1;
    }
    return (int64_t)nor.op_count;
}

static int fail(const char *wrong, int64_t op, sim_tear_t tear, int64_t second, sim_tear_t second_tear, int call) {
    printf(
        "not ok - %s\n# in call %d; replay: cut_store %s%" PRId64 ":%s", wrong, call, is_a ? "a " : "", op, sim_tear_name(tear));
    if (second >= 0) {
        printf(":%" PRId64 ":%s", second, sim_tear_name(second_tear));
    }
    printf("\n");
    return 1;
}

// Behind the first cut: recover (with another cut), check, make the cut call again and all that follow.
static int after_cut(int64_t op, sim_tear_t tear, int call, int64_t second, sim_tear_t second_tear, int64_t *taken) {
    const char *wrong = NULL;
    run_count++;
    *taken = recover(second, second_tear, &wrong);
    wrong = wrong ? wrong : check_modules(call);
    // Once more: what the cut has left weak can read otherwise now.
    if (!wrong) {
        (void)recover(-1, tear, &wrong);
        wrong = wrong ? wrong : check_modules(call);
    }
    if (!wrong) {
        wrong = go_on(call);
    }
    for (int i = 0; i < LATER_STARTS && !wrong && nor.weak_sector_count; i++) {
        (void)recover(-1, tear, &wrong);
        wrong = wrong ? wrong : check_modules(CALLS);
    }
    wrong = wrong ? wrong : nor.overwrite_count ? "a 1 is programmed over a 0" : NULL;
    return wrong ? fail(wrong, op, tear, second, second_tear, call) : 0;
}

// second_tears: of the second cut, in each operation of the start; a bit for each tear.
static int one(int64_t op, sim_tear_t tear, uint32_t second_tears) {
    int err = 0;
    int64_t taken;
    int64_t ignored;
    set_up(op, tear);
    int call = run(&err);
    if (err != SIM_ERR_CUT) {
        return fail("the run was not cut", op, tear, -1, tear, call);
    }
    frozen_rig_t state = rig;
    sim_nor_t cut = nor;
    sim_nor_push(&nor);
    int failed = after_cut(op, tear, call, -1, tear, &taken);
    sim_nor_pop(&nor);
    for (int64_t second = 0; second_tears && !failed && second < taken; second++) {
        for (int t = 0; t < SIM_TEAR_COUNT && !failed; t++) {
            if ((second_tears >> t & 1) == 0) {
                continue;
            }
            nor = cut;
            rig = state;
            sim_nor_push(&nor);
            failed = after_cut(op, tear, call, second, (sim_tear_t)t, &ignored);
            sim_nor_pop(&nor);
        }
    }
    return failed;
}

static int replay(const char *id) {
    char tears[2][16] = { "", "" };
    int64_t ops[2] = { 0, -1 };
    int err = 0;
    int64_t taken;
    sscanf(id, "%" SCNd64 ":%15[a-z]:%" SCNd64 ":%15[a-z]", &ops[0], tears[0], &ops[1], tears[1]);
    set_up(ops[0], (sim_tear_t)sim_tear_parse(tears[0]));
    int call = run(&err);
    return after_cut(ops[0], (sim_tear_t)sim_tear_parse(tears[0]), call, ops[1], (sim_tear_t)sim_tear_parse(tears[1]), &taken);
}

int main(int argc, char **argv) {
    const molt_geometry_t geometry = { 16 * SECTOR, SECTOR, 0, 64 };
    if (sim_nor_init(&nor, &geometry)) {
        return 1;
    }
    rig.region = (molt_region_t){ 2 * SECTOR, 13 * SECTOR };
    pristine = malloc(geometry.size);
    for (uint32_t i = 0; i < geometry.size; i++) {
        pristine[i] = (uint8_t)(i * 2654435761u >> 24);  // what was there before is no store
    }
    make_model();
    is_a = argc > 1 && strcmp(argv[1], "a") == 0;
    argc -= is_a;
    argv += is_a;
    bool is_full = argc > 1 && strcmp(argv[1], "full") == 0;
    bool is_small = argc > 1 && strcmp(argv[1], "small") == 0;
    seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    if (argc > 1 && !is_full && !is_small) {
        return replay(argv[1]);
    }
    int err = 0;
    set_up(-1, SIM_TEAR_BEFORE);
    int call = run(&err);
    const char *wrong = call == CALLS ? check_modules(CALLS) : "a call fails without a cut";
    if (wrong || rig.compactions < 3) {
        printf("1..1\nnot ok 1 - %s (call %d, error %d, %u compactions)\n", wrong ? wrong : "too few compactions", call, err,
            rig.compactions);
        return 1;
    }
    int64_t total = (int64_t)nor.op_count;
    uint32_t first = is_small ? seed : 0;
    for (uint32_t i = 0; i < (is_small ? 1 : is_full ? SEEDS : SEEDS / 2); i++) {
        seed = first + i;
        for (int64_t op = 0; op < total; op++) {
            for (int t = 0; t < SIM_TEAR_COUNT; t++) {
                bool has_all = i == 0 && !is_small && (is_full || (op + t) % 23 == 0);
                bool has_clean = !is_small && t == SIM_TEAR_MARGINAL;
                if (one(op, (sim_tear_t)t, has_all ? ALL_TEARS : has_clean ? 1u << SIM_TEAR_AFTER : 0)) {
                    printf("# seed %u\n1..1\n", seed);
                    return 1;
                }
            }
        }
    }
    printf("1..1\nok 1 - cut in each of %" PRId64 " operations, %d tears, again while starting: %" PRIu64 " runs\n", total,
        SIM_TEAR_COUNT, run_count);
    sim_nor_free(&nor);
    free(pristine);
    return 0;
}
