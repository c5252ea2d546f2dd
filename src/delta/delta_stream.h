// What a patch's two streams hold: bytes, numbers, and changes of bytes that were copied. docs/format.md, "delta file".
#ifndef MOLT_DELTA_STREAM_H
#define MOLT_DELTA_STREAM_H

#include <stdint.h>

#include "delta/delta.h"

// The next `size` bytes into `out`. Returns 0, MOLT_ERR_CORRUPT (there are not so many), or an error of the reader.
int molt_delta_read(molt_inflate_t *stream, uint8_t *out, uint32_t size);

// A number: 7 bits a byte, lowest first, the eighth bit set in all but the last; up to 28 bits. *err sticks: where it is not 0 before
// nothing is read. It becomes MOLT_ERR_CORRUPT, or an error of the reader.
uint32_t molt_delta_read_number(molt_inflate_t *stream, int *err);

// Change what is to be changed of `size` bytes that were copied. Returns 0, or as molt_delta_read().
int molt_delta_fix(molt_delta_t *delta, uint8_t *bytes, uint32_t size);

#endif
