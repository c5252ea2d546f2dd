// Remembering a simulated chip, and going back to it.

#include <stdlib.h>
#include <string.h>

#include "nor_parts.h"

// A sector as it was.
typedef struct copy {
    uint32_t sector;
    bool has_weak;
} copy_t;

struct sim_undo {
    sim_undo_t *outer;
    uint32_t count;
    uint32_t room;
    copy_t *copies;
    uint8_t *bytes;  // of each copy: sector_size bytes, then as many of weak cells
    bool *is_saved;  // of each sector of the chip
};

static void *must(void *p) {
    if (p == NULL) {
        abort();
    }
    return p;
}

static void save_sector(sim_nor_t *nor, uint32_t sector) {
    sim_undo_t *undo = nor->undo;
    size_t size = nor->flash.geometry.sector_size;
    if (undo->is_saved[sector]) {
        return;
    }
    if (undo->count == undo->room) {
        undo->room = undo->room ? 2 * undo->room : 16;
        undo->copies = must(realloc(undo->copies, undo->room * sizeof *undo->copies));
        undo->bytes = must(realloc(undo->bytes, undo->room * 2 * size));
    }
    uint8_t *bytes = undo->bytes + undo->count * 2 * size;
    undo->is_saved[sector] = true;
    undo->copies[undo->count++] = (copy_t){ sector, nor->has_weak[sector] };
    memcpy(bytes, nor->bytes + sector * size, size);
    if (nor->has_weak[sector]) {
        memcpy(bytes + size, nor->weak + sector * size, size);
    }
}

void sim_nor_save(sim_nor_t *nor, uint32_t addr, uint32_t size) {
    uint32_t sector_size = nor->flash.geometry.sector_size;
    if (nor->undo == NULL) {
        return;
    }
    for (uint32_t sector = addr / sector_size; sector <= (addr + size - 1) / sector_size; sector++) {
        save_sector(nor, sector);
    }
}

void sim_nor_push(sim_nor_t *nor) {
    sim_undo_t *undo = must(calloc(1, sizeof *undo));
    undo->is_saved = must(calloc(nor->flash.geometry.size / nor->flash.geometry.sector_size, sizeof *undo->is_saved));
    undo->outer = nor->undo;
    nor->undo = undo;
}

static void bring_back(sim_nor_t *nor, const copy_t *copy, const uint8_t *bytes) {
    size_t size = nor->flash.geometry.sector_size;
    uint8_t *weak = nor->weak + copy->sector * size;
    memcpy(nor->bytes + copy->sector * size, bytes, size);
    if (copy->has_weak) {
        memcpy(weak, bytes + size, size);
    } else if (nor->has_weak[copy->sector]) {
        memset(weak, 0, size);
    }
    nor->weak_sector_count += copy->has_weak;
    nor->weak_sector_count -= nor->has_weak[copy->sector];
    nor->has_weak[copy->sector] = copy->has_weak;
}

void sim_nor_pop(sim_nor_t *nor) {
    sim_undo_t *undo = nor->undo;
    nor->undo = undo->outer;
    for (uint32_t i = 0; i < undo->count; i++) {
        bring_back(nor, &undo->copies[i], undo->bytes + (size_t)i * 2 * nor->flash.geometry.sector_size);
    }
    free(undo->copies);
    free(undo->bytes);
    free(undo->is_saved);
    free(undo);
}
