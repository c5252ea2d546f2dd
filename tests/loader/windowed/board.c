// The loader of the Xtensa chips, compiled as for them, on a model of SPI1 and with the mask ROM's functions in C: an upgrade that was
// prepared in a flash that QEMU has put into RAM. It ends with 0 if the image is in place then, which QEMU has put there, too. An extension
// is linked beside it, and called as the loader calls one.

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "base/crc32.h"

// As test_windowed.py puts them there.
#define FLASH ((uint8_t *)0x01000000)
#define IMAGE ((const uint8_t *)0x02000000)
#define IMAGE_SIZE (*(const uint32_t *)0x02ff0000)
#define IMAGE_ADDR 0x10000u

enum { SIMCALL_EXIT = 1, SIMCALL_WRITE = 4 };
enum { WRONG_COMMAND = 2, WRONG_IMAGE = 3 };

// Resets on the way to the new firmware, before it counts as one that does not come.
#define RESETS_MAX 4u

static int simcall(int number, int a, const void *b, uint32_t c) {
    register int a2 __asm__("a2") = number;
    register int a3 __asm__("a3") = a;
    register const void *a4 __asm__("a4") = b;
    register uint32_t a5 __asm__("a5") = c;
    __asm__ volatile("simcall" : "+r"(a2) : "r"(a3), "r"(a4), "r"(a5) : "memory");
    return a2;
}

__attribute__((noreturn)) static void leave(int status) {
    simcall(SIMCALL_EXIT, status, 0, 0);
    for (;;) {
    }
}

#define MODEL_CHECK(condition) ((condition) ? (void)0 : leave(WRONG_COMMAND))
#define MODEL_FLASH_SIZE 0x100000u
#include "spi1_model.h"

#define USED __attribute__((used, externally_visible))

USED void *memcpy(void *to, const void *from, __SIZE_TYPE__ size) {
    volatile uint8_t *at = to;
    for (const uint8_t *byte = from; size; size--) {
        *at++ = *byte++;
    }
    return to;
}

USED void *memmove(void *to, const void *from, __SIZE_TYPE__ size) {
    volatile uint8_t *at = to;
    const uint8_t *bytes = from;
    for (__SIZE_TYPE__ i = 0; i < size; i++) {
        __SIZE_TYPE__ off = (uintptr_t)to < (uintptr_t)from ? i : size - 1 - i;
        at[off] = bytes[off];
    }
    return to;
}

USED void *memset(void *to, int value, __SIZE_TYPE__ size) {
    for (volatile uint8_t *at = to; size; size--) {
        *at++ = (uint8_t)value;
    }
    return to;
}

USED int memcmp(const void *a, const void *b, __SIZE_TYPE__ size) {
    const volatile uint8_t *left = a;
    const volatile uint8_t *right = b;
    int difference = 0;
    for (; size && !difference; size--) {
        difference = *left++ - *right++;
    }
    return difference;
}

USED uint32_t __udivsi3(uint32_t of, uint32_t by) {
    uint32_t result = 0;
    for (uint32_t bit = 1u << 31, rest = 0; bit; bit >>= 1) {
        rest = rest << 1 | (of & bit ? 1 : 0);
        if (rest >= by) {
            rest -= by;
            result |= bit;
        }
    }
    return result;
}

USED uint32_t __umodsi3(uint32_t of, uint32_t by) {
    return of - __udivsi3(of, by) * by;
}

USED void ets_delay_us(uint32_t us) {
    (void)us;
}

USED int ets_printf(const char *format, ...) {
    uint32_t size = 0;
    while (format[size]) {
        size++;
    }
    // Through a small window of its own, however deep this is in the calls.
    return format[1] == '%' ? 0 : simcall(SIMCALL_WRITE, 1, format, size);
}

void molt_loader_entry(void);

USED void software_reset(void) {
    static uint32_t reset_count;
    if (memcmp(FLASH + IMAGE_ADDR, IMAGE, IMAGE_SIZE) == 0) {
        leave(0);
    }
    if (++reset_count == RESETS_MAX) {
        leave(WRONG_IMAGE);
    }
    // Deeper in the stack, of which there is enough.
    molt_loader_entry();
}

USED uint32_t crc32_le(uint32_t crc, const void *data, uint32_t size) {
    return molt_crc32(crc, data, size);
}

// For extension_flash.c.
USED int board_read(uint32_t addr, void *buf, uint32_t size) {
    return flash_read(0, addr, buf, size);
}

USED int board_prog(uint32_t addr, const void *buf, uint32_t size) {
    return flash_prog(0, addr, buf, size);
}

USED int board_erase_sector(uint32_t addr) {
    return flash_erase_sector(0, addr);
}

USED void board_main(void);

void board_main(void) {
    model_begin(FLASH);
    molt_loader_entry();
}
