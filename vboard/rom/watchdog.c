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
    STAGE_UNIT_NS = 819200,    // a stage n lasts 0.8192 ms * 2^n [ESP8266 Technical Reference, watchdog]
    BOOT_STAGE = 12,           // 3.36 s
    STAGES_AFTER = 2,          // after its first stage it waits three times as long again, then resets
};

static struct {
    bool is_armed;
    uint32_t mode;
    uint32_t stage;
    uint32_t last_ccount;
    uint64_t last_flash_us;
    uint64_t unfed_us;
    uint64_t limit_us;
} watchdog;

static volatile uint32_t *const feed_register = (uint32_t *)(uintptr_t)WDT_FEED_VADDR;

static void arm_timer(void) {
    uint32_t next = xthal_get_ccount() + TICK_US * CCOUNT_PER_US;
    __asm__ volatile("wsr %0, ccompare0\n esync" : : "a"(next));
    ets_isr_unmask(TIMER_INTERRUPT);
}

static void start(uint32_t stage) {
    watchdog.is_armed = true;
    watchdog.stage = stage;
    watchdog.limit_us = ((uint64_t)STAGE_UNIT_NS << stage) / 1000;
    watchdog.unfed_us = 0;
    watchdog.last_ccount = xthal_get_ccount();
    watchdog.last_flash_us = nor_time_us();
    *feed_register = 0;
    arm_timer();
}

void watchdog_reset(bool armed) {
    watchdog.is_armed = false;
    if (armed) {
        start(BOOT_STAGE);
    }
}

void watchdog_check(void) {
    if (!watchdog.is_armed) {
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
    if (watchdog.unfed_us > watchdog.limit_us) {
        board_say("the watchdog bites: not fed for %u ms", (uint32_t)(watchdog.unfed_us / 1000));
        power_reset(RESET_WATCHDOG);
    }
}

// Not from inside of the ROM, which may be in the middle of what is looked at here; it looks by itself.
void watchdog_interrupt(uint32_t pc) {
    if (pc < ROM_VADDR || pc >= BODY_END) {
        watchdog_check();
    }
    if (watchdog.is_armed) {
        arm_timer();
    } else {
        ets_isr_mask(TIMER_INTERRUPT);
    }
}

void ets_wdt_init(void) {
    start(BOOT_STAGE);
}

void ets_wdt_enable(uint32_t mode, uint32_t stage0, uint32_t stage1) {
    (void)stage1;
    watchdog.mode = mode;
    start(stage0 + STAGES_AFTER);
}

uint32_t ets_wdt_disable(void) {
    uint32_t mode = watchdog.mode;
    watchdog_check();
    watchdog.is_armed = false;
    watchdog.mode = 0;
    ets_isr_mask(TIMER_INTERRUPT);
    return mode;
}

void ets_wdt_restore(uint32_t mode) {
    if (mode != 0) {
        watchdog.mode = mode;
        start(BOOT_STAGE);
    }
}

uint32_t ets_wdt_get_mode(void) {
    return watchdog.mode;
}
