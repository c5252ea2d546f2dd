// Names of options compared; a board may have no library.
#ifndef VBOARD_FLASH_NAMES_H
#define VBOARD_FLASH_NAMES_H

#include <stdbool.h>

static inline bool is_same_name(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

#endif
