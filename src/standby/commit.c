// An upgrade in standby mode: storing its plan, and the steps that count.

#include "base/app_image.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "molt/error.h"
#include "standby/standby_parts.h"
#include "upgrade/marks.h"

#define STANDBY_READ_TRIES 4u

bool molt_standby_is_armed(const molt_flash_t *flash, uint32_t image_addr) {
    for (uint32_t try = 0; try < STANDBY_READ_TRIES; try++) {
        uint32_t word;
        if (flash->read(flash->ctx, image_addr, &word, sizeof word) == 0 && (word & 0xff) == MOLT_APP_MAGIC) {
            return false;
        }
    }
    return true;
}

int molt_standby_store(const molt_flash_t *flash, const molt_target_t *target, const molt_plan_t *plan) {
    return molt_sector_write(flash, target->plan_addr, plan->sector, false);
}

static int check_rows_are_right(const molt_flash_t *flash, const molt_target_t *target) {
    uint8_t rows[ROWS_MAX * ROW_SIZE];
    uint32_t words[ROWS_MAX * ROW_SIZE / 4];
    const molt_region_t app = { target->image_addr, target->mapped_size };
    uint32_t size = ROW_SIZE * standby_rows(flash, target->loader_addr, target->plan_addr, &app, rows);
    int err = flash->read(flash->ctx, target->row_addr, words, size);
    return !err && memcmp(words, rows, size) != 0 ? MOLT_ERR_CORRUPT : err;
}

int molt_standby_commit(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf) {
    uint32_t plan_addr = target->plan_addr;
    int err = standby_check_loader(flash, target->standby, target->loader_addr, plan_addr, buf);
    err = err == MOLT_ERR_IO ? MOLT_ERR_CORRUPT : err;
    if (!err) {
        err = check_rows_are_right(flash, target);
    }
    if (!err) {
        err = molt_marks_make(flash, plan_addr, MOLT_MARK_COMMITTED);
    }
    if (!err) {
        err = molt_marks_break_image(flash, target->image_addr);
    }
    return !err && !molt_standby_is_armed(flash, target->image_addr) ? MOLT_ERR_IO : err;
}

// The marks of the plan in flash, or the error of reading it: there may be none.
static int read_marks(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf, uint32_t *marks) {
    molt_plan_t plan;
    int err = flash->read(flash->ctx, target->plan_addr, buf, molt_sector_size(&flash->geometry));
    if (!err) {
        err = molt_plan_open(&plan, &flash->geometry, buf);
        *marks = molt_marks_read(&flash->geometry, buf);
    }
    return err;
}

bool molt_standby_is_cancelled(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf) {
    uint32_t marks;
    return read_marks(flash, target, buf, &marks) == 0 && molt_mark_is_in(marks, MOLT_MARK_CANCELLED);
}

int molt_standby_cancel(const molt_flash_t *flash, const molt_target_t *target, uint8_t *buf) {
    uint32_t marks;
    if (!molt_standby_is_armed(flash, target->image_addr)) {
        return MOLT_ERR_NOENT;
    }
    int err = read_marks(flash, target, buf, &marks);
    if (err || molt_mark_is_in(marks, MOLT_MARK_CANCELLED)) {
        return err ? err : MOLT_ERR_NOENT;
    }
    return molt_marks_make(flash, target->plan_addr, MOLT_MARK_CANCELLED);
}
