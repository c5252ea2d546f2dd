// A delta carried out.

#include "delta/delta_run.h"

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "molt/error.h"

// How often what was read wrong is read again before it counts as wrong.
#define TRIES 4u

// The new image's first sector, which is not in its place yet. The rest is, and is not had from here: a bit of it that is read wrong
// would be made firm by who repairs the one by the other.
static int read_standing(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const molt_delta_run_t *run = ctx;
    const molt_delta_place_t *place = &run->delta.place;
    if (!MOLT_FIXED_PLACE && run->answer) {
        return run->answer;
    }
    uint32_t addr = molt_plan_stash_addr(place->plan, MOLT_DELTA_STASH_FIRST);
    return off ? MOLT_ERR_CORRUPT : place->flash->read(place->flash->ctx, addr, buf, (size + 3) & ~3u);
}

static int begin_run(molt_delta_run_t *run, const molt_plan_t *plan) {
    run->delta.place.plan = plan;
    return molt_delta_begin(&run->delta, &run->patch, &run->delta.place, run->window, run->window_size);
}

static int keep_telling(void *ctx, uint32_t done, uint32_t total) {
    const molt_delta_run_t *run = ctx;
    (void)done;
    (void)total;
    if (run->tell) {
        run->tell(0, 0);
    }
    return 0;
}

// That the patch is the one that the plan was made for, and its stash has room.
static int check_patch(molt_delta_run_t *run, const molt_plan_t *plan) {
    const molt_delta_header_t *header = &run->delta.header;
    int err = molt_delta_check_file(&run->patch, run->buf, header->sector_size, keep_telling, run);
    bool is_it = memcmp(header->new_sha1, molt_plan_image_sha1(plan), MOLT_SHA1_SIZE) == 0
                 && header->sector_size == molt_sector_size(&plan->geometry)
                 && molt_delta_stash_count(header) < plan->extent_count;
    return err || is_it ? err : MOLT_ERR_CORRUPT;
}

// Before anything is destroyed: all that will be needed is there and right.
static int check_all(molt_delta_run_t *run, const molt_plan_t *plan) {
    molt_delta_standing_t standing;
    const molt_delta_place_t *place = &run->delta.place;
    int err = molt_delta_check_first(place->flash, molt_plan_stash_addr(plan, MOLT_DELTA_STASH_FIRST),
        (uint16_t)plan->flash_params, plan->first_crc, run->buf);
    err = err ? err
              : molt_delta_find_standing(
                  &run->delta.header, place, run->buf, run->delta.header.sector_size, keep_telling, run, &standing);
    err = err || standing == MOLT_DELTA_OLD ? err : MOLT_ERR_CORRUPT;
    // Nobody else has used the slots since.
    for (uint32_t i = MOLT_DELTA_STASH_SLOT; !err && i < molt_delta_stash_count(&run->delta.header); i++) {
        err = molt_delta_check_blank(place->flash, molt_plan_stash_addr(plan, i), run->buf);
    }
    err = err ? err : begin_run(run, NULL);
    return err ? err : molt_delta_check(&run->delta, run->buf, keep_telling, run);
}

int molt_delta_run_open(molt_delta_run_t *run, const molt_flash_t *flash, const molt_plan_t *plan, const molt_reader_t *patch,
    uint8_t *window, uint32_t window_size, uint8_t *buf, molt_reader_t *image) {
    int err = MOLT_ERR_CORRUPT;
    uint32_t said = MOLT_DELTA_LOG_FRESH;
    run->patch = *patch;
    run->window = window;
    run->window_size = window_size;
    run->buf = buf;
    run->answer = 0;
    run->delta.place = (molt_delta_place_t){ flash, plan->image_addr, plan->saved.head_addr, plan };
    run->log.flash = flash;
    for (uint32_t i = 0; i < MOLT_DELTA_LOG_COUNT; i++) {
        run->log.addrs[i] = molt_plan_stash_addr(plan, MOLT_DELTA_STASH_LOG + i);
    }
    run->log.seed = molt_delta_log_seed(plan->image_crc, plan->source_size);
    for (uint32_t try = 0; try < TRIES && err; try++) {
        err = molt_delta_log_read(&run->log, buf, &said);
        err = err ? err : molt_delta_read_header(patch, &run->delta.header);
        err = err ? err : check_patch(run, plan);
        if (!err && said == MOLT_DELTA_LOG_FRESH) {
            err = check_all(run, plan);
        }
    }
    run->delta.place.plan = plan;
    *image = (molt_reader_t){ run, plan->image_size, read_standing };
    if (err) {
        // From the first operation on nothing is a reason to go back; and a reading that fails never is.
        return err != MOLT_ERR_IO && said == MOLT_DELTA_LOG_FRESH ? MOLT_ERR_CORRUPT : MOLT_ERR_IO;
    }
    return (int)said + 1;
}

// One operation, its bytes in run->buf.
static int perform(const molt_delta_run_t *run, const molt_delta_write_t *write) {
    const molt_flash_t *flash = run->log.flash;
    int err = molt_sector_write(flash, write->addr, run->buf, false);
    if (!err && write->old_addr != UINT32_MAX) {
        // What was read wrong once would be wrong for ever.
        err = molt_sector_verify(flash, write->old_addr, run->buf);
    }
    return err;
}

static int carry_on(molt_delta_run_t *run) {
    uint32_t said;
    int err = molt_delta_log_read(&run->log, run->buf, &said);
    err = err ? err : begin_run(run, run->delta.place.plan);
    said = said == MOLT_DELTA_LOG_FRESH ? 1 : said;
    err = err ? err : molt_delta_log_begin(&run->log, run->buf, said);
    for (uint32_t i = 0; !err && i < run->delta.header.op_count; i++) {
        molt_delta_write_t write;
        bool is_wanted = i + 1 >= said;
        err = molt_delta_next(&run->delta, run->buf, is_wanted, &write);
        if (is_wanted) {
            err = err ? err : perform(run, &write);
            err = err ? err : molt_delta_log_add(&run->log, run->buf, i + 2);
        }
        if (run->tell) {
            run->tell(i + 1, run->delta.header.op_count);
        }
    }
    return err;
}

int molt_delta_run_finish(molt_delta_run_t *run) {
    int err = MOLT_ERR_CORRUPT;
    for (uint32_t try = 0; try < TRIES && err == MOLT_ERR_CORRUPT; try++) {
        err = carry_on(run);
    }
    // A reading that is wrong does not end the upgrade.
    return err == MOLT_ERR_CORRUPT ? MOLT_ERR_IO : err;
}
