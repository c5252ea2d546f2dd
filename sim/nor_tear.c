// What a power cut leaves behind, and what weak cells read like.

#include <stdlib.h>
#include <string.h>

#include "nor_parts.h"

#define ERASE_MAX 65536u

// A range as it would be, had the operation been done.
typedef struct goal {
    uint8_t *bytes;
    uint8_t *weak;
} goal_t;

uint32_t sim_next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

uint32_t sim_nor_random(const sim_nor_t *nor, uint32_t salt) {
    uint32_t x = nor->seed * 2654435761u ^ nor->chance ^ (salt + 1) * 40503u;
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    x ^= x >> 16;
    return x ? x : 1;
}

void sim_nor_note_weak(sim_nor_t *nor, uint32_t addr, uint32_t size) {
    uint32_t sector_size = nor->flash.geometry.sector_size;
    for (uint32_t sector = addr / sector_size; sector <= (addr + size - 1) / sector_size; sector++) {
        const uint8_t *weak = nor->weak + (size_t)sector * sector_size;
        bool has_weak = weak[0] != 0 || memcmp(weak, weak + 1, sector_size - 1) != 0;
        nor->weak_sector_count += has_weak;
        nor->weak_sector_count -= nor->has_weak[sector];
        nor->has_weak[sector] = has_weak;
    }
}

// What one byte becomes by the whole operation. A weak cell over which a 1 is programmed stays as it is.
static uint8_t goal_byte(uint8_t now, const uint8_t *data, uint32_t i) {
    return data ? now & data[i] : 0xff;
}

static uint8_t goal_weak(uint8_t weak, const uint8_t *data, uint32_t i) {
    return data ? weak & data[i] : 0;
}

void sim_nor_do(sim_nor_t *nor, uint32_t addr, const uint8_t *data, uint32_t size) {
    uint8_t *bytes = nor->bytes + addr;
    if (data == NULL) {
        memset(bytes, 0xff, size);
    } else {
        for (uint32_t off = 0; off < size; off += 4) {
            uint32_t stored, wanted;
            memcpy(&stored, bytes + off, 4);
            memcpy(&wanted, data + off, 4);
            stored &= wanted;
            memcpy(bytes + off, &stored, 4);
        }
    }
    if (nor->stuck_addr - addr < size) {
        nor->bytes[nor->stuck_addr] |= nor->stuck_mask;
    }
    if (nor->weak_sector_count) {
        for (uint32_t i = 0; i < size; i++) {
            nor->weak[addr + i] = goal_weak(nor->weak[addr + i], data, i);
        }
        sim_nor_note_weak(nor, addr, size);
    }
}

static bool changes(const sim_nor_t *nor, uint32_t addr, const goal_t *goal, uint32_t bit) {
    uint32_t i = bit / 8;
    uint32_t changed = (uint32_t)(nor->bytes[addr + i] ^ goal->bytes[i]) | (uint32_t)(nor->weak[addr + i] ^ goal->weak[i]);
    return (changed >> bit % 8 & 1) != 0;
}

// A bit of the range that the operation changes, by chance: of an erase any bit. -1 if it changes none.
static int64_t choose_bit(
    const sim_nor_t *nor, uint32_t addr, const goal_t *goal, uint32_t size, bool is_erase, uint32_t *random) {
    uint32_t count = 0;
    if (is_erase) {
        return sim_next_random(random) % (size * 8);
    }
    for (uint32_t bit = 0; bit < size * 8; bit++) {
        count += changes(nor, addr, goal, bit);
    }
    uint32_t left = count ? sim_next_random(random) % count + 1 : 0;
    for (uint32_t bit = 0; left && bit < size * 8; bit++) {
        left -= changes(nor, addr, goal, bit);
        if (left == 0) {
            return bit;
        }
    }
    return -1;
}

// All is done but for one bit, which did not change; or is weak.
static void tear_all_but_one(sim_nor_t *nor, uint32_t addr, const goal_t *goal, uint32_t size, bool is_erase, uint32_t random) {
    int64_t bit = choose_bit(nor, addr, goal, size, is_erase, &random);
    uint8_t *bytes = nor->bytes + addr;
    uint8_t *weak = nor->weak + addr;
    uint32_t i = bit < 0 ? 0 : (uint32_t)bit / 8;
    uint8_t mask = (uint8_t)(bit < 0 ? 0 : 1u << bit % 8);
    uint8_t old_byte = is_erase ? 0 : bytes[i];
    uint8_t old_weak = is_erase ? 0 : weak[i];
    memcpy(bytes, goal->bytes, size);
    memcpy(weak, goal->weak, size);
    if (nor->cut_tear == SIM_TEAR_MARGINAL) {
        weak[i] |= mask;
    } else {
        bytes[i] = (uint8_t)((bytes[i] & ~mask) | (old_byte & mask));
        weak[i] = (uint8_t)((weak[i] & ~mask) | (old_weak & mask));
    }
}

static void tear_by_coins(sim_nor_t *nor, uint32_t addr, const goal_t *goal, uint32_t size, uint32_t random) {
    for (uint32_t i = 0; i < size; i++) {
        uint8_t done = (uint8_t)(sim_next_random(&random) >> 11);
        uint8_t *byte = nor->bytes + addr + i;
        uint8_t *weak = nor->weak + addr + i;
        *byte = (uint8_t)((*byte & ~done) | (goal->bytes[i] & done));
        *weak = (uint8_t)((*weak & ~done) | (goal->weak[i] & done));
    }
}

