// Flash maps: that the table says what MicroPython's port computes, and what holds for every map in it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "map/map.h"
#include "molt/error.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE

// Computed at build time from MicroPython's sources, by tests/map/port_maps.py; nothing in it comes from molt.
typedef struct port_map {
    const char *name;
    uint32_t flash_size;
    uint32_t boot_size;
    uint32_t irom_end;
    uint32_t romfs_addr;
    uint32_t romfs_size;
    uint32_t user_start;
    uint32_t fs_addr;
    uint32_t fs_size;
} port_map_t;

static const port_map_t port_maps[] = {
#include "port_maps.h"
};

#define PORT_MAP_COUNT (sizeof port_maps / sizeof port_maps[0])

static uint32_t end_of(const molt_region_t *region) {
    return region->addr + region->size;
}

static void assert_region(const molt_region_t *region, uint32_t addr, uint32_t size) {
    assert_int_equal(region->size, size);
    if (size) {
        assert_int_equal(region->addr, addr);
    }
}

// Call `check` with every map that the table can make.
static uint32_t for_each_map(void (*check)(molt_map_t *map)) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < molt_map_count(); i++) {
        for (uint32_t size = MOLT_MAP_FLASH_SIZE_MIN; size <= MOLT_MAP_FLASH_SIZE_MAX; size *= 2) {
            if (molt_map_has_size(i, size)) {
                molt_map_t map;
                assert_int_equal(molt_map_find(&map, molt_map_name(i), size), 0);
                assert_string_equal(map.name, molt_map_name(i));
                check(&map);
                count++;
            }
        }
    }
    return count;
}

static void every_stock_map_is_what_the_port_computes(void **state) {
    (void)state;
    for (uint32_t i = 0; i < PORT_MAP_COUNT; i++) {
        const port_map_t *port = &port_maps[i];
        molt_map_t map;
        assert_int_equal(molt_map_find(&map, port->name, port->flash_size), 0);
        assert_region(&map.regions[MOLT_MAP_KIND_FILESYSTEM], port->fs_addr, port->fs_size);
        assert_region(&map.regions[MOLT_MAP_KIND_ROMFS], port->romfs_addr, port->romfs_size);
        assert_region(&map.regions[MOLT_MAP_KIND_BOOT], 0, port->boot_size);
        assert_int_equal(map.regions[MOLT_MAP_KIND_FIRMWARE].addr, port->boot_size);
        // The linker fills irom0 up to its end; molt's reserved sectors on a stock map are the last of it.
        uint32_t room_end = end_of(&map.regions[MOLT_MAP_KIND_FROZEN]) + map.regions[MOLT_MAP_KIND_RESERVED].size;
        assert_int_equal(room_end, port->irom_end);
        if (port->fs_size) {
            assert_int_equal(end_of(&map.regions[MOLT_MAP_KIND_FILESYSTEM]), map.regions[MOLT_MAP_KIND_SYSTEM].addr);
        }
        // What flashbdev.py leaves out for native code.
        uint32_t native_size = port->fs_size && port->user_start < port->fs_addr ? port->fs_addr - port->user_start : 0;
        assert_region(&map.regions[MOLT_MAP_KIND_NATIVE], port->user_start, native_size);
    }
}

static void a_stock_map_is_made_for_the_sizes_that_the_port_can_be_used_with(void **state) {
    (void)state;
    for (uint32_t i = 0; i < molt_map_count(); i++) {
        const char *name = molt_map_name(i);
        if (strncmp(name, "stock", 5) != 0 || strcmp(name, "stock-old") == 0) {
            continue;
        }
        for (uint32_t size = MOLT_MAP_FLASH_SIZE_MIN; size <= MOLT_MAP_FLASH_SIZE_MAX; size *= 2) {
            bool is_in_port = false;
            for (uint32_t p = 0; p < PORT_MAP_COUNT; p++) {
                is_in_port |= strcmp(port_maps[p].name, name) == 0 && port_maps[p].flash_size == size;
            }
            assert_int_equal(molt_map_has_size(i, size), is_in_port);
        }
    }
}

