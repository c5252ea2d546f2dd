// The one function of libdivsufsort that is used, slow: for builds with 32-bit pointers, for which Debian has no such library.

#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *sorted;
static size_t sorted_size;

static int compare(const void *a, const void *b) {
    size_t from_a = (size_t) * (const int32_t *)a;
    size_t from_b = (size_t) * (const int32_t *)b;
    size_t size_a = sorted_size - from_a;
    size_t size_b = sorted_size - from_b;
    int order = memcmp(sorted + from_a, sorted + from_b, size_a < size_b ? size_a : size_b);
    return order ? order : size_a < size_b ? -1 : 1;
}

int32_t divsufsort(const uint8_t *bytes, int32_t *suffixes, int32_t size) {
    sorted = bytes;
    sorted_size = (size_t)size;
    for (int32_t i = 0; i < size; i++) {
        suffixes[i] = i;
    }
    qsort(suffixes, sorted_size, sizeof *suffixes, compare);
    return 0;
}
