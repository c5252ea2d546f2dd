// Switching on, resetting and switching off.
#ifndef VBOARD_ROM_POWER_H
#define VBOARD_ROM_POWER_H

#include <stdint.h>

// Restart in place; RAM keeps its contents. The cause is one of RESET_*.
_Noreturn void power_reset(uint32_t cause);

// End the run: counts are written, then the host gets the status (EXIT_* or a guest's own).
_Noreturn void power_off(int status);

// End the run because nothing will ever happen again: `why` it waits.
_Noreturn void power_hang(const char *why);

#endif
