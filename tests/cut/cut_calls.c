// Power cuts in what molt writes beside upgrades: taking one back, a boot sector that does not stick, resident mode
// going in and out, a trial whose fallback has changed. Each flash operation is cut, with every tear.
//
//   cut_calls               all; prints TAP
//   cut_calls NAME OP.TEAR  one cut again
//
// What has to be there afterwards: a firmware that starts and whose sectors are all of one image, at each of four
// power-ons; and the same call, made again, comes to its end. A cut while sector 0 is open (erased, and the mask ROM would
// not start what is there) may lose the device. How often each call opens it is known, and held.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture/device.h"
#include "molt/error.h"
#include "resident/resident.h"
#include "sim_upgrade.h"
#include "upgrade/apply.h"

#define OPS_MAX 512
#define POWER_ONS 3

typedef struct call {
    const char *name;
    const char *fact;
    const fixture_shape_t *shape;
    int (*arrange)(void);         // what has happened before
    int (*act)(void);             // 0, SIM_ERR_CUT, or what fails without a cut
    const char *(*settle)(void);  // after a cut, the power is on: NULL, or what is wrong
    uint32_t windows_max;         // openings of sector 0, undisturbed: no more than these, and none only if 0
} call_t;

static const call_t *call;
static sim_nor_t nor;
static sim_device_t device;
static uint8_t *old_image;  // whole sectors, as they are in flash
static uint8_t *new_image;
static uint32_t image_end;
static uint32_t lost_count;
static uint32_t window_count;
static bool is_open;
static bool in_window[OPS_MAX];

// ---- the device

static uint32_t sector_size(void) {
    return nor.flash.geometry.sector_size;
}

static void make_job(sim_upgrade_t *host) {
    molt_region_t fs = fixture_fs(call->shape);
    sim_upgrade_init(host, &nor, &fs, FIXTURE_PATH);
    host->target.transient = device.loader;
    host->target.extension = fixture_extension(call->shape);
    host->target.resident = device.resident;
    host->target.overlay = fixture_overlay(call->shape);
}

static int prepare(const char *fallback_path) {
    sim_upgrade_t host;
    make_job(&host);
    host.fallback_path = fallback_path;
    host.trial_starts = 2;
    int err = sim_upgrade_prepare(&host);
    sim_upgrade_free(&host);
    return err;
}

static bool body_is(const uint8_t *image) {
    return memcmp(nor.bytes + sector_size(), image + sector_size(), image_end - sector_size()) == 0;
}

// Of the firmware that runs: 1 the new one, 0 the old one, -1 neither as a whole.
static int which_runs(void) {
    const uint8_t *head = nor.bytes + device.head_addr;
    if (memcmp(head, new_image, sector_size()) == 0 && body_is(new_image)) {
        return 1;
    }
    return memcmp(head, old_image, sector_size()) == 0 && body_is(old_image) ? 0 : -1;
}

// Start. NULL, or what is wrong; *which as above.
static const char *start(int *which) {
    switch (sim_device_start(&device)) {
        case SIM_FIRMWARE:
            break;
        case SIM_BRICK:
            return "nothing boots";
        case SIM_CUT:
        case SIM_STUCK:
            return "the boot loader gives up";
    }
    *which = which_runs();
    return *which < 0 ? "a firmware starts whose sectors are not all of one image" : NULL;
}

static const char *start_again(void) {
    const char *wrong = NULL;
    int which;
    for (int i = 0; !wrong && i < POWER_ONS; i++) {
        sim_nor_power_on(&nor);
        wrong = start(&which);
    }
    return wrong;
}

static void set_up(const call_t *next) {
    call = next;
    fixture_device(&nor, call->shape);
    device = (sim_device_t){
        .nor = &nor,
        .loader = fixture_loader(call->shape),
        .resident = fixture_resident(call->shape),
    };
    image_end = (call->shape->image_size + sector_size() - 1) / sector_size() * sector_size();
    old_image = malloc(image_end);
    new_image = malloc(image_end);
    memcpy(old_image, nor.bytes, image_end);
    // The new image is what an upgrade makes of the device.
    sim_nor_push(&nor);
    uint32_t reserved_addr;
    molt_state_t state;
    bool is_resident = molt_resident_find(&nor.flash, &reserved_addr) == 0;
    if (is_resident && molt_state_read(&nor.flash, reserved_addr, &state) == 0) {
        memcpy(old_image, nor.bytes + molt_state_head_addr(&nor.flash, reserved_addr, state.head), sector_size());
    }
    if (prepare(NULL) != 0 || sim_device_start(&device) != SIM_FIRMWARE) {
        abort();
    }
    memcpy(new_image, nor.bytes, image_end);
    memcpy(new_image, nor.bytes + device.head_addr, sector_size());
    sim_nor_pop(&nor);
}

static void clean_up(void) {
    free(old_image);
    free(new_image);
    sim_nor_free(&nor);
}

// ---- the calls

