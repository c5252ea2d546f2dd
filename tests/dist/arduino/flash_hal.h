// A stand-in: see Arduino.h here.
#include <stdint.h>

// Symbols of the linker script, whose addresses are what they say.
extern uint32_t _FS_start, _FS_end, _FS_block;
#define FS_PHYS_ADDR ((uint32_t)(uintptr_t)&_FS_start - 0x40200000u)
#define FS_PHYS_SIZE ((uint32_t)((uintptr_t)&_FS_end - (uintptr_t)&_FS_start))
#define FS_PHYS_BLOCK ((uint32_t)(uintptr_t)&_FS_block)
