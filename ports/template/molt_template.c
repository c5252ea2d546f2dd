// The template's chip as a target. What it starts from is not the beginning of its flash: its boot sector, and its image with it, are
// at 64 KB.

#include "molt_template.h"

// A chip of your own has here what its boot loader was compiled to, as ports/esp8266/prebuilt has: bytes that its boot code starts
// when they stand in the boot sector. This chip's boot code (try.c) knows these.
static const uint8_t once[] = { 'M', 'O', 'L', 'T', 0, 0, 0, 0 };

const molt_target_t molt_template = {
    .chip = MOLT_CHIP_ESP8266,  // whose images it takes
    .image_addr = 0x10000,
    .boot_addr = 0x10000,
    .mapped_size = 0x40000,
    .transient = { .image = once, .size = sizeof once },
};
