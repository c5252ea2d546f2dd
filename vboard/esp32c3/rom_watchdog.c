// The ROM's watchdog functions, which the boot loaders of later chips use. [hal/wdt_hal.h and hal/rwdt_ll.h or lpwdt_ll.h of IDF]
#include <stdbool.h>

#include "board.h"
#include "peripherals.h"
#include "rom.h"
#include "rom_functions.h"

// A context: which watchdog, and where its registers are, which is known here.
enum { INSTANCE_RTC = 2 };
enum { KEY = 0x50d83aa1, STAGES = 4 };
#define ENABLE 0x80000000u
#define FEED 0x80000000u
#define RTC_FLASHBOOT 0x1000u
#define TIMER_FLASHBOOT 0x4000u
#define RTC_PAUSED_ASLEEP 0x200u

struct registers {
    bool is_rtc;
    uint32_t config_vaddr, hold_vaddr, feed_vaddr, key_vaddr;
};

static struct registers registers_of(uint32_t instance) {
    if (instance == INSTANCE_RTC) {
        return (struct registers){ true, soc->watchdog_config_vaddr, soc->watchdog_hold_vaddr, soc->watchdog_feed_vaddr,
            soc->watchdog_key_vaddr };
    }
    return (struct registers){ false, soc->timer0_vaddr + 0x48, soc->timer0_vaddr + 0x50, soc->timer0_vaddr + 0x60,
        soc->timer0_vaddr + 0x64 };
}

static struct registers registers(void) {
    uint32_t instance = 0;
    rom_load("wdt_hal", rom_arg(0), &instance, sizeof instance);
    return registers_of(instance);
}

static void change(uint32_t vaddr, uint32_t clear, uint32_t set) {
    peripheral_write(vaddr, 4, (peripheral_read(vaddr, 4) & ~clear) | set);
}

void rom_wdt_hal_write_protect_disable(void) {
    peripheral_write(registers().key_vaddr, 4, KEY);
}

void rom_wdt_hal_write_protect_enable(void) {
    peripheral_write(registers().key_vaddr, 4, 0);
}

// Off, without actions, guarded again.
void rom_wdt_hal_init(void) {
    uint32_t context[2] = { rom_arg(1), 0 };
    struct registers its = registers_of(context[0]);
    context[1] = its.config_vaddr;
    rom_store("wdt_hal_init", rom_arg(0), context, sizeof context);
    peripheral_write(its.key_vaddr, 4, KEY);
    peripheral_write(its.config_vaddr, 4, its.is_rtc ? RTC_PAUSED_ASLEEP : 0);
    peripheral_write(its.feed_vaddr, 4, FEED);
    peripheral_write(its.key_vaddr, 4, 0);
}

// Stage, ticks, action. Of the RTC's first stage the ticks count twice.
void rom_wdt_hal_config_stage(void) {
    struct registers its = registers();
    uint32_t stage = rom_arg(1) % STAGES, ticks = rom_arg(2), bits = its.is_rtc ? 3 : 2,
             shift = (its.is_rtc ? 28 : 29) - stage * bits;
    change(its.config_vaddr, ((1u << bits) - 1) << shift, rom_arg(3) << shift);
    peripheral_write(its.hold_vaddr + 4 * stage, 4, its.is_rtc && stage == 0 ? ticks / 2 : ticks);
}

void rom_wdt_hal_enable(void) {
    struct registers its = registers();
    peripheral_write(its.feed_vaddr, 4, FEED);
    change(its.config_vaddr, 0, ENABLE);
}

void rom_wdt_hal_disable(void) {
    change(registers().config_vaddr, ENABLE, 0);
}

void rom_wdt_hal_feed(void) {
    peripheral_write(registers().feed_vaddr, 4, FEED);
}

void rom_wdt_hal_set_flashboot_en(void) {
    struct registers its = registers();
    uint32_t flashboot = its.is_rtc ? RTC_FLASHBOOT : TIMER_FLASHBOOT;
    change(its.config_vaddr, flashboot, (rom_arg(1) & 1) != 0 ? flashboot : 0);
}
