// A chip for board.c: the registers of SPI1 of BOARD_CHIP, all others in RAM that nobody looks at, which takes bytes, too.
#include BOARD_CHIP

#undef WDT_FEED_ADDR
#define WDT_FEED_ADDR 0x00800000u
#undef WDT_PROTECT_ADDR
#define WDT_PROTECT_ADDR 0x00800004u
#ifdef SWD_ADDR
#undef SWD_ADDR
#define SWD_ADDR 0x00800008u
#undef SWD_PROTECT_ADDR
#define SWD_PROTECT_ADDR 0x0080000cu
#endif
// Where the linker has put it.
extern const char molt_extension_code[];
#undef EXTENSION_VADDR
#define EXTENSION_VADDR ((uint32_t)molt_extension_code)
#undef CONSTANTS_OFF
#define CONSTANTS_OFF 0u
#undef CONSTANTS_COPIED
#define CONSTANTS_COPIED 0
