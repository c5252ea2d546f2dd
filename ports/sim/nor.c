// The simulated NOR chip.

#include "nor.h"

#include <stdlib.h>
#include <string.h>

#include "molt/error.h"

// Sources: Winbond W25Q32JV (rev. H), GigaDevice GD25Q32C, Macronix MX25L3233F, ISSI IS25LP032: typical and maximum
// times of sector erase, 64 KB block erase, page program and byte program; one data line at 20 MHz for reading.
const sim_timing_t sim_timings[] = {
    { "W25Q32", 45000, 150000, 400, 30, 20 },
    { "W25Q32 max", 400000, 2000000, 3000, 50, 20 },
    { "GD25Q32", 50000, 200000, 600, 30, 20 },
    { "GD25Q32 max", 400000, 3000000, 2400, 50, 20 },
    { "MX25L3233F", 45000, 150000, 400, 30, 20 },
    { "IS25LP032", 25000, 70000, 400, 30, 20 },
    { NULL, 0, 0, 0, 0, 0 },
};

struct sim_undo {
    sim_undo_t *outer;
    uint32_t count;
    uint32_t room;
    uint32_t *sectors;
    uint8_t *copies;
    uint8_t *is_saved;  // a flag for each sector of the chip
};

static sim_nor_t *nor_of(void *ctx) {
    return ctx;
}

static void save_sector(sim_nor_t *nor, uint32_t sector) {
    sim_undo_t *undo = nor->undo;
    uint32_t sector_size = nor->flash.geometry.sector_size;
    if (undo == NULL || undo->is_saved[sector]) {
        return;
    }
    if (undo->count == undo->room) {
        undo->room = undo->room ? 2 * undo->room : 16;
        undo->sectors = realloc(undo->sectors, undo->room * sizeof *undo->sectors);
        undo->copies = realloc(undo->copies, (size_t)undo->room * sector_size);
        if (undo->sectors == NULL || undo->copies == NULL) {
            abort();
        }
    }
    undo->is_saved[sector] = 1;
    undo->sectors[undo->count] = sector;
    memcpy(undo->copies + (size_t)undo->count * sector_size, nor->bytes + (size_t)sector * sector_size, sector_size);
    undo->count++;
}

static void save_range(sim_nor_t *nor, uint32_t addr, uint32_t size) {
    uint32_t sector_size = nor->flash.geometry.sector_size;
    for (uint32_t sector = addr / sector_size; sector <= (addr + size - 1) / sector_size; sector++) {
        save_sector(nor, sector);
    }
}

void sim_nor_push(sim_nor_t *nor) {
    sim_undo_t *undo = calloc(1, sizeof *undo);
    if (undo != NULL) {
        undo->is_saved = calloc(nor->flash.geometry.size / nor->flash.geometry.sector_size, 1);
    }
    if (undo == NULL || undo->is_saved == NULL) {
        abort();
    }
    undo->outer = nor->undo;
    nor->undo = undo;
}

void sim_nor_pop(sim_nor_t *nor) {
    sim_undo_t *undo = nor->undo;
    uint32_t sector_size = nor->flash.geometry.sector_size;
    nor->undo = undo->outer;
    for (uint32_t i = 0; i < undo->count; i++) {
        memcpy(nor->bytes + (size_t)undo->sectors[i] * sector_size, undo->copies + (size_t)i * sector_size, sector_size);
    }
    free(undo->sectors);
    free(undo->copies);
    free(undo->is_saved);
    free(undo);
}

// A small generator (xorshift32) whose sequence depends only on the seed and the operation's number.
static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

// Leave `old` in the state of a torn operation that was to make it `new`.
static void tear_bytes(const sim_nor_t *nor, bool is_erase, uint8_t *old, const uint8_t *new, uint32_t size) {
    uint32_t random = (nor->seed + 1) * 2654435761u ^ ((uint32_t)nor->op_count + 1) * 40503u;
    random = random ? random : 1;
    switch (nor->cut_tear) {
        case SIM_TEAR_BEFORE:
            break;
        case SIM_TEAR_AFTER:
            memcpy(old, new, size);
            break;
        case SIM_TEAR_PREFIX:
            memcpy(old, new, size / 2);
            break;
        case SIM_TEAR_SUFFIX:
            memcpy(old + size / 2, new + size / 2, size - size / 2);
            break;
        case SIM_TEAR_RANDOM:
            for (uint32_t i = 0; i < size; i++) {
                uint8_t done = (uint8_t)(next_random(&random) >> 11);
                old[i] = (uint8_t)((old[i] & ~done) | (new[i] & done));
            }
            break;
        case SIM_TEAR_STRAY: {
            uint32_t at = next_random(&random) % size;
            uint8_t bit = (uint8_t)(1u << (next_random(&random) >> 9) % 8);
            uint8_t stray = (uint8_t)(is_erase ? new[at] & ~bit : (new[at] & ~bit) | (old[at] & bit));
            memcpy(old, new, size);
            old[at] = stray;
            break;
        }
        case SIM_TEAR_ZERO:
            if (is_erase) {
                memset(old, 0, size);
            }
            break;
        case SIM_TEAR_COUNT:
            break;
    }
}

// Every callback begins here: is there power, and does this call fail?
static int enter(sim_nor_t *nor) {
    if (nor->is_cut) {
        return SIM_ERR_CUT;
    }
    if ((int64_t)nor->call_count++ == nor->fail_call) {
        nor->has_failed = true;
        return MOLT_ERR_IO;
    }
    return 0;
}

