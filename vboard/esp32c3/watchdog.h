// The watchdogs: that of the RTC, that of timer group 0, and the super watchdog.
//
// The first two have four stages, one after the other, each with a time and an action; they begin again when they are fed, and
// their registers change only after the key has been written. Out of a reset they guard the boot ("flashboot"), until
// the boot loader says that it has come so far.
#ifndef VBOARD_ESP32C3_WATCHDOG_H
#define VBOARD_ESP32C3_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

extern uint64_t watchdog_next_ns;  // when the first of them bites; UINT64_MAX: never

// In the whole run, with the key written before: feeds of the first two, stores to the super watchdog's register.
extern uint32_t watchdog_feeds, watchdog_super_writes;

void watchdog_reset(bool of_rtc);  // of the digital core only, or of the RTC, too
bool watchdog_check(void);         // true: one has bitten, and the reset is under way
bool watchdog_is_armed(void);

// A store to a register of theirs; false: it is none of theirs.
bool watchdog_write(uint32_t vaddr, uint32_t value);
bool watchdog_read(uint32_t vaddr, uint32_t *value);

#endif
