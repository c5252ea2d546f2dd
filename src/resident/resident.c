// Resident mode, the firmware's and the tool's side of it: installing, storing plans, switching states.

#include "resident/resident.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/flash_io.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "molt/error.h"
#include "resident/resident_config.h"
#include "upgrade/prepare.h"

#define EXTENSION_SECTOR 6u

// Erase the log and write its first record: the firmware's head is 0.
static int make_log(const molt_flash_t *flash, uint32_t reserved_addr) {
    for (uint32_t i = 4; i < 6; i++) {
        int err = flash->erase_sector(flash->ctx, molt_state_sector_addr(flash, reserved_addr, i));
        if (err) {
            return err;
        }
    }
    molt_state_t none = { 0 };
    molt_state_t first = {
        .kind = MOLT_STATE_NORMAL,
        .plan = MOLT_STATE_NO_PLAN,
        .trial_plan = MOLT_STATE_NO_PLAN,
    };
    return molt_state_append(flash, reserved_addr, &none, &first);
}

bool molt_resident_collides(const molt_region_t *memory, uint32_t memory_count, uint32_t vaddr, uint32_t size) {
    for (uint32_t i = 0; i < memory_count; i++) {
        if (ranges_overlap(vaddr, size, memory[i].addr, memory[i].size)) {
            return true;
        }
    }
    return false;
}

// Loading for trial: nothing goes where it belongs, but all of it is read.
typedef struct rehearsal {
    const molt_loader_t *loader;
    uint8_t *buf;
} rehearsal_t;

static void *place_in_buf(void *ctx, uint32_t vaddr, uint32_t size) {
    const rehearsal_t *rehearsal = ctx;
    const molt_loader_t *loader = rehearsal->loader;
    return molt_resident_collides(loader->memory, loader->memory_count, vaddr, size) ? NULL : rehearsal->buf;
}

int molt_resident_check_free(const molt_flash_t *flash, const molt_region_t *reserved) {
    molt_state_t state;
    int err = molt_state_read(flash, reserved->addr, &state);
    if (err != MOLT_ERR_NOENT) {
        return err;
    }
    int is_blank = molt_flash_is_blank(flash, reserved->addr, MOLT_RESERVED_SECTOR_COUNT * molt_sector_size(&flash->geometry));
    return is_blank == 1 ? 0 : is_blank == 0 ? MOLT_ERR_NOSPC : is_blank;
}

// Read the sector at `addr` twice: what is read here is written where a device starts from.
static int read_surely(const molt_flash_t *flash, uint32_t addr, uint8_t *buf) {
    int err = flash->read(flash->ctx, addr, buf, molt_sector_size(&flash->geometry));
    return err ? err : molt_sector_verify(flash, addr, buf);
}

// The first part with its configuration and the flash parameters of the device, as it goes into sector 0.
static void lay_out(
    const molt_flash_t *flash, const molt_loader_t *loader, uint32_t reserved_addr, const uint8_t params[2], uint8_t *buf) {
    memset(buf, 0xff, molt_sector_size(&flash->geometry));
    memcpy(buf, loader->image, loader->size);
    memcpy(buf + 2, params, 2);
    resident_config_store(buf + resident_config_addr(flash), reserved_addr, loader);
}

// Write the overlay unless it is there already. `buf` has sector_size bytes.
static int write_overlay(const molt_flash_t *flash, uint32_t reserved_addr, const molt_loader_t *overlay, uint8_t *buf) {
    uint32_t addr = molt_state_sector_addr(flash, reserved_addr, RESIDENT_OVERLAY_SECTOR);
    memset(buf, 0xff, molt_sector_size(&flash->geometry));
    memcpy(buf, overlay->image, overlay->size);
    int err = molt_sector_verify(flash, addr, buf);
    return err == MOLT_ERR_IO ? molt_sector_write(flash, addr, buf, false) : err;
}

// Whether sector 0 holds `loader`, installed with the reserved region at `reserved_addr`: 0, MOLT_ERR_CORRUPT, or the
// driver's error.
static int compare_first_part(const molt_flash_t *flash, const molt_loader_t *loader, uint32_t reserved_addr, uint8_t *buf) {
    uint32_t word;
    int err = flash->read(flash->ctx, 0, &word, sizeof word);
    if (!err) {
        lay_out(flash, loader, reserved_addr, (const uint8_t *)&word + 2, buf);
        err = molt_sector_verify(flash, 0, buf);
    }
    return err == MOLT_ERR_IO ? MOLT_ERR_CORRUPT : err;
}

