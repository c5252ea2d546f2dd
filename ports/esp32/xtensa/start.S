// The first bytes of the standby loader: a function of the windowed ABI, as the second-stage boot loader calls it, with what
// installing puts into it; molt_esp32.c has the offset. Assembled with START=the function's name. An extension has no such word, and
// hands its two arguments on.

#include "windowed.inc"

    .section .text.start, "ax"
    .global molt_start
    .align 4
molt_start:
    entry a1, 32
#ifdef PLAN_ADDR
    j 1f
    .align 4
    .global PLAN_ADDR
PLAN_ADDR:
    .word 0xffffffff
1:
#else
    mov.n a10, a2
    mov.n a11, a3
#endif
    call8 START
    retw.n
