// The instructions of the LX106.

#include "lx106_parts.h"

static void load_to(lx106_t *cpu, uint32_t reg, uint32_t vaddr, uint32_t size) {
    uint32_t value;
    if (lx106_load(cpu, vaddr, size, &value)) {
        cpu->a[reg] = value;
    }
}

// RET, JX, CALLX0: the jumps to a register.
static void exec_jump_register(lx106_t *cpu, uint32_t w) {
    switch (field_t(w)) {
        case 8:
            cpu->next_pc = cpu->a[0];
            break;
        case 10:
            cpu->next_pc = cpu->a[field_s(w)];
            break;
        case 12:
            cpu->next_pc = cpu->a[field_s(w)];
            cpu->a[0] = cpu->pc + 3;
            break;
        default:
            if (w == 0) {
                lx106_raise(cpu, LX106_ILLEGAL_INSTRUCTION, 0);  // ILL is an instruction: compilers use it to trap
            } else {
                lx106_unknown(cpu, w);
            }
    }
}

static void exec_return_from_exception(lx106_t *cpu, uint32_t w) {
    uint32_t level = field_s(w);
    if (field_t(w) == 0 && level == 0) {
        cpu->special[PS] &= ~PS_EXCM;
        cpu->next_pc = cpu->special[EPC1];
    } else if (field_t(w) == 1 && (level == 2 || level == 3)) {
        cpu->next_pc = cpu->special[EPC1 - 1 + level];
        cpu->special[PS] = cpu->special[EPS1 - 1 + level];
    } else {
        lx106_unknown(cpu, w);
    }
}

static void exec_system(lx106_t *cpu, uint32_t w) {
    switch (field_r(w)) {
        case 0:
            exec_jump_register(cpu, w);
            break;
        case 2:  // ISYNC, RSYNC, ESYNC, DSYNC, MEMW, EXTW, NOP: everything is in order here
            break;
        case 3:
            exec_return_from_exception(cpu, w);
            break;
        case 4:
            lx106_stop_here(cpu, LX106_BREAK);
            break;
        case 5:
            lx106_raise(cpu, LX106_SYSCALL, 0);
            break;
        case 6: {
            uint32_t old = cpu->special[PS];
            cpu->special[PS] = (old & ~15u) | field_s(w);
            cpu->a[field_t(w)] = old;
            break;
        }
        case 7:
            lx106_stop_here(cpu, LX106_WAITI);
            break;
        default:
            lx106_unknown(cpu, w);
    }
}

// SSR, SSL, SSA8L, SSAI, NSA, NSAU.
static void exec_shift_amount(lx106_t *cpu, uint32_t w) {
    uint32_t value = cpu->a[field_s(w)];
    switch (field_r(w)) {
        case 0:
            cpu->special[SAR] = value & 31;
            break;
        case 1:
            cpu->special[SAR] = 32 - (value & 31);
            break;
        case 2:
            cpu->special[SAR] = (value & 3) * 8;
            break;
        case 3:
            cpu->special[SAR] = 32 - (value & 3) * 8;
            break;
        case 4:
            cpu->special[SAR] = field_s(w) | (field_t(w) & 1) << 4;
            break;
        case 14: {
            uint32_t positive = less_signed(value, 0) ? ~value : value;
            cpu->a[field_t(w)] = positive ? (uint32_t)__builtin_clz(positive) - 1 : 31;
            break;
        }
        case 15:
            cpu->a[field_t(w)] = value ? (uint32_t)__builtin_clz(value) : 32;
            break;
        default:
            lx106_unknown(cpu, w);
    }
}

// op1 0: system, logic, sums.
static void exec_rst0(lx106_t *cpu, uint32_t w) {
    uint32_t *a = cpu->a;
    uint32_t s = a[field_s(w)];
    uint32_t t = a[field_t(w)];
    uint32_t op2 = w >> 20;
    switch (op2) {
        case 0:
            exec_system(cpu, w);
            break;
        case 1:
            a[field_r(w)] = s & t;
            break;
        case 2:
            a[field_r(w)] = s | t;
            break;
        case 3:
            a[field_r(w)] = s ^ t;
            break;
        case 4:
            exec_shift_amount(cpu, w);
            break;
        case 5:  // RITLB, WITLB and their like: the region protection is not in the model
            break;
        case 6:
            if (field_s(w) > 1) {
                lx106_unknown(cpu, w);
            } else {
                a[field_r(w)] = field_s(w) == 0 || less_signed(t, 0) ? 0 - t : t;
            }
            break;
        case 7:
            lx106_unknown(cpu, w);
            break;
        default:
            // ADD, ADDX2, ADDX4, ADDX8, SUB and so on
            a[field_r(w)] = op2 < 12 ? (s << (op2 & 3)) + t : (s << (op2 & 3)) - t;
    }
}

