// What a program does wrong is not survived: what happened is said, and the run ends.
#ifndef VBOARD_ESP32C3_CRASH_H
#define VBOARD_ESP32C3_CRASH_H

#include <stdbool.h>
#include <stdint.h>

_Noreturn void crash(const char *what, uint32_t pc);
_Noreturn void crash_access(const char *what, uint32_t vaddr, uint32_t size);

// A ROM function was called as it cannot work.
_Noreturn void crash_call(const char *function, const char *why);

#endif
