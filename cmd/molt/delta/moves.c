// The votes, and the map that costs least.

#include "moves.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

// Farther than anything moves, in bytes: two numbers that have nothing to do with each other.
#define SHIFT_MAX 0x100000u
// How many shifts are looked at, the most frequent ones.
#define SHIFTS_MAX 500u
// What an entry costs, and what a vote does that is not followed: packed bytes, as is seen of firmwares.
#define ENTRY_BYTES 3.2f
#define MISS_BYTES 1.6f
// By how much an entry has to be worth more where there are too many, and the most that is tried.
#define ENTRY_BYTES_STEP 1.25f
#define ENTRY_BYTES_MAX 1000.0f

bool moves_have_calls(molt_chip_t chip) {
    return chip == MOLT_CHIP_ESP8266;
}

// Whether a word looks like the address of something in an image or its memory. ESP8266: data RAM, ROM, IRAM, 1 MB of flash. ESP32s: from
// where the lowest of them sees flash as data to behind where most see it as code.
static bool is_address(molt_chip_t chip, uint32_t word) {
    return chip == MOLT_CHIP_ESP8266 ? word - 0x3ffe8000u < 0x318000u : word - 0x3c000000u < 0x7000000u;
}

static void add_vote(votes_t *votes, uint32_t old_addr, uint32_t new_addr) {
    if (new_addr - old_addr + SHIFT_MAX >= 2 * SHIFT_MAX) {
        return;
    }
    if (votes->count == votes->room) {
        uint32_t room = 2 * votes->room + 4096;
        vote_t *grown = realloc(votes->list, room * sizeof *grown);
        votes->is_full = votes->is_full || grown == NULL;
        votes->list = grown ? grown : votes->list;
        votes->room = grown ? room : votes->room;
    }
    if (!votes->is_full) {
        votes->list[votes->count++] = (vote_t){ old_addr, new_addr - old_addr };
    }
}

void votes_take(
    votes_t *votes, const uint8_t *old_bytes, uint32_t old_off, const uint8_t *new_bytes, uint32_t new_off, uint32_t size) {
    bool has_calls = moves_have_calls(votes->chip);
    uint32_t step;
    for (uint32_t i = 0; i + 4 <= size; i += step) {
        uint32_t was = load32_le(old_bytes + old_off + i);
        uint32_t is = load32_le(new_bytes + new_off + i);
        bool is_aligned = ((old_off + i) | (new_off + i)) % 4 == 0;
        step = delta_step(was, has_calls);
        if (is_aligned && is_address(votes->chip, was)) {
            step = 4;
            if (is_address(votes->chip, is)) {
                add_vote(votes, was, is);
            }
        } else if (has_calls && (was & DELTA_CALL_MASK) == DELTA_CALL && (is & DELTA_CALL_MASK) == DELTA_CALL) {
            add_vote(votes, delta_call_target(was, old_off + i), delta_call_target(is, new_off + i));
        }
    }
}

static int by_addr(const void *a, const void *b) {
    const vote_t *v = a;
    const vote_t *w = b;
    if (v->addr != w->addr) {
        return v->addr < w->addr ? -1 : 1;
    }
    return (v->shift > w->shift) - (v->shift < w->shift);
}

// A shift, and how many votes there are for it.
typedef struct shift {
    uint32_t shift;
    uint32_t count;
} shift_t;

static int by_shift(const void *a, const void *b) {
    const shift_t *s = a;
    const shift_t *t = b;
    return (s->shift > t->shift) - (s->shift < t->shift);
}

// Most votes first; those of equally many in an order that is always the same.
static int by_count(const void *a, const void *b) {
    const shift_t *s = a;
    const shift_t *t = b;
    return s->count != t->count ? (s->count < t->count) - (s->count > t->count) : by_shift(a, b);
}

// The shifts that votes are for, the most frequent ones, and none at all first. room: of vote_count + 1 of them. Returns how many.
static uint32_t list_shifts(shift_t *shifts, const votes_t *votes) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < votes->count; i++) {
        shifts[1 + i] = (shift_t){ votes->list[i].shift, 1 };
    }
    shifts[0] = (shift_t){ 0, 1 };
    qsort(shifts, votes->count + 1, sizeof *shifts, by_shift);
    for (uint32_t i = 0; i <= votes->count; i++) {
        if (count && shifts[count - 1].shift == shifts[i].shift) {
            shifts[count - 1].count++;
        } else {
            shifts[count++] = shifts[i];
        }
    }
    // 0 is the least.
    shifts[0].count = UINT32_MAX;
    qsort(shifts, count, sizeof *shifts, by_count);
    return count < SHIFTS_MAX ? count : SHIFTS_MAX;
}

