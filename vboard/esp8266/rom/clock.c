// Time and interrupts, and the ROM's random numbers.
#include "../board.h"
#include "rom.h"
#include "watchdog.h"

static uint32_t cpu_mhz = CCOUNT_PER_US;
static uint32_t random_state = 1;

uint32_t xthal_get_ccount(void) {
    uint32_t count;
    __asm__ volatile("rsr %0, ccount" : "=a"(count));
    return count;
}

uint32_t ets_get_cpu_frequency(void) {
    return cpu_mhz;
}

void ets_update_cpu_frequency(uint32_t mhz) {
    cpu_mhz = mhz;
}

void ets_delay_us(uint32_t us) {
    for (; us > 0; us--) {
        uint32_t start = xthal_get_ccount();
        while (xthal_get_ccount() - start < CCOUNT_PER_US) {
        }
        watchdog_check();
    }
}

void ets_isr_mask(uint32_t mask) {
    uint32_t enabled;
    __asm__ volatile("rsr %0, intenable" : "=a"(enabled));
    __asm__ volatile("wsr %0, intenable\n rsync" : : "a"(enabled & ~mask));
}

void ets_isr_unmask(uint32_t mask) {
    uint32_t enabled;
    __asm__ volatile("rsr %0, intenable" : "=a"(enabled));
    __asm__ volatile("wsr %0, intenable\n rsync" : : "a"(enabled | mask));
}

void srand(uint32_t seed) {
    random_state = seed;
}

// The C standard's own example of a generator.
int rand(void) {
    random_state = random_state * 1103515245 + 12345;
    return (int)(random_state >> 1);
}
