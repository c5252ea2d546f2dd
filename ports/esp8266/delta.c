// The boot loader's extension for delta files. It has two parts: this one, which the boot loader loads, and what does not fit into one
// sector with it, which this loads from the stash: the inflater.

#include "delta/delta_run.h"

#include "base/crc32.h"
#include "extension.h"
#include "machine.c"
#include "upgrade/apply.h"

// How often the rest is read before it counts as damaged.
#define REST_TRIES 4u

// The second part calls it, too.
__attribute__((externally_visible)) uint32_t molt_crc32(uint32_t crc, const void *data, uint32_t size);

static molt_delta_run_t run;
static uint32_t buf[SECTOR_SIZE / 4];

// "\r%d%%" in words: ets_printf reads its format by bytes, and constants are in IRAM here.
#define PERCENT_WORD 0x2564250du
#define PERCENT_REST 0x00000025u

static void tell(uint32_t done, uint32_t total) {
    const volatile uint32_t format[2] = { PERCENT_WORD, PERCENT_REST };
    feed();
    if (total) {
        ets_printf((const char *)(uintptr_t)format, done * 100 / total);
    }
}

// MOLT_ERR_CORRUPT where it does not hold its CRC, however often it is read: it is another file's by now. That is asked before
// anything is written; whether anything was, the boot loader knows.
static int load_rest(const molt_plan_t *plan) {
    uint8_t *bytes = (uint8_t *)buf;
    uint32_t size = EXTENSION_REST_SIZE - 4;
    for (uint32_t try = 0; try < REST_TRIES; try++) {
        int err = flash_read(0, molt_plan_stash_addr(plan, MOLT_DELTA_STASH_CODE), bytes, EXTENSION_REST_SIZE);
        if (err) {
            return err;
        }
        if (molt_crc32(0, bytes, size) == buf[size / 4]) {
            copy_words(EXTENSION_REST_VADDR, bytes, size);
            __asm__ volatile("memw\n\tisync" ::: "memory");
            return 0;
        }
    }
    return MOLT_ERR_CORRUPT;
}

__attribute__((externally_visible)) int molt_extension(const molt_reader_t *source, molt_reader_t *image);

int molt_extension(const molt_reader_t *source, molt_reader_t *image) {
    static _Alignas(4) uint8_t windows[MOLT_DELTA_WINDOWS_MAX];
    if (source == 0) {
        return molt_delta_run_finish(&run);
    }
    const molt_plan_t *plan = ((const molt_plan_source_t *)source->ctx)->plan;
    run.tell = tell;
    int err = load_rest(plan);
    return err ? err : molt_delta_run_open(&run, &flash, plan, source, windows, sizeof windows, (uint8_t *)buf, image);
}
