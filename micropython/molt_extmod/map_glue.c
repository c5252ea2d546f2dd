// The flash map on the device: which one it has, for C and for molt_map.py, and the place of native code.

#include "map_glue.h"

#include <string.h>

#include "base/md5.h"
#include "device.h"
#include "image/image.h"
#include "molt/error.h"
#include "py/runtime.h"
#include "upgrade_obj.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE

// The linker scripts' own: what esp.flash_user_start() is made of. Their addresses are the values.
extern uint8_t _firmware_size[];
#if MICROPY_VFS_ROM_IOCTL
extern uint8_t _micropy_hw_romfs_part0_size[];
#define ROMFS_SIZE _micropy_hw_romfs_part0_size
#else
#define ROMFS_SIZE NULL
#endif

// The mark by which molt tells, before an upgrade, for which flash map an image is made: this firmware's own. It is read
// from where it lies, so that it is there.
static const volatile struct {
    uint32_t words[4];
    const uint8_t *firmware_size;
    const uint8_t *romfs_size;
} map_mark = { MOLT_IMAGE_MARK(~), _firmware_size, ROMFS_SIZE };

// The filesystem where flashbdev.py has it: to the system sectors. Size 0 where that is nowhere.
static molt_region_t port_fs(uint32_t flash_size) {
    molt_map_t stock;
    uint32_t addr = molt_map_port_fs_addr((uint32_t)(uintptr_t)map_mark.firmware_size + (uint32_t)(uintptr_t)map_mark.romfs_size);
    if (molt_map_find(&stock, "stock", flash_size) != 0 || stock.regions[MOLT_MAP_KIND_FILESYSTEM].size == 0
        || addr >= stock.regions[MOLT_MAP_KIND_SYSTEM].addr) {
        return (molt_region_t){ 0, 0 };
    }
    return (molt_region_t){ addr, stock.regions[MOLT_MAP_KIND_SYSTEM].addr - addr };
}

// Where the firmware that begins at `addr` ends: behind the MD5 that follows the bytes which its size word counts.
static int find_firmware_end(const molt_flash_t *flash, uint32_t addr, uint32_t *end) {
    uint32_t size;
    int err = flash->read(flash->ctx, addr + MOLT_IMAGE_MICROPYTHON_SIZE_OFF, &size, sizeof size);
    *end = size > MOLT_MAP_MAPPED_SIZE ? 0 : addr + size + MOLT_MD5_SIZE;
    return err;
}

int molt_device_map(molt_map_t *map, const molt_region_t *fs) {
    molt_flash_t flash;
    molt_device_flash(&flash);
    molt_map_evidence_t evidence = {
        .flash_size = flash.geometry.size,
        .fs = fs ? *fs : port_fs(flash.geometry.size),
        .has_romfs = map_mark.romfs_size != NULL,
    };
    int err = molt_map_detect(map, &evidence);
    if (!err) {
        err = find_firmware_end(&flash, map->regions[MOLT_MAP_KIND_FIRMWARE].addr, &evidence.firmware_end);
    }
    return err ? err : molt_map_detect(map, &evidence);
}

// (name, (kind, address, size), ...) from the beginning of flash to its end.
static mp_obj_t map_tuple(const molt_map_t *map) {
    mp_obj_t items[2 * MOLT_MAP_KIND_COUNT + 2];
    uint32_t count = 0;
    molt_map_piece_t piece;
    items[count++] = mp_obj_new_str(map->name, strlen(map->name));
    for (uint32_t addr = 0; molt_map_next(map, addr, &piece); addr += piece.region.size) {
        const char *kind = molt_map_kind_name(piece.kind);
        mp_obj_t fields[] = {
            mp_obj_new_str_via_qstr(kind, strlen(kind)),
            MP_OBJ_NEW_SMALL_INT(piece.region.addr),
            MP_OBJ_NEW_SMALL_INT(piece.region.size),
        };
        items[count++] = mp_obj_new_tuple(MP_ARRAY_SIZE(fields), fields);
    }
    return mp_obj_new_tuple(count, items);
}

