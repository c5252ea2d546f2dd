// The ROM's ets_printf: %d %i %u %x %X %o %c %s %p %%, with -, 0 and a width; l is accepted.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "rom.h"
#include "rom_functions.h"
#include "uart.h"

enum { ARGS_IN_REGISTERS = 8, TEXT_MAX = 255, SPEC_MAX = 15 };

static char byte_at(uint32_t vaddr) {
    char c;
    rom_load("ets_printf", vaddr, &c, 1);
    return c;
}

// The rest of the arguments are on the stack.
static uint32_t next_arg(unsigned *i) {
    uint32_t value;
    if (*i < ARGS_IN_REGISTERS) {
        return rom_arg((*i)++);
    }
    rom_load("ets_printf", machine_reg(REG_SP) + 4 * (*i - ARGS_IN_REGISTERS), &value, 4);
    (*i)++;
    return value;
}

static void put_string(const char *spec, uint32_t vaddr) {
    char text[TEXT_MAX + 1], field[2 * TEXT_MAX];
    uint32_t size = 0;
    while (size < TEXT_MAX && (text[size] = byte_at(vaddr + size)) != '\0') {
        size++;
    }
    text[size] = '\0';
    int length = snprintf(field, sizeof field, spec, text);
    uart_put_text(field, length < (int)sizeof field ? (uint32_t)length : sizeof field - 1);
}

static void put_number(const char *spec, uint32_t value) {
    char field[TEXT_MAX];
    int length = snprintf(field, sizeof field, spec, value);
    uart_put_text(field, length < (int)sizeof field ? (uint32_t)length : sizeof field - 1);
}

// Reads "%-05lx" from vaddr on into spec, without l. Returns what comes after it.
static uint32_t read_spec(uint32_t vaddr, char *spec) {
    unsigned size = 0;
    char c = '%';
    do {
        if (c != 'l' && size < SPEC_MAX - 1) {
            spec[size++] = c;
        }
        c = byte_at(++vaddr);
    } while (c != '\0' && strchr("-+ #0123456789.l", c) != NULL);
    spec[size++] = c;
    spec[size] = '\0';
    return c == '\0' ? vaddr : vaddr + 1;
}

void rom_ets_printf(void) {
    unsigned arg = 1;
    uint32_t vaddr = rom_arg(0);
    for (char c = byte_at(vaddr); c != '\0'; c = byte_at(vaddr)) {
        char spec[SPEC_MAX + 2];
        if (c != '%') {
            uart_put(c);
            vaddr++;
            continue;
        }
        vaddr = read_spec(vaddr, spec);
        char kind = spec[strlen(spec) - 1];
        if (kind == '%') {
            uart_put('%');
        } else if (kind == 's') {
            put_string(spec, next_arg(&arg));
        } else if (kind == 'p') {
            spec[strlen(spec) - 1] = 'x';
            put_number(spec, next_arg(&arg));
        } else if (kind != '\0' && strchr("diuxXoc", kind) != NULL) {
            put_number(spec, next_arg(&arg));
        }
    }
    rom_return(0);
}
