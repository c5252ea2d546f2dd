// Integer names and section attributes of Espressif's SDK.
#ifndef VSDK_C_TYPES_H
#define VSDK_C_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// As Espressif has them: they need not be the types of <stdint.h>. With gcc 13 uint32_t is a `long`, and uint32 is not.
typedef unsigned char uint8;
typedef signed char int8;
typedef signed char sint8;
typedef unsigned short uint16;
typedef signed short sint16;
typedef unsigned int uint32;
typedef signed int sint32;
typedef int int32;
typedef unsigned long long uint64;
typedef signed long long sint64;

// Names that everybody who includes this has to live with.
typedef enum { OK, FAIL, PENDING, BUSY, CANCEL } STATUS;

#define BIT(n) (1UL << (n))
#define BIT0 BIT(0)
#define BIT1 BIT(1)
#define BIT7 BIT(7)

// Code in mapped flash; what has no attribute goes to IRAM.
#define ICACHE_FLASH_ATTR __attribute__((section(".irom0.text")))

#endif  // VSDK_C_TYPES_H
