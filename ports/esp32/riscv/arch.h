// What the RISC-V chips of the ESP32 family have in common.
#ifndef MOLT_ESP32_ARCH_H
#define MOLT_ESP32_ARCH_H

#include <stdint.h>

// The address of a block of registers, as arch.h of another architecture needs it.
static inline uint32_t arch_block(uint32_t addr) {
    return addr;
}

// Make the CPU see code that it has just written.
static inline void arch_sync_code(void) {
    // fence.i, which compilers know only of an architecture with more than these chips' names say.
    __asm__ volatile(".word 0x0000100f" ::: "memory");
}

// Put code with its constants to `vaddr`.
static inline void arch_put_code(uint32_t vaddr, const uint32_t *code, uint32_t size) {
    uint32_t *to = (uint32_t *)vaddr;
    for (uint32_t i = 0; i < size / 4; i++) {
        to[i] = code[i];
    }
    arch_sync_code();
}

// Before anything else is done: there is nothing to do here.
static inline void arch_begin(void) {
}

// The function of the mask ROM `name` by its address, where a call relative to the caller would be wrong: in code that is not where it
// was linked.
#define arch_far(name) \
    ({ \
        __typeof__(&(name)) far_function; \
        __asm__("lui %0, %%hi(" #name ")\n\taddi %0, %0, %%lo(" #name ")" : "=r"(far_function)); \
        far_function; \
    })

#endif
