// Totals of a torture, and the names of disturbances.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torture.h"

static const char *name_of(int how) {
    static const char *const names[TORTURE_HOW_COUNT - TORTURE_MISREAD] = { "misread", "misread-later", "misread-reused" };
    return how < TORTURE_MISREAD ? sim_tear_name((sim_tear_t)how) : names[how - TORTURE_MISREAD];
}

static int parse_how(const char *name, size_t length) {
    for (int how = 0; how < TORTURE_HOW_COUNT; how++) {
        if (strlen(name_of(how)) == length && memcmp(name_of(how), name, length) == 0) {
            return how;
        }
    }
    return -1;
}

uint64_t torture_loss_count(const torture_totals_t *totals) {
    uint64_t count = 0;
    for (int i = TORTURE_LOSSES; i < TORTURE_VERDICT_COUNT; i++) {
        count += totals->verdicts[i];
    }
    return count;
}

bool torture_is_complete(const torture_totals_t *totals) {
    return totals->fired_count > 0 && totals->fired_count == totals->planned_count
           && totals->planned_count == totals->wanted_count;
}

void torture_add(torture_totals_t *sum, const torture_totals_t *totals) {
    sum->op_count = totals->op_count;
    sum->window_count = totals->window_count;
    sum->wanted_count += totals->wanted_count;
    sum->planned_count += totals->planned_count;
    sum->fired_count += totals->fired_count;
    sum->misread_count += totals->misread_count;
    for (int i = 0; i < TORTURE_VERDICT_COUNT; i++) {
        sum->verdicts[i] += totals->verdicts[i];
    }
    if (totals->starts_max > sum->starts_max) {
        sum->starts_max = totals->starts_max;
    }
    if (sum->lost_depth == 0 && totals->lost_depth) {
        sum->lost_depth = totals->lost_depth;
        sum->lost_verdict = totals->lost_verdict;
        memcpy(sum->lost, totals->lost, sizeof sum->lost);
    }
}

void torture_format_id(const torture_cut_t *cuts, uint32_t depth, char *text, uint32_t text_size) {
    uint32_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < depth && used < text_size; i++) {
        used += (uint32_t)snprintf(text + used, text_size - used, "%s%u", i ? "/" : "", cuts[i].op);
        if (cuts[i].bit && used < text_size) {
            used += (uint32_t)snprintf(text + used, text_size - used, ":%u", cuts[i].bit);
        }
        if (used < text_size) {
            used += (uint32_t)snprintf(text + used, text_size - used, ".%s", name_of(cuts[i].how));
        }
    }
}

int torture_parse_id(const char *text, torture_cut_t cuts[TORTURE_DEPTH_MAX]) {
    int count = 0;
    while (*text && count < TORTURE_DEPTH_MAX) {
        char *end;
        unsigned long op = strtoul(text, &end, 10);
        unsigned long bit = 0;
        if (end != text && *end == ':') {
            bit = strtoul(end + 1, &end, 10);
        }
        if (end == text || *end != '.') {
            return -1;
        }
        text = end + 1;
        size_t length = strcspn(text, "/");
        int how = parse_how(text, length);
        if (how < 0) {
            return -1;
        }
        cuts[count++] = (torture_cut_t){ (uint32_t)op, how, (uint32_t)bit };
        text += length + (text[length] == '/');
    }
    return *text == 0 && count > 0 ? count : -1;
}

const char *torture_verdict_text(torture_verdict_t verdict) {
    static const char *const texts[TORTURE_VERDICT_COUNT] = {
        "recovered",
        "lost in a named window (sector 0 being rewritten)",
        "files lost by a misread or a torn page while littlefs wrote (its own matter)",
        "a trial that is not counted any more: the boot loader's own note of it was torn",
        "nothing boots",
        "the boot loader gives up",
        "the old firmware runs, but the upgrade cannot be started again",
        "the upgrade does not come to an end",
        "a firmware starts whose sectors are not all of one image",
        "sector 0 is rewritten where no window is named, or before all behind it is right",
        "the header of sector 0 is programmed before all else there is",
        "a 1 is programmed over a 0",
        "a firmware runs that is not the new image",
        "bytes outside image and filesystem have changed",
        "a file is gone or has other bytes",
    };
    return texts[verdict];
}
