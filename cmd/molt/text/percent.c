// How far something has come that takes seconds on this computer.

#include "percent.h"

#include <stdio.h>
#include <unistd.h>

void percent_tell(void *ctx, uint32_t done, uint32_t total) {
    percent_t *percent = ctx;
    uint32_t now = (uint32_t)(100ull * done / (total ? total : 1));
    if (percent->shown != now + 1 && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%s %u %% ", percent->what, now);
    }
    percent->shown = now + 1;
}

void percent_end(void) {
    fprintf(stderr, isatty(STDERR_FILENO) ? "\r                    \r" : "");
}
