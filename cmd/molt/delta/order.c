// Each sector that is written destroys an old one. Where that is still read, by the sector itself or by one that comes later, it is
// stashed right before, in the lowest slot that is free, and the slot is free again behind its last reader.

#include "order.h"

#include <stdlib.h>
#include <string.h>

typedef struct needs {
    uint32_t count;  // sectors: the larger one of both images
    uint32_t new_count;
    const bool *is_equal;
    bool *reads;  // [new sector * count + old sector]
} needs_t;

bool order_is_equal(const order_images_t *images, uint32_t sector) {
    uint32_t begin = sector * images->sector_size;
    uint32_t end = begin + images->sector_size < images->new_size ? begin + images->sector_size : images->new_size;
    return end <= images->old_size && memcmp(images->old_bytes + begin, images->new_bytes + begin, end - begin) == 0;
}

static void find_reads(needs_t *needs, const cover_list_t *list, uint32_t sector_size) {
    for (uint32_t i = 0; i < list->count; i++) {
        const cover_t *cover = &list->covers[i];
        uint32_t piece;
        for (uint32_t off = 0; off < cover->size; off += piece) {
            uint32_t new_off = cover->new_off + off;
            uint32_t old_off = cover->old_off + off;
            uint32_t new_left = sector_size - new_off % sector_size;
            uint32_t old_left = sector_size - old_off % sector_size;
            piece = new_left < old_left ? new_left : old_left;
            piece = piece < cover->size - off ? piece : cover->size - off;
            uint32_t sector = new_off / sector_size;
            // The first sector is made before, and the old one is kept elsewhere.
            if (sector != 0 && !needs->is_equal[sector] && old_off >= sector_size) {
                needs->reads[sector * needs->count + old_off / sector_size] = true;
            }
        }
    }
}

// How many sectors, `left` of which are not written yet, read the old one.
static uint32_t reader_count(const needs_t *needs, const bool *left, uint32_t old_sector) {
    uint32_t count = 0;
    for (uint32_t i = 1; i < needs->new_count; i++) {
        count += left[i] && needs->reads[i * needs->count + old_sector];
    }
    return count;
}

// State of a walk through an order.
typedef struct walk {
    const needs_t *needs;
    bool *left;      // sectors that are to be written
    uint8_t *slots;  // of each old sector: its slot + 1, or 0
    bool is_taken[MOLT_DELTA_SLOTS_MAX];
    order_t *order;
} walk_t;

static bool write_sector(walk_t *walk, uint32_t sector) {
    const needs_t *needs = walk->needs;
    order_t *order = walk->order;
    if (reader_count(needs, walk->left, sector) != 0) {
        uint32_t slot = 0;
        while (slot < MOLT_DELTA_SLOTS_MAX && walk->is_taken[slot]) {
            slot++;
        }
        if (slot == MOLT_DELTA_SLOTS_MAX) {
            return false;
        }
        walk->is_taken[slot] = true;
        walk->slots[sector] = (uint8_t)(slot + 1);
        order->slot_count = slot + 1 > order->slot_count ? slot + 1 : order->slot_count;
        order->ops[order->op_count++] = (molt_delta_op_t)(sector | (slot + 1) << 10);
    }
    order->ops[order->op_count++] = (molt_delta_op_t)sector;
    order->write_count++;
    walk->left[sector] = false;
    for (uint32_t old = 1; old < needs->count; old++) {
        if (walk->slots[old] && needs->reads[sector * needs->count + old] && reader_count(needs, walk->left, old) == 0) {
            walk->is_taken[walk->slots[old] - 1] = false;
            walk->slots[old] = 0;
        }
    }
    return true;
}

// What writing this sector next costs: slots that are taken, less those that come free; then whether it is stashed at all.
static int32_t cost_of(const walk_t *walk, uint32_t sector) {
    const needs_t *needs = walk->needs;
    bool reads_itself = needs->reads[sector * needs->count + sector];
    uint32_t readers = reader_count(needs, walk->left, sector);
    int32_t cost = readers > reads_itself ? 2 : 0;
    for (uint32_t old = 1; old < needs->count; old++) {
        if (walk->slots[old] && needs->reads[sector * needs->count + old] && reader_count(needs, walk->left, old) == 1) {
            cost -= 2;
        }
    }
    return cost + (readers != 0);
}

static uint32_t cheapest(const walk_t *walk) {
    uint32_t best = 0;
    int32_t best_cost = 0;
    for (uint32_t i = walk->needs->new_count - 1; i > 0; i--) {
        if (walk->left[i]) {
            int32_t cost = cost_of(walk, i);
            if (best == 0 || cost < best_cost) {
                best = i;
                best_cost = cost;
            }
        }
    }
    return best;
}

typedef enum way { WAY_DOWN, WAY_UP, WAY_GREEDY, WAY_COUNT } way_t;

// The order of one way. 0; 1 if it needs too many slots; -1 where there is not enough memory.
static int go(order_t *order, const needs_t *needs, way_t way) {
    walk_t walk = { .needs = needs, .order = order };
    *order = (order_t){ .ops = malloc(2 * needs->new_count * sizeof *order->ops) };
    walk.left = calloc(needs->new_count, sizeof *walk.left);
    walk.slots = calloc(needs->count, 1);
    int result = order->ops && walk.left && walk.slots ? 0 : -1;
    for (uint32_t i = 1; result == 0 && i < needs->new_count; i++) {
        walk.left[i] = !needs->is_equal[i];
    }
    for (uint32_t i = 1; result == 0 && i < needs->new_count; i++) {
        uint32_t sector = way == WAY_UP ? i : way == WAY_DOWN ? needs->new_count - i : cheapest(&walk);
        if (sector && walk.left[sector] && !write_sector(&walk, sector)) {
            result = 1;
        }
    }
    free(walk.left);
    free(walk.slots);
    return result;
}

static bool is_better(const order_t *a, const order_t *b) {
    return b->ops == NULL || a->op_count < b->op_count || (a->op_count == b->op_count && a->slot_count < b->slot_count);
}

static int find_best(order_t *best, const needs_t *needs) {
    int result = 0;
    *best = (order_t){ 0 };
    for (way_t way = 0; way < WAY_COUNT && result >= 0; way++) {
        order_t order;
        result = go(&order, needs, way);
        if (result == 0 && is_better(&order, best)) {
            free(best->ops);
            *best = order;
        } else {
            free(order.ops);
        }
    }
    return result < 0 ? result : best->ops ? 0 : 1;
}

int order_find(order_t *order, const order_images_t *images, const cover_list_t *list) {
    uint32_t new_count = (images->new_size + images->sector_size - 1) / images->sector_size;
    uint32_t old_count = (images->old_size + images->sector_size - 1) / images->sector_size;
    uint32_t count = new_count > old_count ? new_count : old_count;
    bool *is_equal = calloc(count, sizeof *is_equal);
    needs_t needs = { count, new_count, is_equal, calloc((size_t)new_count * count, sizeof *needs.reads) };
    int result = is_equal && needs.reads ? 0 : -1;
    if (result == 0) {
        for (uint32_t i = 0; i < new_count; i++) {
            is_equal[i] = order_is_equal(images, i);
        }
        find_reads(&needs, list, images->sector_size);
        result = find_best(order, &needs);
    }
    free(is_equal);
    free(needs.reads);
    return result;
}
