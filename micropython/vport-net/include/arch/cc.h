// lwIP's idea of the compiler.
#ifndef VNET_ARCH_CC_H
#define VNET_ARCH_CC_H

#include <stdint.h>

// Not in <arch.h>'s own way: the lx106's uint32_t is a `long`, and lwIP's formats are for an int.
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "lu"
#define S32_F "ld"
#define X32_F "lx"
#define SZT_F "u"

#define LWIP_NO_CTYPE_H 1

#ifndef BYTE_ORDER
#define BYTE_ORDER LITTLE_ENDIAN
#endif

// What lwIP finds wrong in itself ends the run: a loop, which the watchdog bites.
__attribute__((noreturn)) void vnet_failed(const char *what);
#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) vnet_failed(x)

#endif  // VNET_ARCH_CC_H
