// The processor and its memories: see machine.h.
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unicorn/unicorn.h>

#include "board.h"
#include "clock.h"
#include "crash.h"
#include "memory.h"
#include "mmu.h"
#include "peripherals.h"
#include "power.h"
#include "rom.h"

// Exceptions as Unicorn numbers them.
enum { EXCEPTION_ILLEGAL = 2, EXCEPTION_BREAKPOINT = 3, EXCEPTION_ECALL_FIRST = 8, EXCEPTION_ECALL_LAST = 11 };

enum { HOST_PAGE = 4096 };

static uc_engine *engine;

static void must(uc_err error, const char *what) {
    if (error != UC_ERR_OK) {
        fprintf(stderr, "vboard: Unicorn: %s: %s\n", what, uc_strerror(error));
        exit(EXIT_BROKEN);
    }
}

uint32_t machine_reg(unsigned number) {
    uint32_t value = 0;
    uc_reg_read(engine, UC_RISCV_REG_X0 + (int)number, &value);
    return value;
}

void machine_set_reg(unsigned number, uint32_t value) {
    uc_reg_write(engine, UC_RISCV_REG_X0 + (int)number, &value);
}

uint32_t machine_pc(void) {
    uint32_t value = 0;
    uc_reg_read(engine, UC_RISCV_REG_PC, &value);
    return value;
}

// Unicorn does it for one page of its own at a time.
void machine_forget_code(uint32_t vaddr, uint32_t size) {
    for (uint64_t at = vaddr, end = at + size; at < end;) {
        uint64_t next = (at | (HOST_PAGE - 1)) + 1 < end ? (at | (HOST_PAGE - 1)) + 1 : end;
        uc_ctl_remove_cache(engine, at, next);
        at = next;
    }
}

void machine_map_flash(uint32_t vaddr, const uint8_t *bytes, bool is_code) {
    // Unicorn does not write where it may not: the permission is what the cast takes away.
    must(uc_mem_map_ptr(engine, vaddr, mmu_page_size(), UC_PROT_READ | (is_code ? UC_PROT_EXEC : 0), (void *)(uintptr_t)bytes),
        "flash window");
}

void machine_unmap_flash(uint32_t vaddr, bool is_code) {
    if (is_code) {
        machine_forget_code(vaddr, mmu_page_size());
    }
    must(uc_mem_unmap(engine, vaddr, mmu_page_size()), "flash window");
}

// ---- what happens while it runs

static void on_block(uc_engine *uc, uint64_t vaddr, uint32_t size, void *context) {
    (void)uc;
    (void)context;
    memory_note_code((uint32_t)vaddr);
    power_note_code((uint32_t)vaddr);
    if (clock_pass_code(size)) {
        machine_stop();
    }
}

static void on_rom(uc_engine *uc, uint64_t vaddr, uint32_t size, void *context) {
    (void)uc;
    (void)size;
    (void)context;
    rom_call((uint32_t)vaddr);
}

static bool on_bad_access(uc_engine *uc, uc_mem_type type, uint64_t vaddr, int size, int64_t value, void *context) {
    (void)uc;
    (void)value;
    (void)context;
    bool is_fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;
    bool is_store = type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
    crash_access(is_fetch ? "fetch from" : is_store ? "store to" : "load from", (uint32_t)vaddr, (uint32_t)size);
    return false;
}

// The chips' own registers: performance counters, what drives pins, and attributes of memory, which keep what is stored. [csr numbers:
// riscv/csr.h and csr_pma.h of IDF]
static uint32_t *own_csr(uint32_t csr) {
    static uint32_t counters[3], pins[6], attributes[32];
    if (csr >= 0x7e0 && csr <= 0x7e2) {
        return &counters[csr - 0x7e0];
    }
    if (csr >= 0x800 && csr <= 0x805) {
        return &pins[csr - 0x800];
    }
    return csr >= 0xbc0 && csr <= 0xbdf ? &attributes[csr - 0xbc0] : NULL;
}

static bool access_csr(uint32_t instruction) {
    uint32_t csr = instruction >> 20, operation = instruction >> 12 & 3, rd = instruction >> 7 & 31;
    uint32_t rs = instruction >> 15 & 31;
    uint32_t *value = own_csr(csr);
    if ((instruction & 0x7f) != 0x73 || operation == 0 || value == NULL) {
        return false;
    }
    uint32_t before = csr == 0x7e2 ? clock_cycles() : *value;
    uint32_t operand = (instruction & 0x4000) != 0 ? rs : machine_reg(rs);
    if (operation == 1) {
        *value = operand;
    } else {
        *value = operation == 2 ? before | operand : before & ~operand;
    }
    if (rd != 0) {
        machine_set_reg(rd, before);
    }
    return true;
}

