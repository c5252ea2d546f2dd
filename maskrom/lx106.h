// The ESP8266's CPU, an Xtensa LX106: an interpreter of the instructions that it has, no more. One instruction takes one
// cycle. There are no interrupts: INTENABLE is a register like others, and nothing ever becomes pending.
// Source: Xtensa Instruction Set Architecture reference manual; the configuration is that of xtensa-lx106-elf-gcc
// (density, MUL16, MUL32, NSA; no windows, loops, booleans, MAC16, DIV, MIN/MAX).
#ifndef MASKROM_LX106_H
#define MASKROM_LX106_H

#include <stdbool.h>
#include <stdint.h>

// EXCCAUSE. LX106_FINE is none of them.
enum {
    LX106_FINE = -1,
    LX106_ILLEGAL_INSTRUCTION = 0,
    LX106_SYSCALL = 1,
    LX106_LOAD_STORE_ERROR = 3,
    LX106_UNALIGNED = 9,
    LX106_LOAD_PROHIBITED = 28,
    LX106_STORE_PROHIBITED = 29,
};

// Why lx106_run() came back before its time.
typedef enum lx106_stop {
    LX106_RUNS,
    LX106_AT_STOP_VADDR,
    LX106_UNKNOWN_INSTRUCTION,
    LX106_NO_CODE,  // the program counter is where nothing can be executed
    LX106_BREAK,    // BREAK, with nobody to debug: the chip hangs
    LX106_WAITI,    // waits for an interrupt: the chip hangs
    LX106_ASKED,    // lx106_ask_to_stop()
} lx106_stop_t;

// A range of addresses that code can be taken from, and its bytes; three more can be read behind them.
typedef struct lx106_code {
    uint32_t vaddr;
    uint32_t size;
    const uint8_t *bytes;
} lx106_code_t;

typedef struct lx106_bus {
    void *ctx;
    // RAM that takes every kind of aligned access.
    uint8_t *ram;
    uint32_t ram_vaddr;
    uint32_t ram_size;
    // Everything else. `size` is 1, 2 or 4; vaddr may have any alignment. LX106_FINE or an EXCCAUSE.
    int (*load)(void *ctx, uint32_t vaddr, uint32_t size, uint32_t *value);
    int (*store)(void *ctx, uint32_t vaddr, uint32_t size, uint32_t value);
    // The range around vaddr; false if there is none. It is asked for again after lx106_forget_code().
    bool (*code)(void *ctx, uint32_t vaddr, lx106_code_t *code);
} lx106_bus_t;

#define LX106_SPECIAL_COUNT 256

typedef struct lx106 {
    const lx106_bus_t *bus;
    uint32_t a[16];
    uint32_t pc;
    uint32_t next_pc;
    uint32_t special[LX106_SPECIAL_COUNT];  // by number; CCOUNT is made of `cycles` when it is read
    uint64_t instruction_count;
    uint64_t skipped_cycles;  // that passed without instructions; cycles = instruction_count + skipped_cycles
    uint32_t stack_low;       // the lowest value that a1 had, of those in RAM
    uint32_t stop_vaddr;      // stop before the instruction here; 1 (where none can be) for nowhere
    lx106_stop_t stop;
    uint32_t unknown;  // the instruction that is unknown
    uint64_t exception_count;
    uint32_t exception_pc;  // of the first one
    uint32_t exception_cause;
    uint32_t exception_vaddr;
    lx106_code_t code;
} lx106_t;

// As after a reset: at the mask ROM's reset vector. Counters, registers and stop_vaddr stay.
void lx106_reset(lx106_t *cpu);

// Execute up to `count` instructions; cpu->stop says whether there was a reason to come back earlier.
void lx106_run(lx106_t *cpu, uint32_t count);

// From within a callback: come back after this instruction.
void lx106_ask_to_stop(lx106_t *cpu);

// What code() said holds no longer.
void lx106_forget_code(lx106_t *cpu);

uint64_t lx106_cycles(const lx106_t *cpu);

#endif
