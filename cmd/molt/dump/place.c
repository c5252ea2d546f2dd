// Looking for filesystems. A littlefs has two superblock blocks at its beginning, which name themselves and state the size
// of the volume; either may be damaged, so that a single one can be the first or the second.

#include "place.h"

#include <stdio.h>
#include <string.h>

#include "map/map.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE

typedef struct search {
    places_t *places;
    const molt_flash_t *flash;
    molt_volume_t *volume;
    const place_hints_t *hints;
} search_t;

static uint32_t end_of(const molt_region_t *region) {
    return region->addr + region->size;
}

static bool overlaps(const molt_region_t *a, const molt_region_t *b) {
    return a->addr < end_of(b) && b->addr < end_of(a);
}

static bool begins_inside(const molt_region_t *inner, const molt_region_t *outer) {
    return inner->addr > outer->addr && inner->addr < end_of(outer);
}

// Whether some flash map has its filesystem at `addr`. The header may state a smaller flash than the dump has.
static bool is_known(const search_t *search, uint32_t addr) {
    for (uint32_t i = 0; search->hints->has_maps && i < molt_map_count(); i++) {
        for (uint32_t size = MOLT_MAP_FLASH_SIZE_MIN; size <= search->flash->geometry.size; size *= 2) {
            molt_map_t map;
            if (molt_map_has_size(i, size) && molt_map_find(&map, molt_map_name(i), size) == 0
                && map.regions[MOLT_MAP_KIND_FILESYSTEM].size && map.regions[MOLT_MAP_KIND_FILESYSTEM].addr == addr) {
                return true;
            }
        }
    }
    for (uint32_t i = 0; i < search->hints->known_count; i++) {
        if (search->hints->known[i] == addr) {
            return true;
        }
    }
    return addr != 0 && addr == search->hints->wanted;
}

static int count_block(void *ctx, lfs2_block_t block) {
    (void)block;
    ++*(uint32_t *)ctx;
    return 0;
}

// How well a littlefs in `region` makes sense: 0 not at all, 1 it mounts, 2 and its blocks are in order.
static uint32_t rate(const search_t *search, const molt_region_t *region) {
    uint32_t size = search->flash->geometry.size;
    if (region->addr >= size || region->size > size - region->addr
        || molt_volume_mount(search->volume, search->flash, region, 0, false) != 0) {
        return 0;
    }
    uint32_t block_count = 0;
    int err = lfs2_fs_traverse(&search->volume->lfs, count_block, &block_count);
    molt_volume_unmount(search->volume);
    return err == 0 ? 2 : 1;
}

static place_state_t state_of(uint32_t rating) {
    return rating ? PLACE_MOUNTS : PLACE_DAMAGED;
}

static bool has_superblock(const search_t *search, uint32_t addr, molt_region_t *region, uint32_t *block_size) {
    return molt_volume_find(search->flash, addr, region, block_size) == 0;
}

static void add(const search_t *search, const place_t *place) {
    places_t *places = search->places;
    uint32_t room = search->flash->geometry.size - place->region.addr;
    if (places->count == PLACES_MAX) {
        return;
    }
    place_t *item = &places->items[places->count++];
    *item = *place;
    item->region.size = item->region.size < room ? item->region.size : room;
    item->is_known = is_known(search, item->region.addr);
}

static void add_littlefs(const search_t *search, const place_t *place) {
    // A superblock alone that leads nowhere is left over from something, unless it is where one has to be.
    if (place->state == PLACE_MOUNTS || place->is_pair || is_known(search, place->region.addr)) {
        add(search, place);
    }
}

// Only one superblock block, at `at`: it is the first, or the second and the first is damaged. Shifted by one block a
// filesystem can seem to be in order, if its files are small. So of places that make as much sense the one that a map has is
// taken; two that nothing tells apart both stay, and so does one that a map has and that does not mount.
static void add_single(const search_t *search, const molt_region_t *at, uint32_t block_size) {
    molt_region_t before = { at->addr - block_size, at->size };
    bool has_room = at->addr >= block_size && before.addr >= search->hints->firmware_end;
    uint32_t at_rating = rate(search, at);
    uint32_t before_rating = has_room ? rate(search, &before) : 0;
    bool at_known = is_known(search, at->addr);
    bool before_known = has_room && is_known(search, before.addr);
    uint32_t at_score = 2 * at_rating + at_known;
    uint32_t before_score = 2 * before_rating + before_known;
    bool takes_before = has_room && (before_score >= at_score || (before_known && before_rating == 0));
    bool takes_at = at_score >= before_score || (at_known && at_rating == 0);
    bool is_rival = takes_before && takes_at;
    if (takes_before) {
        add_littlefs(search, &(place_t){ state_of(before_rating), before, block_size, false, is_rival, false });
    }
    if (takes_at) {
        add_littlefs(search, &(place_t){ state_of(at_rating), *at, block_size, false, is_rival, false });
    }
}

