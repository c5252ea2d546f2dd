// Which compilation of the boot loaders' sources the cut suite runs: the host's own, or one with the flags that the
// ESP8266's boot loaders are built with (sizes as constants, stored plans trusted, resident mode only).
#ifndef MOLT_TESTS_CUT_SHIPPED_H
#define MOLT_TESTS_CUT_SHIPPED_H

#include "device.h"

// NULL: the host's own.
const sim_code_t *cut_code(void);

// What shipped_once.c and its like define, each compiled as one unit with the sources of its boot loader.
extern const __typeof__(&molt_boot_run) shipped_once;
extern const __typeof__(&molt_resident_start) shipped_resident;
extern const __typeof__(&molt_resident_act) shipped_overlay;
extern const __typeof__(&molt_boot_standby) shipped_standby;

typedef struct shipped_delta {
    __typeof__(&molt_delta_run_open) open;
    __typeof__(&molt_delta_run_finish) finish;
} shipped_delta_t;
extern const shipped_delta_t shipped_delta;
extern const __typeof__(&molt_delta_run_standby) shipped_delta_standby;

#endif
