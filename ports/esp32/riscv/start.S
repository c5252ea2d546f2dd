// The first bytes of the standby loader: the jump to its entry, and what installing puts in behind it. The targets have the offset
// (molt_esp32.c). Assembled with START=the function's name; an extension has no such word.

    .option norvc
    .section .text.start, "ax"
    .global molt_start
molt_start:
    j START
#ifdef PLAN_ADDR
    .global PLAN_ADDR
PLAN_ADDR:
    .word 0xffffffff
#endif
