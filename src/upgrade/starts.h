// The log of starts: with what each start of a boot loader began, in the plan's sector behind the journal.
//
// A supply that gives way under the current of an erase would wear out a sector that each start erases. So one that begins where those
// before it did waits, longer each time. An entry is a word, a number and in the upper half its complement, so that one that was torn is
// none. The boot loader itself keeps the log in boot.c, where each byte counts; here is what others add to it.
#ifndef MOLT_STARTS_H
#define MOLT_STARTS_H

#include <stdint.h>

#include "molt/flash.h"
#include "upgrade/plan.h"

// The numbers: of a start's first step; with this, that the step was done; where it is a delta, how far that has come, up to 0x3fff, with
// this.
#define MOLT_STARTS_DONE 0x8000u
#define MOLT_STARTS_DELTA 0x4000u

// Starts with the same number that do not wait; the wait then doubles with each, up to 64 s.
#define MOLT_STARTS_FREE 2u
#define MOLT_STARTS_MAX (MOLT_STARTS_FREE + 6u)

// A start begins with `number`: note it. Returns the seconds that it has to wait before it erases anything.
//   plan_addr  of the sector of a plan that was opened
// Errors do not matter, nor that the log is full: no upgrade fails because of it. Power cut: noted, or not. Cost: one program of 4 bytes.
uint32_t molt_starts_note(const molt_flash_t *flash, uint32_t plan_addr, const molt_plan_t *plan, uint32_t number);

#endif
