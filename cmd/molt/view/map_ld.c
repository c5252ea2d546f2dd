// A flash map as a linker script of MicroPython's esp8266 port.

#include "map_view.h"

// The memories of the chip that are no flash, and where flash is seen. The image's head (36 KB: header and what is loaded
// into RAM) stands before irom0. Source: ports/esp8266/boards/esp8266_2MiB.ld of MicroPython.
#define FLASH_VADDR 0x40200000u
#define HEAD_SIZE 0x9000u

void map_view_ld(FILE *out, const survey_t *survey) {
    const molt_map_t *map = &survey->map;
    const molt_region_t *firmware = &map->regions[MOLT_MAP_KIND_FIRMWARE];
    const molt_region_t *frozen = &map->regions[MOLT_MAP_KIND_FROZEN];
    uint32_t irom_addr = firmware->addr + HEAD_SIZE;
    uint32_t irom_end = frozen->addr + frozen->size;
    uint32_t fs_addr = map->regions[MOLT_MAP_KIND_FILESYSTEM].addr;
    // flashbdev.py begins a sector later where it begins in the mapped part.
    uint32_t user_start = fs_addr < map->mapped_size ? fs_addr - MOLT_MAP_SECTOR_SIZE : fs_addr;
    fprintf(out,
        "/* Linker script for MicroPython on an ESP8266 with the flash map \"%s\".\n"
        "   Made from molt's table of flash maps: make docs. Do not edit it.\n\n",
        map->name);
    molt_map_piece_t piece;
    for (uint32_t addr = 0; molt_map_next(map, addr, &piece); addr += piece.region.size) {
        if (piece.kind < MOLT_MAP_KIND_FILESYSTEM) {
            fprintf(out, "    0x%06x  %4uk  %s\n", piece.region.addr, piece.region.size / 1024, molt_map_kind_name(piece.kind));
        } else if (piece.kind == MOLT_MAP_KIND_FILESYSTEM) {
            fprintf(out, "    0x%06x         %s, up to the system sectors\n", piece.region.addr, molt_map_kind_name(piece.kind));
        }
    }
    fprintf(out,
        "*/\n\nMEMORY\n{\n"
        "    dport0_0_seg : org = 0x3ff00000, len = 16\n"
        "    dram0_0_seg :  org = 0x3ffe8000, len = 80K\n"
        "    iram1_0_seg :  org = 0x40100000, len = 32K\n"
        "    irom0_0_seg :  org = 0x%08x, len = 0x%x\n}\n\n",
        FLASH_VADDR + irom_addr, irom_end - irom_addr);
    fprintf(out,
        "/* common sections and symbols */\nINCLUDE boards/esp8266_common.ld\n\n"
        "/* esp.flash_user_start(), from which flashbdev.py takes the place of the filesystem; not the end of irom0,\n"
        "   as that file has it */\n_firmware_size = 0x%x;\n",
        user_start);
}