// op1 1: shifts, XSR, 16-bit products.
static void exec_rst1(lx106_t *cpu, uint32_t w) {
    uint32_t *a = cpu->a;
    uint32_t s = a[field_s(w)];
    uint32_t t = a[field_t(w)];
    uint32_t sar = cpu->special[SAR];
    uint32_t r = field_r(w);
    uint32_t op2 = w >> 20;
    switch (op2) {
        case 0:
        case 1:
            a[r] = (uint32_t)((uint64_t)s << (32 - (field_t(w) | (op2 & 1) << 4)));
            break;
        case 2:
        case 3:
            a[r] = shift_signed(t, field_s(w) | (op2 & 1) << 4);
            break;
        case 4:
            a[r] = t >> field_s(w);
            break;
        case 6:
            lx106_move_special(cpu, w, true, true);
            break;
        case 8:
            a[r] = (uint32_t)(((uint64_t)s << 32 | t) >> sar);
            break;
        case 9:
            a[r] = (uint32_t)((uint64_t)t >> sar);
            break;
        case 10:
            a[r] = (uint32_t)(((uint64_t)s << 32) >> sar);
            break;
        case 11:
            a[r] = shift_signed(t, sar < 31 ? sar : 31);
            break;
        case 12:
            a[r] = (s & 0xffff) * (t & 0xffff);
            break;
        case 13:
            a[r] = sign_extend(s, 16) * sign_extend(t, 16);
            break;
        default:
            lx106_unknown(cpu, w);
    }
}

// op1 3: RSR, WSR, conditional moves.
static void exec_rst3(lx106_t *cpu, uint32_t w) {
    uint32_t t = cpu->a[field_t(w)];
    bool moves = false;
    switch (w >> 20) {
        case 0:
            lx106_move_special(cpu, w, true, false);
            break;
        case 1:
            lx106_move_special(cpu, w, false, true);
            break;
        case 8:
            moves = t == 0;
            break;
        case 9:
            moves = t != 0;
            break;
        case 10:
            moves = less_signed(t, 0);
            break;
        case 11:
            moves = !less_signed(t, 0);
            break;
        default:
            lx106_unknown(cpu, w);
    }
    if (moves) {
        cpu->a[field_r(w)] = cpu->a[field_s(w)];
    }
}

static void exec_rrr(lx106_t *cpu, uint32_t w) {
    uint32_t op1 = w >> 16 & 15;
    switch (op1) {
        case 0:
            exec_rst0(cpu, w);
            break;
        case 1:
            exec_rst1(cpu, w);
            break;
        case 2:
            if (w >> 20 != 8) {
                lx106_unknown(cpu, w);
                break;
            }
            cpu->a[field_r(w)] = cpu->a[field_s(w)] * cpu->a[field_t(w)];
            break;
        case 3:
            exec_rst3(cpu, w);
            break;
        case 4:
        case 5:  // EXTUI
            cpu->a[field_r(w)] = cpu->a[field_t(w)] >> (field_s(w) | (op1 & 1) << 4) & ((2u << (w >> 20)) - 1);
            break;
        default:
            lx106_unknown(cpu, w);
    }
}

// Loads, stores and sums with an immediate.
static void exec_immediate(lx106_t *cpu, uint32_t w) {
    uint32_t imm = field_imm8(w);
    uint32_t t = field_t(w);
    uint32_t base = cpu->a[field_s(w)];
    switch (field_r(w)) {
        case 0:
            load_to(cpu, t, base + imm, 1);
            break;
        case 1:
            load_to(cpu, t, base + imm * 2, 2);
            break;
        case 2:
            load_to(cpu, t, base + imm * 4, 4);
            break;
        case 4:
            lx106_store(cpu, base + imm, 1, cpu->a[t] & 0xff);
            break;
        case 5:
            lx106_store(cpu, base + imm * 2, 2, cpu->a[t] & 0xffff);
            break;
        case 6:
            lx106_store(cpu, base + imm * 4, 4, cpu->a[t]);
            break;
        case 9: {
            uint32_t value;
            if (lx106_load(cpu, base + imm * 2, 2, &value)) {
                cpu->a[t] = sign_extend(value, 16);
            }
            break;
        }
        case 10:
            cpu->a[t] = sign_extend(field_s(w) << 8 | imm, 12);
            break;
        case 12:
            cpu->a[t] = base + sign_extend(imm, 8);
            break;
        case 13:
            cpu->a[t] = base + (sign_extend(imm, 8) << 8);
            break;
        default:
            lx106_unknown(cpu, w);
    }
}

