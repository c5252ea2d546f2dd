// Building a plan: what collides is refused, what matches is left alone, whole blocks are erased at once where
// that is quicker. Pure: no flash I/O.

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "molt/error.h"
#include "upgrade/plan.h"
#include "upgrade/plan_layout.h"
#include "upgrade/starts.h"

// A block is erased as a whole when at least 5 of its 16 sectors change: 150 ms and 16 x 6.4 ms of programming
// against 5 x (45 + 6.4) ms. Source: W25Q32 data sheet, typical times; the other chips' ratios are alike.
#define BLOCK_ERASE_NUM 5u
#define BLOCK_ERASE_DEN 16u

static int refuse(molt_refusal_t *refusal, int err, molt_refusal_reason_t reason, uint32_t need, uint32_t limit) {
    *refusal = (molt_refusal_t){ reason, need, limit };
    return err;
}

static bool is_region(const molt_geometry_t *geometry, const molt_region_t *region) {
    return region->addr % molt_sector_size(geometry) == 0 && region->size % molt_sector_size(geometry) == 0
           && range_within(region->addr, region->size, geometry->size);
}

// The image, rounded up to whole sectors, collides with nothing. (On an ESP8266 it begins at 0, and the numbers told are
// sizes as well as addresses.)
static int check_target(const molt_geometry_t *geometry, const molt_plan_request_t *request, molt_refusal_t *refusal) {
    uint32_t size = request->image_size;
    if (size == 0) {
        return refuse(refusal, MOLT_ERR_FBIG, MOLT_REFUSAL_EMPTY, 1, 0);
    }
    if (!range_within(request->image_addr, size, geometry->size)) {
        return refuse(refusal, MOLT_ERR_FBIG, MOLT_REFUSAL_PAST_FLASH, request->image_addr + size, geometry->size);
    }
    if (size > request->mapped_size) {
        return refuse(refusal, MOLT_ERR_FBIG, MOLT_REFUSAL_PAST_MAPPED, size, request->mapped_size);
    }
    uint32_t block_size = molt_block_size(geometry);
    const molt_region_t boot = { request->boot_addr, molt_sector_size(geometry) };
    if (!is_region(geometry, &boot)
        || request->image_addr % (block_size ? block_size : PLAN_SECTORS_PER_GROUP * molt_sector_size(geometry)) != 0
        || ranges_overlap(boot.addr, boot.size, request->fs.addr, request->fs.size)) {
        return refuse(refusal, MOLT_ERR_RANGE, MOLT_REFUSAL_BAD_REGION, boot.addr, boot.size);
    }
    uint32_t begin = request->image_addr;
    uint32_t whole_size = ceil_div(size, molt_sector_size(geometry)) * molt_sector_size(geometry);
    uint32_t end = begin + whole_size;
    if (!is_region(geometry, &request->fs)) {
        return refuse(refusal, MOLT_ERR_RANGE, MOLT_REFUSAL_BAD_REGION, request->fs.addr, request->fs.size);
    }
    if (ranges_overlap(begin, whole_size, request->fs.addr, request->fs.size)) {
        return refuse(refusal, MOLT_ERR_FBIG, MOLT_REFUSAL_INTO_FILESYSTEM, end, request->fs.addr);
    }
    for (uint32_t i = 0; i < request->reserved_count; i++) {
        const molt_region_t *region = &request->reserved[i];
        if (!is_region(geometry, region)) {
            return refuse(refusal, MOLT_ERR_RANGE, MOLT_REFUSAL_BAD_REGION, region->addr, region->size);
        }
        if (ranges_overlap(begin, whole_size, region->addr, region->size)) {
            return refuse(refusal, MOLT_ERR_FBIG, MOLT_REFUSAL_INTO_RESERVED, end, region->addr);
        }
    }
    return 0;
}