static int check_range(const sim_nor_t *nor, uint32_t addr, uint32_t size) {
    bool inside = addr <= nor->flash.geometry.size && size <= nor->flash.geometry.size - addr;
    return inside ? 0 : MOLT_ERR_RANGE;
}

static int nor_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    sim_nor_t *nor = nor_of(ctx);
    int err = enter(nor);
    if (err) {
        return err;
    }
    if (check_range(nor, addr, size) || addr % 4 != 0 || size % 4 != 0) {
        return MOLT_ERR_RANGE;
    }
    memcpy(buf, nor->bytes + addr, size);
    nor->counts.read_size += size;
    return 0;
}

static bool is_cut_now(sim_nor_t *nor) {
    nor->is_cut = nor->cut_op >= 0 && (int64_t)nor->op_count == nor->cut_op;
    return nor->is_cut;
}

static int nor_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    sim_nor_t *nor = nor_of(ctx);
    uint32_t page_size = nor->flash.geometry.page_size;
    int err = enter(nor);
    if (err) {
        return err;
    }
    if (check_range(nor, addr, size) || addr % 4 != 0 || size % 4 != 0 || size == 0
        || addr / page_size != (addr + size - 1) / page_size) {
        return MOLT_ERR_RANGE;
    }
    if (nor->watch) {
        nor->watch(nor->watch_ctx, 'p', addr, buf, size);
    }
    save_range(nor, addr, size);
    uint8_t *old = nor->bytes + addr;
    const uint8_t *data = buf;
    if (is_cut_now(nor)) {
        uint8_t new[4096];
        for (uint32_t i = 0; i < size; i++) {
            new[i] = old[i] & data[i];
        }
        tear_bytes(nor, false, old, new, size);
        return SIM_ERR_CUT;
    }
    for (uint32_t i = 0; i < size; i++) {
        old[i] &= data[i];
    }
    nor->counts.prog_count++;
    nor->counts.prog_size += size;
    nor->op_count++;
    return 0;
}

static int erase(sim_nor_t *nor, uint32_t addr, uint32_t size, char kind) {
    uint32_t sector_size = nor->flash.geometry.sector_size;
    int err = enter(nor);
    if (err) {
        return err;
    }
    if (size == 0 || addr % size != 0 || check_range(nor, addr, size)) {
        return MOLT_ERR_RANGE;
    }
    if (nor->watch) {
        nor->watch(nor->watch_ctx, kind, addr, NULL, size);
    }
    save_range(nor, addr, size);
    for (uint32_t i = 0; i < size / sector_size; i++) {
        nor->wear[addr / sector_size + i]++;
    }
    if (is_cut_now(nor)) {
        static uint8_t ones[65536];
        memset(ones, 0xff, size);
        tear_bytes(nor, true, nor->bytes + addr, ones, size);
        return SIM_ERR_CUT;
    }
    memset(nor->bytes + addr, 0xff, size);
    nor->op_count++;
    return 0;
}

static int nor_erase_sector(void *ctx, uint32_t addr) {
    sim_nor_t *nor = nor_of(ctx);
    int err = erase(nor, addr, nor->flash.geometry.sector_size, 's');
    nor->counts.erase_sector_count += err == 0;
    return err;
}

static int nor_erase_block(void *ctx, uint32_t addr) {
    sim_nor_t *nor = nor_of(ctx);
    int err = erase(nor, addr, nor->flash.geometry.block_size, 'b');
    nor->counts.erase_block_count += err == 0;
    return err;
}

int sim_nor_init(sim_nor_t *nor, const molt_geometry_t *geometry) {
    *nor = (sim_nor_t){
        .flash = { nor, *geometry, nor_read, nor_prog, nor_erase_sector, nor_erase_block },
        .bytes = malloc(geometry->size),
        .wear = calloc(geometry->size / geometry->sector_size, sizeof *nor->wear),
        .cut_op = -1,
        .fail_call = -1,
    };
    if (nor->bytes == NULL || nor->wear == NULL) {
        sim_nor_free(nor);
        return MOLT_ERR_NOSPC;
    }
    memset(nor->bytes, 0xff, geometry->size);
    return 0;
}

void sim_nor_free(sim_nor_t *nor) {
    free(nor->bytes);
    free(nor->wear);
    nor->bytes = NULL;
    nor->wear = NULL;
}

void sim_nor_power_on(sim_nor_t *nor) {
    nor->cut_op = -1;
    nor->is_cut = false;
    nor->op_count = 0;
    nor->fail_call = -1;
    nor->has_failed = false;
    nor->call_count = 0;
}

uint64_t sim_time_us(const sim_counts_t *counts, const sim_timing_t *timing) {
    // A program of n bytes is taken to need its share of a page's time beyond the first byte's.
    uint64_t prog_us = counts->prog_count * timing->prog_byte_us
                       + counts->prog_size * (timing->prog_page_us - timing->prog_byte_us) / 256;
    return counts->erase_sector_count * timing->erase_sector_us + counts->erase_block_count * timing->erase_block_us
           + prog_us + counts->read_size * 8 / timing->read_bits_per_us;
}

static const char *const tear_names[SIM_TEAR_COUNT] = { "before", "after", "prefix", "suffix", "random", "stray", "zero" };

const char *sim_tear_name(sim_tear_t tear) {
    return (unsigned)tear < SIM_TEAR_COUNT ? tear_names[tear] : NULL;
}

int sim_tear_parse(const char *name) {
    for (int i = 0; i < SIM_TEAR_COUNT; i++) {
        if (strcmp(name, tear_names[i]) == 0) {
            return i;
        }
    }
    return -1;
}
