// The hardware watchdog.
//
// Its clock is CCOUNT plus the modelled time of the flash operations, which take no time otherwise. It looks at
// that clock in every ROM function that can wait, and at a CCOMPARE0 interrupt, so that a loop that calls
// nothing is bitten too (unless the program shuts interrupts or installs vectors of its own).
#include "watchdog.h"

#include "../board.h"
#include "nor.h"
#include "power.h"
#include "print.h"
#include "rom.h"

enum {
    TIMER_INTERRUPT = 1 << 6,  // CCOMPARE0's bit in INTENABLE [core-isa.h of the lx106]
    TICK_US = 100000,
    STAGE_UNIT_NS = 819200,  // a stage of value n lasts 0.8192 ms * 2^n [ESP8266 Technical Reference, watchdog]
    CTRL_RUNS = 1,
    CTRL_TWO_STAGES = 0x38,  // after the second one it resets the chip
    CTRL_ONE_STAGE = 0x3e,
    MODE_ONE_STAGE = 3,
};

static struct {
    uint32_t mode;  // as ets_wdt_enable() got it; 0: off
    uint32_t stage0;
    uint32_t stage1;
    uint32_t last_ccount;
    uint64_t last_flash_us;
    uint64_t unfed_us;
} watchdog;

static volatile uint32_t *const ctrl_register = (uint32_t *)(uintptr_t)WDT_CTRL_VADDR;
static volatile uint32_t *const stage0_register = (uint32_t *)(uintptr_t)WDT_STAGE0_VADDR;
static volatile uint32_t *const stage1_register = (uint32_t *)(uintptr_t)WDT_STAGE1_VADDR;
static volatile uint32_t *const feed_register = (uint32_t *)(uintptr_t)WDT_FEED_VADDR;

static void arm_timer(void) {
    uint32_t next = xthal_get_ccount() + TICK_US * CCOUNT_PER_US;
    __asm__ volatile("wsr %0, ccompare0\n esync" : : "a"(next));
    ets_isr_unmask(TIMER_INTERRUPT);
}

bool watchdog_is_armed(void) {
    return (*ctrl_register & CTRL_RUNS) != 0;
}

static void feed(void) {
    watchdog.unfed_us = 0;
    watchdog.last_ccount = xthal_get_ccount();
    watchdog.last_flash_us = nor_time_us();
    *feed_register = 0;
}

void watchdog_reset(uint32_t cause) {
    if (cause != RESET_SOFTWARE) {
        *ctrl_register = 0;
        watchdog.mode = 0;
    } else if (watchdog_is_armed()) {
        arm_timer();
    }
}

static uint64_t limit_us(void) {
    uint64_t ns = (uint64_t)STAGE_UNIT_NS << (*stage0_register & 15);
    if ((*ctrl_register & ~(uint32_t)CTRL_RUNS) != CTRL_ONE_STAGE) {
        ns += (uint64_t)STAGE_UNIT_NS << (*stage1_register & 15);
    }
    return ns / 1000;
}

void watchdog_check(void) {
    if (!watchdog_is_armed()) {
        return;
    }
    uint32_t us = (xthal_get_ccount() - watchdog.last_ccount) / CCOUNT_PER_US;
    uint64_t flash_us = nor_time_us();
    watchdog.last_ccount += us * CCOUNT_PER_US;
    watchdog.unfed_us += us + (flash_us - watchdog.last_flash_us);
    watchdog.last_flash_us = flash_us;
    if (*feed_register == WDT_FEED_VALUE) {
        *feed_register = 0;
        watchdog.unfed_us = 0;
    }
    if (watchdog.unfed_us > limit_us()) {
        board_say("the watchdog bites: not fed for %u ms", (uint32_t)(watchdog.unfed_us / 1000));
        power_reset(RESET_WATCHDOG);
    }
}

// Not from inside of the ROM, which may be in the middle of what is looked at here; it looks by itself.
void watchdog_interrupt(uint32_t pc) {
    if (pc < ROM_VADDR || pc >= BODY_END) {
        watchdog_check();
    }
    if (watchdog_is_armed()) {
        arm_timer();
    } else {
        ets_isr_mask(TIMER_INTERRUPT);
    }
}

// Installs the ROM's handler of the watchdog's interrupt, and leaves the watchdog off.
void ets_wdt_init(void) {
    *ctrl_register &= ~(uint32_t)CTRL_RUNS;
}

// What the ROM makes of a stage: it knows three, and takes any other for the shortest.
static uint32_t stage_of(uint32_t argument) {
    return argument == 3 ? 11 : argument == 6 ? 12 : argument == 12 ? 13 : 0;
}

// Modes 2 and 4 have two stages, 3 has one. (1 the ROM feeds by a timer of its own, which is not modelled.)
void ets_wdt_enable(uint32_t mode, uint32_t stage0, uint32_t stage1) {
    watchdog.mode = mode;
    watchdog.stage0 = stage0;
    watchdog.stage1 = stage1;
    *ctrl_register = mode == MODE_ONE_STAGE ? CTRL_ONE_STAGE : CTRL_TWO_STAGES;
    *stage0_register = stage_of(stage0);
    *stage1_register = stage_of(stage1);
    feed();
    *ctrl_register |= CTRL_RUNS;
    arm_timer();
}

uint32_t ets_wdt_disable(void) {
    uint32_t mode = watchdog.mode;
    watchdog_check();
    *ctrl_register &= ~(uint32_t)CTRL_RUNS;
    watchdog.mode = 0;
    ets_isr_mask(TIMER_INTERRUPT);
    return mode;
}

void ets_wdt_restore(uint32_t mode) {
    if (mode != 0) {
        ets_wdt_enable(mode, watchdog.stage0, watchdog.stage1);
    }
}

uint32_t ets_wdt_get_mode(void) {
    return watchdog.mode;
}