// Votes for one address after the other, and the cheapest way through them: at each the shift that holds from it on.
typedef struct search {
    const votes_t *votes;
    shift_t *shifts;
    uint32_t shift_count;
    uint32_t *firsts;  // the first vote for each address, and where the last one's end
    uint32_t addr_count;
    float *costs;    // by shift, up to where the search is
    uint16_t *from;  // by address and shift: what held before it
} search_t;

// Let all votes for an address count.
static void count_votes(search_t *search, uint32_t index) {
    const votes_t *votes = search->votes;
    uint32_t begin = search->firsts[index];
    uint32_t end = search->firsts[index + 1];
    for (uint32_t s = 0; s < search->shift_count; s++) {
        search->costs[s] += MISS_BYTES * (float)(end - begin);
    }
    for (uint32_t i = begin; i < end; i++) {
        for (uint32_t s = 0; s < search->shift_count; s++) {
            if (search->shifts[s].shift == votes->list[i].shift) {
                search->costs[s] -= MISS_BYTES;
                break;
            }
        }
    }
}

static uint32_t cheapest(const search_t *search) {
    uint32_t best = 0;
    for (uint32_t s = 1; s < search->shift_count; s++) {
        best = search->costs[s] < search->costs[best] ? s : best;
    }
    return best;
}

// The way, where an entry costs so many bytes: up to `room` of its entries into `moves`. Returns how many there are, the last of which
// ends the map.
static uint32_t find_way(search_t *search, float entry_bytes, molt_delta_move_t *moves, uint32_t room) {
    uint32_t count = search->shift_count;
    for (uint32_t s = 0; s < count; s++) {
        search->costs[s] = s ? entry_bytes : 0;
    }
    for (uint32_t i = 0; i < search->addr_count; i++) {
        uint32_t best = cheapest(search);
        float other = search->costs[best] + entry_bytes;
        for (uint32_t s = 0; s < count; s++) {
            bool is_other = other < search->costs[s];
            search->from[(size_t)i * count + s] = (uint16_t)(is_other ? best : s);
            search->costs[s] = is_other ? other : search->costs[s];
        }
        count_votes(search, i);
    }
    // From its end back; what held from each address on takes the place of what held before.
    uint32_t at = cheapest(search);
    for (uint32_t i = search->addr_count; i-- > 0;) {
        uint32_t before = search->from[(size_t)i * count + at];
        search->from[(size_t)i * count] = (uint16_t)at;
        at = before;
    }
    uint32_t found = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i <= search->addr_count; i++) {
        bool is_end = i == search->addr_count;
        uint32_t shift = is_end ? 0 : search->shifts[search->from[(size_t)i * count]].shift;
        if (shift != last) {
            uint32_t addr = search->votes->list[is_end ? search->votes->count - 1 : search->firsts[i]].addr + (is_end ? 1 : 0);
            if (found < room) {
                moves[found] = (molt_delta_move_t){ addr, shift };
            }
            found++;
        }
        last = shift;
    }
    return found;
}

int moves_find(molt_delta_move_t *moves, uint32_t *count, uint32_t room, votes_t *votes) {
    search_t search = { .votes = votes };
    *count = 0;
    if (votes->is_full || votes->count == 0) {
        return votes->is_full ? -1 : 0;
    }
    qsort(votes->list, votes->count, sizeof *votes->list, by_addr);
    search.shifts = malloc((votes->count + 1) * sizeof *search.shifts);
    search.firsts = malloc((votes->count + 1) * sizeof *search.firsts);
    bool is_full = search.shifts == NULL || search.firsts == NULL;
    for (uint32_t i = 0; i < votes->count && !is_full; i++) {
        if (i == 0 || votes->list[i].addr != votes->list[i - 1].addr) {
            search.firsts[search.addr_count++] = i;
        }
    }
    if (!is_full) {
        search.firsts[search.addr_count] = votes->count;
        search.shift_count = list_shifts(search.shifts, votes);
        search.costs = malloc(search.shift_count * sizeof *search.costs);
        search.from = malloc((size_t)search.addr_count * search.shift_count * sizeof *search.from);
        is_full = search.costs == NULL || search.from == NULL;
    }
    uint32_t found = 0;
    float entry_bytes = ENTRY_BYTES;
    while (!is_full && entry_bytes < ENTRY_BYTES_MAX) {
        found = find_way(&search, entry_bytes, moves, room);
        if (found <= room) {
            *count = found;
            break;
        }
        entry_bytes *= ENTRY_BYTES_STEP;
    }
    free(search.shifts);
    free(search.firsts);
    free(search.costs);
    free(search.from);
    return is_full ? -1 : 0;
}
