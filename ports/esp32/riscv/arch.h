// What the RISC-V chips of the ESP32 family have in common.
#ifndef MOLT_ESP32_ARCH_H
#define MOLT_ESP32_ARCH_H

// Make the CPU see code that it has just written.
static inline void arch_sync_code(void) {
    // fence.i, which compilers know only of an architecture with more than these chips' names say.
    __asm__ volatile(".word 0x0000100f" ::: "memory");
}

// The function of the mask ROM `name` by its address, where a call relative to the caller would be wrong: in code that is not where it
// was linked.
#define arch_far(name)                                                                                    \
    ({                                                                                                    \
        __typeof__(&(name)) far_function;                                                                 \
        __asm__("lui %0, %%hi(" #name ")\n\taddi %0, %0, %%lo(" #name ")" : "=r"(far_function));            \
        far_function;                                                                                     \
    })

#endif
