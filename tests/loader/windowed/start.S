// The beginning of board.c on QEMU's machine "sim" with the core dc233c, which has register windows. Its vectors begin at 0x2000: those for
// windows that overflow into the stack and come back from it. All calls are CALL8, so that these two are enough. Source: Xtensa Instruction
// Set Architecture Reference Manual, "Windowed Register Option".

#include "windowed.inc"

    // S32E and L32E, off: -64 to -4; and the two returns.
    .macro to_stack register, base, off
    .byte \register << 4, ((\off + 64) / 4) << 4 | \base, 0x49
    .endm
    .macro from_stack register, base, off
    .byte \register << 4, ((\off + 64) / 4) << 4 | \base, 0x09
    .endm

    .section .vectors, "ax"
    .org 0x80
    to_stack 0, 9, -16
    from_stack 0, 1, -12
    to_stack 1, 9, -12
    to_stack 2, 9, -8
    to_stack 3, 9, -4
    to_stack 4, 0, -32
    to_stack 5, 0, -28
    to_stack 6, 0, -24
    to_stack 7, 0, -20
    .byte 0x00, 0x34, 0x00

    .org 0xc0
    from_stack 0, 9, -16
    from_stack 1, 9, -12
    from_stack 2, 9, -8
    from_stack 7, 1, -12
    from_stack 3, 9, -4
    from_stack 4, 7, -32
    from_stack 5, 7, -28
    from_stack 6, 7, -24
    from_stack 7, 7, -20
    .byte 0x00, 0x35, 0x00

    // Whatever else happens ends the run.
    .org 0x300
    movi a2, 1
    movi a3, 99
    simcall
    .org 0x340
    movi a2, 1
    movi a3, 98
    simcall

    // Where the core begins. (0x4000 is molt_start.)
    .section .reset, "ax"
    movi a2, 4
    slli a2, a2, 12
    jx a2

    .section .text.start, "ax"
    .align 4
    .global molt_start
molt_start:
    // WINDOWBASE and WINDOWSTART, which the assembler does not know.
    movi a2, 0
    .byte 0x20, 72, 0x13
    rsync
    movi a2, 1
    .byte 0x20, 73, 0x13
    rsync
    movi a1, 7
    slli a1, a1, 20
    // PS: register windows are on.
    movi a2, 1
    slli a2, a2, 18
    addi a2, a2, 32
    wsr.ps a2
    rsync
    call8 board_main
    .align 4
    .global molt_plan_addr
molt_plan_addr:
    .word 0x7000
