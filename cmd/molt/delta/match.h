// Pieces of an image that stand in another one as well, nearly the same.
#ifndef MOLT_DELTA_MATCH_H
#define MOLT_DELTA_MATCH_H

#include <stddef.h>
#include <stdint.h>

// `size` bytes at new_off of the new image are, with exceptions, those at old_off of the old one.
typedef struct cover {
    uint32_t new_off;
    uint32_t old_off;
    uint32_t size;
} cover_t;

typedef struct cover_list {
    cover_t *covers;  // ascending by new_off, none over another
    uint32_t count;
} cover_list_t;

// Shorter pieces are left out: they save little, and each can make a sector needed for long.
#define COVER_SIZE_MIN 24u

// Told how far it has come, in bytes of the new image. May be NULL.
typedef void match_progress_t(void *ctx, uint32_t done, uint32_t total);

// Find them. The list is the caller's, to be freed by cover_list_free(). Returns 0, or -1 where there is not enough memory.
//   gain  bytes by which another piece has to be better than going on with the present one
int cover_list_find(cover_list_t *list, const uint8_t *old_bytes, uint32_t old_size, const uint8_t *new_bytes, uint32_t new_size,
    uint32_t gain, match_progress_t *progress, void *ctx);

void cover_list_free(cover_list_t *list);

#endif