static void on_exception(uc_engine *uc, uint32_t number, void *context) {
    uint32_t pc = machine_pc(), instruction = 0;
    (void)context;
    if (number == EXCEPTION_ILLEGAL) {
        // Unicorn has gone beyond it already.
        if (memory_read(pc - 4, &instruction, 4) && access_csr(instruction)) {
            uc_reg_write(uc, UC_RISCV_REG_PC, &pc);
            return;
        }
        crash("illegal instruction", pc - 4);
    } else if (number >= EXCEPTION_ECALL_FIRST && number <= EXCEPTION_ECALL_LAST) {
        if (!rom_second_stage(pc)) {
            crash("ecall", pc);
        }
    } else {
        crash(number == EXCEPTION_BREAKPOINT ? "ebreak" : "exception", pc);
    }
    machine_stop();
}

static uint64_t on_load(uc_engine *uc, uint64_t offset, unsigned size, void *context) {
    (void)uc;
    (void)context;
    return peripheral_read(PERIPHERALS_VADDR + (uint32_t)offset, size);
}

static void on_store(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *context) {
    (void)uc;
    (void)context;
    peripheral_write(PERIPHERALS_VADDR + (uint32_t)offset, size, (uint32_t)value);
}

// ---- life

static void hook(int type, void *function, uint32_t first, uint32_t last) {
    uc_hook handle;
    must(uc_hook_add(engine, &handle, type, function, NULL, (uint64_t)first, (uint64_t)last), "hook");
}

static void map(uint32_t vaddr, uint32_t size, uint32_t allowed) {
    if (size == 0) {
        return;
    }
    must(uc_mem_map_ptr(engine, vaddr, size, allowed, memory_at(vaddr, size)), "memory");
}

void machine_create(void) {
    must(uc_open(UC_ARCH_RISCV, UC_MODE_RISCV32, &engine), "start");
    must(uc_ctl_set_cpu_model(engine, UC_CPU_RISCV32_SIFIVE_E31), "RV32IMAC");  // no floating point
    memory_create();
    // Unicorn finds translated code by the first of two addresses that memory has: stores there are the ones it sees.
    map(soc->iram_vaddr, soc->ram_size, UC_PROT_ALL);
    if (soc->dram_vaddr != soc->iram_vaddr) {
        map(soc->dram_vaddr, soc->ram_size, UC_PROT_READ | UC_PROT_WRITE);
    }
    map(soc->cache_ram_vaddr, soc->cache_ram_size, UC_PROT_ALL);
    map(soc->rtc_ram_vaddr, soc->rtc_ram_size, UC_PROT_ALL);
    map(ROM_VADDR, soc->rom_size, UC_PROT_READ | UC_PROT_EXEC);
    map(soc->rom_data_vaddr, soc->rom_data_size, UC_PROT_READ);
    must(uc_mmio_map(engine, PERIPHERALS_VADDR, PERIPHERALS_SIZE, on_load, NULL, on_store, NULL), "registers");
    hook(UC_HOOK_BLOCK, (void *)on_block, 1, 0);  // everywhere
    hook(UC_HOOK_CODE, (void *)on_rom, ROM_VADDR, ROM_VADDR + soc->rom_size - 1);
    hook(UC_HOOK_MEM_INVALID, (void *)on_bad_access, 1, 0);
    hook(UC_HOOK_INTR, (void *)on_exception, 1, 0);
}

void machine_start(uint32_t entry_vaddr, uint32_t stack_vaddr) {
    for (unsigned i = 1; i < 32; i++) {
        machine_set_reg(i, 0xb0a0d000u + i);
    }
    machine_set_reg(REG_SP, stack_vaddr);
    machine_set_reg(REG_RA, ROM_RETURNED_VADDR);
    uc_err error = uc_emu_start(engine, entry_vaddr, UINT64_MAX, 0, 0);
    if (error != UC_ERR_OK) {
        crash(uc_strerror(error), machine_pc());
    }
}

void machine_stop(void) {
    uc_emu_stop(engine);
}