int molt_resident_check(const molt_flash_t *flash, const molt_loader_t *loader, uint8_t *buf) {
    molt_resident_t resident;
    int err = molt_resident_read(flash, &resident);
    if (err) {
        return err;
    }
    if (resident.version != MOLT_RESIDENT_VERSION) {
        return MOLT_ERR_NOTSUP;
    }
    err = compare_first_part(flash, loader, resident.reserved_addr, buf);
    molt_overlay_t overlay;
    if (!err) {
        err = molt_overlay_read(flash, resident.reserved_addr, buf, &overlay);
    }
    return err == MOLT_ERR_NOENT ? MOLT_ERR_CORRUPT : err;
}

// The state, which has to be at rest. Returns 0, MOLT_ERR_BUSY (an upgrade or a trial is in progress), or an error of the log.
static int read_at_rest(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state) {
    int err = molt_state_read(flash, reserved_addr, state);
    return !err && state->kind != MOLT_STATE_NORMAL ? MOLT_ERR_BUSY : err;
}

// The reserved region of an installation whose configuration is damaged is not known; the caller names it.
static int repair(
    const molt_flash_t *flash, uint32_t reserved_addr, const molt_loader_t *loader, const molt_loader_t *overlay, uint8_t *buf) {
    molt_state_t state;
    int err = read_at_rest(flash, reserved_addr, &state);
    molt_overlay_t present;
    bool overlay_is_whole = !err && molt_overlay_read(flash, reserved_addr, buf, &present) == 0;
    if (!err && !overlay_is_whole) {
        err = write_overlay(flash, reserved_addr, overlay, buf);
    }
    if (err) {
        return err;
    }
    err = compare_first_part(flash, loader, reserved_addr, buf);
    if (err == MOLT_ERR_CORRUPT) {
        // With the flash parameters of the firmware's own first sector: those of a damaged sector 0 prove nothing.
        uint32_t word;
        err = flash->read(flash->ctx, molt_state_head_addr(flash, reserved_addr, state.head), &word, sizeof word);
        if (!err) {
            lay_out(flash, loader, reserved_addr, (const uint8_t *)&word + 2, buf);
            err = molt_sector_write(flash, 0, buf, false);
        }
        return err;
    }
    return err || !overlay_is_whole ? err : MOLT_ERR_EXIST;
}

// Everything but sector 0.
static int install_region(const molt_flash_t *flash, const molt_region_t *reserved, const molt_loader_t *loader,
    const molt_loader_t *overlay, uint8_t *buf) {
    uint32_t head_addr = molt_state_head_addr(flash, reserved->addr, 0);
    uint32_t entry_vaddr;
    rehearsal_t rehearsal = { loader, buf };
    const molt_start_io_t io = { &rehearsal, place_in_buf, NULL };
    int err = molt_resident_load(flash, 0, &io, &entry_vaddr);
    if (!err) {
        err = read_surely(flash, 0, buf);
    }
    if (!err) {
        err = molt_sector_write(flash, head_addr, buf, false);
    }
    if (!err) {
        err = write_overlay(flash, reserved->addr, overlay, buf);
    }
    return err ? err : make_log(flash, reserved->addr);
}

int molt_resident_install(const molt_flash_t *flash, const molt_region_t *reserved, const molt_loader_t *loader,
    const molt_loader_t *overlay, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    if (loader->size > resident_config_addr(flash)) {
        return MOLT_ERR_FBIG;
    }
    molt_resident_t resident;
    int err = molt_resident_read(flash, &resident);
    if (err != MOLT_ERR_NOENT) {
        bool is_other = err == MOLT_ERR_NOTSUP || (!err && resident.version != MOLT_RESIDENT_VERSION);
        return is_other ? MOLT_ERR_NOTSUP : repair(flash, err ? reserved->addr : resident.reserved_addr, loader, overlay, buf);
    }
    if (reserved->addr == 0 || reserved->addr % sector_size != 0 || reserved->size < MOLT_RESERVED_SECTOR_COUNT * sector_size
        || !range_within(reserved->addr, reserved->size, flash->geometry.size)) {
        return MOLT_ERR_RANGE;
    }
    if (molt_prepare_is_pending(flash, 0, buf)) {
        return MOLT_ERR_BUSY;
    }
    err = install_region(flash, reserved, loader, overlay, buf);
    if (!err) {
        err = read_surely(flash, 0, buf);
    }
    if (err) {
        return err;
    }
    uint8_t params[2] = { buf[2], buf[3] };
    lay_out(flash, loader, reserved->addr, params, buf);
    err = molt_sector_write(flash, 0, buf, false);
    if (err && flash->read(flash->ctx, molt_state_head_addr(flash, reserved->addr, 0), buf, sector_size) == 0) {
        // Whether this comes right shows at the next call; the error that is told is the first one.
        (void)molt_sector_write(flash, 0, buf, false);
    }
    return err;
}

