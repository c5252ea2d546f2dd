// The simulated device: mask ROM and restarts.

#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "decode/unpack.h"
#include "molt/error.h"
#include "second_stage.h"
#include "upgrade/apply.h"
#include "upgrade/trial.h"

// Facts of the mask ROM: header and segment headers of 8 bytes, XOR checksum seeded with 0xEF, in the last byte of
// the 16 that the last segment ends in.
#define ROM_CHECKSUM_SEED 0xEF
#define ROM_SEGMENTS_MAX 16

// Runs of a boot loader at one start before it counts as stuck.
#define LOADER_TRIES 4u

// Likewise in ports/esp8266/delta.c and ports/esp32/delta.c.
#define REST_TRIES 4u

// Resets of an ESP32 on the way to a firmware before it counts as one that does not come to an end.
#define RESETS_MAX 8u

static const sim_code_t code_of_this_program = { molt_boot_run, molt_resident_start, molt_resident_act, molt_boot_standby,
    molt_delta_run_open, molt_delta_run_finish, molt_delta_run_standby };

static uint32_t word_at(const sim_nor_t *nor, uint32_t addr) {
    const uint8_t *p = nor->bytes + addr;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool sim_device_boots(const sim_nor_t *nor) {
    uint32_t size = nor->flash.geometry.size;
    uint32_t segment_count = nor->bytes[1];
    if (nor->bytes[0] != SIM_ROM_MAGIC || segment_count == 0 || segment_count > ROM_SEGMENTS_MAX) {
        return false;
    }
    uint32_t off = 8;
    uint8_t checksum = ROM_CHECKSUM_SEED;
    for (uint32_t i = 0; i < segment_count; i++) {
        if (off + 8 > size) {
            return false;
        }
        uint32_t segment_size = word_at(nor, off + 4);
        off += 8;
        if (segment_size > size - off) {
            return false;
        }
        for (uint32_t end = off + segment_size; off < end; off++) {
            checksum ^= nor->bytes[off];
        }
    }
    off |= 15;
    return off < size && nor->bytes[off] == checksum;
}

static bool begins_with(const sim_nor_t *nor, const molt_loader_t *loader) {
    // Bytes 2 and 3 are the flash parameters, which differ from device to device.
    return loader->size && memcmp(nor->bytes, loader->image, 2) == 0
           && memcmp(nor->bytes + 4, loader->image + 4, loader->size - 4) == 0;
}

bool sim_device_has_loader(const sim_device_t *device) {
    return begins_with(device->nor, &device->loader);
}

// One run of the boot loader. Runs nest: while one is interrupted to look at a power cut, the next is in progress.
typedef struct loader_run {
    sim_device_t *device;
    molt_unpack_t unpack;
    molt_delta_run_t delta;
    _Alignas(4) uint8_t window[MOLT_DELTA_WINDOWS_MAX];
    uint8_t *buf;  // the extension's own, of a sector
} loader_run_t;

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    const loader_run_t *run = ctx;
    const molt_boot_io_t *io = run->device->io;
    if (io) {
        io->event(io->ctx, event, arg);
    }
}

static void on_wait(void *ctx, uint32_t seconds) {
    const loader_run_t *run = ctx;
    run->device->waited_s += seconds;
}

// The extension is of the same compilation as the boot loader that calls it.
static const sim_code_t *extension_code(const sim_device_t *device) {
    return device->code_once ? device->code_once : &code_of_this_program;
}

// The extension for delta files has a second part, in a sector of the stash, which says itself whether it is whole. Then it is in
// run->buf.
static bool has_rest(const loader_run_t *run, const molt_plan_t *plan) {
    const molt_flash_t *flash = &run->device->nor->flash;
    uint32_t size = flash->geometry.sector_size - 4;
    // A boot loader of constant sizes does not keep them in its plan.
    molt_plan_t sized = *plan;
    bool has = false;
    sized.geometry = flash->geometry;
    for (uint32_t try = 0; try < REST_TRIES && !has; try++) {
        int err = flash->read(flash->ctx, molt_plan_stash_addr(&sized, MOLT_DELTA_STASH_CODE), run->buf, size + 4);
        has = err == 0 && molt_crc32(0, run->buf, size) == load32_le(run->buf + size);
    }
    return has;
}

