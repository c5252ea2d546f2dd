// Switching on, resetting and switching off.
#ifndef VBOARD_ESP32C3_POWER_H
#define VBOARD_ESP32C3_POWER_H

#include <stdbool.h>
#include <stdint.h>

// Switch on, and run until the board is switched off.
_Noreturn void power_run(void);

// Ask for a reset, which comes when the processor has stopped.
void power_reset(uint32_t cause);
void power_bite(uint32_t cause, const char *watchdog);

// The power has gone in a flash operation.
void power_lost(void);
bool power_is_on(void);

uint32_t power_cause(void);  // of the boot in progress

// End the run: counts are written, then the host gets the status (EXIT_* or a program's own).
_Noreturn void power_off(int status);

// End the run because nothing will ever happen again: `why` it waits.
_Noreturn void power_hang(const char *why);

// Nothing in flash can be booted, and nothing that resets the chip changes that.
_Noreturn void power_brick(const char *why);

// Where the ROM has put the boot loader; and what is executed, to see whether that ever is something else than these two.
void power_note_loader(uint32_t vaddr, uint32_t size);
void power_note_code(uint32_t vaddr);

// The second-stage boot loader that is the board's own has been entered; the processor is to stop.
void power_enter_second_stage(uint32_t dialect);

#endif
