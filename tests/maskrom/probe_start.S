// Reset and exceptions of the tests' own ROM. An exception is noted in `causes` and the instruction, of 3 bytes, skipped.
// The tests' end is the address 0x40000040.
    .text
    .org 0x30
    j exception
    .org 0x40
done:
    j done
    .org 0x70
double_exception:
    waiti 0
    .org 0x80
    .global reset
reset:
    movi a0, 0
    wsr.ps a0
    rsync
    movi a1, 0x3ffffff0
    movi a0, probe_main
    callx0 a0
    movi a0, done
    jx a0

    .align 4
    .literal_position
exception:
    wsr.excsave1 a2
    movi a2, saved
    s32i a3, a2, 0
    s32i a4, a2, 4
    movi a3, cause_count
    l32i a4, a3, 0
    addi a4, a4, 1
    s32i a4, a3, 0
    movi a3, causes - 4
    addx4 a3, a4, a3
    rsr.exccause a4
    s32i a4, a3, 0
    rsr.epc1 a3
    addi a3, a3, 3
    wsr.epc1 a3
    l32i a3, a2, 0
    l32i a4, a2, 4
    rsr.excsave1 a2
    rfe
    .literal_position

// In the places of four functions of the mask ROM: what they are called with, and what they are to return.
    .macro stub name, number
    .section .stub.\name, "ax"
    .literal_position
\name:
    movi a8, stub_calls
    movi.n a9, \number
    s32i a9, a8, 0
    s32i a2, a8, 4
    s32i a3, a8, 8
    s32i a4, a8, 12
    movi a8, stub_result
    l32i a2, a8, 0
    ret
    .endm

    stub read, 1
    stub write, 2
    stub erase_sector, 3
    stub erase_block, 4

    .bss
    .align 4
    .global stub_result
stub_result:
    .space 4
    .global stub_calls
stub_calls:
    .space 16
saved:
    .space 8
    .global cause_count
cause_count:
    .space 4
    .global causes
causes:
    .space 64
