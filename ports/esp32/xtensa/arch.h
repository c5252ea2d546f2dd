// What the Xtensa chips of the ESP32 family have in common.
#ifndef MOLT_ESP32_ARCH_H
#define MOLT_ESP32_ARCH_H

#include <stdint.h>

#include "chip.h"

// The compiler puts this in front of all functions.
__asm__(".include \"windowed.inc\"");

// The address of a block of registers, so that the compiler reaches each by its offset: it would keep the address of each otherwise.
static inline uint32_t arch_block(uint32_t addr) {
    __asm__("" : "+r"(addr));
    return addr;
}

// What was written before is there before anything is read; the compiler is told to leave that to us (-mno-serialize-volatile).
static inline uint32_t arch_read(uint32_t addr) {
    __asm__ volatile("memw" ::: "memory");
    return *(const volatile uint32_t *)addr;
}

static inline void arch_write(uint32_t addr, uint32_t value) {
    *(volatile uint32_t *)addr = value;
}

// Put code with its constants to `vaddr`. The CPU reads constants where the data bus has them, CONSTANTS_OFF further: that is the same
// RAM, or another copy.
static inline void arch_put_code(uint32_t vaddr, const uint32_t *code, uint32_t size) {
    for (uint32_t off = 0; off < size; off += 4) {
        *(volatile uint32_t *)(vaddr + off) = code[off / 4];
        if (CONSTANTS_COPIED) {
            *(volatile uint32_t *)(vaddr + off + CONSTANTS_OFF) = code[off / 4];
        }
    }
    __asm__ volatile("memw\n\tisync" ::: "memory");
}

// loader.ld: the loader's constants as they were loaded, behind its code, and their end.
extern const uint32_t molt_constants_loaded[];
extern const uint32_t molt_constants_end[];

// Before anything else is done.
static inline void arch_begin(void) {
    if (CONSTANTS_COPIED) {
        for (const uint32_t *from = molt_constants_loaded; from != molt_constants_end; from++) {
            *(volatile uint32_t *)((uintptr_t)from + CONSTANTS_OFF) = *from;
        }
    }
}

#endif
