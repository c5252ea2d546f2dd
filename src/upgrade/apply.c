// Apply: one step of a plan, and the writing of a sector that everything else rests on.

#include "molt/apply.h"

#include "bytes.h"
#include "libc.h"
#include "molt/error.h"
#include "plan_layout.h"

// Bytes that are compared at a time.
#define VERIFY_SIZE 256u

static bool is_erased(const uint8_t *data, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (data[i] != 0xff) {
            return false;
        }
    }
    return true;
}

// Program the pages of a sector that are not all ones, the first one last.
static int program_pages(const molt_flash_t *flash, uint32_t addr, const uint8_t *data) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    uint32_t page_size = molt_page_size(&flash->geometry);
    uint32_t off = 0;
    do {
        off += page_size;
        if (off == sector_size) {
            off = 0;
        }
        if (!is_erased(data + off, page_size)) {
            int err = flash->prog(flash->ctx, addr + off, data + off, page_size);
            if (err) {
                return err;
            }
        }
    } while (off != 0);
    return 0;
}

int molt_sector_verify(const molt_flash_t *flash, uint32_t addr, const uint8_t *data) {
    uint32_t words[VERIFY_SIZE / 4];
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    for (uint32_t off = 0; off < sector_size; off += VERIFY_SIZE) {
        int err = flash->read(flash->ctx, addr + off, words, VERIFY_SIZE);
        if (err) {
            return err;
        }
        if (memcmp(words, data + off, VERIFY_SIZE) != 0) {
            return MOLT_ERR_IO;
        }
    }
    return 0;
}

int molt_sector_write(const molt_flash_t *flash, uint32_t addr, const uint8_t *data, bool is_blank) {
    int err = MOLT_ERR_IO;
    for (uint32_t try = 0; try < MOLT_APPLY_TRIES; try++) {
        err = is_blank && try == 0 ? 0 : flash->erase_sector(flash->ctx, addr);
        if (!err) {
            err = program_pages(flash, addr, data);
        }
        if (!err) {
            err = molt_sector_verify(flash, addr, data);
        }
        if (!err) {
            return 0;
        }
    }
    return err;
}

static int read_source(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const molt_source_t *source = ctx;
    uint8_t *out = buf;
    while (size) {
        uint32_t run_size;
        uint32_t addr = molt_plan_source_addr(source->plan, off, &run_size);
        run_size = min_u32(run_size, size);
        // Only the last run of a file whose size is no multiple of 4 is rounded up; it ends within its sector.
        int err = source->read(source->ctx, addr, out, (run_size + 3) & ~3u);
        if (err) {
            return err;
        }
        off += run_size;
        out += run_size;
        size -= run_size;
    }
    return 0;
}

molt_reader_t molt_source_reader(molt_source_t *source, const molt_flash_t *flash, const molt_plan_t *plan) {
    *source = (molt_source_t){ flash->read, flash->ctx, plan };
    return (molt_reader_t){ source, plan->source_size, read_source };
}

int molt_target_read(const molt_reader_t *image, const molt_plan_t *plan, uint32_t addr, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t off = addr - plan_image_addr(plan);
    uint32_t size = min_u32(sector_size, plan->image_size - off);
    int err = image->read(image->ctx, off, buf, size);
    memset(buf + size, 0xff, sector_size - size);
    if (off == 0) {
        store16_le(buf + 2, (uint16_t)plan->flash_params);
    }
    return err;
}

static int erase_fs(const molt_flash_t *flash, const molt_step_t *step) {
    if (step->size == molt_block_size(&flash->geometry)) {
        return flash->erase_block(flash->ctx, step->addr);
    }
    int err = 0;
    for (uint32_t off = 0; !err && off < step->size; off += molt_sector_size(&flash->geometry)) {
        err = flash->erase_sector(flash->ctx, step->addr + off);
    }
    return err;
}

int molt_apply_step(const molt_flash_t *flash, const molt_plan_t *plan, const molt_reader_t *image,
    const molt_step_t *step, uint8_t *buf, bool is_blank) {
    if (step->kind == MOLT_STEP_ERASE_BLOCK) {
        return flash->erase_block(flash->ctx, step->addr);
    }
    if (step->kind == MOLT_STEP_ERASE_FS) {
        return erase_fs(flash, step);
    }
    int err = molt_target_read(image, plan, step->addr, buf);
    return err ? err : molt_sector_write(flash, step->addr, buf, is_blank);
}
