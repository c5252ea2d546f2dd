// What a program on the virtual board can ask of it, and on a chip could not.
#include "../board.h"
#include "host.h"
#include "nor.h"
#include "power.h"
#include "rom.h"

_Noreturn void vboard_exit(int status) {
    power_off(status >= 0 && status <= EXIT_GUEST_MAX ? status : EXIT_GUEST_MAX);
}

uint64_t vboard_flash_us(void) {
    return nor_time_us();
}

uint32_t vboard_seed(void) {
    const char *text = host_option("seed");
    uint32_t seed = 0;
    for (; text != NULL && *text >= '0' && *text <= '9'; text++) {
        seed = seed * 10 + (uint32_t)(*text - '0');
    }
    return seed;
}