static int arrange_nothing(void) {
    return 0;
}

static int arrange_prepared(void) {
    return prepare(NULL);
}

static int cancel(void) {
    uint8_t *sector = malloc(sector_size());
    molt_plan_t plan;
    memcpy(sector, nor.bytes, sector_size());
    int err = molt_plan_open(&plan, &nor.flash.geometry, sector);
    err = err ? err : molt_prepare_cancel(&nor.flash, &plan);
    free(sector);
    return err;
}

// Either it was taken back, or it is carried out.
static const char *settle_any(void) {
    int which;
    const char *wrong = start(&which);
    return wrong ? wrong : start_again();
}

// A cell of sector 0 does not take a 0 that the boot sector wants there, and the old firmware does not.
static int arrange_stuck(void) {
    sim_nor_push(&nor);
    int err = prepare(NULL);
    for (uint32_t i = 0; i < sector_size() && nor.stuck_mask == 0; i++) {
        nor.stuck_addr = i;
        nor.stuck_mask = (uint8_t)(old_image[i] & ~nor.bytes[i]);
    }
    uint32_t addr = nor.stuck_addr;
    uint8_t mask = (uint8_t)(nor.stuck_mask & -nor.stuck_mask);
    sim_nor_pop(&nor);
    nor.stuck_addr = addr;
    nor.stuck_mask = mask;
    return err ? err : mask ? 0 : MOLT_ERR_NOENT;
}

static int prepare_in_vain(void) {
    int err = prepare(NULL);
    return err == 0 ? MOLT_ERR_EXIST : err == MOLT_ERR_IO ? 0 : err;
}

static int install(void) {
    molt_region_t reserved = { call->shape->reserved_addr, MOLT_RESERVED_SECTOR_COUNT * sector_size() };
    uint8_t *buf = malloc(sector_size());
    molt_loader_t overlay = fixture_overlay(call->shape);
    int err = molt_resident_install(&nor.flash, &reserved, &device.resident, &overlay, buf);
    free(buf);
    return err;
}

static int uninstall(void) {
    uint8_t *buf = malloc(sector_size());
    int err = molt_resident_uninstall(&nor.flash, buf);
    free(buf);
    return err;
}

static int arrange_uninstalled(void) {
    int err = uninstall();
    for (uint32_t i = 0; !err && i < MOLT_RESERVED_SECTOR_COUNT; i++) {
        err = nor.flash.erase_sector(nor.flash.ctx, call->shape->reserved_addr + i * sector_size());
    }
    return err;
}

// The old firmware runs, and the call made again succeeds or has nothing to do.
static const char *settle_again(int (*again)(void), int nothing_to_do) {
    int which;
    const char *wrong = start(&which);
    if (wrong || which != 0) {
        return wrong ? wrong : "the firmware is another one";
    }
    int err = again();
    if (err && err != nothing_to_do) {
        return "the call cannot be made again";
    }
    return start_again();
}

static const char *settle_install(void) {
    return settle_again(install, MOLT_ERR_EXIST);
}

static const char *settle_uninstall(void) {
    return settle_again(uninstall, MOLT_ERR_NOENT);
}

// A trial is on, and the file to fall back on is not what it was.
static int arrange_changed_fallback(void) {
    molt_region_t fs = fixture_fs(call->shape);
    molt_volume_t volume;
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    uint8_t *bytes = calloc(1, call->shape->image_size);
    int err = prepare(FIXTURE_OLD_PATH);
    err = err ? err : sim_device_start(&device) == SIM_FIRMWARE ? 0 : MOLT_ERR_IO;
    // What a user does who wants the room: away with it, and something else in its place.
    err = err ? err : molt_volume_mount(&volume, &nor.flash, &fs, 0, true);
    err = err ? err : lfs2_remove(&volume.lfs, FIXTURE_OLD_PATH);
    for (int i = 0; !err && i < 2; i++) {
        err = lfs2_file_opencfg(&volume.lfs, &file, i ? "b" : "a", LFS2_O_WRONLY | LFS2_O_CREAT, &config);
        err = err ? err : (int)lfs2_file_write(&volume.lfs, &file, bytes, call->shape->image_size) < 0;
        err = err ? err : lfs2_file_close(&volume.lfs, &file);
    }
    molt_volume_unmount(&volume);
    free(bytes);
    return err;
}

// Starts until the trial is over.
static const char *start_out_of_trial(void) {
    molt_state_t state = { .kind = MOLT_STATE_TRIAL };
    const char *wrong = NULL;
    int which = 1;
    for (int i = 0; !wrong && i < 5; i++) {
        wrong = start(&which);
        wrong = wrong ? wrong : which != 1 ? "the firmware is another one" : NULL;
    }
    if (!wrong && molt_state_read(&nor.flash, call->shape->reserved_addr, &state) != 0) {
        return "there is no state";
    }
    return wrong || state.kind == MOLT_STATE_NORMAL ? wrong : "the trial does not end";
}

