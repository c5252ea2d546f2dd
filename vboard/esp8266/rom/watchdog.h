// The hardware watchdog: unfed for too long, it resets the chip.
#ifndef VBOARD_ROM_WATCHDOG_H
#define VBOARD_ROM_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

// What a reset leaves of it: nothing, but a software reset, about which no document says anything, all.
void watchdog_reset(uint32_t cause);
bool watchdog_is_armed(void);
void watchdog_check(void);             // bites if it is due
void watchdog_interrupt(uint32_t pc);  // CCOMPARE0 has been met

#endif
