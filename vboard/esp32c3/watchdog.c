// The watchdogs: see watchdog.h. [Technical Reference Manuals, watchdog timers]
#include "watchdog.h"

#include <stddef.h>

#include "board.h"
#include "clock.h"
#include "power.h"
#include "say.h"

enum { STAGES = 4, ACTION_NONE = 0 };

#define ENABLE 0x80000000u
#define KEY 0x50d83aa1u
#define SUPER_NS 1000000000u          // "slightly less than one second"
#define RTC_CONFIG_RESET 0x00013214u  // flashboot among them
#define RTC_FLASHBOOT 0x1000u
#define TIMER_CONFIG_RESET 0x0004c000u
#define TIMER_FLASHBOOT 0x4000u
#define RTC_SLOW_HZ 136000u   // typical [soc/clk_tree_defs.h]
#define TIMER_TICK_NS_8 100u  // 12.5 ns of the 80 MHz bus, in eighths

// Where the registers are, and what the actions of a stage are.
struct kind {
    const char *name;
    uint32_t config_vaddr, hold_vaddr, feed_vaddr, key_vaddr, prescale_vaddr;
    uint32_t flashboot;
    uint32_t action_shift, action_bits;  // of the first stage; the others lie below it
    uint32_t cause[8];                   // of an action: 0 is no reset
};

enum { KIND_RTC, KIND_TIMER, KINDS };

static struct kind kinds[KINDS] = {
    [KIND_RTC] = { .name = "RTC watchdog",
        .flashboot = RTC_FLASHBOOT,
        .action_shift = 28,
        .action_bits = 3,
        .cause = { [2] = RESET_RTC_WATCHDOG_CPU, [3] = RESET_RTC_WATCHDOG_CORE, [4] = RESET_RTC_WATCHDOG } },
    [KIND_TIMER] = { .name = "timer group 0's watchdog",
        .flashboot = TIMER_FLASHBOOT,
        .action_shift = 29,
        .action_bits = 2,
        .cause = { [2] = RESET_TIMER_WATCHDOG_CPU, [3] = RESET_TIMER_WATCHDOG } },
};

// Where this chip has them.
static void place_kinds(void) {
    struct kind *rtc = &kinds[KIND_RTC], *timer = &kinds[KIND_TIMER];
    rtc->config_vaddr = soc->watchdog_config_vaddr;
    rtc->hold_vaddr = soc->watchdog_hold_vaddr;
    rtc->feed_vaddr = soc->watchdog_feed_vaddr;
    rtc->key_vaddr = soc->watchdog_key_vaddr;
    timer->config_vaddr = soc->timer0_vaddr + 0x48;
    timer->prescale_vaddr = soc->timer0_vaddr + 0x4c;
    timer->hold_vaddr = soc->timer0_vaddr + 0x50;
    timer->feed_vaddr = soc->timer0_vaddr + 0x60;
    timer->key_vaddr = soc->timer0_vaddr + 0x64;
}

static struct watchdog {
    uint32_t config;
    uint32_t hold[STAGES];
    uint32_t prescale;
    bool is_open;  // the key has been written
    uint64_t fed_ns;
} dogs[KINDS];

static struct {
    uint32_t config;
    bool is_open;
    uint64_t fed_ns;
} super;

uint64_t watchdog_next_ns = UINT64_MAX;
uint32_t watchdog_feeds, watchdog_super_writes;

static bool is_on(unsigned i) {
    return (dogs[i].config & (ENABLE | kinds[i].flashboot)) != 0;
}

static uint32_t cause_of(unsigned i, unsigned stage) {
    const struct kind *kind = &kinds[i];
    uint32_t action = dogs[i].config >> (kind->action_shift - stage * kind->action_bits) & ((1u << kind->action_bits) - 1);
    // In the boot the first stage resets, whatever is set.
    if (stage == 0 && (dogs[i].config & kind->flashboot) != 0 && action == ACTION_NONE) {
        return i == KIND_RTC ? RESET_RTC_WATCHDOG : RESET_TIMER_WATCHDOG;
    }
    return kind->cause[action];
}

static uint64_t ticks_ns(unsigned i, uint64_t ticks) {
    return i == KIND_RTC ? ticks * 1000000000u / RTC_SLOW_HZ : ticks * dogs[i].prescale * TIMER_TICK_NS_8 / 8;
}

// When it bites, and with which cause; UINT64_MAX: never.
static uint64_t bite_ns(unsigned i, uint32_t *cause) {
    uint64_t ns = dogs[i].fed_ns;
    for (unsigned stage = 0; is_on(i) && stage < STAGES; stage++) {
        // An eFuse doubles the RTC's first stage at least.
        uint64_t ticks = (uint64_t)dogs[i].hold[stage] << (i == KIND_RTC && stage == 0 ? 1 : 0);
        ns += ticks_ns(i, ticks);
        *cause = cause_of(i, stage);
        if (*cause != 0) {
            return ns;
        }
    }
    return UINT64_MAX;
}

