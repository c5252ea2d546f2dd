// A flash of 1 MB in memory with a littlefs and an image on it, which examples/littlefs.c upgrades from: what check compiles the
// single files with. Prints TAP.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "molt.h"
#include "molt_esp8266.h"
#include "molt_lfs.h"

#define SIZE 0x100000u
#define SECTOR 4096u

int upgrade_from_littlefs(const molt_region_t *fs, lfs2_t *lfs, const char *path);

static uint8_t bytes[SIZE];

static int ram_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    memcpy(buf, bytes + addr, size);
    return 0;
}

static int ram_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    for (uint32_t i = 0; i < size; i++) {
        bytes[addr + i] &= ((const uint8_t *)buf)[i];
    }
    return 0;
}

static int ram_erase(void *ctx, uint32_t addr) {
    (void)ctx;
    memset(bytes + addr, 0xff, SECTOR);
    return 0;
}

extern const molt_flash_t board_flash;
const molt_flash_t board_flash = { NULL, { SIZE, SECTOR, 65536, 256 }, ram_read, ram_prog, ram_erase, NULL };

// An image with one segment in RAM and bytes behind it, in `image`.
static void make_image(uint8_t *image, uint32_t size, uint8_t seed) {
    static const uint8_t header[] = { 0xe9, 1, 2, 0x40, 0, 0, 0x10, 0x40, 0, 0, 0x10, 0x40, 16, 0, 0, 0 };
    memset(image, seed, size);
    memcpy(image, header, sizeof header);
    uint8_t checksum = 0xef;
    for (int i = 16; i < 32; i++) {
        checksum ^= image[i];
    }
    image[47] = checksum;
}

static int fail(const char *what) {
    printf("not ok 1 - %s\n1..1\n", what);
    return 1;
}

int main(void) {
    static uint8_t image[50000];
    static const molt_region_t fs = { 0x80000, 0x70000 };
    static molt_volume_t volume;
    static uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    static uint32_t sector[SECTOR / 4];
    const struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    memset(bytes, 0xff, sizeof bytes);
    make_image(bytes, sizeof image, 0x11);
    make_image(image, sizeof image, 0x22);
    if (molt_volume_format(&volume, &board_flash, &fs, SECTOR) != 0
        || lfs2_file_opencfg(&volume.lfs, &file, "firmware.bin", LFS2_O_WRONLY | LFS2_O_CREAT, &config) != 0
        || lfs2_file_write(&volume.lfs, &file, image, sizeof image) != (lfs2_ssize_t)sizeof image
        || lfs2_file_close(&volume.lfs, &file) != 0) {
        return fail("the filesystem is made");
    }
    if (upgrade_from_littlefs(&fs, &volume.lfs, "missing.bin") != MOLT_ERR_NOENT) {
        return fail("a file that is not there is told");
    }
    if (upgrade_from_littlefs(&fs, &volume.lfs, "firmware.bin") != 0) {
        return fail("the upgrade is prepared");
    }
    molt_status_t status;
    if (molt_status_read(&molt_esp8266, &board_flash, NULL, (uint8_t *)sector, &status) != 0 || !status.is_prepared
        || memcmp(bytes + 4, molt_esp8266.transient.image + 4, molt_esp8266.transient.size - 4) != 0) {
        return fail("the boot loader stands in the first sector, and the plan behind it");
    }
    printf("ok 1 - the program prepares an upgrade\n1..1\n");
    return 0;
}
