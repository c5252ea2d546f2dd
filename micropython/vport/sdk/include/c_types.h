// Integer names and section attributes of Espressif's SDK.
#ifndef VSDK_C_TYPES_H
#define VSDK_C_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t uint8;
typedef int8_t int8;
typedef uint16_t uint16;
typedef int16_t int16;
typedef uint32_t uint32;
typedef int32_t int32;
typedef uint64_t uint64;

#define BIT(n) (1u << (n))
#define BIT0 BIT(0)
#define BIT1 BIT(1)
#define BIT7 BIT(7)

// Code in mapped flash; what has no attribute goes to IRAM.
#define ICACHE_FLASH_ATTR __attribute__((section(".irom0.text")))

#endif // VSDK_C_TYPES_H