static uint64_t super_bite_ns(void) {
    return (super.config & (soc->super_auto_feed | soc->super_disable)) != 0 ? UINT64_MAX : super.fed_ns + SUPER_NS;
}

static void find_next(void) {
    watchdog_next_ns = super_bite_ns();
    for (unsigned i = 0; i < KINDS; i++) {
        uint32_t cause;
        uint64_t ns = bite_ns(i, &cause);
        watchdog_next_ns = ns < watchdog_next_ns ? ns : watchdog_next_ns;
    }
    clock_plan();
}

bool watchdog_check(void) {
    uint64_t now = clock_ns();
    if (now < watchdog_next_ns) {
        return false;
    }
    uint32_t cause = RESET_SUPER_WATCHDOG;
    const char *name = "super watchdog";
    for (unsigned i = 0; i < KINDS; i++) {
        uint32_t its;
        if (bite_ns(i, &its) <= now) {
            cause = its;
            name = kinds[i].name;
        }
    }
    watchdog_next_ns = UINT64_MAX;
    power_bite(cause, name);
    return true;
}

bool watchdog_is_armed(void) {
    return watchdog_next_ns != UINT64_MAX;
}

void watchdog_reset(bool of_rtc) {
    uint64_t now = clock_ns();
    place_kinds();
    if (of_rtc) {
        dogs[KIND_RTC] = (struct watchdog){ .config = RTC_CONFIG_RESET, .hold = { 200000, 80000, 4095, 4095 } };
        super.config = 0;
        super.is_open = false;
    }
    dogs[KIND_RTC].config |= RTC_FLASHBOOT;
    dogs[KIND_TIMER] = (struct watchdog){
        .config = TIMER_CONFIG_RESET, .hold = { 26000000, 0x7ffffff, 0xfffff, 0xfffff }, .prescale = 1
    };
    dogs[KIND_RTC].fed_ns = dogs[KIND_TIMER].fed_ns = super.fed_ns = now;
    find_next();
}

static bool write_dog(unsigned i, uint32_t vaddr, uint32_t value) {
    const struct kind *kind = &kinds[i];
    struct watchdog *dog = &dogs[i];
    bool is_hold = vaddr >= kind->hold_vaddr && vaddr < kind->hold_vaddr + 4 * STAGES;
    if (vaddr == kind->key_vaddr) {
        dog->is_open = value == KEY;
        return true;
    }
    if (vaddr != kind->config_vaddr && vaddr != kind->feed_vaddr && vaddr != kind->prescale_vaddr && !is_hold) {
        return false;
    }
    if (!dog->is_open) {
        return true;  // write-protected: nothing happens
    }
    if (vaddr == kind->config_vaddr) {
        bool was_on = is_on(i);
        dog->config = value;
        dog->fed_ns = was_on ? dog->fed_ns : clock_ns();
    } else if (vaddr == kind->feed_vaddr) {
        watchdog_feeds++;
        dog->fed_ns = i == KIND_RTC && (value & ENABLE) == 0 ? dog->fed_ns : clock_ns();
    } else if (is_hold) {
        dog->hold[(vaddr - kind->hold_vaddr) / 4] = value;
    } else {
        dog->prescale = value >> 16;
    }
    find_next();
    return true;
}

bool watchdog_write(uint32_t vaddr, uint32_t value) {
    for (unsigned i = 0; i < KINDS; i++) {
        if (write_dog(i, vaddr, value)) {
            return true;
        }
    }
    if (vaddr == soc->super_key_vaddr) {
        super.is_open = value == soc->super_key;
    } else if (vaddr == soc->super_config_vaddr) {
        if (super.is_open) {
            watchdog_super_writes++;
            super.fed_ns = (value & soc->super_feed) != 0 || (super.config & ~value & soc->super_auto_feed) != 0 ? clock_ns()
                                                                                                                 : super.fed_ns;
            super.config = value & ~soc->super_feed;
            find_next();
        }
    } else {
        return false;
    }
    return true;
}

bool watchdog_read(uint32_t vaddr, uint32_t *value) {
    for (unsigned i = 0; i < KINDS; i++) {
        if (vaddr == kinds[i].config_vaddr) {
            *value = dogs[i].config;
            return true;
        }
        if (vaddr >= kinds[i].hold_vaddr && vaddr < kinds[i].hold_vaddr + 4 * STAGES) {
            *value = dogs[i].hold[(vaddr - kinds[i].hold_vaddr) / 4];
            return true;
        }
    }
    if (vaddr == soc->super_config_vaddr) {
        *value = super.config;
        return true;
    }
    return false;
}
