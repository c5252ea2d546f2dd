// How far something has come that takes seconds on this computer: a percentage on a terminal, nothing elsewhere.
#ifndef MOLT_CMD_PERCENT_H
#define MOLT_CMD_PERCENT_H

#include <stdint.h>

typedef struct percent {
    const char *what;  // up to 10 letters
    uint32_t shown;    // that stands there, + 1; 0: none
} percent_t;

// `ctx` is a percent_t.
void percent_tell(void *ctx, uint32_t done, uint32_t total);

// Take it away.
void percent_end(void);

#endif
