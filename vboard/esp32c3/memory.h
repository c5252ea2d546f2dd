// The board's memories as host memory.
#ifndef VBOARD_ESP32C3_MEMORY_H
#define VBOARD_ESP32C3_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

void memory_create(void);

// RAM comes up with anything in it; the same anything each time, so that runs can be repeated.
void memory_power_on(void);

// RAM or ROM at vaddr, all `size` bytes of it; NULL if it is not that, or mapped flash, or a register.
uint8_t *memory_at(uint32_t vaddr, uint32_t size);

// As the program sees it, mapped flash and all. False, and nothing is moved, where the chip has no memory.
bool memory_read(uint32_t vaddr, void *to, uint32_t size);
bool memory_write(uint32_t vaddr, const void *from, uint32_t size);  // RAM only

// A block of instructions at vaddr is executed. What is written there by others than the processor has to be forgotten.
void memory_note_code(uint32_t vaddr);

#endif
