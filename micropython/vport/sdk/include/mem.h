// The SDK's heap. The virtual board has no SDK heap: os_malloc() returns NULL.
#ifndef VSDK_MEM_H
#define VSDK_MEM_H

#include "c_types.h"

void *os_malloc(size_t size);
void os_free(void *ptr);

#endif  // VSDK_MEM_H