static void tear_into_weak(sim_nor_t *nor, uint32_t addr, const goal_t *goal, uint32_t size, bool is_erase) {
    for (uint32_t i = 0; i < size; i++) {
        uint8_t *weak = nor->weak + addr + i;
        *weak |= is_erase ? 0xff : (uint8_t)(nor->bytes[addr + i] ^ goal->bytes[i]);
    }
}

// The whole page is erased, and some of what it was to hold is in it.
static void tear_page(sim_nor_t *nor, uint32_t addr, const goal_t *goal, uint32_t size, uint32_t random) {
    uint32_t page_size = nor->flash.geometry.page_size;
    uint32_t begin = addr / page_size * page_size;
    bool is_blank = sim_next_random(&random) % 4 == 0;
    sim_nor_save(nor, begin, page_size);
    memcpy(nor->bytes + addr, goal->bytes, size);
    for (uint32_t i = begin; i < begin + page_size; i++) {
        nor->bytes[i] |= is_blank ? 0xff : (uint8_t)(sim_next_random(&random) >> 11);
        nor->weak[i] = 0;
    }
}

static void tear(sim_nor_t *nor, uint32_t addr, const goal_t *goal, uint32_t size, bool is_erase) {
    uint32_t random = sim_nor_random(nor, (uint32_t)nor->op_count);
    uint32_t half = size / 2;
    uint32_t first = nor->cut_tear == SIM_TEAR_SUFFIX ? half : 0;
    uint32_t count = nor->cut_tear == SIM_TEAR_AFTER ? size : nor->cut_tear == SIM_TEAR_SUFFIX ? size - half : half;
    switch (nor->cut_tear) {
        case SIM_TEAR_AFTER:
        case SIM_TEAR_PREFIX:
        case SIM_TEAR_SUFFIX:
            memcpy(nor->bytes + addr + first, goal->bytes + first, count);
            memcpy(nor->weak + addr + first, goal->weak + first, count);
            break;
        case SIM_TEAR_RANDOM:
            tear_by_coins(nor, addr, goal, size, random);
            break;
        case SIM_TEAR_STRAY:
        case SIM_TEAR_MARGINAL:
            tear_all_but_one(nor, addr, goal, size, is_erase, random);
            break;
        case SIM_TEAR_WEAK:
            tear_into_weak(nor, addr, goal, size, is_erase);
            break;
        case SIM_TEAR_ZERO:
            if (is_erase) {
                memset(nor->bytes + addr, 0, size);
                memset(nor->weak + addr, 0, size);
            }
            break;
        case SIM_TEAR_PAGE:
            if (is_erase) {
                tear_by_coins(nor, addr, goal, size, random);
            } else {
                tear_page(nor, addr, goal, size, random);
            }
            break;
        case SIM_TEAR_BEFORE:
        case SIM_TEAR_NAME_COUNT:
            break;
    }
}

void sim_nor_tear(sim_nor_t *nor, uint32_t addr, const uint8_t *data, uint32_t size) {
    static uint8_t goal_bytes[ERASE_MAX];
    static uint8_t goal_weaks[ERASE_MAX];
    const goal_t goal = { goal_bytes, goal_weaks };
    if (size > ERASE_MAX) {
        abort();
    }
    for (uint32_t i = 0; i < size; i++) {
        goal_bytes[i] = goal_byte(nor->bytes[addr + i], data, i);
        goal_weaks[i] = goal_weak(nor->weak[addr + i], data, i);
    }
    tear(nor, addr, &goal, size, data == NULL);
    sim_nor_note_weak(nor, addr, size);
    nor->chance = sim_nor_random(nor, (uint32_t)nor->op_count * SIM_TEAR_NAME_COUNT + nor->cut_tear);
}

static void toss_sector(sim_nor_t *nor, uint32_t sector, uint32_t *random) {
    uint32_t sector_size = nor->flash.geometry.sector_size;
    sim_nor_save(nor, sector * sector_size, sector_size);
    for (uint32_t i = sector * sector_size; i < (sector + 1) * sector_size; i++) {
        if (nor->weak[i]) {
            uint8_t coins = (uint8_t)(sim_next_random(random) >> 11);
            nor->bytes[i] = (uint8_t)((nor->bytes[i] & ~nor->weak[i]) | (coins & nor->weak[i]));
        }
    }
}

void sim_nor_toss(sim_nor_t *nor) {
    uint32_t sector_count = nor->flash.geometry.size / nor->flash.geometry.sector_size;
    nor->chance = sim_nor_random(nor, 0);
    uint32_t random = nor->chance;
    for (uint32_t sector = 0, left = nor->weak_sector_count; left && sector < sector_count; sector++) {
        if (nor->has_weak[sector]) {
            toss_sector(nor, sector, &random);
            left--;
        }
    }
}

void sim_nor_make_firm(sim_nor_t *nor) {
    uint32_t sector_size = nor->flash.geometry.sector_size;
    for (uint32_t addr = 0; nor->weak_sector_count && addr < nor->flash.geometry.size; addr += sector_size) {
        if (nor->has_weak[addr / sector_size]) {
            sim_nor_save(nor, addr, sector_size);
            memset(nor->weak + addr, 0, sector_size);
            sim_nor_note_weak(nor, addr, sector_size);
        }
    }
}

static const char *const tear_names[SIM_TEAR_NAME_COUNT] = { "before", "after", "prefix", "suffix", "random", "stray", "zero",
    "weak", "marginal", "page" };

const char *sim_tear_name(sim_tear_t tear) {
    return (unsigned)tear < SIM_TEAR_NAME_COUNT ? tear_names[tear] : NULL;
}

int sim_tear_parse(const char *name) {
    for (int i = 0; i < SIM_TEAR_NAME_COUNT; i++) {
        if (strcmp(name, tear_names[i]) == 0) {
            return i;
        }
    }
    return -1;
}