// Give journal and log of starts a page of their own if there is one between the boot loader and the extents; in any case
// one that both are in. Returns whether there is room.
static bool place_journal(molt_plan_t *plan, uint32_t loader_size) {
    uint32_t page_size = molt_page_size(&plan->geometry);
    uint32_t size = plan->set_size + PLAN_LOG_SIZE_MIN;
    uint32_t page_end = plan->extents_off / page_size * page_size;
    if (size > page_size) {
        return false;
    }
    if (page_end >= loader_size + page_size) {
        plan->journal_off = page_end - page_size;
        plan->log_size = page_size - plan->set_size;
    } else if (plan->extents_off - page_end < size) {
        plan->journal_off = page_end - size;
    }
    return plan->journal_off >= loader_size && plan->journal_off < plan->extents_off;
}

int molt_plan_begin(molt_plan_t *plan, const molt_geometry_t *geometry, const molt_plan_request_t *request, uint8_t *sector,
    molt_refusal_t *refusal) {
    *refusal = (molt_refusal_t){ MOLT_REFUSAL_NONE, 0, 0 };
    int err = check_target(geometry, request, refusal);
    if (err) {
        return err;
    }
    *plan = (molt_plan_t){
        .sector = sector,
        .geometry = *geometry,
        .image_size = request->image_size,
        .image_crc = request->image_crc,
        .source_size = request->source_size,
        .image_addr = request->image_addr,
        .boot_addr = request->boot_addr,
        .first_differs = true,
        .kept_size = request->kept_size,
        .flash_params = request->flash_params | request->trial_size << 16,
        .extent_count = request->extent_count,
        .fs_addr = request->fs.addr,
        .fs_size = request->erase_all ? request->fs.size : 0,
        .source_kind = request->source_kind,
        .stash_count = request->stash_count,
        .whole_image = request->whole_image,
        .is_standby = request->is_standby,
    };
    memcpy(plan->image_sha1, request->image_sha1, MOLT_SHA1_SIZE);
    uint32_t stored_size = plan_shape(plan);
    if (request->extent_count == 0 || request->extent_count > UINT16_MAX
        || !range_within(request->loader_size, stored_size, molt_sector_size(geometry))
        || !place_journal(plan, request->loader_size)) {
        return refuse(refusal, MOLT_ERR_NOSPC, MOLT_REFUSAL_TOO_MANY_EXTENTS, request->extent_count, molt_sector_size(geometry));
    }
    memset(sector, 0xff, plan->todo_off);
    memset(sector + plan->todo_off, 0, molt_sector_size(geometry) - plan->todo_off);
    return 0;
}

uint32_t molt_plan_trial_size(const molt_plan_t *plan) {
    return plan_trial_size(plan);
}

uint32_t molt_plan_start_count(const molt_plan_t *plan) {
    uint32_t count = 0;
    uint32_t begin = plan->journal_off + plan->set_size;
    for (uint32_t off = begin; off < begin + plan->log_size; off += 4) {
        uint32_t entry = load32_le(plan->sector + off);
        count += (uint16_t)~entry == entry >> 16 && (entry & MOLT_STARTS_DONE) == 0;
    }
    return count;
}

// The sector of `addr` exists, and the image will not be written over it.
static int check_spared(const molt_plan_t *plan, uint32_t addr, molt_refusal_reason_t reason, molt_refusal_t *refusal) {
    if (plan_is_rewritten(plan, addr)) {
        uint32_t image_end = plan->image_addr + plan_image_sector_count(plan) * molt_sector_size(&plan->geometry);
        return refuse(refusal, MOLT_ERR_RANGE, reason, image_end, addr);
    }
    if (addr >= plan->geometry.size) {
        return refuse(refusal, MOLT_ERR_RANGE, MOLT_REFUSAL_PAST_FLASH, addr, plan->geometry.size);
    }
    return 0;
}

