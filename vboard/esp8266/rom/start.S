// Where the processor begins: the reset stub, the vectors, the entry points of the ROM functions, and the
// way into and out of an exception.
//
// QEMU's reset goes to 0x50000000 whatever the ELF file says; the stub there jumps on to the chip's own reset
// vector. A jump to 0x50000000 from anywhere is a reset in place: RAM keeps its contents.
#include "../board.h"

#define PS_NORMAL 0x20      // user vector mode, interrupts open, no exception in progress
#define PS_HANDLER 0x2f     // the same with interrupts shut
#define FRAME_PS 64         // offsets into struct exception_frame (crash.h); a0..a15 come first
#define FRAME_EPC1 68
#define FRAME_EXCCAUSE 72
#define FRAME_EXCVADDR 76
#define FRAME_SAR 80
#define FRAME_DEPC 84

    .section .reset, "ax"
    .global power_on_entry
power_on_entry:
    _j 1f
    .align 4
.Lreset_vector:
    .word ROM_VADDR + 0x80
1:  l32r a0, .Lreset_vector
    jx a0

// Everything that stands at an address the chip prescribes. What lies between is zero, which is the ILL
// instruction at any alignment: a call to a function that is not here is an exception, see crash.c.
    .section .entries, "ax"
    .org 0x10               // debug
    _j exception_entry
    .org 0x20               // NMI
    _j exception_entry
    .org 0x30               // kernel
    _j exception_entry
    .org 0x50               // user
    _j exception_entry
    .org 0x70               // double
    _j exception_entry
    .org 0x80               // reset
    _j board_reset
#define ROM_ENTRY(address, function) .org address - ROM_VADDR; .global rom_at_##function; rom_at_##function: _j function
#include "entries.h"
#undef ROM_ENTRY

    .section .text.start, "ax"
    .align 4
.Lvectors:
    .word ROM_VADDR
.Lboot_stack:
    .word DRAM_END - 16
.Lboot:
    .word board_boot
.Lframe:
    .word exception_frame
.Lhandler:
    .word exception_handle
.Lhandler_stack:
    .word exception_stack + 2048 - 16

    .align 4
    .global board_reset
board_reset:
    movi a2, 0              // first of all: an interrupt may be pending
    wsr a2, intenable
    l32r a2, .Lvectors
    wsr a2, vecbase
    movi a2, PS_NORMAL
    wsr a2, ps
    rsync
    l32r a1, .Lboot_stack
    l32r a0, .Lboot
    jx a0

// boot_enter(entry): leave the ROM as its boot loader does, by a call on its stack.
    .align 4
    .global boot_enter
boot_enter:
    callx0 a2
    movi a2, 0
    _j boot_returned

// Any exception or interrupt: save everything, tell C, and go back if C returns.
    .align 4
exception_entry:
    wsr a0, excsave1
    l32r a0, .Lframe
    s32i a1, a0, 4
    s32i a2, a0, 8
    s32i a3, a0, 12
    s32i a4, a0, 16
    s32i a5, a0, 20
    s32i a6, a0, 24
    s32i a7, a0, 28
    s32i a8, a0, 32
    s32i a9, a0, 36
    s32i a10, a0, 40
    s32i a11, a0, 44
    s32i a12, a0, 48
    s32i a13, a0, 52
    s32i a14, a0, 56
    s32i a15, a0, 60
    rsr a2, excsave1
    s32i a2, a0, 0
    rsr a2, ps
    s32i a2, a0, FRAME_PS
    rsr a2, epc1
    s32i a2, a0, FRAME_EPC1
    rsr a2, exccause
    s32i a2, a0, FRAME_EXCCAUSE
    rsr a2, excvaddr
    s32i a2, a0, FRAME_EXCVADDR
    rsr a2, sar
    s32i a2, a0, FRAME_SAR
    rsr a2, depc
    s32i a2, a0, FRAME_DEPC
    l32r a1, .Lhandler_stack
    movi a2, PS_HANDLER
    wsr a2, ps
    rsync
    mov a2, a0
    l32r a0, .Lhandler
    callx0 a0
    l32r a0, .Lframe
    l32i a2, a0, FRAME_PS
    wsr a2, ps
    rsync
    l32i a2, a0, FRAME_EPC1
    wsr a2, epc1
    l32i a2, a0, FRAME_SAR
    wsr a2, sar
    l32i a1, a0, 4
    l32i a2, a0, 8
    l32i a3, a0, 12
    l32i a4, a0, 16
    l32i a5, a0, 20
    l32i a6, a0, 24
    l32i a7, a0, 28
    l32i a8, a0, 32
    l32i a9, a0, 36
    l32i a10, a0, 40
    l32i a11, a0, 44
    l32i a12, a0, 48
    l32i a13, a0, 52
    l32i a14, a0, 56
    l32i a15, a0, 60
    l32i a0, a0, 0
    rfe

// int host_call(number, a, b, c): QEMU's simcall. Number and arguments are where the caller put them.
    .align 4
    .global host_call
host_call:
    simcall
    ret

    .align 4
    .global ets_intr_lock
ets_intr_lock:
    rsil a2, 3
    ret

    .align 4
    .global ets_intr_unlock
ets_intr_unlock:
    rsil a2, 0
    ret

    .align 4
    .global divide_by_zero
divide_by_zero:
    ill
