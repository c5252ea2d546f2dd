// Calls of the mask ROM's functions, and those of time, UART and reset: see rom.h.
#include "rom.h"

#include <string.h>

#include "board.h"
#include "clock.h"
#include "crash.h"
#include "host.h"
#include "machine.h"
#include "memory.h"
#include "nor.h"
#include "power.h"
#include "rom_functions.h"
#include "second_stage.h"
#include "uart.h"

enum { CPU_MHZ = 160, TEXT_PIECE = 256 };

static uint32_t cpu_mhz = CPU_MHZ;

uint32_t rom_arg(unsigned i) {
    return machine_reg(REG_A0 + i);
}

void rom_return(uint32_t value) {
    machine_set_reg(REG_A0, value);
}

void rom_load(const char *function, uint32_t vaddr, void *to, uint32_t size) {
    if (!memory_read(vaddr, to, size)) {
        crash_call(function, "it reads where the chip has no memory");
    }
}

void rom_store(const char *function, uint32_t vaddr, const void *from, uint32_t size) {
    if (!memory_write(vaddr, from, size)) {
        crash_call(function, "it writes where the chip has no RAM");
    }
}

// ---- time, UART, reset

void rom_rtc_get_reset_reason(void) {
    rom_return(power_cause());
}

void rom_ets_delay_us(void) {
    clock_pass_us(rom_arg(0));
}

void rom_ets_get_cpu_frequency(void) {
    rom_return(cpu_mhz);
}

void rom_ets_update_cpu_frequency(void) {
    cpu_mhz = rom_arg(0);
}

void rom_uart_tx_one_char(void) {
    uart_put((char)rom_arg(0));
    rom_return(0);
}

void rom_uart_tx_one_char2(void) {
    rom_uart_tx_one_char();
}

void rom_uart_rx_one_char(void) {
    int c = uart_get();
    if (c >= 0) {
        uint8_t byte = (uint8_t)c;
        rom_store("uart_rx_one_char", rom_arg(0), &byte, 1);
    }
    rom_return(c >= 0 ? 0 : 1);
}

void rom_uart_rx_one_char_block(void) {
    enum { SLICE_MS = 100 };  // longest wait without a look at the watchdogs
    int c = uart_get();
    while (c < 0 && power_is_on()) {
        uart_wait(SLICE_MS);
        c = uart_get();
    }
    rom_return((uint32_t)c);
}

void rom_software_reset(void) {
    power_reset(RESET_SOFTWARE);
}

void rom_software_reset_cpu(void) {
    power_reset(RESET_SOFTWARE_CPU);
}

// ---- what no chip has

void rom_vboard_exit(void) {
    int status = (int)rom_arg(0);
    power_off(status >= 0 && status <= EXIT_GUEST_MAX ? status : EXIT_GUEST_MAX);
}

void rom_vboard_write(void) {
    char text[TEXT_PIECE];
    uint32_t vaddr = rom_arg(0);
    for (uint32_t left = rom_arg(1); left > 0;) {
        uint32_t piece = left < sizeof text ? left : sizeof text;
        rom_load("vboard_write", vaddr, text, piece);
        uart_put_text(text, piece);
        vaddr += piece;
        left -= piece;
    }
}

void rom_vboard_wait(void) {
    rom_return(uart_wait(rom_arg(0)));
}

void rom_vboard_flash_us(void) {
    uint64_t us = nor_time_us();
    machine_set_reg(REG_A1, (uint32_t)(us >> 32));
    rom_return((uint32_t)us);
}

void rom_vboard_seed(void) {
    const char *seed = host_option("seed");
    uint32_t value = 0;
    for (; seed != NULL && *seed != '\0'; seed++) {
        value = value * 31 + (uint8_t)*seed;
    }
    rom_return(value);
}

void rom_entry_returned(void) {
    crash("the entry point of a program has returned", machine_pc());
}

// ---- calls

void rom_call(uint32_t vaddr) {
    unsigned first = 0, end = soc->entry_count;
    while (first < end) {
        unsigned middle = (first + end) / 2;
        if (soc->entries[middle].vaddr < vaddr) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    const struct rom_entry *entry = &soc->entries[first];
    if (first >= soc->entry_count || entry->vaddr != vaddr) {
        crash("a call of a ROM function that is not here", vaddr);
    }
    if (entry->function == NULL) {
        rom_return(0);
        return;
    }
    entry->function();
    clock_look();
}

bool rom_second_stage(uint32_t pc) {
    if (machine_reg(REG_A7) != SECOND_STAGE_CALL) {
        return false;
    }
    (void)pc;
    power_enter_second_stage(rom_arg(0));
    return true;
}

void rom_reset(void) {
    struct flash_data data = { 0, 4 * 1024 * 1024, NOR_BLOCK_SIZE, NOR_SECTOR_SIZE, NOR_PAGE_SIZE, 0xffff };
    uint32_t pointer = soc->rom_flash_data_vaddr;
    cpu_mhz = CPU_MHZ;
    rom_flash_reset();
    memory_write(soc->rom_flash_data_vaddr, &data, sizeof data);
    memory_write(soc->rom_flash_pointer_vaddr, &pointer, sizeof pointer);
}
