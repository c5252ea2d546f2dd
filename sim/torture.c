// The torture engine: see torture.h for what it does and what it holds a device to.

#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "molt/error.h"
#include "resident/resident.h"
#include "torture_files.h"
#include "torture_parts.h"

static void *allocate(size_t size) {
    void *p = malloc(size ? size : 1);
    if (p == NULL) {
        abort();
    }
    return p;
}

torture_mark_t torture_push(torture_t *torture) {
    torture_mark_t mark = { *torture->nor, torture->now, torture->device.head_addr };
    sim_nor_push(torture->nor);
    return mark;
}

void torture_pop(torture_t *torture, const torture_mark_t *mark) {
    sim_nor_pop(torture->nor);
    *torture->nor = mark->nor;
    torture->now = mark->now;
    torture->device.head_addr = mark->head_addr;
}

// Earlier cuts were recovered from, or there would have been no operation for the last one; unless the earlier one left a
// boot sector that boots at times.
static bool is_in_window(const torture_t *torture) {
    uint32_t last = torture->now.level - 1;
    bool is_in_it = torture->in_window[last];
    for (uint32_t i = 0; i < last; i++) {
        int how = torture->path_cuts[i].how;
        is_in_it = is_in_it || (torture->in_window[i] && (how == SIM_TEAR_WEAK || how == SIM_TEAR_MARGINAL));
    }
    return is_in_it;
}

void torture_count_verdict(torture_t *torture, torture_verdict_t verdict) {
    torture_totals_t *totals = &torture->totals;
    if (verdict != TORTURE_RECOVERED && is_in_window(torture)) {
        verdict = TORTURE_WINDOW;
    }
    bool is_littlefs = verdict == TORTURE_NO_UPGRADE || verdict == TORTURE_WRONG_FILES;
    if (is_littlefs && torture->now.has_misled_littlefs) {
        verdict = TORTURE_LITTLEFS;
    }
    if (verdict == TORTURE_ENDLESS && torture->now.has_torn_note) {
        verdict = TORTURE_UNCOUNTED;
    }
    totals->verdicts[verdict]++;
    if (verdict >= TORTURE_LOSSES && torture->on_loss) {
        char id[128];
        torture_format_id(torture->path_cuts, torture->now.level, id, sizeof id);
        torture->on_loss(verdict, id);
    }
    if (verdict >= TORTURE_LOSSES && totals->lost_depth == 0) {
        totals->lost_depth = torture->now.level;
        totals->lost_verdict = verdict;
        memcpy(totals->lost, torture->path_cuts, sizeof totals->lost);
    }
}

static bool is_possible(const torture_t *torture, char kind, sim_tear_t tear) {
    return (torture->tears >> tear & 1) != 0 && (tear != SIM_TEAR_ZERO || kind != 'p');
}

static bool is_wanted(const torture_t *torture, char kind, uint32_t op, sim_tear_t tear) {
    if (torture->replay) {
        const torture_cut_t *cut = &torture->replay[torture->now.level];
        return cut->op == op && cut->how == (int)tear;
    }
    uint32_t step = torture->cut_step ? torture->cut_step : 1;
    bool is_this_job = torture->now.level > 0 || (op % step == 0 && op / step % torture->job_count == torture->job);
    return is_this_job && is_possible(torture, kind, tear);
}

// Let the device live from here on without a cut, and go back: how many cuts there are to make. Told by what the chip
// counts, not by who makes the cuts.
static uint64_t count_cuts(torture_t *torture) {
    sim_nor_t *nor = torture->nor;
    const sim_counts_t before = nor->counts;
    uint64_t first_op = nor->op_count;
    uint64_t tears[2] = { 0, 0 };
    torture_mark_t mark = torture_push(torture);
    torture->now.level = TORTURE_DEPTH_MAX;
    (void)torture_live(torture);
    uint64_t erases = nor->counts.erase_sector_count + nor->counts.erase_block_count - before.erase_sector_count
                      - before.erase_block_count;
    uint64_t programs = nor->op_count - first_op - erases;
    torture_pop(torture, &mark);
    for (sim_tear_t tear = 0; tear < SIM_TEAR_NAME_COUNT; tear++) {
        tears[0] += is_possible(torture, 'p', tear);
        tears[1] += is_possible(torture, 's', tear);
    }
    return programs * tears[0] + erases * tears[1];
}

