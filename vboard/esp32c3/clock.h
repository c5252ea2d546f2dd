// Time, which is made of what the board does: two runs are alike to the instruction.
//
// An instruction is 6.25 ns, one cycle at 160 MHz, and taken to have three bytes. To it come the flash chip's modelled time and
// what a ROM function waits. What the program waits for input is the host's time. With a network all time is the host's: whoever
// waits does wait, and so does who writes flash.
#ifndef VBOARD_ESP32C3_CLOCK_H
#define VBOARD_ESP32C3_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

// Instructions of so many bytes. True: the processor is to stop, as a watchdog has bitten.
bool clock_pass_code(uint32_t bytes);

void clock_pass_us(uint64_t us);        // the program waits
void clock_pass_world_us(uint64_t us);  // so long it has waited, by the host's time
void clock_look(void);                  // the flash chip has taken time: watchdogs are looked at

void clock_plan(void);  // watchdogs have been set otherwise

uint64_t clock_ns(void);  // since the power came on
uint32_t clock_cycles(void);
void clock_power_on(void);

#endif
