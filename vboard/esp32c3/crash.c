// Crash reports: see crash.h.
#include "crash.h"

#include "board.h"
#include "machine.h"
#include "mmu.h"
#include "power.h"
#include "say.h"
#include "uart.h"

static _Noreturn void end(void) {
    static const char *const names[] = { "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3",
        "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6" };
    uart_flush();
    for (unsigned i = 0; i < 32; i += 4) {
        board_say("  %-4s %08x  %-4s %08x  %-4s %08x  %-4s %08x", names[i], machine_reg(i), names[i + 1], machine_reg(i + 1),
            names[i + 2], machine_reg(i + 2), names[i + 3], machine_reg(i + 3));
    }
    power_off(EXIT_CRASH);
}

void crash(const char *what, uint32_t pc) {
    board_say("crash: %s at pc 0x%08x", what, pc);
    end();
}

static const char *place_of(uint32_t vaddr) {
    if (vaddr - soc->window_i_vaddr < mmu_window_size() || vaddr - soc->window_d_vaddr < mmu_window_size()) {
        return mmu_cache_is_on() ? "the flash window, where the table has no page or the bus is shut"
                                 : "the flash window, and the cache is off";
    }
    if (vaddr - soc->dram_vaddr < soc->ram_size && soc->dram_vaddr != soc->iram_vaddr) {
        return "RAM by the data bus, which has no instructions";
    }
    if (vaddr - ROM_VADDR < soc->rom_size || vaddr - soc->rom_data_vaddr < soc->rom_data_size) {
        return "the ROM";
    }
    return "where the chip has no memory";
}

void crash_access(const char *what, uint32_t vaddr, uint32_t size) {
    board_say("crash: %s 0x%08x (%u bytes), %s, at pc 0x%08x", what, vaddr, size, place_of(vaddr), machine_pc());
    end();
}

void crash_call(const char *function, const char *why) {
    board_say("crash: ROM function %s called from 0x%08x: %s", function, machine_reg(REG_RA), why);
    end();
}