static int end_trial(void) {
    const char *wrong = start_out_of_trial();
    return nor.is_cut ? SIM_ERR_CUT : wrong ? MOLT_ERR_CORRUPT : 0;
}

static const char *settle_trial(void) {
    const char *wrong = start_out_of_trial();
    return wrong ? wrong : start_again();
}

static const call_t calls[] = {
    { "cancel", "an upgrade that is taken back is taken back, or carried out", &fixture_small, arrange_prepared, cancel,
        settle_any, 1 },
    { "stuck", "a boot sector that does not stick leaves the old firmware, or is carried out", &fixture_small, arrange_stuck,
        prepare_in_vain, settle_any, MOLT_SECTOR_TRIES + 1 },
    { "install", "resident mode goes in, or can be put in", &fixture_small_resident, arrange_uninstalled, install, settle_install,
        1 },
    { "uninstall", "resident mode is taken out, or can be", &fixture_small_resident, arrange_nothing, uninstall, settle_uninstall,
        1 },
    { "fallback", "a trial whose fallback has changed ends with the firmware that is there", &fixture_small_resident,
        arrange_changed_fallback, end_trial, settle_trial, 0 },
};
#define CALL_COUNT (sizeof calls / sizeof calls[0])

// ---- cutting

static void watch(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    (void)ctx;
    (void)data;
    (void)size;
    bool boots = sim_device_boots(&nor);
    if (nor.op_count >= OPS_MAX) {
        abort();
    }
    is_open = !boots || (kind != 'p' && addr == 0);
    window_count += boots && is_open;
    in_window[nor.op_count] = is_open && addr < sector_size();
}

// NULL, or what is wrong. Everything is as it was afterwards.
static const char *cut(uint32_t op, sim_tear_t tear) {
    const char *wrong = NULL;
    sim_nor_t outer = nor;
    sim_nor_push(&nor);
    sim_nor_power_on(&nor);
    nor.cut_op = op;
    nor.cut_tear = tear;
    if (call->act() != SIM_ERR_CUT) {
        wrong = "the call does not say that it was cut";
    }
    if (!nor.is_cut) {
        wrong = "the cut did not happen";
    }
    sim_nor_power_on(&nor);
    wrong = wrong ? wrong : call->settle();
    wrong = wrong ? wrong : nor.overwrite_count ? "a 1 is programmed over a 0" : NULL;
    sim_nor_pop(&nor);
    nor = outer;
    if (wrong && in_window[op]) {
        lost_count++;
        return NULL;
    }
    return wrong;
}

// Undisturbed: how many operations. 0 if even that does not work.
static uint32_t count_ops(void) {
    sim_nor_t outer = nor;
    sim_nor_push(&nor);
    sim_nor_power_on(&nor);
    window_count = 0;
    is_open = false;
    memset(in_window, 0, sizeof in_window);
    nor.watch = watch;
    int err = call->act();
    uint32_t count = err ? 0 : (uint32_t)nor.op_count;
    sim_nor_pop(&nor);
    nor = outer;
    bool is_as_named = window_count <= call->windows_max && (window_count > 0) == (call->windows_max > 0);
    if (err || !is_as_named) {
        printf("# undisturbed: error %d, sector 0 is opened %u times, not %u\n", err, window_count, call->windows_max);
    }
    return is_as_named ? count : 0;
}

static bool run(const call_t *next, int64_t only_op, int only_tear) {
    uint32_t cut_count = 0;
    bool fine = true;
    set_up(next);
    lost_count = 0;
    uint32_t count = call->arrange() == 0 ? count_ops() : 0;
    for (uint32_t op = 0; op < count; op++) {
        for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            if (only_op >= 0 && ((int64_t)op != only_op || (int)tear != only_tear)) {
                continue;
            }
            const char *wrong = cut(op, tear);
            cut_count++;
            if (wrong) {
                printf("# %s; again with: cut_calls %s %u.%s\n", wrong, call->name, op, sim_tear_name(tear));
                fine = false;
            }
        }
    }
    fine = fine && cut_count > 0;
    printf("%sok - %s\n# %s: %u operations, %u cuts; sector 0 is opened %u times: %u cuts in it were fatal\n", fine ? "" : "not ",
        call->fact, call->name, count, cut_count, window_count, lost_count);
    clean_up();
    return fine;
}

int main(int argc, char **argv) {
    bool fine = true;
    int64_t op = argc > 2 ? atoi(argv[2]) : -1;
    const char *dot = argc > 2 ? strchr(argv[2], '.') : NULL;
    int tear = dot ? sim_tear_parse(dot + 1) : -1;
    for (size_t i = 0; i < CALL_COUNT; i++) {
        if (argc < 2 || strcmp(argv[1], calls[i].name) == 0) {
            fine = run(&calls[i], op, tear) && fine;
        }
    }
    printf("1..%u\n", argc < 2 ? (unsigned)CALL_COUNT : 1u);
    return !fine;
}
