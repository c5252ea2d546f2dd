// ports/esp32/xtensa/arch.h, with registers that board.c has, and an extension that is in its place from the beginning.
#ifndef MOLT_TESTS_WINDOWED_ARCH_H
#define MOLT_TESTS_WINDOWED_ARCH_H

#define arch_read chips_arch_read
#define arch_write chips_arch_write
#define arch_put_code chips_arch_put_code
#include "xtensa/arch.h"
#undef arch_read
#undef arch_write
#undef arch_put_code

static inline void arch_put_code(uint32_t vaddr, const uint32_t *code, uint32_t size) {
    (void)vaddr;
    (void)code;
    (void)size;
}

#endif