// Behind a cut: whatever else is to be tried in this recovery.
static void disturb_recovery(torture_t *torture) {
    bool is_to_cut = torture->now.level < torture->depth;
    if (is_to_cut && !torture->replay) {
        torture->totals.wanted_count += count_cuts(torture);
    }
    if ((torture->misreads & TORTURE_IN_RECOVERIES) && torture->now.level < TORTURE_DEPTH_MAX
        && (!torture->replay || torture->now.level < torture->depth)) {
        torture_misread_recovery(torture);
    }
}

// Cut the power in the operation that is about to happen, recover, look, and undo all of it.
static void cut_here(
    torture_t *torture, char kind, uint32_t addr, const void *data, uint32_t size, sim_tear_t tear, bool is_window) {
    sim_nor_t *nor = torture->nor;
    torture_mark_t mark = torture_push(torture);
    uint32_t level = torture->now.level++;
    torture->path_cuts[level] = (torture_cut_t){ (uint32_t)nor->op_count, (int)tear, 0 };
    torture->in_window[level] = is_window;
    torture->totals.planned_count++;
    // Of a sample nobody knows in advance how many there are.
    torture->totals.wanted_count += torture->replay || (level == 0 && torture->cut_step);
    nor->cut_op = (int64_t)nor->op_count;
    nor->cut_tear = tear;
    void (*watch)(void *, char, uint32_t, const void *, uint32_t) = nor->watch;
    nor->watch = NULL;
    if (kind == 'p') {
        (void)nor->flash.prog(nor->flash.ctx, addr, data, size);
    } else if (kind == 's') {
        (void)nor->flash.erase_sector(nor->flash.ctx, addr);
    } else {
        (void)nor->flash.erase_block(nor->flash.ctx, addr);
    }
    nor->watch = watch;
    torture->totals.fired_count += nor->is_cut;
    bool is_in_fs = addr >= torture->fs.addr && addr < torture->fs.addr + torture->fs.size;
    // What a torn page takes, or weak cells say, of a directory that littlefs writes is its own matter; of the stash of a delta that the
    // boot loader writes it is not.
    bool is_weak = tear == SIM_TEAR_WEAK || tear == SIM_TEAR_MARGINAL;
    bool is_littlefs = is_in_fs
                       && (torture->is_delta ? torture->now.is_preparing && (is_weak || tear == SIM_TEAR_PAGE)
                                             : tear == SIM_TEAR_PAGE);
    torture->now.has_misled_littlefs = torture->now.has_misled_littlefs || is_littlefs;
    torture->now.has_torn_note = torture->now.has_torn_note || torture->device.is_in_second_stage;
    torture->now.is_preparing = false;
    torture->now.is_open = false;
    bool was_in_second_stage = torture->device.is_in_second_stage;
    torture->device.is_in_second_stage = false;
    torture_power_on(torture);
    disturb_recovery(torture);
    torture_verdict_t verdict = torture_live(torture);
    if (verdict == TORTURE_RECOVERED) {
        verdict = torture_inspect(torture);
    }
    torture_count_verdict(torture, verdict);
    torture->device.is_in_second_stage = was_in_second_stage;
    torture_pop(torture, &mark);
}

static void watch(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    torture_t *torture = ctx;
    uint32_t op = (uint32_t)torture->nor->op_count;
    bool is_window = torture_judge(torture, kind, addr, size);
    bool is_enough = torture->stop_at_loss && torture->totals.lost_depth;
    for (sim_tear_t tear = 0; torture->now.level < torture->depth && !is_enough && tear < SIM_TEAR_NAME_COUNT; tear++) {
        if (is_wanted(torture, kind, op, tear)) {
            cut_here(torture, kind, addr, data, size, tear, is_window);
        }
    }
    if (torture->now.level == 0 && torture->progress) {
        torture->progress(torture->progress_ctx, &torture->totals);
    }
}

