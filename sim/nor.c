// The simulated NOR chip.

#include "nor.h"

#include <stdlib.h>
#include <string.h>

#include "molt/error.h"
#include "nor_parts.h"

static sim_nor_t *nor_of(void *ctx) {
    return ctx;
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
    if (nor->is_sheltered) {
        nor->counts.read_size += size;
        return 0;
    }
    if ((int64_t)nor->read_count == nor->misread && size) {
        uint32_t bit = sim_nor_random(nor, (uint32_t)nor->read_count + nor->misread_salt * 65599u) % (size * 8);
        ((uint8_t *)buf)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        nor->has_misread = true;
    }
    nor->read_count++;
    nor->counts.read_size += size;
    return 0;
}

static bool is_cut_now(sim_nor_t *nor) {
    nor->is_cut = nor->cut_op >= 0 && (int64_t)nor->op_count == nor->cut_op;
    return nor->is_cut;
}

// Nobody may program a 1 over a 0, unless that 0 is no firm one. Word by word: every program command comes here.
static void check_overwrite(sim_nor_t *nor, uint32_t addr, const uint8_t *data, uint32_t size) {
    for (uint32_t off = 0; off < size; off += 4) {
        uint32_t wanted, stored, weak;
        memcpy(&wanted, data + off, 4);
        memcpy(&stored, nor->bytes + addr + off, 4);
        memcpy(&weak, nor->weak + addr + off, 4);
        if (wanted & ~stored & ~weak) {
            nor->overwrite_count++;
            nor->overwrite_addr = addr + off;
        }
    }
}

// One program command.
static int prog_piece(sim_nor_t *nor, uint32_t addr, const uint8_t *data, uint32_t size) {
    if (nor->watch) {
        nor->watch(nor->watch_ctx, 'p', addr, data, size);
    }
    sim_nor_save(nor, addr, size);
    if (is_cut_now(nor)) {
        sim_nor_tear(nor, addr, data, size);
        return SIM_ERR_CUT;
    }
    sim_nor_do(nor, addr, data, size);
    nor->counts.prog_command_count += nor->piece_size ? 1 : sim_command_count(size);
    nor->counts.prog_size += size;
    nor->op_count++;
    return 0;
}

static int nor_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    sim_nor_t *nor = nor_of(ctx);
    uint32_t page_size = nor->flash.geometry.page_size;
    uint32_t piece_size = nor->piece_size ? nor->piece_size : page_size;
    int err = enter(nor);
    if (err) {
        return err;
    }
    if (check_range(nor, addr, size) || addr % 4 != 0 || size % 4 != 0 || size == 0
        || addr / page_size != (addr + size - 1) / page_size) {
        return MOLT_ERR_RANGE;
    }
    check_overwrite(nor, addr, buf, size);
    for (uint32_t off = 0; !err && off < size; off += piece_size) {
        uint32_t left = size - off;
        err = prog_piece(nor, addr + off, (const uint8_t *)buf + off, left < piece_size ? left : piece_size);
    }
    nor->counts.prog_count += err == 0;
    return err;
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
    sim_nor_save(nor, addr, size);
    for (uint32_t i = 0; i < size / sector_size; i++) {
        nor->wear[addr / sector_size + i]++;
    }
    if (is_cut_now(nor)) {
        sim_nor_tear(nor, addr, NULL, size);
        return SIM_ERR_CUT;
    }
    sim_nor_do(nor, addr, NULL, size);
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
    uint32_t sector_count = geometry->size / geometry->sector_size;
    *nor = (sim_nor_t){
        .flash = { nor, *geometry, nor_read, nor_prog, nor_erase_sector, nor_erase_block },
        .bytes = malloc(geometry->size),
        .weak = calloc(geometry->size, 1),
        .has_weak = calloc(sector_count, sizeof *nor->has_weak),
        .wear = calloc(sector_count, sizeof *nor->wear),
        .cut_op = -1,
        .misread = -1,
        .fail_call = -1,
    };
    if (nor->bytes == NULL || nor->weak == NULL || nor->has_weak == NULL || nor->wear == NULL) {
        sim_nor_free(nor);
        return MOLT_ERR_NOSPC;
    }
    memset(nor->bytes, 0xff, geometry->size);
    return 0;
}

void sim_nor_free(sim_nor_t *nor) {
    free(nor->bytes);
    free(nor->weak);
    free(nor->has_weak);
    free(nor->wear);
    nor->bytes = NULL;
    nor->weak = NULL;
    nor->has_weak = NULL;
    nor->wear = NULL;
}

void sim_nor_power_on(sim_nor_t *nor) {
    nor->cut_op = -1;
    nor->is_cut = false;
    nor->op_count = 0;
    nor->misread = -1;
    nor->has_misread = false;
    nor->read_count = 0;
    nor->fail_call = -1;
    nor->has_failed = false;
    nor->call_count = 0;
    sim_nor_toss(nor);
}
