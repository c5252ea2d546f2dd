// What the RISC-V chips of the ESP32 family have in common.
#ifndef MOLT_ESP32_ARCH_H
#define MOLT_ESP32_ARCH_H

#include <stdint.h>

// The address of a block of registers, as arch.h of another architecture needs it.
static inline uint32_t arch_block(uint32_t addr) {
    return addr;
}

// Put code with its constants to `vaddr`.
static inline void arch_put_code(uint32_t vaddr, const uint32_t *code, uint32_t size) {
    uint32_t *to = (uint32_t *)vaddr;
    for (uint32_t i = 0; i < size / 4; i++) {
        to[i] = code[i];
    }
    // fence.i, which compilers know only of an architecture with more than these chips' names say.
    __asm__ volatile(".word 0x0000100f" ::: "memory");
}

// Before anything else is done: there is nothing to do here.
static inline void arch_begin(void) {
}

#endif
