// Finding the filesystem in a dump. Each of its two first blocks is a superblock block, which names itself and states
// the size of the volume; either may be damaged.

#include "dumpfs.h"

#include <string.h>

#include "dump.h"
#include "esp32.h"
#include "molt/error.h"
#include "say.h"

// Flash callbacks after which one fails, so that no loop in a damaged filesystem is without end. The largest upgrade
// needs less than a hundredth of it.
#define CALLS_MAX 50000000

void dumpfs_power_on(dumpfs_t *dump) {
    sim_nor_power_on(&dump->nor);
    dump->nor.fail_call = CALLS_MAX;
}

static int count_block(void *ctx, lfs2_block_t block) {
    (void)block;
    ++*(uint32_t *)ctx;
    return 0;
}

// How well a filesystem in `region` makes sense: 0 not at all, 1 it mounts, more: its blocks are in order, and it ends
// where one usually does.
static int rate(dumpfs_t *dump, const molt_region_t *region) {
    uint32_t size = dump->nor.flash.geometry.size;
    if (region->addr >= size || region->size > size - region->addr
        || molt_volume_mount(&dump->volume, &dump->nor.flash, region, 0, false) != 0) {
        return 0;
    }
    uint32_t block_count = 0;
    int err = lfs2_fs_traverse(&dump->volume.lfs, count_block, &block_count);
    molt_volume_unmount(&dump->volume);
    return 1 + 2 * (err == 0) + (region->addr + region->size == size - DUMPFS_SYSTEM_SIZE);
}

static bool has_superblock(const dumpfs_t *dump, uint32_t addr, molt_region_t *region, uint32_t *block_size) {
    return molt_volume_find(&dump->nor.flash, addr, region, block_size) == 0;
}

// The filesystem one of whose superblock blocks is at `addr`. If both are sound it is plain that this is the first,
// for they are found in this order; of a single one both are tried.
static bool find_at(dumpfs_t *dump, uint32_t addr) {
    molt_region_t first;
    molt_region_t other;
    uint32_t block_size;
    uint32_t other_size;
    if (!has_superblock(dump, addr, &first, &block_size)) {
        return false;
    }
    molt_region_t before = { addr - block_size, first.size };
    int first_rate = rate(dump, &first);
    int before_rate = 0;
    if (addr >= block_size && !has_superblock(dump, addr + block_size, &other, &other_size)) {
        before_rate = rate(dump, &before);
    }
    dump->fs = before_rate > first_rate ? before : first;
    return first_rate > 0 || before_rate > 0;
}

bool dumpfs_find_at(dumpfs_t *dump, uint32_t addr) {
    return (find_at(dump, addr) || find_at(dump, addr + 4096)) && dump->fs.addr == addr;
}

// Of several (the user's own sectors can hold one, too) the one that reaches up to the system sectors, else the first.
bool dumpfs_find(dumpfs_t *dump) {
    molt_region_t best = { 0, 0 };
    int best_rate = 0;
    for (uint32_t addr = 0; addr < dump->nor.flash.geometry.size; addr += 4096) {
        if (!find_at(dump, addr)) {
            continue;
        }
        int found_rate = rate(dump, &dump->fs);
        if (found_rate > best_rate) {
            best = dump->fs;
            best_rate = found_rate;
        }
        addr = dump->fs.addr + dump->fs.size - 4096;
    }
    dump->fs = best;
    return best_rate > 0;
}

// The size that the superblocks of a filesystem from `addr` on state, or 0.
static uint32_t stated_size(const dumpfs_t *dump, uint32_t addr) {
    molt_region_t region;
    uint32_t block_size;
    if (has_superblock(dump, addr, &region, &block_size)) {
        return region.size;
    }
    for (uint32_t size = 4096; size <= 0x10000; size *= 2) {
        if (has_superblock(dump, addr + size, &region, &block_size) && block_size == size) {
            return region.size;
        }
    }
    return 0;
}

