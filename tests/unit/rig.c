// A device under test.

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(size_t size) {
    void *p = malloc(size);
    if (p == NULL) {
        abort();
    }
    return p;
}

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

// The image's file from a device of this shape; where that has it in a gzip file or a delta file, from one that has not.
static void load_image(rig_t *rig) {
    molt_volume_t volume;
    molt_region_t fs = fixture_fs(rig->shape);
    fixture_shape_t plain = *rig->shape;
    sim_nor_t nor;
    plain.is_unpacked = true;
    fixture_device(&nor, &plain);
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    uint32_t size = rig->shape->image_size;
    uint32_t sector_size = rig->shape->geometry.sector_size;
    rig->image_end = (size + sector_size - 1) / sector_size * sector_size;
    rig->image = allocate(rig->image_end);
    memset(rig->image, 0xff, rig->image_end);
    require(molt_volume_mount(&volume, &nor.flash, &fs, 0, false) == 0);
    require(lfs2_file_opencfg(&volume.lfs, &file, FIXTURE_PATH, LFS2_O_RDONLY, &config) == 0);
    require(lfs2_file_read(&volume.lfs, &file, rig->image, size) == (lfs2_ssize_t)size);
    (void)lfs2_file_close(&volume.lfs, &file);
    molt_volume_unmount(&volume);
    sim_nor_free(&nor);
    memcpy(rig->image + 2, rig->nor.bytes + 2, 2);
}

void rig_init(rig_t *rig, const fixture_shape_t *shape) {
    molt_region_t fs = fixture_fs(shape);
    *rig = (rig_t){ .shape = shape };
    fixture_device(&rig->nor, shape);
    rig->device = (sim_device_t){ .nor = &rig->nor, .loader = fixture_loader(shape) };
    sim_upgrade_init(&rig->host, &rig->nor, &fs, FIXTURE_PATH);
    rig->host.target.transient = rig->device.loader;
    rig->host.target.extension = fixture_extension(shape);
    if (shape->reserved_addr) {
        rig->device.resident = fixture_resident(shape);
        rig->host.target.resident = rig->device.resident;
        rig->host.target.overlay = fixture_overlay(shape);
    }
    rig->original = allocate(shape->geometry.size);
    memcpy(rig->original, rig->nor.bytes, shape->geometry.size);
    load_image(rig);
}

void rig_free(rig_t *rig) {
    if (rig->nor.overwrite_count) {
        fprintf(stderr, "a 1 was programmed over a 0 at 0x%x; some chips store it\n", rig->nor.overwrite_addr);
        abort();
    }
    sim_upgrade_free(&rig->host);
    sim_nor_free(&rig->nor);
    free(rig->original);
    free(rig->image);
}

void rig_reset(rig_t *rig) {
    sim_nor_make_firm(&rig->nor);
    memcpy(rig->nor.bytes, rig->original, rig->shape->geometry.size);
    sim_nor_power_on(&rig->nor);
}

int rig_prepare(rig_t *rig) {
    sim_nor_power_on(&rig->nor);
    return sim_upgrade_prepare(&rig->host);
}

sim_outcome_t rig_start(rig_t *rig) {
    sim_nor_power_on(&rig->nor);
    return sim_device_start(&rig->device);
}

int rig_open_plan(const rig_t *rig, molt_plan_t *plan, uint8_t *sector) {
    memcpy(sector, rig->nor.bytes, rig->shape->geometry.sector_size);
    return molt_plan_open(plan, &rig->shape->geometry, sector);
}

int rig_put(rig_t *rig, const char *path, const void *bytes, uint32_t size) {
    molt_volume_t volume;
    molt_region_t fs = fixture_fs(rig->shape);
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    int err = molt_volume_mount(&volume, &rig->nor.flash, &fs, 0, true);
    if (!err) {
        err = lfs2_file_opencfg(&volume.lfs, &file, path, LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_TRUNC, &config);
    }
    if (err) {
        return err;
    }
    lfs2_ssize_t written = lfs2_file_write(&volume.lfs, &file, bytes, size);
    err = lfs2_file_close(&volume.lfs, &file);
    molt_volume_unmount(&volume);
    return written < 0 ? (int)written : err;
}

// Which one it is that wears out.
static rig_t *worn_rig;

static int worn_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    int err = worn_rig->good_prog(ctx, addr, buf, size);
    if (worn_rig->worn_addr - addr < size) {
        worn_rig->nor.bytes[worn_rig->worn_addr] |= worn_rig->worn_bits;
    }
    return err;
}

void rig_wear_out(rig_t *rig, uint32_t addr) {
    while ((rig->original[addr] & ~rig->image[addr]) == 0) {
        addr++;
    }
    rig->worn_addr = addr;
    rig->worn_bits = (uint8_t)(rig->original[addr] & ~rig->image[addr]);
    rig->good_prog = rig->nor.flash.prog;
    rig->nor.flash.prog = worn_prog;
    worn_rig = rig;
}

void rig_mend(rig_t *rig) {
    rig->nor.flash.prog = rig->good_prog;
}

bool rig_is_new(const rig_t *rig) {
    return memcmp(rig->nor.bytes, rig->image, rig->image_end) == 0;
}

bool rig_is_old(const rig_t *rig) {
    return memcmp(rig->nor.bytes, rig->original, rig->image_end) == 0;
}

bool rig_outside_is_same(const rig_t *rig) {
    uint32_t fs_addr = rig->shape->fs_addr;
    uint32_t fs_end = fs_addr + rig->shape->fs_size;
    return memcmp(rig->nor.bytes + rig->image_end, rig->original + rig->image_end, fs_addr - rig->image_end) == 0
           && memcmp(rig->nor.bytes + fs_end, rig->original + fs_end, rig->shape->geometry.size - fs_end) == 0;
}
