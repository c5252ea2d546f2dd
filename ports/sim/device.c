// The simulated device: mask ROM and restarts.

#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "molt/error.h"
#include "molt/unpack.h"

// Facts of the mask ROM: header and segment headers of 8 bytes, XOR checksum seeded with 0xEF, in the last byte of
// the 16 that the last segment ends in.
#define ROM_MAGIC 0xE9
#define ROM_CHECKSUM_SEED 0xEF
#define ROM_SEGMENTS_MAX 16

static uint32_t word_at(const sim_nor_t *nor, uint32_t addr) {
    const uint8_t *p = nor->bytes + addr;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool sim_device_boots(const sim_nor_t *nor) {
    uint32_t size = nor->flash.geometry.size;
    uint32_t segment_count = nor->bytes[1];
    if (nor->bytes[0] != ROM_MAGIC || segment_count == 0 || segment_count > ROM_SEGMENTS_MAX) {
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

bool sim_device_has_loader(const sim_device_t *device) {
    // Bytes 2 and 3 are the flash parameters, which differ from device to device.
    return memcmp(device->nor->bytes, device->loader.image, 2) == 0
           && memcmp(device->nor->bytes + 4, device->loader.image + 4, device->loader.size - 4) == 0;
}

// One run of the boot loader. Runs nest: while one is interrupted to look at a power cut, the next is under way.
typedef struct loader_run {
    const molt_boot_io_t *io;
    molt_unpack_t unpack;
    uint8_t window[MOLT_INFLATE_WINDOW_MAX];
} loader_run_t;

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    const loader_run_t *run = ctx;
    if (run->io) {
        run->io->event(run->io->ctx, event, arg);
    }
}

// What the boot loader's extension does on a chip. Its bytes were checked by molt_boot_run().
static void extend(void *ctx, const uint8_t *code, uint32_t size, const molt_reader_t *source, molt_reader_t *image) {
    loader_run_t *run = ctx;
    (void)code;
    (void)size;
    *image = molt_unpack_reader(&run->unpack, source, run->window, sizeof run->window, 0);
}

static int run_loader(sim_device_t *device) {
    uint32_t sector_size = device->nor->flash.geometry.sector_size;
    loader_run_t *run = malloc(sizeof *run);
    uint8_t *buffers = malloc(2 * (size_t)sector_size);
    if (run == NULL || buffers == NULL) {
        abort();
    }
    run->io = device->io;
    molt_boot_io_t io = { run, on_event, extend };
    int result = molt_boot_run(&device->nor->flash, buffers, buffers + sector_size, &io);
    free(buffers);
    free(run);
    return result;
}

sim_outcome_t sim_device_start(sim_device_t *device) {
    for (;;) {
        if (!sim_device_boots(device->nor)) {
            return SIM_BRICK;
        }
        if (!sim_device_has_loader(device)) {
            return SIM_FIRMWARE;
        }
        device->loader_starts++;
        device->boot_result = run_loader(device);
        if (device->nor->is_cut) {
            return SIM_CUT;
        }
        if (device->boot_result < 0) {
            return SIM_STUCK;
        }
    }
}