// The filesystem at the place that the user names. 0, or 1 after having said what is wrong.
static int take_named(dumpfs_t *dump, const args_t *args) {
    uint32_t size = dump->nor.flash.geometry.size;
    uint32_t start = args->fs_start;
    if (!args->has_fs_start) {
        if (!dumpfs_find(dump)) {
            return say_fail("%s: no littlefs in it; name its place with --fs-start, or read the chip again", dump->path);
        }
        start = dump->fs.addr;
    }
    dump->fs = (molt_region_t){ start, args->fs_size ? args->fs_size : stated_size(dump, start) };
    if (start >= size || dump->fs.size > size - start) {
        return say_fail("%s: a filesystem of %s does not fit at 0x%x, the chip ends at 0x%x; correct --fs-start and --fs-size",
            dump->path, say_size(dump->fs.size).text, start, size);
    }
    int err = dump->fs.size ? molt_volume_mount(&dump->volume, &dump->nor.flash, &dump->fs, 0, false) : MOLT_ERR_CORRUPT;
    if (err) {
        return say_fail(err == MOLT_ERR_NOTSUP
                ? "%s: the littlefs at 0x%x is not of that size, or of an unknown version; correct --fs-start and --fs-size"
                : "%s: no littlefs at 0x%x; leave --fs-start out to look for it",
            dump->path, start);
    }
    molt_volume_unmount(&dump->volume);
    return 0;
}

int dumpfs_open_raw(dumpfs_t *dump, const char *path) {
    char text[512];
    *dump = (dumpfs_t){ .path = path };
    if (sim_dump_load(&dump->nor, path, text, sizeof text) != 0) {
        return say_fail("%s", text);
    }
    uint32_t size = dump->nor.flash.geometry.size;
    dump->is_esp32 = esp32_look(dump->nor.bytes, size, &dump->chip, &dump->boot_addr);
    dump->system.size = dump->is_esp32 ? 0 : DUMPFS_SYSTEM_SIZE;
    dump->system.addr = size - dump->system.size;
    dumpfs_power_on(dump);
    return 0;
}

static void find_kept(dumpfs_t *dump) {
    molt_map_t map;
    molt_map_evidence_t evidence = { .flash_size = dump->nor.flash.geometry.size, .fs = dump->fs };
    dump->kept[0] = dump->system;
    dump->kept_count = molt_map_detect(&map, &evidence) == 0 ? molt_map_kept(&map, dump->kept) : 1;
}

int dumpfs_open(dumpfs_t *dump, const args_t *args, bool writes) {
    if (dumpfs_open_raw(dump, args->positional[0])) {
        return 1;
    }
    if (args->has_fs_start || args->fs_size) {
        if (take_named(dump, args)) {
            return 1;
        }
    } else if (!dumpfs_find(dump)) {
        return say_fail("%s: no littlefs in it that can be mounted; name its place with --fs-start, or read the chip again",
            dump->path);
    }
    if (writes && dump->fs.addr + dump->fs.size > dump->system.addr) {
        return say_fail("%s: the filesystem (0x%06x to 0x%06x) reaches into the five system sectors from 0x%06x on; make it "
                        "anew, smaller", dump->path, dump->fs.addr, dump->fs.addr + dump->fs.size, dump->system.addr);
    }
    find_kept(dump);
    dumpfs_power_on(dump);
    return 0;
}

void dumpfs_close(dumpfs_t *dump) {
    sim_nor_free(&dump->nor);
}

int dumpfs_mount(dumpfs_t *dump, bool is_writable) {
    int err = molt_volume_mount(&dump->volume, &dump->nor.flash, &dump->fs, 0, is_writable);
    return err ? say_fail("%s: the filesystem at 0x%x cannot be mounted; read the chip again", dump->path, dump->fs.addr) : 0;
}

int dumpfs_save(const dumpfs_t *dump) {
    char text[512];
    return sim_dump_save(&dump->nor, dump->path, text, sizeof text) == 0 ? 0 : say_fail("%s", text);
}