// Whether the block at `addr` is the second superblock block of a place that was found.
static bool is_second(const search_t *search, uint32_t addr) {
    for (uint32_t i = 0; i < search->places->count; i++) {
        const place_t *place = &search->places->items[i];
        if (place->is_pair && place->region.addr + place->block_size == addr) {
            return true;
        }
    }
    return false;
}

static void look_for_littlefs(const search_t *search, uint32_t addr) {
    molt_region_t region;
    molt_region_t other;
    uint32_t block_size;
    uint32_t other_size;
    if (!has_superblock(search, addr, &region, &block_size) || is_second(search, addr)) {
        return;
    }
    if (has_superblock(search, addr + block_size, &other, &other_size) && other_size == block_size) {
        add_littlefs(search, &(place_t){ state_of(rate(search, &region)), region, block_size, true, false, false });
    } else {
        add_single(search, &region, block_size);
    }
}

static uint32_t load16(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

// A FAT boot sector. Source: the FAT specification's BPB; oofatfs (MicroPython) names the type at 54 or 82.
static void look_for_fat(const search_t *search, uint32_t addr) {
    uint32_t words[512 / 4];
    const uint8_t *bytes = (const uint8_t *)words;
    enum { SECTOR_SIZE_OFF = 11, CLUSTER_OFF = 13, COUNT16_OFF = 19, COUNT32_OFF = 32, SIGNATURE_OFF = 510 };
    if (search->flash->read(search->flash->ctx, addr, words, sizeof words) != 0) {
        return;
    }
    uint32_t sector_size = load16(bytes + SECTOR_SIZE_OFF);
    uint32_t count = load16(bytes + COUNT16_OFF);
    count = count ? count : load16(bytes + COUNT32_OFF) | load16(bytes + COUNT32_OFF + 2) << 16;
    bool is_jump = bytes[0] == 0xeb || bytes[0] == 0xe9;
    bool is_size = sector_size >= 512 && sector_size <= 4096 && (sector_size & (sector_size - 1)) == 0;
    bool is_cluster = bytes[CLUSTER_OFF] && (bytes[CLUSTER_OFF] & (bytes[CLUSTER_OFF] - 1)) == 0;
    bool is_named = memcmp(bytes + 54, "FAT", 3) == 0 || memcmp(bytes + 82, "FAT", 3) == 0;
    if (is_jump && is_size && is_cluster && is_named && load16(bytes + SIGNATURE_OFF) == 0xaa55 && count
        && count <= search->flash->geometry.size / sector_size) {
        add(search, &(place_t){ PLACE_FAT, { addr, count * sector_size }, sector_size, true, false, false });
    }
}

// Whether the place is inside another one that mounts, and can be part of a file there: the beginning of a file is at the
// beginning of a block, its second block is not.
static bool is_content(const places_t *places, const place_t *place) {
    for (uint32_t i = 0; i < places->count; i++) {
        const place_t *outer = &places->items[i];
        if (outer->state == PLACE_MOUNTS && begins_inside(&place->region, &outer->region)) {
            return place->state != PLACE_MOUNTS || (!place->is_pair && !place->is_known && !place->is_rival);
        }
    }
    return false;
}

// Whether the place is in the user's own sectors of the map that a filesystem at another place makes it.
static bool is_users(const search_t *search, const place_t *place) {
    for (uint32_t i = 0; search->hints->has_maps && i < search->places->count; i++) {
        const place_t *main = &search->places->items[i];
        molt_map_t map;
        molt_map_evidence_t evidence = { .flash_size = search->flash->geometry.size, .fs = main->region };
        if (main->is_known && main->state == PLACE_MOUNTS && molt_map_detect(&map, &evidence) == 0) {
            const molt_region_t *user = &map.regions[MOLT_MAP_KIND_USER];
            if (place->region.addr >= user->addr && end_of(&place->region) <= end_of(user)) {
                return true;
            }
        }
    }
    return false;
}

// Whether the place can be the device's own filesystem, as far as nothing says which one is.
static bool contends(const search_t *search, const place_t *place) {
    return (place->state == PLACE_MOUNTS || place->is_known) && !is_content(search->places, place) && !is_users(search, place);
}

// The place in the state of the filesystem that was meant.
static place_verdict_t verdict_of(const place_t *place) {
    return place->state == PLACE_MOUNTS ? PLACES_ONE : place->state == PLACE_FAT ? PLACES_FAT : PLACES_DAMAGED;
}

// The firmware says where: it is there, or nowhere.
static void judge_wanted(const search_t *search) {
    places_t *places = search->places;
    places->verdict = PLACES_NONE;
    for (uint32_t i = 0; i < places->count; i++) {
        const place_t *place = &places->items[i];
        if (place->region.addr == places->wanted) {
            places->own = i;
            places->verdict = verdict_of(place);
            return;
        }
        if (places->verdict == PLACES_NONE && place->state == PLACE_MOUNTS && !is_content(places, place)) {
            places->other = i;
            places->verdict = PLACES_ELSEWHERE;
        }
    }
}

// Nothing says where. In the order of flash, so that what a map has comes before what is behind it.
static void judge(const search_t *search) {
    places_t *places = search->places;
    uint32_t contenders = 0;
    uint32_t hopeless = PLACES_MAX;
    for (uint32_t i = 0; i < places->count; i++) {
        const place_t *place = &places->items[i];
        if (contends(search, place)) {
            places->own = contenders == 0 ? i : places->own;
            places->other = contenders == 1 ? i : places->other;
            contenders++;
        } else if (hopeless == PLACES_MAX && !is_content(places, place)) {
            hopeless = i;
        }
    }
    if (contenders == 0 && hopeless < PLACES_MAX) {
        places->own = hopeless;
        contenders = 1;
    }
    places->verdict = contenders == 0 ? PLACES_NONE : contenders > 1 ? PLACES_SEVERAL : verdict_of(&places->items[places->own]);
}

void place_find(places_t *places, const molt_flash_t *flash, molt_volume_t *volume, const place_hints_t *hints) {
    search_t search = { places, flash, volume, hints };
    *places = (places_t){ .wanted = hints->wanted };
    for (uint32_t addr = hints->firmware_end / SECTOR * SECTOR; addr < flash->geometry.size; addr += SECTOR) {
        if (addr >= hints->firmware_end) {
            look_for_littlefs(&search, addr);
            look_for_fat(&search, addr);
        }
    }
    if (hints->wanted) {
        judge_wanted(&search);
    } else {
        judge(&search);
    }
}

const place_t *place_at(const places_t *places, uint32_t addr) {
    for (uint32_t i = 0; i < places->count; i++) {
        if (places->items[i].region.addr == addr) {
            return &places->items[i];
        }
    }
    return NULL;
}

const place_t *place_next_beside(const places_t *places, const molt_region_t *taken, uint32_t *index) {
    for (; *index < places->count; ++*index) {
        const place_t *place = &places->items[*index];
        bool is_one = place->state == PLACE_MOUNTS || place->is_pair;
        if (is_one && !is_content(places, place) && !overlaps(&place->region, taken)) {
            return place;
        }
    }
    return NULL;
}

void place_text(const places_t *places, char *text, uint32_t text_size) {
    uint32_t own = places->count ? places->items[places->own].region.addr : 0;
    uint32_t other = places->count ? places->items[places->other].region.addr : 0;
    switch (places->verdict) {
        case PLACES_ONE:
            break;
        case PLACES_NONE:
            if (places->wanted) {
                snprintf(text, text_size,
                    "no littlefs in it; the firmware makes one, at 0x%06x, when it starts for the first time", places->wanted);
            } else {
                snprintf(text, text_size,
                    "no littlefs in it that can be mounted; name its place with --fs-start, or read the chip "
                    "again");
            }
            return;
        case PLACES_DAMAGED:
            snprintf(text, text_size, "the littlefs at 0x%06x is damaged and cannot be mounted; read the chip again", own);
            return;
        case PLACES_FAT:
            snprintf(text, text_size,
                "the filesystem, at 0x%06x, is FAT, and molt works with littlefs only; copy the files off the "
                "device and make it one with vfs.VfsLfs2.mkfs()",
                own);
            return;
        case PLACES_ELSEWHERE:
            snprintf(text, text_size,
                "the firmware looks for its filesystem at 0x%06x, where there is none; there is a littlefs at "
                "0x%06x: if that is meant, say --fs-start 0x%06x",
                places->wanted, other, other);
            return;
        case PLACES_SEVERAL:
            snprintf(text, text_size,
                "there are two filesystems, at 0x%06x and at 0x%06x, and the firmware does not say which one it "
                "uses; name it with --fs-start",
                own, other);
            return;
    }
    text[0] = 0;
}