// Source: flashbdev.py of MicroPython 1.8: START_SEC = 0x89000 // SEC_SIZE, blocks up to size - 16384.
static void the_old_map_begins_at_0x89000_and_leaves_four_sectors(void **state) {
    (void)state;
    molt_map_t map;
    assert_int_equal(molt_map_find(&map, "stock-old", 0x400000), 0);
    assert_region(&map.regions[MOLT_MAP_KIND_FILESYSTEM], 0x89000, 0x400000 - 16384 - 0x89000);
    assert_region(&map.regions[MOLT_MAP_KIND_SYSTEM], 0x400000 - 16384, 16384);
}

static void check_sound(molt_map_t *map) {
    assert_int_equal(molt_map_check(map), MOLT_MAP_FINE);
    uint32_t addr = 0;
    uint32_t size = 0;
    molt_map_piece_t piece;
    for (; molt_map_next(map, addr, &piece); addr = end_of(&piece.region)) {
        assert_int_equal(piece.region.addr, addr);
        assert_true(piece.region.size > 0);
        size += piece.region.size;
    }
    assert_int_equal(size, map->flash_size);
}

static void every_map_is_sound_and_its_pieces_are_the_whole_flash(void **state) {
    (void)state;
    assert_int_equal(for_each_map(check_sound), 4 + 5 + 6 + 5 + 4 + 5 + 6);
}

static void check_split(molt_map_t *map) {
    uint32_t addr = map->regions[MOLT_MAP_KIND_FIRMWARE].addr;
    uint32_t room_end = end_of(&map->regions[MOLT_MAP_KIND_FROZEN]);
    assert_int_equal(molt_map_set_firmware(map, addr + 0x20001), 0);
    assert_int_equal(map->regions[MOLT_MAP_KIND_FIRMWARE].size, 0x21000);
    assert_region(&map->regions[MOLT_MAP_KIND_FROZEN], addr + 0x21000, room_end - addr - 0x21000);
    check_sound(map);
    assert_int_equal(molt_map_set_firmware(map, room_end), 0);
    assert_int_equal(map->regions[MOLT_MAP_KIND_FROZEN].size, 0);
    check_sound(map);
    if (map->regions[MOLT_MAP_KIND_RESERVED].addr != room_end || map->is_molt) {
        molt_map_t before = *map;
        assert_int_equal(molt_map_set_firmware(map, room_end + 1), MOLT_ERR_FBIG);
        assert_memory_equal(&before, map, sizeof before);
    }
}

static void what_the_firmware_leaves_is_the_frozen_modules(void **state) {
    (void)state;
    for_each_map(check_split);
}

static void a_firmware_that_needs_them_takes_the_reserved_sectors_of_a_stock_map(void **state) {
    (void)state;
    molt_map_t map;
    assert_int_equal(molt_map_find(&map, "stock-2M", 0x400000), 0);
    uint32_t reserved_end = end_of(&map.regions[MOLT_MAP_KIND_RESERVED]);
    assert_int_equal(molt_map_set_firmware(&map, map.regions[MOLT_MAP_KIND_RESERVED].addr + 1), 0);
    assert_int_equal(map.regions[MOLT_MAP_KIND_RESERVED].size, 0);
    assert_int_equal(end_of(&map.regions[MOLT_MAP_KIND_FROZEN]), reserved_end);
    check_sound(&map);
    assert_int_equal(molt_map_set_firmware(&map, reserved_end + 1), MOLT_ERR_FBIG);
}

static void check_molt(molt_map_t *map) {
    if (!map->is_molt || map->flash_size == MOLT_MAP_FLASH_SIZE_MIN) {
        return;
    }
    // Firmwares of MicroPython 1.26 with molt have some 670 KB for 1 MB of flash, 710 KB for more.
    assert_true(end_of(&map->regions[MOLT_MAP_KIND_FROZEN]) >= 720u * 1024);
    assert_int_equal(map->regions[MOLT_MAP_KIND_RESERVED].size, 8 * SECTOR);
    assert_true(map->regions[MOLT_MAP_KIND_USER].size >= 2 * SECTOR);
    assert_true(map->regions[MOLT_MAP_KIND_NATIVE].size >= 2 * SECTOR);
    assert_int_equal(map->regions[MOLT_MAP_KIND_SYSTEM].size, 5 * SECTOR);
    assert_int_equal(end_of(&map->regions[MOLT_MAP_KIND_FILESYSTEM]), map->regions[MOLT_MAP_KIND_SYSTEM].addr);
    // Nothing is left over.
    molt_map_piece_t piece;
    for (uint32_t addr = 0; molt_map_next(map, addr, &piece); addr = end_of(&piece.region)) {
        assert_int_not_equal(piece.kind, MOLT_MAP_KIND_UNUSED);
    }
}

