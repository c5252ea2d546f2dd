// The memory and string functions of the mask ROM.
//
// memcpy, memmove and memset go by words where both sides are aligned and by bytes elsewhere, as the chip's do: a
// copy from mapped flash that is not in whole words traps on the chip, and the plugin reports it here.
#include "rom.h"

static bool both_aligned(const void *a, const void *b) {
    return (((uintptr_t)a | (uintptr_t)b) & 3) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if (both_aligned(to, from)) {
        for (; size >= 4; size -= 4, t += 4, f += 4) {
            *(uint32_t *)(void *)t = *(const uint32_t *)(const void *)f;
        }
    }
    while (size-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    uint8_t *t = (uint8_t *)to + size;
    const uint8_t *f = (const uint8_t *)from + size;
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        return memcpy(to, from, size);  // `to` does not lie within the source: upwards is safe
    }
    if (both_aligned(t, f)) {
        for (; size >= 4; size -= 4) {
            t -= 4;
            f -= 4;
            *(uint32_t *)(void *)t = *(const uint32_t *)(const void *)f;
        }
    }
    while (size-- > 0) {
        *--t = *--f;
    }
    return to;
}

void *memset(void *to, int value, size_t size) {
    uint8_t *t = to;
    if (both_aligned(to, to)) {
        uint32_t word = (uint8_t)value * 0x01010101u;
        for (; size >= 4; size -= 4, t += 4) {
            *(uint32_t *)(void *)t = word;
        }
    }
    while (size-- > 0) {
        *t++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const uint8_t *p = a;
    const uint8_t *q = b;
    for (; size > 0; size--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

void bzero(void *to, size_t size) {
    memset(to, 0, size);
}

size_t strlen(const char *s) {
    const char *end = s;
    while (*end) {
        end++;
    }
    return (size_t)(end - s);
}

int strcmp(const char *a, const char *b) {
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size) {
    for (; size > 0; size--, a++, b++) {
        if (*a != *b || *a == '\0') {
            return (uint8_t)*a - (uint8_t)*b;
        }
    }
    return 0;
}

char *strcpy(char *restrict to, const char *restrict from) {
    memcpy(to, from, strlen(from) + 1);
    return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t size) {
    char *t = to;
    for (; size > 0 && *from; size--) {
        *t++ = *from++;
    }
    memset(t, 0, size);
    return to;
}

char *strstr(const char *text, const char *word) {
    size_t size = strlen(word);
    for (; strncmp(text, word, size) != 0; text++) {
        if (*text == '\0') {
            return NULL;
        }
    }
    return (char *)(uintptr_t)text;
}

// The ROM has each of them a second time, under the SDK's names.
void *ets_memcpy(void *to, const void *from, size_t size) {
    return memcpy(to, from, size);
}

void *ets_memmove(void *to, const void *from, size_t size) {
    return memmove(to, from, size);
}

void *ets_memset(void *to, int value, size_t size) {
    return memset(to, value, size);
}

int ets_memcmp(const void *a, const void *b, size_t size) {
    return memcmp(a, b, size);
}

void ets_bzero(void *to, size_t size) {
    memset(to, 0, size);
}

size_t ets_strlen(const char *s) {
    return strlen(s);
}

int ets_strcmp(const char *a, const char *b) {
    return strcmp(a, b);
}

int ets_strncmp(const char *a, const char *b, size_t size) {
    return strncmp(a, b, size);
}

char *ets_strcpy(char *to, const char *from) {
    return strcpy(to, from);
}

char *ets_strncpy(char *to, const char *from, size_t size) {
    return strncpy(to, from, size);
}

char *ets_strstr(const char *text, const char *word) {
    return strstr(text, word);
}
