// Formatted text: for the guest's ets_printf, and for what the board itself has to say.
#ifndef VBOARD_ROM_PRINT_H
#define VBOARD_ROM_PRINT_H

#include <stdarg.h>
#include <stdint.h>

// %d %i %u %x %X %o %c %s %p %%, with -, 0 and a width; l is accepted. Everything goes to `put`.
void print_format(void (*put)(char c), const char *format, va_list args);

// One line on standard error, "vboard: " before it. Standard output belongs to the UART.
void board_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Formatted text to a host file.
void board_write_text(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
