// Which compilation of the boot loaders' sources the cut suite runs: the host's own, or one with the flags that the
// ESP8266's boot loaders are built with (sizes as constants, stored plans trusted, resident mode only).
#ifndef MOLT_TESTS_CUT_SHIPPED_H
#define MOLT_TESTS_CUT_SHIPPED_H

#include "device.h"

// NULL: the host's own.
extern const sim_code_t *const cut_code_once;
extern const sim_code_t *const cut_code_resident;

// What shipped_once.c, shipped_resident.c and shipped_overlay.c define, each compiled as one unit with the sources of its
// boot loader.
extern const sim_code_t shipped_once;
extern const sim_code_t shipped_resident;
int shipped_overlay(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, uint8_t *sector, uint8_t *buf,
    const molt_boot_io_t *io);

#endif