// J, BEQZ and its like, BEQI and its like, BLTUI and BGEUI.
static void exec_branch_immediate(lx106_t *cpu, uint32_t w) {
    static const uint32_t signed_constants[16] = { 0xffffffffu, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256 };
    static const uint32_t unsigned_constants[16] = { 32768, 65536, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256 };
    uint32_t kind = field_t(w) & 3;
    uint32_t condition = field_t(w) >> 2;
    uint32_t s = cpu->a[field_s(w)];
    uint32_t other = kind == 1 ? 0 : kind == 2 ? signed_constants[field_r(w)] : unsigned_constants[field_r(w)];
    if (kind == 0) {
        cpu->next_pc = cpu->pc + 4 + sign_extend(w >> 6, 18);
        return;
    }
    if (kind == 3 && condition < 2) {
        lx106_unknown(cpu, w);
        return;
    }
    bool less = kind == 3 ? s < other : less_signed(s, other);
    bool taken = condition == 0 ? s == other : condition == 1 ? s != other : condition == 2 ? less : !less;
    if (taken) {
        cpu->next_pc = cpu->pc + 4 + (kind == 1 ? sign_extend(w >> 12, 12) : sign_extend(field_imm8(w), 8));
    }
}

// BNONE, BEQ, BLT, BLTU, BALL, BBC, BBCI and their opposites, which have bit 3 of r.
static void exec_branch(lx106_t *cpu, uint32_t w) {
    uint32_t s = cpu->a[field_s(w)];
    uint32_t t = cpu->a[field_t(w)];
    bool taken = false;
    switch (field_r(w) & 7) {
        case 0:
            taken = (s & t) == 0;
            break;
        case 1:
            taken = s == t;
            break;
        case 2:
            taken = less_signed(s, t);
            break;
        case 3:
            taken = s < t;
            break;
        case 4:
            taken = (~s & t) == 0;
            break;
        case 5:
            taken = !(s >> (t & 31) & 1);
            break;
        default:
            taken = !(s >> (field_t(w) | (field_r(w) & 1) << 4) & 1);
    }
    if (taken != (field_r(w) >= 8)) {
        cpu->next_pc = cpu->pc + 4 + sign_extend(field_imm8(w), 8);
    }
}

// MOV.N, RET.N, NOP.N, BREAK.N, ILL.N.
static void exec_narrow_misc(lx106_t *cpu, uint32_t w) {
    if (field_r(w) == 0) {
        cpu->a[field_t(w)] = cpu->a[field_s(w)];
    } else if (field_r(w) != 15) {
        lx106_unknown(cpu, w & 0xffff);
    } else if (field_t(w) == 0) {
        cpu->next_pc = cpu->a[0];
    } else if (field_t(w) == 2) {
        lx106_stop_here(cpu, LX106_BREAK);
    } else if (field_t(w) == 6) {
        lx106_raise(cpu, LX106_ILLEGAL_INSTRUCTION, 0);
    } else if (field_t(w) != 3) {
        lx106_unknown(cpu, w & 0xffff);
    }
}

// MOVI.N, BEQZ.N, BNEZ.N.
static void exec_narrow_immediate(lx106_t *cpu, uint32_t w) {
    uint32_t t = field_t(w);
    if (t & 8) {
        bool is_zero = cpu->a[field_s(w)] == 0;
        if (is_zero != (t >= 12)) {
            cpu->next_pc = cpu->pc + 4 + ((t & 3) << 4 | field_r(w));
        }
    } else {
        uint32_t imm = (t & 7) << 4 | field_r(w);
        cpu->a[field_s(w)] = imm >= 96 ? imm - 128 : imm;
    }
}

void lx106_execute(lx106_t *cpu, uint32_t w) {
    uint32_t *a = cpu->a;
    switch (w & 15) {
        case 0:
            exec_rrr(cpu, w);
            break;
        case 1:  // L32R
            load_to(cpu, field_t(w), ((cpu->pc + 3) & ~3u) + (0xfffc0000u | (w >> 8 & 0xffff) << 2), 4);
            break;
        case 2:
            exec_immediate(cpu, w);
            break;
        case 5:
            if (field_t(w) & 3) {
                lx106_unknown(cpu, w);  // CALL4 and so on: there are no windows
                break;
            }
            cpu->next_pc = (cpu->pc & ~3u) + (sign_extend(w >> 6, 18) << 2) + 4;
            a[0] = cpu->pc + 3;
            break;
        case 6:
            exec_branch_immediate(cpu, w);
            break;
        case 7:
            exec_branch(cpu, w);
            break;
        case 8:
            load_to(cpu, field_t(w), a[field_s(w)] + field_r(w) * 4, 4);
            break;
        case 9:
            lx106_store(cpu, a[field_s(w)] + field_r(w) * 4, 4, a[field_t(w)]);
            break;
        case 10:
            a[field_r(w)] = a[field_s(w)] + a[field_t(w)];
            break;
        case 11:
            a[field_r(w)] = a[field_s(w)] + (field_t(w) ? field_t(w) : 0xffffffffu);
            break;
        case 12:
            exec_narrow_immediate(cpu, w);
            break;
        case 13:
            exec_narrow_misc(cpu, w);
            break;
        default:
            lx106_unknown(cpu, w);
    }
}
