// ports/esp32/xtensa/arch.h, with registers that board.c has.
#define arch_read chips_arch_read
#define arch_write chips_arch_write
#include "xtensa/arch.h"
#undef arch_read
#undef arch_write
