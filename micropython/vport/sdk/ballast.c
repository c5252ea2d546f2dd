// Bytes in mapped flash, IRAM and DRAM in place of the radio, TCP/IP and TLS code that a real firmware carries:
// an image then has a real image's size, compresses no better, and leaves no more IRAM free.
//
// VPORT_BALLAST       bytes in mapped flash, a multiple of 4
// VPORT_IRAM_BALLAST  bytes in IRAM, a multiple of 4
// VPORT_SEED          makes two firmwares differ, in the bytes and in the places of all that follows

#include "sdk.h"

#define DATA_BALLAST 1800

#define STRING(x) STRING_(x)
#define STRING_(x) #x

// Words of a linear congruential generator; 14 bits of each are fixed.
#define BALLAST(name, section, size) \
    __asm__("    .section " section "\n" \
            "    .align 4\n" \
            "    .global " name "\n" name ":\n" \
            "    .set x, " STRING(VPORT_SEED) "\n" \
                                              "    .rept " STRING(size) " / 4\n" \
                                                                        "    .set x, (x * 1664525 + 1013904223) & 0xffffffff\n" \
                                                                        "    .word x & 0x1f0f1f0f | 0x40000000\n" \
                                                                        "    .endr\n" \
                                                                        "    .text\n")

BALLAST("vport_ballast", ".irom0.text, \"ax\"", (VPORT_BALLAST + 4 * VPORT_SEED));
BALLAST("vport_iram_ballast", ".text.vport_iram_ballast, \"ax\"", VPORT_IRAM_BALLAST);
BALLAST("vport_data_ballast", ".data.vport_data_ballast, \"aw\"", DATA_BALLAST);
