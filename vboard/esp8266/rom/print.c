// Formatted text, and the ROM functions ets_printf and its kin.
#include "print.h"

#include <stdbool.h>
#include <stddef.h>

#include "host.h"
#include "rom.h"

struct field {
    uint32_t width;
    bool left;
    bool zero;
};

static void put_field(void (*put)(char), const char *text, uint32_t size, struct field field) {
    uint32_t fill = field.width > size ? field.width - size : 0;
    if (field.zero && fill > 0 && size > 0 && *text == '-') {
        put('-');
        text++;
        size--;
    }
    for (; !field.left && fill > 0; fill--) {
        put(field.zero ? '0' : ' ');
    }
    for (; size > 0; size--) {
        put(*text++);
    }
    for (; fill > 0; fill--) {
        put(' ');
    }
}

static void put_number(void (*put)(char), uint32_t value, bool negative, uint32_t base, bool upper, struct field field) {
    char text[12];
    char *p = text + sizeof text;
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    do {
        *--p = digits[value % base];
        value /= base;
    } while (value > 0);
    if (negative) {
        *--p = '-';
    }
    put_field(put, p, (uint32_t)(text + sizeof text - p), field);
}

static const char *parse_field(const char *format, struct field *field) {
    *field = (struct field){ 0, false, false };
    for (; *format == '-' || *format == '0'; format++) {
        field->left |= *format == '-';
        field->zero |= *format == '0';
    }
    for (; *format >= '0' && *format <= '9'; format++) {
        field->width = field->width * 10 + (uint32_t)(*format - '0');
    }
    while (*format == 'l') {
        format++;
    }
    field->zero = field->zero && !field->left;
    return format;
}

void print_format(void (*put)(char), const char *format, va_list args) {
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        struct field field;
        format = parse_field(format + 1, &field);
        switch (*format) {
            case 'd':
            case 'i': {
                int value = va_arg(args, int);
                put_number(put, value < 0 ? 0u - (uint32_t)value : (uint32_t)value, value < 0, 10, false, field);
                break;
            }
            case 'u':
                put_number(put, va_arg(args, unsigned), false, 10, false, field);
                break;
            case 'o':
                put_number(put, va_arg(args, unsigned), false, 8, false, field);
                break;
            case 'p':
            case 'x':
            case 'X':
                put_number(put, va_arg(args, unsigned), false, 16, *format == 'X', field);
                break;
            case 'c':
                put((char)va_arg(args, int));
                break;
            case 's': {
                const char *text = va_arg(args, const char *);
                text = text != NULL ? text : "(null)";
                put_field(put, text, (uint32_t)strlen(text), field);
                break;
            }
            case '\0':
                return;
            default:
                put(*format);
        }
    }
}

// Text of the board itself is gathered here and written in one piece.
static char line[512];
static uint32_t line_size;

static void put_line(char c) {
    if (line_size < sizeof line) {
        line[line_size++] = c;
    }
}

static void write_line(int fd) {
    host_write(fd, line, line_size);
    line_size = 0;
}

void board_say(const char *format, ...) {
    for (const char *p = "vboard: "; *p; p++) {
        put_line(*p);
    }
    va_list args;
    va_start(args, format);
    print_format(put_line, format, args);
    va_end(args);
    put_line('\n');
    write_line(HOST_STDERR);
}

void board_write_text(int fd, const char *format, ...) {
    va_list args;
    va_start(args, format);
    print_format(put_line, format, args);
    va_end(args);
    write_line(fd);
}

// ets_printf sends each character through a function that the program can replace.
static void (*putc1)(char c);

static void put_uart(char c) {
    uart_tx_one_char((uint8_t)c);
}

void ets_install_putc1(void (*put)(char)) {
    putc1 = put;
}

void ets_install_uart_printf(void) {
    putc1 = put_uart;
}

int ets_putc(char c) {
    put_uart(c);
    return 0;
}

int ets_vprintf(void (*put)(char), const char *format, va_list args) {
    print_format(put, format, args);
    return 0;
}

int ets_printf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    print_format(putc1 != NULL ? putc1 : put_uart, format, args);
    va_end(args);
    return 0;
}

int ets_uart_printf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    print_format(put_uart, format, args);
    va_end(args);
    return 0;
}