static int set_extent(molt_plan_t *plan, uint32_t index, uint32_t addr, molt_refusal_t *refusal) {
    if (index >= plan->extent_count) {
        return MOLT_ERR_INVAL;
    }
    int err = check_spared(plan, addr, MOLT_REFUSAL_OVERLAPS_SOURCE, refusal);
    if (err) {
        return err;
    }
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t sector = addr / sector_size;
    uint32_t skip = addr % sector_size;
    if (sector > MOLT_EXTENT_SECTOR_MAX || skip % 4 != 0 || skip / 4 > MOLT_EXTENT_SKIP_MAX) {
        return refuse(refusal, MOLT_ERR_NOTSUP, MOLT_REFUSAL_UNALIGNED_EXTENT, addr, sector_size);
    }
    store16_le(plan->sector + plan->extents_off + 2 * index, (uint16_t)(sector | skip / 4 << 12));
    return 0;
}

int molt_plan_set_run(molt_plan_t *plan, uint32_t index, uint32_t addr, uint32_t size, molt_refusal_t *refusal) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    uint32_t piece_count = ceil_div(addr % sector_size + size, sector_size);
    if (index + piece_count < plan->extent_count - plan->stash_count && (addr + size) % sector_size != 0) {
        return refuse(refusal, MOLT_ERR_NOTSUP, MOLT_REFUSAL_UNALIGNED_EXTENT, addr, sector_size);
    }
    while (size) {
        int err = set_extent(plan, index, addr, refusal);
        if (err) {
            return err;
        }
        uint32_t piece = min_u32(size, sector_size - addr % sector_size);
        addr += piece;
        size -= piece;
        index++;
    }
    return 0;
}

int molt_plan_set_stash(molt_plan_t *plan, uint32_t index, uint32_t addr, molt_refusal_t *refusal) {
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    if (index >= plan->stash_count) {
        return MOLT_ERR_INVAL;
    }
    if (addr % sector_size != 0) {
        return refuse(refusal, MOLT_ERR_NOTSUP, MOLT_REFUSAL_UNALIGNED_EXTENT, addr, sector_size);
    }
    return set_extent(plan, plan->extent_count - 1 - index, addr, refusal);
}

static bool is_extent(const molt_plan_t *plan, uint32_t first, uint32_t addr) {
    uint32_t sector = addr / molt_sector_size(&plan->geometry);
    bool is_one = false;
    for (uint32_t i = first; i < plan->extent_count; i++) {
        is_one = is_one || (load16_le(plan->sector + plan->extents_off + 2 * i) & MOLT_EXTENT_SECTOR_MAX) == sector;
    }
    return is_one;
}

static uint32_t addr_of_extent(const molt_plan_t *plan, uint32_t index) {
    uint32_t sector = load16_le(plan->sector + plan->extents_off + 2 * index) & MOLT_EXTENT_SECTOR_MAX;
    return sector * molt_sector_size(&plan->geometry);
}

bool molt_plan_is_apart(const molt_plan_t *plan, const molt_saved_t *saved) {
    bool is_apart = !is_extent(plan, 0, saved->head_addr) && (saved->report_addr == 0 || !is_extent(plan, 0, saved->report_addr))
                    && (saved->extension_size == 0 || !is_extent(plan, 0, saved->extension_addr));
    for (uint32_t i = 0; i < plan->extent_count; i++) {
        is_apart = is_apart && !is_extent(plan, i + 1, addr_of_extent(plan, i));
    }
    return is_apart;
}

bool molt_plan_is_apart_from(const molt_plan_t *plan, const molt_plan_t *other) {
    bool is_apart = true;
    for (uint32_t i = 0; i < plan->extent_count; i++) {
        is_apart = is_apart && !is_extent(other, 0, addr_of_extent(plan, i));
    }
    return is_apart;
}

