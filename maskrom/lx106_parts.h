// What the two halves of the interpreter share: lx106.c has state, memory and exceptions, instructions.c the instructions.
#ifndef MASKROM_LX106_PARTS_H
#define MASKROM_LX106_PARTS_H

#include "lx106.h"

// Numbers of special registers.
enum {
    SAR = 3,
    LITBASE = 5,
    EPC1 = 177,
    DEPC = 192,
    EPS1 = 193,  // EPS of level n is EPS1 - 1 + n, EPC of level n is EPC1 - 1 + n
    INTERRUPT = 226,
    INTCLEAR = 227,
    PS = 230,
    VECBASE = 231,
    EXCCAUSE = 232,
    CCOUNT = 234,
    PRID = 235,
    EXCVADDR = 238,
};

#define PS_EXCM 0x10u
#define PS_UM 0x20u

// Fields of an instruction.
static inline uint32_t field_t(uint32_t w) {
    return w >> 4 & 15;
}

static inline uint32_t field_s(uint32_t w) {
    return w >> 8 & 15;
}

static inline uint32_t field_r(uint32_t w) {
    return w >> 12 & 15;
}

static inline uint32_t field_imm8(uint32_t w) {
    return w >> 16 & 255;
}

static inline uint32_t field_special(uint32_t w) {
    return w >> 8 & 255;
}

static inline uint32_t sign_extend(uint32_t value, uint32_t bits) {
    uint32_t sign = 1u << (bits - 1);
    value &= (sign << 1) - 1;
    return (value ^ sign) - sign;
}

static inline bool less_signed(uint32_t x, uint32_t y) {
    return (int32_t)x < (int32_t)y;
}

// Arithmetic shift right, without relying on what a compiler makes of a negative number.
static inline uint32_t shift_signed(uint32_t x, uint32_t by) {
    return less_signed(x, 0) ? ~(~x >> by) : x >> by;
}

// Stop with the program counter at this instruction.
void lx106_stop_here(lx106_t *cpu, lx106_stop_t why);
void lx106_unknown(lx106_t *cpu, uint32_t w);

// Go on at the exception's vector.
void lx106_raise(lx106_t *cpu, int cause, uint32_t vaddr);

// A load or store; an exception if the address does not take it. `load` is false then, and *value undefined.
bool lx106_load(lx106_t *cpu, uint32_t vaddr, uint32_t size, uint32_t *value);
void lx106_store(lx106_t *cpu, uint32_t vaddr, uint32_t size, uint32_t value);

// RSR, WSR and XSR.
void lx106_move_special(lx106_t *cpu, uint32_t w, bool reads, bool writes);

// Execute `w`, which is at cpu->pc; cpu->next_pc is behind it.
void lx106_execute(lx106_t *cpu, uint32_t w);

#endif
