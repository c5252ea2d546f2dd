// Deflate (RFC 1951) as small as can be, for a window of any size.
#ifndef MOLT_DELTA_PACK_H
#define MOLT_DELTA_PACK_H

#include <stdint.h>

// Told how far it has come: rounds, each of as many bytes as there are. Not all of them have to be needed.
typedef void pack_progress_t(void *ctx, uint32_t done, uint32_t total);

// `size` bytes, packed, in a new buffer that the caller frees; *out_size: its bytes. *reach: how far back its references go at most.
// NULL where there is not enough memory.
//   window_size  up to 32768
//   progress     may be NULL
// Cost: a second or less for 100 KB.
uint8_t *pack_deflate(const uint8_t *bytes, uint32_t size, uint32_t window_size, pack_progress_t *progress, void *ctx,
    uint32_t *out_size, uint32_t *reach);

#endif
