// The template as a whole device, on a host: its boot code, a firmware that upgrades itself, and a look at what came of it. Replace
// it by your chip.

#include <stdio.h>
#include <string.h>

#include "flash.h"
#include "loader.h"
#include "molt/molt.h"
#include "molt_template.h"

#define IMAGE_SIZE 30000u
#define SECTOR 4096u

static uint8_t image[IMAGE_SIZE];
static uint32_t sector[SECTOR / 4], work[1024 / 4];
static molt_job_memory_t memory;

// An image with one segment of 16 bytes in RAM, and mapped bytes behind it.
static void make_image(uint8_t fill) {
    static const uint8_t header[] = { 0xe9, 1, 2, 0x40, 0, 0, 0x10, 0x40, 0, 0, 0x10, 0x40, 16, 0, 0, 0 };
    memset(image, fill, sizeof image);
    memcpy(image, header, sizeof header);
    image[47] = 0xef;
    for (int i = 16; i < 32; i++) {
        image[47] ^= image[i];
    }
}

// Write the image at `addr`, as a download would. 0 or the driver's error.
static int put_image(uint32_t addr) {
    const molt_flash_t *flash = &molt_template_flash;
    int err = 0;
    for (uint32_t off = 0; !err && off < IMAGE_SIZE; off += 256) {
        uint32_t page[256 / 4];
        memset(page, 0xff, sizeof page);
        memcpy(page, image + off, IMAGE_SIZE - off < 256 ? IMAGE_SIZE - off : 256);
        err = off % SECTOR ? 0 : flash->erase_sector(flash->ctx, addr + off);
        err = err ? err : flash->prog(flash->ctx, addr + off, page, 256);
    }
    return err;
}

// The firmware: it upgrades from the image that lies raw at 128 KB, and saves what may be needed at 192 KB.
static int upgrade(void) {
    static const molt_region_t reserved = { 0x30000, 3 * SECTOR };
    const molt_job_config_t config = {
        .target = &molt_template,
        .flash = &molt_template_flash,
        .sector = (uint8_t *)sector,
        .work = (uint8_t *)work,
        .work_size = sizeof work,
        .options = { .safe_check = true, .reserved = &reserved, .reserved_count = 1 },
    };
    molt_region_source_t source, head;
    molt_region_source(&source, &molt_template_flash, 0x20000, IMAGE_SIZE);
    molt_region_source(&head, &molt_template_flash, reserved.addr, reserved.size);
    molt_job_t *job = molt_job_init(&memory, &config);
    int err = molt_job_open(job, &source.source);
    err = err ? err : molt_job_plan(job);
    err = err ? err : molt_job_write_head(job, &reserved);
    err = err ? err : molt_job_store(job, &head.source);
    err = err ? err : molt_job_commit(job, 0);
    printf("# %s\n", err ? molt_job_text(job, err) : "the next reset upgrades");
    return err;
}

// The chip's boot code: it starts what stands in the boot sector.
static const char *reset(void) {
    uint32_t first[2];
    const molt_flash_t *flash = &molt_template_flash;
    for (int i = 0; i < 3; i++) {
        if (flash->read(flash->ctx, molt_template.boot_addr, first, sizeof first) != 0) {
            break;
        }
        // Bytes 2 and 3 are the image's flash parameters, which a boot sector keeps.
        if (memcmp(first, "MO", 2) != 0) {
            return "firmware";
        }
        molt_template_boot();
    }
    return "nothing";
}

int main(void) {
    static uint8_t now[SECTOR];
    const molt_flash_t *flash = &molt_template_flash;
    make_image('A');
    int err = put_image(molt_template.image_addr);
    make_image('B');
    err = err ? err : put_image(0x20000);
    bool is_right = !err && upgrade() == 0 && strcmp(reset(), "firmware") == 0;
    for (uint32_t off = 0; is_right && off < IMAGE_SIZE; off += SECTOR) {
        uint32_t size = IMAGE_SIZE - off < SECTOR ? IMAGE_SIZE - off : SECTOR;
        is_right = flash->read(flash->ctx, molt_template.image_addr + off, now, SECTOR) == 0
                   && memcmp(now, image + off, size) == 0;
    }
    printf("%s 1 - the chip has upgraded itself\n", is_right ? "ok" : "not ok");
    return is_right ? 0 : 1;
}
