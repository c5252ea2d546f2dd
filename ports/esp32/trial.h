// What the loader calls a trial's code by: position-independent, and run from the RAM that the plan was read to.
#ifndef MOLT_ESP32_TRIAL_H
#define MOLT_ESP32_TRIAL_H

#include "upgrade/trial.h"

// Its first word.
typedef __typeof__(&molt_trial_ask) trial_entry_t;

#endif
