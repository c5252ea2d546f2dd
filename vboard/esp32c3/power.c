// Switching on, resetting and switching off: see power.h.
#include "power.h"

#include <stddef.h>

#include "board.h"
#include "chip.h"
#include "clock.h"
#include "host.h"
#include "machine.h"
#include "memory.h"
#include "net.h"
#include "nor.h"
#include "peripherals.h"
#include "rom.h"
#include "runs.h"
#include "say.h"
#include "second_stage.h"
#include "uart.h"
#include "watchdog.h"

// So many starts one after the other that come to no program and change no flash: it stays so.
enum { FAILURES_MAX = 3 };

static struct {
    bool is_on;
    bool is_resetting;
    uint32_t cause;  // of the boot in progress
    uint32_t next;   // what the next reset's cause will be
    uint32_t resets;
    uint32_t bites;
    uint32_t dialect;                   // of the second stage that was called; 0: none was
    uint32_t loader_vaddr, loader_end;  // the boot loader's code
    bool has_program;                   // since the last reset something ran that is neither ROM nor boot loader
    uint32_t failures;
    uint32_t operations;  // of the flash, at the last failure
} power;

static void switch_on(void) {
    power.is_on = true;
    power.cause = RESET_POWER_ON;
    power.failures = 0;
    clock_power_on();
    memory_power_on();
    peripherals_reset(true);
}

static void reset(void) {
    power.is_resetting = false;
    power.cause = power.next;
    power.resets++;
    peripherals_reset(power.cause >= RESET_RTC_WATCHDOG);
}

void power_note_loader(uint32_t vaddr, uint32_t size) {
    if (vaddr < soc->iram_vaddr || vaddr >= soc->iram_vaddr + soc->ram_size) {
        return;
    }
    bool is_first = power.loader_end == 0;
    power.loader_vaddr = is_first || vaddr < power.loader_vaddr ? vaddr : power.loader_vaddr;
    power.loader_end = vaddr + size > power.loader_end ? vaddr + size : power.loader_end;
}

void power_note_code(uint32_t vaddr) {
    if (power.has_program) {
        return;
    }
    if (vaddr - ROM_VADDR >= soc->rom_size && (vaddr < power.loader_vaddr || vaddr >= power.loader_end)) {
        power.has_program = true;
        power.failures = 0;
    }
}

// A start has ended in a reset, or in nothing, without a program.
static void note_failure(void) {
    uint32_t operations = nor_operation_count();
    power.failures = operations == power.operations ? power.failures + 1 : 1;
    power.operations = operations;
    if (power.failures >= FAILURES_MAX) {
        power_brick("the boot loader finds nothing to boot, and each reset comes to the same");
    }
}

static void start(void) {
    rom_reset();
    net_reset();
    power.loader_vaddr = power.loader_end = 0;
    power.dialect = 0;
    machine_start(rom_first_stage(), soc->rom_stack_vaddr);
    while (power.dialect != 0 && power.is_on && !power.is_resetting) {
        uint32_t entry = second_stage_boot(power.dialect);
        power.dialect = 0;
        if (entry == 0) {
            if (power.is_on) {
                power_reset(RESET_SOFTWARE);
            }
            return;
        }
        machine_start(entry, soc->rom_stack_vaddr - 0x200);
    }
}

void power_run(void) {
    switch_on();
    for (;;) {
        power.has_program = false;
        start();
        if (!power.is_on) {
            chip_power_again();
            runs_next_power_on();
            switch_on();
            continue;
        }
        if (!power.has_program) {
            note_failure();
        }
        reset();
    }
}

void power_reset(uint32_t cause) {
    power.next = cause;
    power.is_resetting = true;
    machine_stop();
}

void power_bite(uint32_t cause, const char *watchdog) {
    uart_flush();
    board_say("the %s bites", watchdog);
    power.bites++;
    power_reset(cause);
}

void power_enter_second_stage(uint32_t dialect) {
    power.dialect = dialect;
}

void power_lost(void) {
    power.is_on = false;
    if (!runs_continue_after_cut()) {
        power_off(EXIT_CUT);
    }
    machine_stop();
}

bool power_is_on(void) {
    return power.is_on;
}

uint32_t power_cause(void) {
    return power.cause;
}

static void write_stats(int status) {
    const char *path = host_option("stats");
    if (path == NULL) {
        return;
    }
    bool is_file = path[0] != '-' || path[1] != '\0';
    int fd = is_file ? host_open(path, HOST_O_CREATE_EMPTY) : HOST_STDERR;
    board_write_text(fd, "{\"status\": %d, \"resets\": %u, \"watchdog_bites\": %u, ", status, power.resets, power.bites);
    board_write_text(fd, "\"watchdog_feeds\": %u, \"super_watchdog_writes\": %u, ", watchdog_feeds, watchdog_super_writes);
    nor_write_stats(fd);
    chip_write_stats(fd);
}

void power_off(int status) {
    uart_flush();
    runs_end(status, power.resets, power.bites);
    write_stats(status);
    host_exit(status);
}

void power_hang(const char *why) {
    board_say("hang: %s, and no watchdog is armed", why);
    power_off(EXIT_HANG);
}

void power_brick(const char *why) {
    uart_flush();
    board_say("brick: %s", why);
    power_off(EXIT_BRICK);
}
