// The standby loader's extension for delta files. The loader loads as much of it as fits into one sector; that loads the rest, from the
// stash.

#include "delta/delta_run.h"
#include "extension.h"
#include "machine.c"
#include "molt/error.h"
#include "upgrade/apply.h"

// How often the rest is read before it counts as damaged.
#define REST_TRIES 4u

// What runs before the rest is there: delta.ld puts it in front. All that it calls is in it, or in the mask ROM, or in the loader.
#define FIRST __attribute__((noinline, flatten, section(".text.first")))

static molt_delta_run_t run;
static uint32_t buf[SECTOR_SIZE / 4];

static void tell(uint32_t done, uint32_t total) {
    feed();
    if (total) {
        ets_printf("\r%d%%", done * 100 / total);
    }
}

static void hold(const molt_delta_run_t *delta, uint32_t seconds) {
    (void)delta;
    wait(0, seconds);
}

// Nothing was done yet; or this is not the rest of that which did it, and the loader knows.
FIRST static int read_nothing(void *ctx, uint32_t off, void *bytes, uint32_t size) {
    (void)ctx;
    (void)off;
    (void)bytes;
    (void)size;
    return MOLT_ERR_CORRUPT;
}

// Whether it holds its CRC, if not at once. Then the plan's address is in buf, too.
FIRST static bool load_rest(const molt_plan_source_t *source) {
    uint32_t addr = molt_plan_stash_addr(source->plan, MOLT_DELTA_STASH_CODE);
    for (uint32_t try = 0; try < REST_TRIES; try++) {
        int err = source->read(source->ctx, addr, buf, sizeof buf);
        if (!err && crc32_le(0, buf, sizeof buf - 4) == buf[SECTOR_SIZE / 4 - 1]) {
            arch_put_code(EXTENSION_VADDR + EXTENSION_SIZE_MAX, buf, SECTOR_SIZE - MOLT_DELTA_CODE_PLAN_ADDR);
            return true;
        }
    }
    return false;
}

static __attribute__((noinline)) void carry_out(const molt_reader_t *source, molt_reader_t *image) {
    static _Alignas(4) uint8_t windows[MOLT_DELTA_WINDOWS_MAX];
    const molt_plan_t *plan = ((const molt_plan_source_t *)source->ctx)->plan;
    uint32_t plan_addr = buf[(SECTOR_SIZE - MOLT_DELTA_CODE_PLAN_ADDR) / 4];
    run.tell = tell;
    run.wait = hold;
    flash_begin();
    if (molt_delta_run_standby(&run, &flash, plan_addr, plan, source, windows, sizeof windows, (uint8_t *)buf, image)) {
        software_reset();
    }
}

__attribute__((externally_visible)) void molt_extension(const molt_reader_t *source, molt_reader_t *image);

FIRST void molt_extension(const molt_reader_t *source, molt_reader_t *image) {
    *image = (molt_reader_t){ .read = read_nothing };
    if (load_rest(source->ctx)) {
        carry_out(source, image);
    }
}
