// Apply: one step of a plan.

#include "upgrade/apply.h"

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "upgrade/plan_layout.h"

static int read_source(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const molt_plan_source_t *source = ctx;
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

molt_reader_t molt_plan_reader(molt_plan_source_t *source, const molt_flash_t *flash, const molt_plan_t *plan) {
    *source = (molt_plan_source_t){ flash->read, flash->ctx, plan };
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

int molt_apply_step(const molt_flash_t *flash, const molt_plan_t *plan, const molt_reader_t *image, const molt_step_t *step,
    uint8_t *buf, bool is_blank) {
    if (step->kind == MOLT_STEP_ERASE_BLOCK) {
        return flash->erase_block(flash->ctx, step->addr);
    }
    if (step->kind == MOLT_STEP_ERASE_FS) {
        return erase_fs(flash, step);
    }
    int err = molt_target_read(image, plan, step->addr, buf);
    return err ? err : molt_sector_write(flash, step->addr, buf, is_blank);
}
