// A stand-in: see Arduino.h here.
#include <stdint.h>

extern uint32_t FS_start, FS_end;
#define FS_PHYS_ADDR ((uint32_t)(uintptr_t)&FS_start)
#define FS_PHYS_SIZE ((uint32_t)((uintptr_t)&FS_end - (uintptr_t)&FS_start))
#define FS_PHYS_BLOCK 0x2000