int molt_plan_set_saved(molt_plan_t *plan, const molt_saved_t *saved, molt_refusal_t *refusal) {
    if (!plan_saved_is_sound(plan, saved)) {
        return refuse(refusal, MOLT_ERR_RANGE, MOLT_REFUSAL_OVERLAPS_SAVED, plan->image_size, saved->head_addr);
    }
    plan->saved = *saved;
    return 0;
}

static void set_todo(molt_plan_t *plan, uint32_t step) {
    plan->sector[plan->todo_off + step / 8] |= (uint8_t)(1u << step % 8);
}

void molt_plan_set_changed(molt_plan_t *plan, uint32_t addr) {
    uint32_t sector = (addr - plan->image_addr) / molt_sector_size(&plan->geometry);
    if (sector > 0 && sector < plan_image_sector_count(plan)) {
        set_todo(plan, plan_sector_step(plan, sector));
    }
}

// Plan one erase of the block of sectors `first`.. where that is quicker than erasing the changed ones singly.
static void consider_block(molt_plan_t *plan, uint32_t first) {
    uint32_t per_block = plan_sectors_per_block(plan);
    uint32_t changed = 0;
    for (uint32_t i = 0; i < per_block; i++) {
        changed += molt_plan_is_todo(plan, plan_sector_step(plan, first + i));
    }
    if (changed * BLOCK_ERASE_DEN < per_block * BLOCK_ERASE_NUM) {
        return;
    }
    set_todo(plan, plan_sector_step(plan, first) - 1);
    for (uint32_t i = 0; i < per_block; i++) {
        set_todo(plan, plan_sector_step(plan, first + i));
    }
}

static void store_header(const molt_plan_t *plan) {
    uint8_t *h = plan_header(plan);
    store32_le(h + PLAN_OFF_MAGIC, PLAN_MAGIC);
    store32_le(h + PLAN_OFF_VERSION, MOLT_PLAN_VERSION);
    store32_le(h + PLAN_OFF_FLASH_SIZE, plan->geometry.size);
    uint32_t words[PLAN_WORD_COUNT];
    memcpy(words, &plan->source_kind, sizeof words);
    for (uint32_t i = 0; i < PLAN_WORD_COUNT; i++) {
        store32_le(h + PLAN_OFF_WORDS + 4 * i, words[i]);
    }
    memcpy(h + PLAN_OFF_IMAGE_SHA1, plan->image_sha1, MOLT_SHA1_SIZE);
    store32_le(h + PLAN_OFF_CRC, plan_crc(plan));
}

// Leave the block of the filesystem that `addr` lies in as it is.
static void spare(molt_plan_t *plan, uint32_t addr) {
    for (uint32_t i = plan->verify_step + 1; i < plan->step_count; i++) {
        molt_step_t step = molt_plan_step(plan, i);
        if (addr - step.addr < step.size) {
            plan->sector[plan->todo_off + i / 8] &= (uint8_t) ~(1u << i % 8);
        }
    }
}

// What is needed when the filesystem is erased already: the source of the image's first sector, and the extension.
static void spare_needed(molt_plan_t *plan) {
    uint32_t wanted = min_u32(plan->kept_size, plan->source_size);
    for (uint32_t off = 0, run_size; off < wanted; off += run_size) {
        spare(plan, molt_plan_source_addr(plan, off, &run_size));
    }
    if (plan->saved.extension_size) {
        spare(plan, plan->saved.extension_addr);
        spare(plan, plan->saved.extension_addr + plan->saved.extension_size - 1);
    }
}

