// The QEMU plugin that sees what QEMU lets pass and the chip does not:
//
//   - 8 and 16-bit loads and stores in mapped flash and IRAM, which take whole words only
//   - stores to mapped flash and to the mask ROM
//   - any use of mapped flash while the flash cache is off, and of the IRAM that the cache takes while it is on
//   - flash commands while the cache is on
//   - code in data RAM
//   - any use of addresses where QEMU has memory and the chip has none
//
// Each is reported once for each instruction that does it, and makes the run end with EXIT_REPORT. The ROM is no
// exception: its memcpy stumbles over flash as the chip's does. Only where it is hardware (filling the window) is it
// let alone.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../board.h"
#include "qemu_plugin.h"

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { REPORTS_MAX = 100 };  // nobody reads more

static struct {
    bool window_is_open;
    uint32_t cache_iram;  // first address of the IRAM that the cache has taken
    uint32_t outside_pc;  // where the program was last, outside of the ROM
    uint32_t reported[REPORTS_MAX];
    uint32_t report_count;
} board = { .cache_iram = CACHE_IRAM_END };

static bool within(uint32_t vaddr, uint32_t base, uint32_t end) {
    return vaddr - base < end - base;
}

static bool is_rom(uint32_t vaddr) {
    return within(vaddr, ROM_VADDR, BODY_END);
}

static void report(uint32_t pc, const char *what, uint32_t vaddr, const char *why) {
    uint32_t culprit = is_rom(pc) ? board.outside_pc : pc;
    for (uint32_t i = 0; i < board.report_count; i++) {
        if (board.reported[i] == culprit) {
            return;
        }
    }
    if (board.report_count == REPORTS_MAX) {
        return;
    }
    board.reported[board.report_count++] = culprit;
    fprintf(stderr, "vboard: report: %s 0x%08x at pc 0x%08x", what, vaddr, pc);
    if (is_rom(pc)) {
        fprintf(stderr, " (ROM, called near 0x%08x)", board.outside_pc);
    }
    fprintf(stderr, ": %s\n", why);
}

// What is wrong with touching this address at all, for a data access or a fetch; NULL if nothing is.
static const char *forbidden(uint32_t vaddr) {
    if (within(vaddr, DRAM_VADDR, DRAM_END)) {
        return NULL;
    }
    if (within(vaddr, WINDOW_VADDR, WINDOW_VADDR + WINDOW_SIZE)) {
        return board.window_is_open ? NULL : "the flash cache is off";
    }
    if (within(vaddr, board.cache_iram, CACHE_IRAM_END)) {
        return "the flash cache has taken this IRAM";
    }
    if (within(vaddr, CACHE_IRAM_END, WINDOW_VADDR) || within(vaddr, 0x3ff40000, DRAM_VADDR)) {
        return "the chip has no memory here";
    }
    return NULL;
}

static void obey_signal(uint32_t signal) {
    switch (signal) {
        case SIGNAL_WINDOW_CLOSED:
            board.window_is_open = false;
            break;
        case SIGNAL_WINDOW_OPEN:
            board.window_is_open = true;
            break;
        case SIGNAL_CACHE_16K:
            board.cache_iram = CACHE_IRAM_END - 0x4000;
            break;
        case SIGNAL_CACHE_32K:
            board.cache_iram = CACHE_IRAM_END - 0x8000;
            break;
        case SIGNAL_CACHE_NONE:
            board.cache_iram = CACHE_IRAM_END;
            break;
        case SIGNAL_BUS_CLASH:
            report(board.outside_pc, "flash command by", board.outside_pc, "the flash cache is on");
            break;
        default:
            break;
    }
}

static const char *access_name(bool is_store, unsigned size_shift) {
    static const char *const names[2][3] = {
        { "8-bit load from", "16-bit load from", "32-bit load from" },
        { "8-bit store to", "16-bit store to", "32-bit store to" },
    };
    return names[is_store][size_shift < 2 ? size_shift : 2];
}

static void accessed(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t vaddr64, void *user) {
    (void)cpu;
    uint32_t vaddr = (uint32_t)vaddr64;
    if (within(vaddr, DRAM_VADDR, DRAM_END)) {
        return;
    }
    uint32_t pc = (uint32_t)(uintptr_t)user;
    unsigned size_shift = qemu_plugin_mem_size_shift(info);
    bool is_store = qemu_plugin_mem_is_store(info);
    bool is_window = within(vaddr, WINDOW_VADDR, WINDOW_VADDR + WINDOW_SIZE);
    if (is_store && is_rom(pc)) {
        obey_signal(vaddr);
        if (is_window || (vaddr >= board.cache_iram && vaddr < CACHE_IRAM_END)) {
            return;  // poison
        }
    }
    const char *why = forbidden(vaddr);
    if (why == NULL && size_shift < 2 && (is_window || within(vaddr, IRAM_VADDR, CACHE_IRAM_END))) {
        why = "this memory takes 32-bit accesses only";
    }
    if (why == NULL && is_store && (is_window || (is_rom(vaddr) && !is_rom(pc)))) {
        why = "this memory cannot be written";
    }
    if (why != NULL) {
        report(pc, access_name(is_store, size_shift), vaddr, why);
    }
}

static void entered(unsigned cpu, void *user) {
    (void)cpu;
    uint32_t pc = (uint32_t)(uintptr_t)user;
    board.outside_pc = pc;
    const char *why = within(pc, DRAM_VADDR, DRAM_END) ? "the chip runs no code from data RAM" : forbidden(pc);
    if (why != NULL) {
        report(pc, "fetch from", pc, why);
    }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    uint32_t start = (uint32_t)qemu_plugin_tb_vaddr(tb);
    if (!is_rom(start) && start != RESET_VADDR) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, entered, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)start);
    }
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        void *pc = (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn);
        qemu_plugin_register_vcpu_mem_cb(insn, accessed, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, pc);
    }
}

// The exit status is QEMU's to choose, except here.
static void finish(void) {
    if (board.report_count > 0) {
        fprintf(stderr, "vboard: %u reports\n", board.report_count);
        _exit(EXIT_REPORT);
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(
    qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv) {
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return atexit(finish);
}