int molt_resident_uninstall(const molt_flash_t *flash, uint8_t *buf) {
    uint32_t reserved_addr;
    molt_state_t state;
    int err = molt_resident_find(flash, &reserved_addr);
    if (!err) {
        err = read_at_rest(flash, reserved_addr, &state);
    }
    if (err) {
        return err;
    }
    uint32_t head_addr = molt_state_head_addr(flash, reserved_addr, state.head);
    err = read_surely(flash, head_addr, buf);
    return err ? err : molt_sector_write(flash, 0, buf, false);
}

int molt_resident_saved(
    const molt_flash_t *flash, uint32_t reserved_addr, const molt_loader_t *extension, bool is_fallback, molt_saved_t *saved) {
    molt_state_t state;
    int err = read_at_rest(flash, reserved_addr, &state);
    if (err) {
        return err;
    }
    *saved = (molt_saved_t){ .head_addr = molt_state_head_addr(flash, reserved_addr, state.head ^ (uint32_t)is_fallback) };
    if (extension) {
        saved->extension_addr = molt_state_sector_addr(flash, reserved_addr, EXTENSION_SECTOR);
        saved->extension_size = extension->size;
        saved->extension_crc = molt_crc32(0, extension->image, extension->size);
    }
    return 0;
}

// Whether the plan in slot 0 needs another extension than this: MOLT_ERR_NOTSUP.
static int check_extension(const molt_flash_t *flash, uint32_t reserved_addr, const molt_loader_t *extension) {
    molt_plan_summary_t first;
    int err = molt_prepare_read_summary(flash, molt_state_plan_addr(flash, reserved_addr, 0), &first);
    if (err || first.extension_size == 0) {
        return err;
    }
    bool is_it = first.extension_size == extension->size
                 && first.extension_crc == molt_crc32(0, extension->image, extension->size);
    return is_it ? 0 : MOLT_ERR_NOTSUP;
}

int molt_resident_store(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t plan_slot, molt_plan_t *plan,
    const molt_loader_t *overlay, const molt_loader_t *extension) {
    int err = plan_slot && extension ? check_extension(flash, reserved_addr, extension) : 0;
    if (err) {
        return err;
    }
    err = molt_sector_write(flash, molt_state_plan_addr(flash, reserved_addr, plan_slot), plan->sector, false);
    if (!err) {
        err = write_overlay(flash, reserved_addr, overlay, plan->sector);
    }
    if (!err && extension) {
        memset(plan->sector, 0xff, molt_sector_size(&flash->geometry));
        memcpy(plan->sector, extension->image, extension->size);
        uint32_t addr = molt_state_sector_addr(flash, reserved_addr, EXTENSION_SECTOR);
        err = molt_sector_write(flash, addr, plan->sector, false);
    }
    return err;
}

int molt_resident_commit(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t trial_starts) {
    molt_state_t state;
    molt_plan_summary_t fallback = { .source_kind = MOLT_SOURCE_COPY };
    int err = read_at_rest(flash, reserved_addr, &state);
    if (!err && trial_starts) {
        err = molt_prepare_read_summary(flash, molt_state_plan_addr(flash, reserved_addr, 1), &fallback);
    }
    if (err) {
        return err;
    }
    molt_state_t next = state;
    next.kind = MOLT_STATE_UPGRADE;
    next.result = MOLT_STATE_RESULT_DONE;
    next.plan = 0;
    // A patch can be fallen back on only from the firmware that it is made of, when that is whole.
    uint8_t trial_plan = fallback.source_kind == MOLT_SOURCE_DELTA ? 1 | MOLT_STATE_PLAN_LATE : 1;
    next.trial_plan = trial_starts ? trial_plan : MOLT_STATE_NO_PLAN;
    next.trial_starts = (uint8_t)min_u32(trial_starts, 32);
    return molt_state_append(flash, reserved_addr, &state, &next);
}

int molt_resident_confirm(const molt_flash_t *flash, uint32_t reserved_addr) {
    molt_state_t state;
    int err = molt_state_read(flash, reserved_addr, &state);
    if (err) {
        return err;
    }
    if (state.kind == MOLT_STATE_NORMAL) {
        return MOLT_ERR_NOENT;
    }
    molt_state_t next = state;
    next.kind = MOLT_STATE_NORMAL;
    next.plan = MOLT_STATE_NO_PLAN;
    next.trial_plan = MOLT_STATE_NO_PLAN;
    next.result = state.kind == MOLT_STATE_TRIAL ? MOLT_STATE_RESULT_CONFIRMED : MOLT_STATE_RESULT_NONE;
    return molt_state_append(flash, reserved_addr, &state, &next);
}
