// What the loader calls a trial's code by, which is position-independent and runs from the RAM that it was read to.
#ifndef MOLT_ESP32C3_TRIAL_H
#define MOLT_ESP32C3_TRIAL_H

#include "upgrade/trial.h"

// The first word of it. As molt_trial_ask().
typedef __typeof__(&molt_trial_ask) trial_entry_t;

// From an address of RAM on the data bus to the same on the instruction bus. Source: ESP32-C3 Technical Reference Manual, internal
// memory: SRAM 1 is at 0x3fc80000 and at 0x40380000.
#define CODE_VADDR_OFF 0x700000u

#endif
