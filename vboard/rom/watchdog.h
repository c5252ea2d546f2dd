// The hardware watchdog: unfed for too long, it resets the chip.
#ifndef VBOARD_ROM_WATCHDOG_H
#define VBOARD_ROM_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

void watchdog_reset(bool armed);   // its state after a reset
void watchdog_check(void);         // bites if it is due
void watchdog_interrupt(uint32_t pc);  // CCOMPARE0 has been met

#endif
