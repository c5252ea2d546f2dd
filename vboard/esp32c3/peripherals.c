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

// [ESP32-C3 Technical Reference]
#define RTC_OPTIONS_VADDR RTC_VADDR
#define RTC_OPTIONS_RESET_CPU 0x20u
#define RTC_OPTIONS_RESET_SYSTEM 0x80000000u
#define RTC_RESET_STATE_VADDR (RTC_VADDR + 0x38)
#define RTC_SIZE 0x800u
#define EFUSE_SIZE 0x200u
#define RTC_CALIBRATION_VADDR (TIMER0_VADDR + 0x68)
#define RTC_CALIBRATION_READY 0x8000u
#define SYSTIMER_LATCH_VADDR (SYSTIMER_VADDR + 0x04)
#define SYSTIMER_HIGH_VADDR (SYSTIMER_VADDR + 0x40)
#define SYSTIMER_LOW_VADDR (SYSTIMER_VADDR + 0x44)
#define SYSTIMER_VALID 0x20000000u
#define SYSTIMER_LATCH 0x40000000u
#define CACHE_SHUT_VADDR (CACHE_VADDR + 4)
#define CACHE_ENABLE 1u

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
        *peripheral_word(EFUSE_VADDR + off) = value;
        list = *end == ',' ? end + 1 : NULL;
    }
}

void peripherals_reset(bool of_rtc) {
    uint32_t rtc = (RTC_VADDR - PERIPHERALS_VADDR) / 4, rtc_end = rtc + RTC_SIZE / 4;
    memset(words, 0, rtc * sizeof words[0]);
    memset(words + rtc_end, 0, sizeof words - rtc_end * sizeof words[0]);
    if (of_rtc) {
        memset(words + rtc, 0, RTC_SIZE);
    }
    words[rtc] &= ~(RTC_OPTIONS_RESET_CPU | RTC_OPTIONS_RESET_SYSTEM);
    *peripheral_word(EFUSE_VADDR + EFUSE_REVISION_OFF) = EFUSE_REVISION;
    *peripheral_word(EFUSE_VADDR + EFUSE_BLOCK_MAJOR_OFF) = EFUSE_BLOCK_MAJOR;
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
    return vaddr - MMU_TABLE_VADDR < 4 * MMU_ENTRIES;
}

static uint32_t read_word(uint32_t vaddr) {
    uint32_t value;
    if (is_table(vaddr)) {
        return mmu_read((vaddr - MMU_TABLE_VADDR) / 4);
    }
    if (watchdog_read(vaddr, &value) || uart_read(vaddr, &value)) {
        return value;
    }
    switch (vaddr) {
        case RANDOM_VADDR:
            return random_word();
        case RTC_RESET_STATE_VADDR:
            return (*peripheral_word(vaddr) & ~0x3fu) | power_cause();
        case CACHE_VADDR:
            return mmu_cache_is_on() ? CACHE_ENABLE : 0;
        case CACHE_SHUT_VADDR:
            return mmu_shut_bits();
        case SYSTIMER_LATCH_VADDR:
            return *peripheral_word(vaddr) | SYSTIMER_VALID;
        case RTC_CALIBRATION_VADDR:
            return *peripheral_word(vaddr) | RTC_CALIBRATION_READY;
        default:
            return *peripheral_word(vaddr);
    }
}

static void write_options(uint32_t value) {
    if ((value & RTC_OPTIONS_RESET_SYSTEM) != 0) {
        power_reset(RESET_SOFTWARE);
    } else if ((value & RTC_OPTIONS_RESET_CPU) != 0) {
        power_reset(RESET_SOFTWARE_CPU);
    }
}

static void latch_systimer(void) {
    uint64_t ticks = clock_ns() * 2 / 125;  // 16 MHz
    *peripheral_word(SYSTIMER_HIGH_VADDR) = (uint32_t)(ticks >> 32);
    *peripheral_word(SYSTIMER_LOW_VADDR) = (uint32_t)ticks;
}

// Code in flash has taken itself away: the processor would still have the rest of the block.
static void look_at_branch(void) {
    uint32_t pc = machine_pc();
    if (pc - WINDOW_I_VADDR < WINDOW_SIZE && mmu_at(pc) == NULL) {
        crash_access("fetch from", pc, 4);
    }
}

static void write_word(uint32_t vaddr, uint32_t value) {
    if (is_table(vaddr)) {
        mmu_write((vaddr - MMU_TABLE_VADDR) / 4, value);
        look_at_branch();
        return;
    }
    if (watchdog_write(vaddr, value) || uart_write(vaddr, value)) {
        return;
    }
    *peripheral_word(vaddr) = value;
    switch (vaddr) {
        case RTC_OPTIONS_VADDR:
            write_options(value);
            break;
        case SPI1_VADDR:
            spi1_run(value);
            break;
        case CACHE_VADDR:
            mmu_enable_cache((value & CACHE_ENABLE) != 0);
            look_at_branch();
            break;
        case CACHE_SHUT_VADDR:
            mmu_shut_buses((value & 1) != 0, (value & 2) != 0);
            look_at_branch();
            break;
        case SYSTIMER_LATCH_VADDR:
            if ((value & SYSTIMER_LATCH) != 0) {
                latch_systimer();
            }
            break;
        default:
            break;
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