static void on_delta_wait(const molt_delta_run_t *delta, uint32_t seconds) {
    const loader_run_t *run = (const loader_run_t *)(const void *)((const uint8_t *)delta - offsetof(loader_run_t, delta));
    run->device->waited_s += seconds;
}

static int read_nothing(void *ctx, uint32_t off, void *buf, uint32_t size) {
    (void)ctx;
    (void)off;
    (void)buf;
    (void)size;
    return MOLT_ERR_CORRUPT;
}

// In standby mode. As in ports/esp32/delta.c.
static void extend_standby(loader_run_t *run, const molt_plan_t *plan, const molt_reader_t *source, molt_reader_t *image) {
    const sim_device_t *device = run->device;
    const molt_flash_t *flash = &device->nor->flash;
    const sim_code_t *code = device->code_standby ? device->code_standby : &code_of_this_program;
    *image = (molt_reader_t){ NULL, plan->image_size, read_nothing };
    if (has_rest(run, plan)) {
        uint32_t plan_addr = load32_le(run->buf + flash->geometry.sector_size - MOLT_DELTA_CODE_PLAN_ADDR);
        run->delta.tell = NULL;
        run->delta.wait = on_delta_wait;
        // The loader resets where this would.
        (void)code->delta_standby(&run->delta, flash, plan_addr, plan, source, run->window, sizeof run->window, run->buf, image);
    }
}

// What the boot loader's extension does on a chip. Its bytes were checked by molt_boot_run().
static int extend(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image) {
    loader_run_t *run = ctx;
    const molt_plan_t *plan = ((const molt_plan_source_t *)source->ctx)->plan;
    (void)code;
    (void)size;
    if (plan->source_kind == MOLT_SOURCE_DELTA) {
        if (run->device->standby) {
            extend_standby(run, plan, source, image);
            return 0;
        }
        if (!has_rest(run, plan)) {
            return MOLT_ERR_CORRUPT;
        }
        run->delta.tell = NULL;
        return extension_code(run->device)
            ->delta_open(&run->delta, &run->device->nor->flash, plan, source, run->window, sizeof run->window, run->buf, image);
    }
    *image = molt_unpack_reader(&run->unpack, source, run->window, MOLT_INFLATE_WINDOW_MAX, 0);
    return 0;
}

static int transform(void *ctx) {
    loader_run_t *run = ctx;
    return extension_code(run->device)->delta_finish(&run->delta);
}

// The code that the plan brings is of the same source as this.
static uint32_t ask(const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector, uint8_t *buf, const uint8_t *code) {
    return molt_trial_ask(flash, plan_addr, sector, buf, code);
}

static const sim_code_t *resident_code(const sim_device_t *device) {
    return device->code_resident ? device->code_resident : &code_of_this_program;
}

// What the first part of the resident boot loader is handed.
typedef struct start {
    sim_device_t *device;
    uint8_t *sector;
    uint8_t *buf;
    const molt_boot_io_t *io;
} start_t;

// The segments go nowhere: that they can be read and have the right checksum is what counts here.
static void *place_anywhere(void *ctx, uint32_t vaddr, uint32_t size) {
    const start_t *start = ctx;
    (void)vaddr;
    (void)size;
    return start->buf;
}

// The overlay's bytes are checked as on a chip; what they would do is done by the same code.
static int run_overlay(void *ctx, uint32_t reserved_addr, molt_state_t *state) {
    const start_t *start = ctx;
    const molt_flash_t *flash = &start->device->nor->flash;
    molt_overlay_t overlay;
    int err = molt_overlay_read(flash, reserved_addr, start->sector, &overlay);
    if (!err && overlay.abi != MOLT_OVERLAY_ABI) {
        err = MOLT_ERR_NOENT;
    }
    return err ? err
               : resident_code(start->device)->resident_act(flash, reserved_addr, state, start->sector, start->buf, start->io);
}

// The resident boot loader, up to the jump into the firmware.
static int run_resident(sim_device_t *device, uint8_t *sector, uint8_t *buf, const molt_boot_io_t *io) {
    start_t start = { device, sector, buf, io };
    const molt_start_io_t start_io = { &start, place_anywhere, run_overlay };
    const sim_code_t *code = resident_code(device);
    uint32_t entry_vaddr;
    return code->resident_start(&device->nor->flash, &start_io, &device->head_addr, &entry_vaddr);
}

