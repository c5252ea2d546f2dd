// Putting the standby loader in, and taking it out.

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "molt/error.h"
#include "standby/standby_parts.h"

// Program `size` bytes at `addr` and read them back.
static int program(const molt_flash_t *flash, uint32_t addr, const uint8_t *bytes, uint32_t size) {
    uint32_t words[ROW_SIZE / 4];
    memcpy(words, bytes, size);
    int err = flash->prog(flash->ctx, addr, words, size);
    if (!err) {
        err = flash->read(flash->ctx, addr, words, size);
    }
    return !err && memcmp(words, bytes, size) != 0 ? MOLT_ERR_IO : err;
}

// The rows, so that at each moment the table is the old one or the new one: while the first one's head reads as erased it is the
// table's end, whatever stands behind.
static int append_rows(const molt_flash_t *flash, const molt_standby_t *standby) {
    uint8_t rows[ROWS_MAX * ROW_SIZE];
    uint32_t count = standby_rows(flash, standby->loader_addr, standby->plan_addr, &standby->app, rows);
    int err = 0;
    for (uint32_t off = 0; !err && off < count * ROW_SIZE; off += ROW_SIZE) {
        err = program(flash, standby->row_addr + off + ROW_HEAD_SIZE, rows + off + ROW_HEAD_SIZE, ROW_SIZE - ROW_HEAD_SIZE);
    }
    for (uint32_t off = count * ROW_SIZE; !err && off; off -= ROW_SIZE) {
        err = program(flash, standby->row_addr + off - ROW_SIZE, rows + off - ROW_SIZE, ROW_HEAD_SIZE);
    }
    return err;
}

// What is free to be programmed: erased, or begun by an installation of the same that was cut short.
static int check_rows_are_free(const molt_flash_t *flash, const molt_standby_t *standby) {
    uint8_t rows[ROWS_MAX * ROW_SIZE];
    uint32_t words[ROWS_MAX * ROW_SIZE / 4];
    uint32_t size = ROW_SIZE * standby_rows(flash, standby->loader_addr, standby->plan_addr, &standby->app, rows);
    int err = flash->read(flash->ctx, standby->row_addr, words, size);
    for (uint32_t i = 0; !err && i < size / 4; i++) {
        err = (words[i] & load32_le(rows + 4 * i)) == load32_le(rows + 4 * i) ? 0 : MOLT_ERR_NOTSUP;
    }
    return err;
}

int molt_standby_install(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_standby_t *standby) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    int state = molt_standby_read(flash, chip, buf, standby);
    if (state != MOLT_ERR_NOENT && state != MOLT_ERR_CORRUPT) {
        return state ? state : MOLT_ERR_EXIST;
    }
    if (molt_standby_is_armed(flash, standby->app.addr)) {
        return MOLT_ERR_BUSY;
    }
    if (molt_standby_image(chip, standby->loader_addr, standby->plan_addr, sector_size, buf) > sector_size) {
        return MOLT_ERR_FBIG;
    }
    int err = molt_sector_verify(flash, standby->loader_addr, buf);
    if (err == MOLT_ERR_IO) {
        // Without an erase where there was none of it yet: a program that is torn leaves what can be completed.
        err = molt_sector_write(flash, standby->loader_addr, buf, state == MOLT_ERR_NOENT);
    }
    if (!err && state == MOLT_ERR_NOENT) {
        err = check_rows_are_free(flash, standby);
        standby->defect = err == MOLT_ERR_NOTSUP ? MOLT_STANDBY_OTHER_ROWS : standby->defect;
        err = err ? err : append_rows(flash, standby);
    }
    return err ? err : molt_standby_read(flash, chip, buf, standby);
}

int molt_standby_uninstall(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf) {
    molt_standby_t standby;
    int err = molt_standby_read(flash, chip, buf, &standby);
    if (err && err != MOLT_ERR_CORRUPT) {
        return err == MOLT_ERR_NOTSUP ? MOLT_ERR_NOENT : err;
    }
    int on_trial = standby_is_on_trial(flash, standby.plan_addr, buf);
    if (on_trial || molt_standby_is_armed(flash, standby.app.addr)) {
        return on_trial < 0 ? on_trial : MOLT_ERR_BUSY;
    }
    static const uint8_t none[4] = { 0 };
    return program(flash, standby.row_addr + ROW_SIZE_OFF, none, sizeof none);
}