// The image in the file at `path` as it has to be in flash, in whole sectors. 0 or an error of the filesystem.
static int load_image(torture_t *torture, const char *path, uint8_t **image, uint32_t *end) {
    uint32_t sector_size = torture->nor->flash.geometry.sector_size;
    uint32_t size;
    int err = torture_files_load(torture, path, image, &size);
    if (err) {
        return err;
    }
    *end = (size + sector_size - 1) / sector_size * sector_size;
    *image = realloc(*image, *end);
    if (*image == NULL) {
        abort();
    }
    memset(*image + size, 0xff, *end - size);
    if (!torture->options.image_params && !torture->standby) {
        memcpy(*image + 2, torture->nor->bytes + 2, 2);
    }
    return 0;
}

// What there is before anything is done, and what there has to be in the end.
static int note_images(torture_t *torture) {
    const molt_flash_t *flash = &torture->nor->flash;
    molt_state_t state;
    uint32_t old_head_addr = 0;
    torture->reserved_addr = 0;
    if (torture->standby || molt_resident_find(flash, &torture->reserved_addr) != 0) {
        torture->reserved_addr = 0;
    } else if (molt_state_read(flash, torture->reserved_addr, &state) == 0) {
        old_head_addr = molt_state_head_addr(flash, torture->reserved_addr, state.head);
    }
    old_head_addr = torture_has_slots(torture) ? torture->standby->running.addr
                    : torture->standby         ? torture->standby->image_addr
                                               : old_head_addr;
    torture->old_head = torture->original + old_head_addr;
    bool falls_back = torture->fallback_path && !torture->confirms;
    if (!falls_back) {
        return load_image(torture, torture->path, &torture->image, &torture->image_end);
    }
    int err = load_image(torture, torture->path, &torture->trial_image, &torture->trial_end);
    err = err ? err : load_image(torture, torture->fallback_path, &torture->image, &torture->image_end);
    if (!err && torture_has_slots(torture)) {
        // As it stands there, with what is behind its end.
        memcpy(torture->image, torture->old_head, torture->image_end);
    }
    return err;
}

static int run_main_line(torture_t *torture) {
    sim_nor_t *nor = torture->nor;
    torture_mark_t mark = torture_push(torture);
    torture_power_on(torture);
    if (!torture->replay && torture->job == 0 && !torture->cut_step) {
        torture->totals.wanted_count += count_cuts(torture);
    }
    torture_verdict_t verdict = torture_live(torture);
    torture->totals.op_count = nor->op_count;
    torture->totals.window_count = torture->now.window_count;
    if (verdict == TORTURE_RECOVERED) {
        verdict = torture_inspect(torture);
    }
    torture_pop(torture, &mark);
    if (verdict != TORTURE_RECOVERED) {
        if (torture->text[0] == 0) {
            snprintf(torture->text, sizeof torture->text, "undisturbed: %s", torture_verdict_text(verdict));
        }
        return MOLT_ERR_CORRUPT;
    }
    return 0;
}

static int run(torture_t *torture) {
    int err = note_images(torture);
    if (!err) {
        err = torture_files_list(torture);
    }
    if (err) {
        snprintf(torture->text, sizeof torture->text, "the filesystem or the file %s cannot be read", torture->path);
        return err;
    }
    torture->nor->watch = watch;
    torture->nor->watch_ctx = torture;
    err = run_main_line(torture);
    if (!err && torture->misreads) {
        torture_misread_all(torture);
    }
    torture->nor->watch = NULL;
    return err;
}

int torture_run(torture_t *torture) {
    sim_nor_t *nor = torture->nor;
    uint32_t size = nor->flash.geometry.size;
    torture->totals = (torture_totals_t){ 0 };
    torture->now = (struct torture_now){ 0 };
    torture->device = (sim_device_t){
        .nor = nor,
        .loader = torture->loader,
        .resident = torture->resident,
        .code_once = torture->code_once,
        .code_resident = torture->code_resident,
        .standby = torture->standby,
        .code_standby = torture->code_standby,
    };
    torture->image = NULL;
    torture->trial_image = NULL;
    torture->trial_end = 0;
    torture->is_prepared = false;
    torture->is_delta = false;
    torture->original = allocate(size);
    torture->prepared_fs = allocate(torture->fs.size);
    memcpy(torture->original, nor->bytes, size);
    if (torture->job_count == 0) {
        torture->job_count = 1;
    }
    torture->err = run(torture);
    sim_nor_power_on(nor);
    free(torture->original);
    free(torture->prepared_fs);
    free(torture->image);
    free(torture->trial_image);
    free(torture->files);
    return torture->err;
}
