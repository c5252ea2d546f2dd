// The search of bsdiff (Colin Percival, "Naive differences of executable code"): from an exact match, found in the suffixes of the
// old image, a piece grows in both directions as long as more than half of its bytes are right.

#include "match.h"

#include <divsufsort.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_STEP 16384u

typedef struct search {
    const uint8_t *old_bytes;
    const uint8_t *new_bytes;
    uint32_t old_size;
    uint32_t new_size;
    saidx_t *suffixes;
    uint32_t gain;
} search_t;

static uint32_t common(const uint8_t *a, uint32_t a_size, const uint8_t *b, uint32_t b_size) {
    uint32_t size = 0;
    while (size < a_size && size < b_size && a[size] == b[size]) {
        size++;
    }
    return size;
}

// The longest string of the old image that the new one goes on with at `off`: its size, and its place in *old_off.
static uint32_t longest(const search_t *s, uint32_t off, uint32_t *old_off) {
    uint32_t low = 0;
    uint32_t high = s->old_size - 1;
    const uint8_t *wanted = s->new_bytes + off;
    uint32_t wanted_size = s->new_size - off;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t place = (uint32_t)s->suffixes[middle];
        uint32_t size = s->old_size - place < wanted_size ? s->old_size - place : wanted_size;
        if (memcmp(s->old_bytes + place, wanted, size) < 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    uint32_t best = 0;
    for (uint32_t i = low; i <= high; i++) {
        uint32_t place = (uint32_t)s->suffixes[i];
        uint32_t size = common(s->old_bytes + place, s->old_size - place, wanted, wanted_size);
        if (size >= best) {
            best = size;
            *old_off = place;
        }
    }
    return best;
}

// Whether the byte of the new image is that of the old one, `shift` (modulo 2^32) on.
static bool agrees(const search_t *s, uint32_t off, uint32_t shift) {
    uint32_t old_off = off + shift;
    return old_off < s->old_size && s->old_bytes[old_off] == s->new_bytes[off];
}

// Bytes that a piece from `off` on, `shift` from the old image, is best made long, up to `limit`.
static uint32_t grow_forward(const search_t *s, uint32_t off, uint32_t shift, uint32_t limit) {
    uint32_t best = 0;
    int32_t best_score = 0;
    int32_t right = 0;
    for (uint32_t i = 0; off + i < limit && off + i + shift < s->old_size;) {
        right += agrees(s, off + i, shift);
        i++;
        int32_t score = 2 * right - (int32_t)i;
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    return best;
}

// Likewise back from `off`, down to `limit`.
static uint32_t grow_back(const search_t *s, uint32_t off, uint32_t shift, uint32_t limit) {
    uint32_t best = 0;
    int32_t best_score = 0;
    int32_t right = 0;
    for (uint32_t i = 1; off - limit >= i && off + shift >= i; i++) {
        right += agrees(s, off - i, shift);
        int32_t score = 2 * right - (int32_t)i;
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    return best;
}

// Two pieces claim `size` bytes from `off` on, with these shifts: how many are better the first one's.
static uint32_t divide(const search_t *s, uint32_t off, uint32_t size, uint32_t first_shift, uint32_t second_shift) {
    uint32_t best = 0;
    int32_t best_score = 0;
    int32_t score = 0;
    for (uint32_t i = 0; i < size; i++) {
        score += agrees(s, off + i, first_shift) - agrees(s, off + i, second_shift);
        if (score > best_score) {
            best_score = score;
            best = i + 1;
        }
    }
    return best;
}

static int add(cover_list_t *list, uint32_t *room, cover_t cover) {
    if (cover.size < COVER_SIZE_MIN) {
        return 0;
    }
    if (list->count == *room) {
        *room = *room ? 2 * *room : 1024;
        cover_t *covers = realloc(list->covers, *room * sizeof *covers);
        if (covers == NULL) {
            return -1;
        }
        list->covers = covers;
    }
    list->covers[list->count++] = cover;
    return 0;
}

// From `off` on, the next place where another piece is much better than the one that goes on with `shift`; new_size where there is
// none. *old_off: where it is in the old image.
static uint32_t next_place(
    const search_t *s, uint32_t off, uint32_t shift, uint32_t *old_off, match_progress_t *progress, void *ctx) {
    uint32_t agreed = 0;
    uint32_t counted = off;
    uint32_t told = off;
    if (progress) {
        progress(ctx, off, s->new_size);
    }
    for (; off < s->new_size; off++) {
        uint32_t size = longest(s, off, old_off);
        for (; counted < off + size; counted++) {
            agreed += agrees(s, counted, shift);
        }
        if (size != 0 && size == agreed) {
            // No better: all of it is passed over.
            off += size - 1;
            agreed = 0;
            continue;
        }
        if (size > agreed + s->gain) {
            return off;
        }
        agreed -= agrees(s, off, shift);
        if (progress && off - told >= PROGRESS_STEP) {
            told = off;
            progress(ctx, off, s->new_size);
        }
    }
    return off;
}

static int find(const search_t *s, cover_list_t *list, match_progress_t *progress, void *ctx) {
    uint32_t room = 0;
    uint32_t begin = 0;  // of the piece that is being made
    uint32_t shift = 0;
    int err = 0;
    for (uint32_t off = 0; !err && begin < s->new_size;) {
        uint32_t old_off = 0;
        off = next_place(s, off, shift, &old_off, progress, ctx);
        bool is_end = off >= s->new_size;
        uint32_t size = grow_forward(s, begin, shift, is_end ? s->new_size : off);
        uint32_t back = is_end ? 0 : grow_back(s, off, old_off - off, begin);
        if (!is_end && begin + size > off - back) {
            uint32_t both = begin + size - (off - back);
            uint32_t firsts = divide(s, off - back, both, shift, old_off - off);
            size -= both - firsts;
            back -= firsts;
        }
        err = add(list, &room, (cover_t){ begin, begin + shift, size });
        begin = is_end ? s->new_size : off - back;
        shift = old_off - off;
        off += is_end ? 0 : common(s->old_bytes + old_off, s->old_size - old_off, s->new_bytes + off, s->new_size - off);
    }
    return err;
}

int cover_list_find(cover_list_t *list, const uint8_t *old_bytes, uint32_t old_size, const uint8_t *new_bytes, uint32_t new_size,
    uint32_t gain, match_progress_t *progress, void *ctx) {
    search_t s = { old_bytes, new_bytes, old_size, new_size, malloc(old_size * sizeof(saidx_t)), gain };
    *list = (cover_list_t){ NULL, 0 };
    int err = s.suffixes && divsufsort(old_bytes, s.suffixes, (saidx_t)old_size) == 0 ? 0 : -1;
    err = err ? err : find(&s, list, progress, ctx);
    free(s.suffixes);
    if (err) {
        cover_list_free(list);
    }
    return err;
}

void cover_list_free(cover_list_t *list) {
    free(list->covers);
    *list = (cover_list_t){ NULL, 0 };
}
