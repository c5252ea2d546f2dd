// The interpreter of the LX106.

#include "lx106_parts.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the emulated memory is that of a little-endian host"
#endif

// Those that the LX106 has: LITBASE to CCOMPARE0.
static const uint8_t specials[] = { SAR, LITBASE, 176, EPC1, 178, 179, DEPC, 194, 195, 208, 209, 210, 211, INTERRUPT, INTCLEAR,
    228, PS, VECBASE, EXCCAUSE, 233, CCOUNT, PRID, 236, 237, EXCVADDR, 240 };

#define RESET_VADDR 0x40000080u
#define VECBASE_AT_RESET 0x40000000u
// Vectors, from VECBASE on.
#define KERNEL_VECTOR 0x30u
#define USER_VECTOR 0x50u
#define DOUBLE_VECTOR 0x70u

void lx106_unknown(lx106_t *cpu, uint32_t w) {
    cpu->stop = LX106_UNKNOWN_INSTRUCTION;
    cpu->unknown = w;
    cpu->next_pc = cpu->pc;
}

void lx106_stop_here(lx106_t *cpu, lx106_stop_t why) {
    cpu->stop = why;
    cpu->next_pc = cpu->pc;
}

void lx106_raise(lx106_t *cpu, int cause, uint32_t vaddr) {
    if (cpu->exception_count++ == 0) {
        cpu->exception_pc = cpu->pc;
        cpu->exception_cause = (uint32_t)cause;
        cpu->exception_vaddr = vaddr;
    }
    uint32_t *special = cpu->special;
    uint32_t vector = DOUBLE_VECTOR;
    if (special[PS] & PS_EXCM) {
        special[DEPC] = cpu->pc;
    } else {
        special[EPC1] = cpu->pc;
        vector = special[PS] & PS_UM ? USER_VECTOR : KERNEL_VECTOR;
    }
    special[EXCCAUSE] = (uint32_t)cause;
    special[EXCVADDR] = vaddr;
    special[PS] |= PS_EXCM;
    cpu->next_pc = special[VECBASE] + vector;
}

bool lx106_load(lx106_t *cpu, uint32_t vaddr, uint32_t size, uint32_t *value) {
    const lx106_bus_t *bus = cpu->bus;
    uint32_t off = vaddr - bus->ram_vaddr;
    int cause = LX106_FINE;
    if (off < bus->ram_size) {
        uint32_t word = 0;
        if (off & (size - 1)) {
            cause = LX106_UNALIGNED;
        } else if (size == 4) {
            memcpy(&word, bus->ram + off, 4);
        } else {
            memcpy(&word, bus->ram + off, size);
        }
        *value = word;
    } else {
        cause = bus->load(bus->ctx, vaddr, size, value);
    }
    if (cause != LX106_FINE) {
        lx106_raise(cpu, cause, vaddr);
        return false;
    }
    return true;
}

void lx106_store(lx106_t *cpu, uint32_t vaddr, uint32_t size, uint32_t value) {
    const lx106_bus_t *bus = cpu->bus;
    uint32_t off = vaddr - bus->ram_vaddr;
    int cause = LX106_FINE;
    if (off < bus->ram_size) {
        if (off & (size - 1)) {
            cause = LX106_UNALIGNED;
        } else {
            memcpy(bus->ram + off, &value, size);
        }
    } else {
        cause = bus->store(bus->ctx, vaddr, size, value);
    }
    if (cause != LX106_FINE) {
        lx106_raise(cpu, cause, vaddr);
    }
}

static bool has_special(uint32_t number) {
    for (uint32_t i = 0; i < sizeof specials; i++) {
        if (specials[i] == number) {
            return true;
        }
    }
    return false;
}

static uint32_t read_special(const lx106_t *cpu, uint32_t number) {
    return number == CCOUNT ? (uint32_t)lx106_cycles(cpu) : cpu->special[number];
}

static void write_special(lx106_t *cpu, uint32_t number, uint32_t value, uint32_t w) {
    if (number == LITBASE && value & 1) {
        lx106_unknown(cpu, w);  // L32R relative to LITBASE: nothing that is run here does it
    } else if (number == SAR) {
        cpu->special[SAR] = value & 63;
    } else if (number != CCOUNT && number != PRID && number != INTERRUPT && number != INTCLEAR) {
        cpu->special[number] = value;
    }
}

// RSR, WSR and XSR.
void lx106_move_special(lx106_t *cpu, uint32_t w, bool reads, bool writes) {
    uint32_t number = field_special(w);
    if (!has_special(number)) {
        lx106_unknown(cpu, w);
        return;
    }
    uint32_t old = read_special(cpu, number);
    if (writes) {
        write_special(cpu, number, cpu->a[field_t(w)], w);
    }
    if (reads) {
        cpu->a[field_t(w)] = old;
    }
}

void lx106_reset(lx106_t *cpu) {
    memset(cpu->special, 0, sizeof cpu->special);
    cpu->special[VECBASE] = VECBASE_AT_RESET;
    cpu->special[PS] = PS_EXCM | 15;
    cpu->pc = RESET_VADDR;
    cpu->stop = LX106_RUNS;
    lx106_forget_code(cpu);
}

void lx106_run(lx106_t *cpu, uint32_t count) {
    for (; count && cpu->stop == LX106_RUNS; count--) {
        uint32_t pc = cpu->pc;
        if (pc == cpu->stop_vaddr) {
            cpu->stop = LX106_AT_STOP_VADDR;
            return;
        }
        if (pc - cpu->code.vaddr >= cpu->code.size && !cpu->bus->code(cpu->bus->ctx, pc, &cpu->code)) {
            cpu->stop = LX106_NO_CODE;
            return;
        }
        const uint8_t *p = cpu->code.bytes + (pc - cpu->code.vaddr);
        uint32_t w = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
        cpu->next_pc = pc + ((w & 15) < 8 ? 3 : 2);
        cpu->instruction_count++;
        lx106_execute(cpu, w);
        cpu->pc = cpu->next_pc;
        if (cpu->a[1] < cpu->stack_low && cpu->a[1] >= cpu->bus->ram_vaddr) {
            cpu->stack_low = cpu->a[1];
        }
    }
}

void lx106_ask_to_stop(lx106_t *cpu) {
    cpu->stop = LX106_ASKED;
}

void lx106_forget_code(lx106_t *cpu) {
    cpu->code.size = 0;
}

uint64_t lx106_cycles(const lx106_t *cpu) {
    return cpu->instruction_count + cpu->skipped_cycles;
}