// map([filesystem address, its size]) -> (name, (kind, address, size), ...)
static mp_obj_t molt_map(size_t n_args, const mp_obj_t *args) {
    molt_map_t map;
    molt_region_t fs = { 0, 0 };
    if (n_args == 2) {
        fs = (molt_region_t){ (uint32_t)mp_obj_get_int(args[0]), (uint32_t)mp_obj_get_int(args[1]) };
    }
    int err = molt_device_map(&map, n_args == 2 ? &fs : NULL);
    if (err) {
        molt_raise(err, "the filesystem's place does not go with the flash size in the image header and the firmware's size");
    }
    return map_tuple(&map);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(molt_map_obj, 0, 2, molt_map);

// map_find(name, flash size) -> as map(), of the table; None if there is no such map
static mp_obj_t molt_find(mp_obj_t name_in, mp_obj_t size_in) {
    molt_map_t map;
    int err = molt_map_find(&map, mp_obj_str_get_str(name_in), (uint32_t)mp_obj_get_int(size_in));
    return err ? mp_const_none : map_tuple(&map);
}
MP_DEFINE_CONST_FUN_OBJ_2(molt_map_find_obj, molt_find);

// programmed(addr, size) -> bytes in sectors that are not erased
static mp_obj_t molt_programmed(mp_obj_t addr_in, mp_obj_t size_in) {
    molt_flash_t flash;
    uint32_t words[64];
    uint32_t addr = (uint32_t)mp_obj_get_int(addr_in);
    uint32_t end = addr + (uint32_t)mp_obj_get_int(size_in);
    uint32_t count = 0;
    molt_device_flash(&flash);
    for (; addr < end; addr += SECTOR) {
        bool is_blank = true;
        for (uint32_t off = 0; off < SECTOR && is_blank; off += sizeof words) {
            if (flash.read(flash.ctx, addr + off, words, sizeof words) != 0) {
                molt_raise(MOLT_ERR_IO, "flash cannot be read");
            }
            for (uint32_t i = 0; i < MP_ARRAY_SIZE(words); i++) {
                is_blank = is_blank && words[i] == 0xffffffff;
            }
        }
        count += is_blank ? 0 : SECTOR;
        molt_device_feed();
    }
    return MP_OBJ_NEW_SMALL_INT(count);
}
MP_DEFINE_CONST_FUN_OBJ_2(molt_programmed_obj, molt_programmed);

#if MICROPY_EMIT_XTENSA || MICROPY_EMIT_INLINE_XTENSA

// The port calls esp_native_code_init() at each reset, before _boot.py: native code goes to IRAM, of which some 1.8 KB
// are left. Where the map has a place for it, it goes there, by the port's own esp.set_native_code_location(); boot.py
// can choose otherwise. (The linker's --wrap leads the port's call here.)
extern const mp_obj_module_t esp_module;
void __real_esp_native_code_init(void);
void __wrap_esp_native_code_init(void);

void __wrap_esp_native_code_init(void) {
    molt_map_t map;
    __real_esp_native_code_init();
    if (molt_device_map(&map, NULL) != 0 || !map.is_molt || map.regions[MOLT_MAP_KIND_NATIVE].size == 0) {
        return;
    }
    mp_map_elem_t *set = mp_map_lookup(
        &esp_module.globals->map, MP_OBJ_NEW_QSTR(MP_QSTR_set_native_code_location), MP_MAP_LOOKUP);
    nlr_buf_t nlr;
    if (set != NULL && nlr_push(&nlr) == 0) {
        mp_call_function_2(set->value, MP_OBJ_NEW_SMALL_INT(map.regions[MOLT_MAP_KIND_NATIVE].addr),
            MP_OBJ_NEW_SMALL_INT(map.regions[MOLT_MAP_KIND_NATIVE].size));
        nlr_pop();
    }
}

#endif