static void molts_map_has_all_regions_and_leaves_nothing_over(void **state) {
    (void)state;
    for_each_map(check_molt);
}

static void molts_map_is_the_same_below_the_filesystem_for_2_mb_and_more(void **state) {
    (void)state;
    molt_map_t small;
    molt_map_t large;
    assert_int_equal(molt_map_find(&small, "molt", 0x200000), 0);
    assert_int_equal(molt_map_find(&large, "molt", 0x1000000), 0);
    for (uint32_t i = 0; i < MOLT_MAP_KIND_FILESYSTEM; i++) {
        assert_region(&large.regions[i], small.regions[i].addr, small.regions[i].size);
    }
    assert_int_equal(small.regions[MOLT_MAP_KIND_FILESYSTEM].addr, large.regions[MOLT_MAP_KIND_FILESYSTEM].addr);
}

static void check_detected(molt_map_t *map) {
    molt_map_evidence_t evidence = {
        .flash_size = map->flash_size,
        .fs = map->regions[MOLT_MAP_KIND_FILESYSTEM],
        .has_romfs = map->regions[MOLT_MAP_KIND_ROMFS].size != 0,
    };
    molt_map_t detected;
    if (evidence.fs.size) {
        assert_int_equal(molt_map_detect(&detected, &evidence), 0);
        assert_memory_equal(&detected, map, sizeof detected);
    }
}

static void every_map_is_detected_by_its_filesystem(void **state) {
    (void)state;
    for_each_map(check_detected);
}

static void without_a_filesystem_the_map_is_the_stock_one_of_the_size(void **state) {
    (void)state;
    static const char *const names[] = { "stock-512K", "stock-1M", "stock-2M", "stock-2M", "stock-2M", "stock-2M" };
    for (uint32_t i = 0; i < 6; i++) {
        molt_map_t map;
        molt_map_evidence_t evidence = { .flash_size = MOLT_MAP_FLASH_SIZE_MIN << i };
        assert_int_equal(molt_map_detect(&map, &evidence), 0);
        assert_string_equal(map.name, names[i]);
    }
}

static void a_filesystem_elsewhere_makes_a_map_that_claims_little(void **state) {
    (void)state;
    molt_map_t map;
    molt_map_evidence_t evidence = { .flash_size = 0x400000, .fs = { 0x80000, 0x300000 }, .firmware_end = 0x7a8f0 };
    assert_int_equal(molt_map_detect(&map, &evidence), 0);
    assert_string_equal(map.name, "other");
    assert_region(&map.regions[MOLT_MAP_KIND_FIRMWARE], 0, 0x7b000);
    assert_region(&map.regions[MOLT_MAP_KIND_FROZEN], 0x7b000, 0x5000);
    assert_region(&map.regions[MOLT_MAP_KIND_FILESYSTEM], 0x80000, 0x300000);
    assert_int_equal(map.regions[MOLT_MAP_KIND_RESERVED].size + map.regions[MOLT_MAP_KIND_NATIVE].size, 0);
    check_sound(&map);
    evidence.fs = (molt_region_t){ 0x200000, 0x1fb000 };
    assert_int_equal(molt_map_detect(&map, &evidence), 0);
    assert_int_equal(map.regions[MOLT_MAP_KIND_RESERVED].size, 8 * SECTOR);
    check_sound(&map);
}

static void a_romfs_of_unknown_size_is_left_alone(void **state) {
    (void)state;
    molt_map_t map;
    molt_map_evidence_t evidence = {
        .flash_size = 0x400000, .fs = { 0x180000, 0x200000 }, .firmware_end = 0xa0001, .has_romfs = true
    };
    assert_int_equal(molt_map_detect(&map, &evidence), 0);
    assert_int_equal(map.regions[MOLT_MAP_KIND_FROZEN].size, 0);
    assert_int_equal(map.regions[MOLT_MAP_KIND_RESERVED].size, 0);
    check_sound(&map);
}

