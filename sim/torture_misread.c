// Misreads: one read is wrong once.

#include "torture_files.h"
#include "torture_parts.h"

// Bits of each read that are tried. Later starts have few reads, and there will be many of them.
static uint32_t bits_of(int how) {
    return how == TORTURE_MISREAD ? 1 : 16;
}

static bool is_wanted(const torture_t *torture, uint32_t read, uint32_t bit, int how, uint32_t step, uint32_t first) {
    if (torture->replay) {
        const torture_cut_t *cut = &torture->replay[torture->now.level];
        return cut->op == read && cut->bit == bit && cut->how == how;
    }
    return read % step == first % step;
}

// Reads of a life from here on in which nothing is wrong.
static uint64_t count_reads(torture_t *torture) {
    torture_mark_t mark = torture_push(torture);
    torture->now.level++;
    (void)torture_live(torture);
    uint64_t count = torture->nor->read_count;
    torture_pop(torture, &mark);
    return count;
}

// A life from here on with one read that is wrong. The power has just come on.
static void misread_here(torture_t *torture, uint32_t read, uint32_t bit, int how) {
    torture_mark_t mark = torture_push(torture);
    uint32_t level = torture->now.level++;
    torture->path_cuts[level] = (torture_cut_t){ read, how, bit };
    torture->in_window[level] = false;
    torture->totals.planned_count++;
    torture->totals.wanted_count += torture->replay != NULL;
    torture->nor->misread = read;
    torture->nor->misread_salt = bit;
    torture_verdict_t verdict = torture_live(torture);
    if (verdict == TORTURE_RECOVERED && how == TORTURE_MISREAD) {
        verdict = torture_inspect(torture);
    }
    torture->totals.fired_count += torture->now.has_misread;
    torture->totals.misread_count += torture->now.has_misread;
    // And the next time.
    if (verdict == TORTURE_RECOVERED) {
        torture_power_on(torture);
        verdict = torture_live(torture);
    }
    torture_count_verdict(torture, verdict);
    torture_pop(torture, &mark);
}

static void misread_each(torture_t *torture, int how, uint32_t step, uint32_t first) {
    uint64_t count = count_reads(torture);
    uint32_t bits = bits_of(how);
    for (uint32_t i = 0; i < count * bits; i++) {
        uint32_t read = i / bits;
        if (torture->stop_at_loss && torture->totals.lost_depth) {
            return;
        }
        torture->totals.wanted_count += !torture->replay && read % step == first % step;
        if (is_wanted(torture, read, i % bits, how, step, first)) {
            misread_here(torture, read, i % bits, how);
        }
    }
}

void torture_misread_recovery(torture_t *torture) {
    uint32_t step = torture->misread_step ? torture->misread_step : 1;
    // Another part of the sample after each cut.
    uint32_t first = torture->path_cuts[0].op * 7 + (uint32_t)torture->path_cuts[0].how;
    misread_each(torture, TORTURE_MISREAD, step, first);
}

void torture_misread_all(torture_t *torture) {
    torture_mark_t mark = torture_push(torture);
    torture_power_on(torture);
    if (torture->misreads & TORTURE_IN_UPGRADE) {
        misread_each(torture, TORTURE_MISREAD, torture->job_count, torture->job);
    }
    if (torture->misreads & TORTURE_IN_LATER_STARTS) {
        // No cuts on the way there.
        torture->now.level = TORTURE_DEPTH_MAX;
        torture_verdict_t verdict = torture_live(torture);
        torture->now.level = 0;
        torture->now.is_over = true;
        for (int how = TORTURE_MISREAD_LATER; verdict == TORTURE_RECOVERED && how < TORTURE_HOW_COUNT; how++) {
            torture_power_on(torture);
            misread_each(torture, how, torture->job_count, torture->job);
            if (torture_files_reuse(torture) != 0) {
                break;
            }
        }
    }
    torture_pop(torture, &mark);
}
