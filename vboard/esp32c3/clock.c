// Time: see clock.h.
#include "clock.h"

#include <time.h>

#include "board.h"
#include "net.h"
#include "nor.h"
#include "power.h"
#include "runs.h"
#include "say.h"
#include "uart.h"
#include "watchdog.h"

// 6.25 ns for three bytes, in 256ths of a nanosecond for one.
enum { BYTE_NS_256 = 533 };
#define FAR_NS 1000000000000000u  // never comes
#define SHORT_NS 200000u          // not worth a sleep of the host's

static struct {
    uint64_t code_bytes;
    uint64_t next_bytes;
    uint64_t waited_ns;
    uint64_t flash_ns_before;  // of what came before the power did
    uint64_t limit_ns;
    uint64_t world_ns_before;
    uint64_t flash_ns_slept;
} present;

static uint64_t world_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sleep_ns(uint64_t ns) {
    uart_flush();  // somebody may look meanwhile
    nanosleep(&(struct timespec){ .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) }, NULL);
}

uint64_t clock_ns(void) {
    if (net_is_there()) {
        return world_ns() - present.world_ns_before;
    }
    return present.code_bytes * BYTE_NS_256 / 256 + present.waited_ns + nor_time_ns() - present.flash_ns_before;
}

// From how many bytes of code on is there something to look at: a watchdog, or the end of the time that a run has.
void clock_plan(void) {
    uint64_t next = watchdog_next_ns < present.limit_ns ? watchdog_next_ns : present.limit_ns, now = clock_ns();
    uint64_t left_ns = next > now ? next - now : 0;
    present.next_bytes = left_ns < FAR_NS ? present.code_bytes + left_ns * 256 / BYTE_NS_256 + 1 : UINT64_MAX;
}

static bool look(void) {
    uint64_t now = clock_ns();
    if (now >= present.limit_ns) {
        board_say("timeout, by the board's clock");
        power_off(EXIT_TIMEOUT);
    }
    bool has_bitten = now >= watchdog_next_ns && watchdog_check();
    clock_plan();
    return has_bitten;
}

bool clock_pass_code(uint32_t bytes) {
    present.code_bytes += bytes;
    return present.code_bytes >= present.next_bytes && look();
}

void clock_pass_us(uint64_t us) {
    if (net_is_there()) {
        sleep_ns(us * 1000);
    }
    clock_pass_world_us(us);
}

void clock_pass_world_us(uint64_t us) {
    present.waited_ns += us * 1000;
    look();
}

void clock_look(void) {
    uint64_t flash_ns = nor_time_ns();
    if (net_is_there() && flash_ns - present.flash_ns_slept > SHORT_NS) {
        sleep_ns(flash_ns - present.flash_ns_slept);
        present.flash_ns_slept = flash_ns;
    }
    look();
}

uint32_t clock_cycles(void) {
    return (uint32_t)(clock_ns() * 4 / 25);  // 160 MHz
}

void clock_power_on(void) {
    present.code_bytes = 0;
    present.waited_ns = 0;
    present.flash_ns_before = present.flash_ns_slept = nor_time_ns();
    present.world_ns_before = world_ns();
    present.limit_ns = runs_limit_ns();
    clock_plan();
}
