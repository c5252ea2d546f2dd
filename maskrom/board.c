// The board: memory map, reset, and the loop that everything runs in. Registers are in registers.c.

#include "board.h"

#include <string.h>

#include "registers.h"

#define ROM_VADDR 0x40000000u
#define IRAM_VADDR 0x40100000u
#define RAM_VADDR 0x3ffe8000u
// While the flash cache is on, it has the upper half of IRAM.
#define IRAM_CACHE_OFF 0x8000u
// So many instructions between two looks at the watchdog: 40 us.
#define SLICE 2000u
// Nanoseconds of so many cycles of 52 MHz.
#define CYCLES_PER_US 52u

uint64_t board_now_ns(const board_t *board) {
    return lx106_cycles(&board->cpu) * 1000 / CYCLES_PER_US;
}

void board_skip_to(board_t *board, uint64_t then_ns) {
    uint64_t now_ns = board_now_ns(board);
    if (then_ns > now_ns) {
        board->cpu.skipped_cycles += ((then_ns - now_ns) * CYCLES_PER_US + 999) / 1000;
    }
}

static uint32_t iram_size(const board_t *board) {
    return registers_cache_is_on(board) ? IRAM_CACHE_OFF : BOARD_IRAM_SIZE;
}

// Word memories: IRAM and ROM.
static int load_word(const uint8_t *memory, uint32_t off, uint32_t size, uint32_t *value) {
    if (size != 4 || off % 4 != 0) {
        return LX106_LOAD_STORE_ERROR;
    }
    memcpy(value, memory + off, 4);
    return LX106_FINE;
}

static int bus_load(void *ctx, uint32_t vaddr, uint32_t size, uint32_t *value) {
    board_t *board = ctx;
    if (vaddr - ROM_VADDR < BOARD_ROM_SIZE) {
        return load_word(board->rom, vaddr - ROM_VADDR, size, value);
    }
    if (vaddr - IRAM_VADDR < iram_size(board)) {
        return load_word(board->iram, vaddr - IRAM_VADDR, size, value);
    }
    return registers_load(board, vaddr, size, value);
}

static int bus_store(void *ctx, uint32_t vaddr, uint32_t size, uint32_t value) {
    board_t *board = ctx;
    uint32_t off = vaddr - IRAM_VADDR;
    if (off >= iram_size(board)) {
        return registers_store(board, vaddr, size, value);
    }
    if (size != 4 || off % 4 != 0) {
        return LX106_LOAD_STORE_ERROR;
    }
    memcpy(board->iram + off, &value, 4);
    return LX106_FINE;
}

static bool bus_code(void *ctx, uint32_t vaddr, lx106_code_t *code) {
    board_t *board = ctx;
    if (vaddr - ROM_VADDR < BOARD_ROM_SIZE) {
        *code = (lx106_code_t){ ROM_VADDR, BOARD_ROM_SIZE, board->rom };
        return true;
    }
    *code = (lx106_code_t){ IRAM_VADDR, iram_size(board), board->iram };
    return vaddr - IRAM_VADDR < code->size;
}

static void fill_with_noise(uint8_t *bytes, uint32_t size, uint32_t *random) {
    for (uint32_t i = 0; i < size; i++) {
        *random = *random * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(*random >> 24);
    }
}

void board_power_on(board_t *board) {
    uint32_t random = board->seed;
    fill_with_noise(board->ram, sizeof board->ram, &random);
    fill_with_noise(board->iram, sizeof board->iram, &random);
    board->bus = (lx106_bus_t){ board, board->ram, RAM_VADDR, BOARD_RAM_SIZE, bus_load, bus_store, bus_code };
    board->cpu.bus = &board->bus;
    board->cpu.stack_low = UINT32_MAX;
    for (uint32_t i = 0; i < 16; i++) {
        fill_with_noise((uint8_t *)&board->cpu.a[i], 4, &random);
    }
    board->spi.nor = &board->nor;
    board->nor.is_enabled = false;
    board->nor.busy_until_ns = 0;
    registers_power_on(board);
    lx106_reset(&board->cpu);
}

// The flash chip has no reset of its own: it goes on with what it does.
static void reset(board_t *board, uint32_t cause) {
    board->reset_count++;
    registers_reset(board, cause);
    lx106_reset(&board->cpu);
}

static bool has_ended(const board_t *board, board_end_t *end) {
    switch (board->cpu.stop) {
        case LX106_RUNS:
        case LX106_ASKED:
            break;
        case LX106_AT_STOP_VADDR:
            *end = BOARD_AT_VADDR;
            return true;
        case LX106_BREAK:
        case LX106_WAITI:
            *end = BOARD_HANGS;
            return true;
        case LX106_UNKNOWN_INSTRUCTION:
        case LX106_NO_CODE:
            *end = BOARD_CRASHES;
            return true;
    }
    if (board->nor.is_cut) {
        *end = BOARD_CUT;
    } else if (board->spi.has_unknown) {
        *end = BOARD_CRASHES;
    } else if (board->reset_count > board->reset_max) {
        *end = BOARD_RESETS_TOO_OFTEN;
    } else if (board->cpu.instruction_count >= board->instruction_max) {
        *end = BOARD_TAKES_TOO_LONG;
    } else {
        return false;
    }
    return true;
}

board_end_t board_run(board_t *board) {
    board_end_t end;
    do {
        board->cpu.stop = LX106_RUNS;
        lx106_run(&board->cpu, SLICE);
        if (board->has_reset && !board->nor.is_cut) {
            reset(board, board->software_cause);
        } else if (registers_watchdog_bites(board)) {
            board->bite_count++;
            reset(board, BOARD_CAUSE_WATCHDOG);
        }
    } while (!has_ended(board, &end));
    return end;
}

void board_text(const board_t *board, board_end_t end, char *text, size_t text_size) {
    const lx106_t *cpu = &board->cpu;
    switch (end) {
        case BOARD_AT_VADDR:
            snprintf(text, text_size, "0x%08x is reached", cpu->pc);
            break;
        case BOARD_HANGS:
            snprintf(text, text_size, "it hangs: %s at 0x%08x", cpu->stop == LX106_BREAK ? "BREAK" : "WAITI", cpu->pc);
            break;
        case BOARD_CRASHES:
            if (board->spi.has_unknown) {
                snprintf(
                    text, text_size, "SPI command 0x%08x, used before 0x%08x, is not in the model", board->spi.unknown, cpu->pc);
            } else if (cpu->stop == LX106_NO_CODE) {
                snprintf(text, text_size, "there is no code at 0x%08x; it was left to from around 0x%08x", cpu->pc, cpu->a[0]);
            } else {
                snprintf(text, text_size, "the instruction %06x at 0x%08x is none of the LX106", cpu->unknown, cpu->pc);
            }
            break;
        case BOARD_CUT:
            snprintf(text, text_size, "power cut in flash operation %lld", (long long)board->nor.cut_op);
            break;
        case BOARD_TAKES_TOO_LONG:
            snprintf(text, text_size, "still running at 0x%08x after %llu instructions", cpu->pc,
                (unsigned long long)cpu->instruction_count);
            break;
        case BOARD_RESETS_TOO_OFTEN:
            snprintf(text, text_size, "reset for the %llu. time", (unsigned long long)board->reset_count);
            break;
    }
}
