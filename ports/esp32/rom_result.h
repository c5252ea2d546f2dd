// What a flash function of the mask ROM comes to.
#ifndef MOLT_ESP32_ROM_RESULT_H
#define MOLT_ESP32_ROM_RESULT_H

#include "molt/error.h"
#include "rom.h"

// Apart, and with its arguments where a driver's are: each driver jumps to it. That is less than a frame in each.
static __attribute__((noinline)) int rom_result(rom_flash_t *function, uint32_t what, void *buf, uint32_t size) {
    return function(what, buf, size) ? MOLT_ERR_IO : 0;
}

#endif
