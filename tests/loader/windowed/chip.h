// A chip for board.c: the ESP32's registers of SPI1, all others in RAM that nobody looks at, which takes bytes, too.
#include "esp32/chip.h"

#undef WDT_FEED_ADDR
#define WDT_FEED_ADDR 0x00800000u
#undef WDT_PROTECT_ADDR
#define WDT_PROTECT_ADDR 0x00800004u
#undef CONSTANTS_OFF
#define CONSTANTS_OFF 0u
#undef CONSTANTS_COPIED
#define CONSTANTS_COPIED 0
