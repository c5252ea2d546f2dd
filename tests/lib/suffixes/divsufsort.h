// What is used of libdivsufsort: see suffixes.c.
#ifndef MOLT_TESTS_DIVSUFSORT_H
#define MOLT_TESTS_DIVSUFSORT_H

#include <stdint.h>

typedef int32_t saidx_t;

// The beginnings of all suffixes of `bytes`, in their order. Returns 0.
saidx_t divsufsort(const uint8_t *bytes, saidx_t *suffixes, saidx_t size);

#endif
