// What fuzz targets share.
#ifndef MOLT_TESTS_FUZZ_H
#define MOLT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// A find, if it is not so. (assert() would go with NDEBUG.)
#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            abort(); \
        } \
    } while (0)

// What libFuzzer calls, or replay.c. Returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
