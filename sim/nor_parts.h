// What the parts of the simulated chip share.
#ifndef MOLT_SIM_NOR_PARTS_H
#define MOLT_SIM_NOR_PARTS_H

#include "nor.h"

// Before anything in [addr, addr + size) changes: keep it for sim_nor_pop().
void sim_nor_save(sim_nor_t *nor, uint32_t addr, uint32_t size);

// Do the whole operation: program `data`, or erase where that is NULL.
void sim_nor_do(sim_nor_t *nor, uint32_t addr, const uint8_t *data, uint32_t size);

// Leave the range in the state of nor->cut_tear.
void sim_nor_tear(sim_nor_t *nor, uint32_t addr, const uint8_t *data, uint32_t size);

// A number that depends on the seed, on what has happened so far, and on `salt`; never 0.
uint32_t sim_nor_random(const sim_nor_t *nor, uint32_t salt);

// The next one of a sequence that began with that (xorshift32).
uint32_t sim_next_random(uint32_t *state);

// Each weak cell reads by a new coin.
void sim_nor_toss(sim_nor_t *nor);

// nor->has_weak of the sectors of a range, after nor->weak was changed.
void sim_nor_note_weak(sim_nor_t *nor, uint32_t addr, uint32_t size);

#endif