void molt_plan_finish(molt_plan_t *plan) {
    uint32_t sector_count = plan_image_sector_count(plan);
    uint32_t per_block = plan_sectors_per_block(plan);
    set_todo(plan, 0);
    set_todo(plan, plan->verify_step);
    if (plan->source_kind == MOLT_SOURCE_DELTA) {
        if (!plan->is_standby) {
            set_todo(plan, MOLT_DELTA_STEP);
        }
        store_header(plan);
        return;
    }
    if (plan->whole_image) {
        for (uint32_t i = 1; i < sector_count; i++) {
            set_todo(plan, plan_sector_step(plan, i));
        }
    }
    if (molt_block_size(&plan->geometry)) {
        // From the second block on: the first holds the boot sector, with boot loader and journal.
        for (uint32_t first = per_block; first + per_block <= sector_count; first += per_block) {
            consider_block(plan, first);
        }
    }
    for (uint32_t i = plan->verify_step + 1; i < plan->step_count; i++) {
        set_todo(plan, i);
    }
    spare_needed(plan);
    store_header(plan);
}

// Erases of one step that erases a part of the filesystem.
static void count_fs_step(const molt_plan_t *plan, const molt_step_t *step, molt_plan_tally_t *tally) {
    if (step->size == molt_block_size(&plan->geometry)) {
        tally->block_erase_count++;
    } else {
        tally->sector_erase_count += step->size / molt_sector_size(&plan->geometry);
    }
}

void molt_plan_count(const molt_plan_t *plan, molt_plan_tally_t *tally) {
    *tally = (molt_plan_tally_t){ 0 };
    tally->image_sector_count = plan_image_sector_count(plan);
    // The boot sector is erased twice: boot loader in, new first sector in.
    tally->sector_erase_count = 2;
    tally->program_count = 1;
    bool in_erased_block = false;
    uint32_t per_block = plan_sectors_per_block(plan);
    for (uint32_t i = 1; i < plan->step_count; i++) {
        molt_step_t step = molt_plan_step(plan, i);
        bool todo = molt_plan_is_todo(plan, i);
        if (i < plan->verify_step && (i - 1) % (per_block + 1) == 0) {
            in_erased_block = todo;
            tally->block_erase_count += todo;
        } else if (todo && step.kind == MOLT_STEP_SECTOR) {
            tally->program_count++;
            tally->sector_erase_count += !in_erased_block;
        } else if (todo && step.kind == MOLT_STEP_ERASE_FS) {
            count_fs_step(plan, &step, tally);
        }
    }
    tally->equal_count = tally->image_sector_count - tally->program_count;
    tally->is_in_place = tally->program_count == 1 && !plan->first_differs && plan->fs_size == 0;
}

const char *molt_refusal_text(molt_refusal_reason_t reason) {
    switch (reason) {
        case MOLT_REFUSAL_NONE:
            return "nothing is in the way";
        case MOLT_REFUSAL_EMPTY:
            return "the image has no bytes";
        case MOLT_REFUSAL_PAST_FLASH:
            return "the image is larger than the flash chip";
        case MOLT_REFUSAL_PAST_MAPPED:
            return "the image is larger than the part of flash that code can run from";
        case MOLT_REFUSAL_PAST_PARTITION:
            return "the image is larger than the app partition";
        case MOLT_REFUSAL_INTO_FILESYSTEM:
            return "the image would run into the filesystem; use a smaller image or a flash map whose "
                   "filesystem begins later";
        case MOLT_REFUSAL_INTO_RESERVED:
            return "the image would run into a region that is in use";
        case MOLT_REFUSAL_OVERLAPS_SOURCE:
            return "the image file lies where the image has to go";
        case MOLT_REFUSAL_OVERLAPS_SAVED:
            return "the saved first sector lies where the image has to go";
        case MOLT_REFUSAL_TOO_MANY_EXTENTS:
            return "the file has too many pieces for one boot sector";
        case MOLT_REFUSAL_UNALIGNED_EXTENT:
            return "the filesystem's blocks are smaller than an erase sector or not aligned to one";
        case MOLT_REFUSAL_BAD_REGION:
            return "a region does not lie within flash on whole sectors";
        case MOLT_REFUSAL_OTHER_MAP:
            return "the image is made for another flash map: it would look for the filesystem in another place, and not "
                   "find the files; take the image for this map, or let the files go with erase_all";
    }
    return "unknown reason";
}
