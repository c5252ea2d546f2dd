// Formatted text: for the guest's ets_printf, and for what the board itself has to say (say.h).
#ifndef VBOARD_ROM_PRINT_H
#define VBOARD_ROM_PRINT_H

#include <stdarg.h>
#include <stdint.h>

#include "say.h"

// %d %i %u %x %X %o %c %s %p %%, with -, 0 and a width; l is accepted. Everything goes to `put`.
void print_format(void (*put)(char c), const char *format, va_list args);

#endif
