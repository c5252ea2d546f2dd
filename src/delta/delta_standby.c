// A delta carried out in standby mode.

#include "base/app_image.h"
#include "delta/delta_run.h"
#include "molt/error.h"
#include "upgrade/journal.h"
#include "upgrade/marks.h"
#include "upgrade/starts.h"

// What molt_delta_run_open() returns where no operation has begun yet.
#define FRESH ((int)MOLT_DELTA_LOG_FRESH + 1)

// How often a header is read before it counts as an app's.
#define TRIES 4u

// From here on the old firmware does not go back: in flash, and in the loader's memory.
static int mark_begun(const molt_flash_t *flash, uint32_t plan_addr, const molt_plan_t *plan) {
    molt_journal_t journal = { plan_addr + plan->journal_off, plan->set_size, plan->sector + plan->journal_off };
    return molt_journal_mark(flash, &journal, 0);
}

// Whether the image's place begins like an app. From the first operation on it does not, until the loader puts the first sector in: so
// somebody has put a firmware there since, by the serial line, of which this must not make anything.
static bool has_other_app(const molt_flash_t *flash, const molt_plan_t *plan) {
    bool is_app = true;
    for (uint32_t try = 0; try < TRIES && is_app; try++) {
        uint32_t present[4];
        uint32_t ours[4];
        int err = flash->read(flash->ctx, plan->image_addr, present, sizeof present);
        err = err ? err : flash->read(flash->ctx, molt_plan_stash_addr(plan, MOLT_DELTA_STASH_FIRST), ours, sizeof ours);
        is_app = !err && app_is_like((const uint8_t *)present, (const uint8_t *)ours);
    }
    return is_app;
}

// After molt_delta_run_open(), which returned `come`. 0, or an error.
static int do_all(molt_delta_run_t *run, const molt_flash_t *flash, uint32_t plan_addr, const molt_plan_t *plan, uint32_t come) {
    int err = mark_begun(flash, plan_addr, plan);
    err = err ? err : molt_marks_break_image(flash, plan->image_addr);
    if (err) {
        return err;
    }
    uint32_t seconds = molt_starts_note(flash, plan_addr, plan, MOLT_STARTS_DELTA | come);
    if (seconds) {
        run->wait(run, seconds);
    }
    return molt_delta_run_finish(run);
}

bool molt_delta_run_standby(molt_delta_run_t *run, const molt_flash_t *flash, uint32_t plan_addr, const molt_plan_t *plan,
    const molt_reader_t *patch, uint8_t *window, uint32_t window_size, uint8_t *buf, molt_reader_t *image) {
    int result = molt_delta_run_open(run, flash, plan, patch, window, window_size, buf, image);
    uint32_t marks = molt_marks_read(&flash->geometry, plan->sector);
    // Where a firmware may have run since, what is in the stash's place may be somebody's.
    bool is_over = molt_mark_is_in(marks, MOLT_MARK_FINISHING) || molt_mark_is_in(marks, MOLT_MARK_PLACED);
    bool is_done = result == (int)run->delta.header.op_count + 2;
    bool is_reset = false;
    if (result < 0) {
        run->answer = result;
    } else if (!is_over && result > FRESH && has_other_app(flash, plan)) {
        run->answer = MOLT_ERR_IO;
    } else if (is_done) {
        run->answer = mark_begun(flash, plan_addr, plan);
    } else {
        is_reset = !is_over && do_all(run, flash, plan_addr, plan, (uint32_t)result) == 0;
        run->answer = MOLT_ERR_IO;
    }
    return is_reset;
}
