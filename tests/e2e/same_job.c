// The C job on a flash file whose molt.head is written already: what the boot sector is to be, for test_stock.py.
//
//   same_job FLASH FS_ADDR FS_SIZE PATH [erase_all]
//
// FLASH holds the firmware's own first sector, the image at PATH and molt.head. Sector 0 becomes the boot sector, as the firmware
// with molt in it would write it; nothing else changes. Refused, with its sentence and status 1, where molt.head is not byte for
// byte what the job would have saved.

#include <stdio.h>
#include <stdlib.h>

#include "sim_upgrade.h"

static int prepare(sim_upgrade_t *host) {
    molt_lfs_source_t head;
    int err = sim_upgrade_plan(host);
    if (!err) {
        err = molt_lfs_source_open(&head, NULL, &host->volume, SIM_HEAD_PATH);
    }
    err = err ? err : molt_job_store(&host->job, &head.source);
    return err ? err : molt_job_commit(&host->job, 0);
}

static int prepare_dump(sim_nor_t *nor, char **words, bool erase_all) {
    sim_upgrade_t host;
    char text[400];
    molt_region_t fs = { (uint32_t)strtoul(words[2], NULL, 0), (uint32_t)strtoul(words[3], NULL, 0) };
    sim_upgrade_init(&host, nor, &fs, words[4]);
    host.options.erase_all = erase_all;
    int err = prepare(&host);
    if (err) {
        sim_upgrade_text(&host, err, text, sizeof text);
        printf("%d %s\n", err, text);
    }
    sim_upgrade_free(&host);
    return err;
}

int main(int argc, char **argv) {
    sim_nor_t nor;
    FILE *file = argc >= 5 ? fopen(argv[1], "r+b") : NULL;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return 2;
    }
    uint32_t size = (uint32_t)ftell(file);
    rewind(file);
    const molt_geometry_t geometry = { size, 4096, 65536, 256 };
    if (sim_nor_init(&nor, &geometry) || fread(nor.bytes, 1, size, file) != size) {
        return 2;
    }
    int err = prepare_dump(&nor, argv, argc > 5);
    rewind(file);
    if (!err && fwrite(nor.bytes, 1, size, file) != size) {
        return 2;
    }
    sim_nor_free(&nor);
    return fclose(file) || err ? 1 : 0;
}
