// The four functions of <string.h> that a compiler may call on its own even in a freestanding program, and the
// only ones that molt calls. The program that links molt provides them: libc, the SDK, the mask ROM.
#ifndef MOLT_BASE_LIBC_H
#define MOLT_BASE_LIBC_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
