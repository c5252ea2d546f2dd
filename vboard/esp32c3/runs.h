// Many runs from one process: the cuts of a list, each in a child that is forked at the flash operation it cuts.
//
// The option "runs" names a list of lines. Each line is a run: words N:TEAR, of which the first is the cut in the run that is made
// anyway, the second one in what follows after the next power-on, and so on, and after the last the run goes on to its end. So
// what comes before the first cut is run once for all of them. The last line of the answer is that of the run without a cut.
#ifndef VBOARD_ESP32C3_RUNS_H
#define VBOARD_ESP32C3_RUNS_H

#include <stdbool.h>
#include <stdint.h>

void runs_open(void);
bool runs_are_many(void);
uint64_t runs_limit_ns(void);  // the time that a power-on has; UINT64_MAX: any

void runs_operation(uint32_t number);  // a flash operation begins
bool runs_continue_after_cut(void);
void runs_next_power_on(void);

// The UART's output, for the text that ends a run. False: it is not to be shown.
bool runs_hear(char c);

// The run has ended: its line is written. Waits for the children, in the first.
void runs_end(int status, uint32_t resets, uint32_t bites);

#endif
