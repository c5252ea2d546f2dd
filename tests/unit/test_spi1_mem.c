// test_spi1.c with the registers as the ESP32-S2 and the ESP32-S3 have them.

#include "esp32s2/chip.h"

// As the other is included from there.
#include "test_spi1.c"
