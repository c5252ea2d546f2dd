// The registers of the peripherals: see peripherals.h.
#include "peripherals.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "clock.h"
#include "crash.h"
#include "host.h"
#include "machine.h"
#include "mmu.h"
#include "power.h"
#include "say.h"
#include "spi1.h"
#include "uart.h"
#include "watchdog.h"

// [Technical Reference Manuals]
#define EFUSE_SIZE 0x200u
#define RTC_CALIBRATION_OFF 0x68u  // of timer group 0
#define RTC_CALIBRATION_READY 0x8000u
#define SYSTIMER_LATCH_OFF 0x04u
#define SYSTIMER_HIGH_OFF 0x40u
#define SYSTIMER_LOW_OFF 0x44u
#define SYSTIMER_VALID 0x20000000u
#define SYSTIMER_LATCH 0x40000000u
#define CACHE_ENABLE 1u
#define CAUSE_MASK 0x3fu

static uint32_t words[PERIPHERALS_SIZE / 4];

uint32_t *peripheral_word(uint32_t vaddr) {
    return &words[(vaddr - PERIPHERALS_VADDR) / 4];
}

// "OFF=HEX,OFF=HEX": words of the eFuses as they have been burnt.
static void burn_efuses(const char *list) {
    while (list != NULL && *list != '\0') {
        char *end;
        uint32_t off = (uint32_t)strtoul(list, &end, 16);
        bool has_value = *end == '=';
        uint32_t value = has_value ? (uint32_t)strtoul(end + 1, &end, 16) : 0;
        if (!has_value || off % 4 != 0 || off >= EFUSE_SIZE || (*end != ',' && *end != '\0')) {
            board_say("no words of the eFuses, OFF=HEX,OFF=HEX: %s", list);
            host_exit(EXIT_BROKEN);
        }
        *peripheral_word(soc->efuse_vaddr + off) = value;
        list = *end == ',' ? end + 1 : NULL;
    }
}

void peripherals_reset(bool of_rtc) {
    uint32_t rtc = (soc->rtc_vaddr - PERIPHERALS_VADDR) / 4, rtc_end = rtc + soc->rtc_size / 4;
    memset(words, 0, rtc * sizeof words[0]);
    memset(words + rtc_end, 0, sizeof words - rtc_end * sizeof words[0]);
    if (of_rtc) {
        memset(words + rtc, 0, soc->rtc_size);
    }
    *peripheral_word(soc->reset_vaddr) &= ~soc->reset_bit;
    *peripheral_word(soc->reset_cpu_vaddr) &= ~soc->reset_cpu_bit;
    memset(peripheral_word(soc->efuse_vaddr), 0, EFUSE_SIZE);
    for (unsigned i = 0; i < sizeof soc->burnt / sizeof soc->burnt[0]; i++) {
        *peripheral_word(soc->efuse_vaddr + soc->burnt[i].off) |= soc->burnt[i].value;
    }
    burn_efuses(host_option("efuse"));
    mmu_reset();
    watchdog_reset(of_rtc);
}