// Which of the boot loaders it is.
typedef enum loader_kind {
    LOADER_ONCE,
    LOADER_RESIDENT,
    LOADER_STANDBY,
} loader_kind_t;

// The standby loader whose image is at `device->head_addr`. The word of it that says where the plan is stands in its third segment,
// behind two small ones.
static int run_standby(sim_device_t *device, uint8_t *sector, uint8_t *buf, const molt_boot_io_t *io) {
    const molt_flash_t *flash = &device->nor->flash;
    uint32_t addr = device->head_addr + 24 + 8 + 256 + 8 + 4 + 8 + device->standby->standby->plan_addr_off;
    // As the boot loader has loaded and verified it, by one reading.
    uint32_t plan_addr = word_at(device->nor, addr);
    const sim_code_t *code = device->code_standby ? device->code_standby : &code_of_this_program;
    bool is_sector = plan_addr % flash->geometry.sector_size == 0 && range_within(plan_addr, 4, flash->geometry.size);
    return is_sector ? code->boot_standby(flash, plan_addr, sector, buf, io) : MOLT_ERR_RANGE;
}

static int run_loader(sim_device_t *device, loader_kind_t kind) {
    static const molt_boot_place_t transient = { 0, 0 };
    uint32_t sector_size = device->nor->flash.geometry.sector_size;
    const sim_code_t *code = device->code_once ? device->code_once : &code_of_this_program;
    loader_run_t *run = malloc(sizeof *run);
    uint8_t *buffers = malloc(3 * (size_t)sector_size);
    if (run == NULL || buffers == NULL) {
        abort();
    }
    run->device = device;
    run->buf = buffers + 2 * sector_size;
    molt_boot_io_t io = { run, on_event, on_wait, extend, ask, transform };
    uint8_t *buf = buffers + sector_size;
    int result = kind == LOADER_RESIDENT  ? run_resident(device, buffers, buf, &io)
                 : kind == LOADER_STANDBY ? run_standby(device, buffers, buf, &io)
                                          : code->boot_run(&device->nor->flash, &transient, buffers, buf, &io);
    free(buffers);
    free(run);
    return result;
}

// An ESP32: its boot loader looks again after each reset, and the watchdog resets it where it finds nothing.
static sim_outcome_t start_standby(sim_device_t *device) {
    bool has_app = false;
    for (uint32_t reset = 0; reset < RESETS_MAX; reset++) {
        sim_app_t app;
        device->is_in_second_stage = true;
        has_app = sim_second_stage(&device->nor->flash, device->standby->standby, &app);
        device->is_in_second_stage = false;
        device->head_addr = has_app ? app.addr : 0;
        if (has_app && app.addr != device->standby->loader_addr) {
            return SIM_FIRMWARE;
        }
        if (has_app) {
            device->loader_starts++;
            device->boot_result = run_loader(device, LOADER_STANDBY);
        }
        if (device->nor->is_cut) {
            return SIM_CUT;
        }
    }
    return has_app ? SIM_STUCK : SIM_BRICK;
}

sim_outcome_t sim_device_start(sim_device_t *device) {
    if (device->standby) {
        return start_standby(device);
    }
    for (;;) {
        device->head_addr = 0;
        if (!sim_device_boots(device->nor)) {
            return SIM_BRICK;
        }
        bool is_resident = begins_with(device->nor, &device->resident);
        if (!is_resident && !sim_device_has_loader(device)) {
            return SIM_FIRMWARE;
        }
        device->loader_starts++;
        // The chip's boot loaders try again, from the journal on, after a pause, for as long as there is power.
        for (uint32_t try = 0; try < LOADER_TRIES; try++) {
            device->boot_result = run_loader(device, is_resident ? LOADER_RESIDENT : LOADER_ONCE);
            if (device->nor->is_cut || device->boot_result >= 0) {
                break;
            }
        }
        if (device->nor->is_cut) {
            return SIM_CUT;
        }
        if (device->boot_result < 0) {
            return SIM_STUCK;
        }
        if (is_resident && device->boot_result != MOLT_RESIDENT_RESET) {
            return SIM_FIRMWARE;
        }
    }
}