static void a_filesystem_of_another_size_is_taken_as_it_is(void **state) {
    (void)state;
    molt_map_t map;
    molt_map_evidence_t evidence = { .flash_size = 0x400000, .fs = { 0x100000, 0x80000 } };
    assert_int_equal(molt_map_detect(&map, &evidence), 0);
    assert_region(&map.regions[MOLT_MAP_KIND_FILESYSTEM], 0x100000, 0x80000);
    check_sound(&map);
    evidence.fs.size = 0x300000 - 4 * SECTOR;
    assert_int_equal(molt_map_detect(&map, &evidence), 0);
    assert_int_equal(map.regions[MOLT_MAP_KIND_SYSTEM].size, 4 * SECTOR);
    check_sound(&map);
}

static void evidence_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    molt_map_t map;
    static const molt_map_evidence_t nonsense[] = {
        { .flash_size = 0x300000 },
        { .flash_size = 0x40000 },
        { .flash_size = 0x2000000 },
        { .flash_size = 0x400000, .fs = { 0, 0x1000 } },
        { .flash_size = 0x400000, .fs = { 0x100200, 0x1000 } },
        { .flash_size = 0x400000, .fs = { 0x100000, 0x300800 } },
        { .flash_size = 0x400000, .fs = { 0x100000, 0x301000 } },
        { .flash_size = 0x400000, .fs = { 0x400000, 0x1000 } },
        { .flash_size = 0x400000, .fs = { 0x80000, 0x1000 }, .firmware_end = 0x80001 },
        { .flash_size = 0x400000, .fs = { 0x80000, 0x1000 }, .firmware_end = 0xffffffff },
    };
    static const int errors[] = { MOLT_ERR_NOTSUP, MOLT_ERR_NOTSUP, MOLT_ERR_NOTSUP, MOLT_ERR_RANGE, MOLT_ERR_RANGE,
        MOLT_ERR_RANGE, MOLT_ERR_RANGE, MOLT_ERR_RANGE, MOLT_ERR_FBIG, MOLT_ERR_FBIG };
    for (uint32_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        assert_int_equal(molt_map_detect(&map, &nonsense[i]), errors[i]);
    }
}

static void an_upgrade_keeps_off_user_and_system_sectors_and_romfs(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint32_t flash_size;
        uint32_t count;
        molt_map_kind_t kinds[MOLT_MAP_KEPT_MAX];
    } cases[] = {
        { "stock-2M", 0x400000, 1, { MOLT_MAP_KIND_SYSTEM } },
        { "stock-2M-ROMFS", 0x400000, 2, { MOLT_MAP_KIND_SYSTEM, MOLT_MAP_KIND_ROMFS } },
        { "molt", 0x80000, 1, { MOLT_MAP_KIND_SYSTEM } },
        { "molt", 0x100000, 3, { MOLT_MAP_KIND_SYSTEM, MOLT_MAP_KIND_USER, MOLT_MAP_KIND_RESERVED } },
        { "molt", 0x400000, 3, { MOLT_MAP_KIND_SYSTEM, MOLT_MAP_KIND_USER, MOLT_MAP_KIND_RESERVED } },
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        molt_map_t map;
        molt_region_t kept[MOLT_MAP_KEPT_MAX];
        assert_int_equal(molt_map_find(&map, cases[i].name, cases[i].flash_size), 0);
        assert_int_equal(molt_map_kept(&map, kept), cases[i].count);
        for (uint32_t k = 0; k < cases[i].count; k++) {
            assert_memory_equal(&kept[k], &map.regions[cases[i].kinds[k]], sizeof kept[k]);
        }
    }
}

static void a_name_or_size_that_is_not_there_is_refused(void **state) {
    (void)state;
    molt_map_t map;
    assert_int_equal(molt_map_find(&map, "stock-3M", 0x400000), MOLT_ERR_NOENT);
    assert_int_equal(molt_map_find(&map, "", 0x400000), MOLT_ERR_NOENT);
    assert_int_equal(molt_map_find(&map, "stock-2M", 0x100000), MOLT_ERR_NOTSUP);
    assert_int_equal(molt_map_find(&map, "molt", 0x300000), MOLT_ERR_NOTSUP);
    assert_int_equal(molt_map_find(&map, "stock", 0), MOLT_ERR_NOTSUP);
    assert_int_equal(molt_map_find(&map, "stock", 0x400000), 0);
    assert_string_equal(map.name, "stock-2M");
}

