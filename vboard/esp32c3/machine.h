// The processor and its memories: Unicorn, wrapped.
//
// Everything that ends or resets the run is asked for here and happens when the processor has stopped, which is after
// the ROM function or the store that it was in.
#ifndef VBOARD_ESP32C3_MACHINE_H
#define VBOARD_ESP32C3_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

enum { REG_RA = 1, REG_SP = 2, REG_A0 = 10, REG_A1 = 11, REG_A7 = 17 };

void machine_create(void);

// All registers but the stack pointer hold anything. Runs until machine_stop().
void machine_start(uint32_t entry_vaddr, uint32_t stack_vaddr);
void machine_stop(void);

uint32_t machine_reg(unsigned number);
void machine_set_reg(unsigned number, uint32_t value);
uint32_t machine_pc(void);

// A mapped page of flash appears at vaddr, or goes.
void machine_map_flash(uint32_t vaddr, const uint8_t *bytes, bool is_code);
void machine_unmap_flash(uint32_t vaddr, bool is_code);

// Instructions of this range may have been translated, and are others now.
void machine_forget_code(uint32_t vaddr, uint32_t size);

#endif