// Marsaglia's xorshift32: the same numbers in each run, unless the host has given it a seed.
static uint32_t random_word(void) {
    static uint32_t state;
    if (state == 0) {
        const char *seed = host_option("seed");
        state = 0x9e3779b9u;
        for (; seed != NULL && *seed != '\0'; seed++) {
            state = state * 31 + (uint8_t)*seed;
        }
        state |= 1;
    }
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static bool is_table(uint32_t vaddr) {
    return soc->mmu_table_vaddr != 0 && vaddr - soc->mmu_table_vaddr < 4 * soc->mmu_entries;
}

// The entry that the index register names.
static uint32_t indexed_entry(void) {
    return *peripheral_word(soc->mmu_index_vaddr) % soc->mmu_entries;
}

// (An address of 0 is that of a register which the chip does not have.)
static uint32_t read_word(uint32_t vaddr) {
    uint32_t value;
    if (is_table(vaddr)) {
        return mmu_read((vaddr - soc->mmu_table_vaddr) / 4);
    }
    if (watchdog_read(vaddr, &value) || uart_read(vaddr, &value)) {
        return value;
    }
    value = *peripheral_word(vaddr);
    if (vaddr == soc->random_vaddr) {
        return random_word();
    }
    if (vaddr == soc->cause_vaddr) {
        return (value & ~CAUSE_MASK) | power_cause();
    }
    if (vaddr == soc->cache_enable_vaddr) {
        return mmu_cache_is_on() ? CACHE_ENABLE : 0;
    }
    if (vaddr == soc->cache_shut_vaddr) {
        return mmu_shut_bits();
    }
    if (vaddr == soc->mmu_content_vaddr) {
        return mmu_read(indexed_entry());
    }
    for (unsigned i = 0; i < sizeof soc->done / sizeof soc->done[0]; i++) {
        if (vaddr == soc->done[i].vaddr) {
            return (value | soc->done[i].ones) & ~soc->done[i].zeros;
        }
    }
    if (vaddr == soc->systimer_vaddr + SYSTIMER_LATCH_OFF) {
        return value | SYSTIMER_VALID;
    }
    return vaddr == soc->timer0_vaddr + RTC_CALIBRATION_OFF ? value | RTC_CALIBRATION_READY : value;
}

static void look_at_resets(uint32_t vaddr, uint32_t value) {
    if (vaddr == soc->reset_vaddr && (value & soc->reset_bit) != 0) {
        power_reset(RESET_SOFTWARE);
    } else if (vaddr == soc->reset_cpu_vaddr && (value & soc->reset_cpu_bit) != 0) {
        power_reset(RESET_SOFTWARE_CPU);
    }
}

static void latch_systimer(void) {
    uint64_t ticks = clock_ns() * 2 / 125;  // 16 MHz
    *peripheral_word(soc->systimer_vaddr + SYSTIMER_HIGH_OFF) = (uint32_t)(ticks >> 32);
    *peripheral_word(soc->systimer_vaddr + SYSTIMER_LOW_OFF) = (uint32_t)ticks;
}

// Code in flash has taken itself away: the processor would still have the rest of the block.
static void look_at_branch(void) {
    uint32_t pc = machine_pc();
    if (pc - soc->window_i_vaddr < mmu_window_size() && mmu_at(pc) == NULL) {
        crash_access("fetch from", pc, 4);
    }
}

// A register of the flash cache; false: it is none.
static bool write_cache(uint32_t vaddr, uint32_t value) {
    if (is_table(vaddr)) {
        mmu_write((vaddr - soc->mmu_table_vaddr) / 4, value);
    } else if (vaddr == soc->mmu_content_vaddr) {
        mmu_write(indexed_entry(), value);
    } else if (vaddr == soc->mmu_page_size_vaddr) {
        mmu_set_page_size(soc->mmu_page_sizes[value >> 3 & 3]);
    } else if (vaddr == soc->cache_enable_vaddr) {
        mmu_enable_cache((value & CACHE_ENABLE) != 0);
    } else if (vaddr == soc->cache_shut_vaddr) {
        mmu_shut_buses((value & 1) != 0, (value & 2) != 0);
    } else {
        return false;
    }
    return true;
}

static void write_word(uint32_t vaddr, uint32_t value) {
    if (watchdog_write(vaddr, value) || uart_write(vaddr, value)) {
        return;
    }
    if (!is_table(vaddr)) {
        *peripheral_word(vaddr) = value;
    }
    if (write_cache(vaddr, value)) {
        look_at_branch();
    } else if (vaddr == soc->spi1_vaddr) {
        spi1_run(value);
    } else if (vaddr == soc->systimer_vaddr + SYSTIMER_LATCH_OFF && (value & SYSTIMER_LATCH) != 0) {
        latch_systimer();
    } else {
        look_at_resets(vaddr, value);
    }
}

uint32_t peripheral_read(uint32_t vaddr, unsigned size) {
    (void)size;
    return read_word(vaddr & ~3u) >> (8 * (vaddr & 3));
}

void peripheral_write(uint32_t vaddr, unsigned size, uint32_t value) {
    if (size < 4) {
        uint32_t shift = 8 * (vaddr & 3), mask = ((1u << 8 * size) - 1) << shift;
        value = (*peripheral_word(vaddr) & ~mask) | (value << shift & mask);
    }
    write_word(vaddr & ~3u, value);
}