static void each_defect_is_seen(void **state) {
    (void)state;
    static const struct {
        molt_map_kind_t kind;
        molt_region_t region;
        molt_map_defect_t defect;
    } cases[] = {
        { MOLT_MAP_KIND_USER, { 0x100800, SECTOR }, MOLT_MAP_UNALIGNED },
        { MOLT_MAP_KIND_USER, { 0x100000, 100 }, MOLT_MAP_UNALIGNED },
        { MOLT_MAP_KIND_USER, { 0x400000, SECTOR }, MOLT_MAP_OUTSIDE },
        { MOLT_MAP_KIND_SYSTEM, { 0x3fb000, 0xfffff000 }, MOLT_MAP_OUTSIDE },
        { MOLT_MAP_KIND_USER, { 0x3fb000, SECTOR }, MOLT_MAP_OVERLAP },
        { MOLT_MAP_KIND_USER, { 0xff000, 2 * SECTOR }, MOLT_MAP_OVERLAP },
        { MOLT_MAP_KIND_NATIVE, { 0xfc000, 8 * SECTOR }, MOLT_MAP_OVERLAP },
        { MOLT_MAP_KIND_SYSTEM, { 0, 0 }, MOLT_MAP_NO_SYSTEM },
        { MOLT_MAP_KIND_SYSTEM, { 0x3fb000, SECTOR }, MOLT_MAP_NO_SYSTEM },
    };
    molt_map_t map;
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(molt_map_find(&map, "molt", 0x400000), 0);
        map.regions[cases[i].kind] = cases[i].region;
        assert_int_equal(molt_map_check(&map), cases[i].defect);
        assert_true(strlen(molt_map_defect_text(cases[i].defect)) > 10);
    }
    assert_int_equal(molt_map_find(&map, "molt", 0x400000), 0);
    map.regions[MOLT_MAP_KIND_USER].size = 0;
    map.regions[MOLT_MAP_KIND_NATIVE].size += SECTOR;
    assert_int_equal(molt_map_check(&map), MOLT_MAP_UNMAPPED);
}

static void every_kind_has_a_name_of_its_own(void **state) {
    (void)state;
    for (uint32_t i = 0; i <= MOLT_MAP_KIND_TABLE; i++) {
        for (uint32_t j = 0; j < i; j++) {
            assert_string_not_equal(molt_map_kind_name((molt_map_kind_t)i), molt_map_kind_name((molt_map_kind_t)j));
        }
    }
    assert_string_equal(molt_map_kind_name((molt_map_kind_t)(MOLT_MAP_KIND_TABLE + 1)), "unused");
}

static void every_defect_has_a_text_of_its_own(void **state) {
    (void)state;
    for (uint32_t i = 0; i <= MOLT_MAP_SAME_LABEL + 1; i++) {
        for (uint32_t j = 0; j < i; j++) {
            assert_string_not_equal(molt_map_defect_text((molt_map_defect_t)i), molt_map_defect_text((molt_map_defect_t)j));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stock_map_is_what_the_port_computes),
        cmocka_unit_test(a_stock_map_is_made_for_the_sizes_that_the_port_can_be_used_with),
        cmocka_unit_test(the_old_map_begins_at_0x89000_and_leaves_four_sectors),
        cmocka_unit_test(every_map_is_sound_and_its_pieces_are_the_whole_flash),
        cmocka_unit_test(what_the_firmware_leaves_is_the_frozen_modules),
        cmocka_unit_test(a_firmware_that_needs_them_takes_the_reserved_sectors_of_a_stock_map),
        cmocka_unit_test(molts_map_has_all_regions_and_leaves_nothing_over),
        cmocka_unit_test(molts_map_is_the_same_below_the_filesystem_for_2_mb_and_more),
        cmocka_unit_test(every_map_is_detected_by_its_filesystem),
        cmocka_unit_test(without_a_filesystem_the_map_is_the_stock_one_of_the_size),
        cmocka_unit_test(a_filesystem_elsewhere_makes_a_map_that_claims_little),
        cmocka_unit_test(a_romfs_of_unknown_size_is_left_alone),
        cmocka_unit_test(a_filesystem_of_another_size_is_taken_as_it_is),
        cmocka_unit_test(evidence_that_makes_no_sense_is_refused),
        cmocka_unit_test(an_upgrade_keeps_off_user_and_system_sectors_and_romfs),
        cmocka_unit_test(a_name_or_size_that_is_not_there_is_refused),
        cmocka_unit_test(each_defect_is_seen),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
        cmocka_unit_test(every_defect_has_a_text_of_its_own),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
