// What the C engine makes of a flash file, for test_stock.py: what the Python engine wrote is to be the same, byte for byte.
//
//   same_job FLASH FS_ADDR FS_SIZE PATH [erase_all] [fallback=PATH]
//   same_job FLASH install ADDR | uninstall | confirm
//
// Without resident mode FLASH holds the firmware's own first sector, the image at PATH and molt.head, which is written already;
// sector 0 becomes the boot sector, and nothing else changes. Refused, with its sentence and status 1, where molt.head is not
// byte for byte what the job would have saved. In resident mode plan, overlay, extension and record go into the reserved region; with
// a fallback for a trial of two starts.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/geometry.h"
#include "molt/error.h"
#include "molt/resident.h"
#include "molt_esp8266.h"
#include "sim_upgrade.h"

#define TRIAL_STARTS 2u

static int prepare(sim_upgrade_t *host) {
    molt_lfs_source_t head;
    int err = sim_upgrade_plan(host);
    if (!err) {
        err = molt_lfs_source_open(&head, NULL, &host->volume, SIM_HEAD_PATH);
    }
    err = err ? err : molt_job_store(&host->job, &head.source);
    return err ? err : molt_job_commit(&host->job, 0);
}

static int prepare_dump(sim_nor_t *nor, const molt_flash_t *flash, int count, char **words) {
    sim_upgrade_t host;
    char text[400];
    molt_region_t fs = { (uint32_t)strtoul(words[0], NULL, 0), (uint32_t)strtoul(words[1], NULL, 0) };
    uint32_t reserved_addr;
    sim_upgrade_init(&host, nor, &fs, words[2]);
    for (int i = 3; i < count; i++) {
        host.options.erase_all = host.options.erase_all || strcmp(words[i], "erase_all") == 0;
        if (strncmp(words[i], "fallback=", 9) == 0) {
            host.fallback_path = words[i] + 9;
            host.trial_starts = TRIAL_STARTS;
        }
    }
    // There the simulated firmware does what a device does; without, molt.head is the device's.
    int err = molt_resident_find(flash, &reserved_addr) == 0 ? sim_upgrade_prepare(&host) : prepare(&host);
    if (err) {
        sim_upgrade_text(&host, err, text, sizeof text);
        printf("%d %s\n", err, text);
    }
    sim_upgrade_free(&host);
    return err;
}

static int confirm(const molt_flash_t *flash) {
    uint32_t reserved_addr;
    int err = molt_resident_find(flash, &reserved_addr);
    return err ? err : molt_resident_confirm(flash, reserved_addr);
}

static int carry_out(sim_nor_t *nor, int count, char **words) {
    static uint32_t sector[1024];
    const molt_flash_t *flash = &nor->flash;
    if (strcmp(words[0], "install") == 0 && count == 2) {
        molt_region_t reserved = { (uint32_t)strtoul(words[1], NULL, 0), MOLT_RESERVED_SECTOR_COUNT * 4096u };
        return molt_resident_install(flash, &reserved, &molt_esp8266.resident, &molt_esp8266.overlay, (uint8_t *)sector);
    }
    if (strcmp(words[0], "uninstall") == 0) {
        return molt_resident_uninstall(flash, (uint8_t *)sector);
    }
    if (strcmp(words[0], "confirm") == 0) {
        return confirm(flash);
    }
    return count >= 3 ? prepare_dump(nor, flash, count, words) : MOLT_ERR_INVAL;
}

int main(int argc, char **argv) {
    sim_nor_t nor;
    FILE *file = argc >= 3 ? fopen(argv[1], "r+b") : NULL;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return 2;
    }
    uint32_t size = (uint32_t)ftell(file);
    rewind(file);
    const molt_geometry_t geometry = { size, 4096, 65536, 256 };
    if (sim_nor_init(&nor, &geometry) || fread(nor.bytes, 1, size, file) != size) {
        return 2;
    }
    int err = carry_out(&nor, argc - 2, argv + 2);
    if (err) {
        printf("error %d\n", err);
    }
    rewind(file);
    if (!err && fwrite(nor.bytes, 1, size, file) != size) {
        return 2;
    }
    sim_nor_free(&nor);
    return fclose(file) || err ? 1 : 0;
}
