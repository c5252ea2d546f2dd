// What a tortured device is held to.

#include <string.h>

#include "molt/error.h"
#include "resident/resident.h"
#include "torture_files.h"
#include "torture_parts.h"
#include "upgrade/report.h"

static uint32_t sector_size_of(const torture_t *torture) {
    return torture->nor->flash.geometry.sector_size;
}

bool torture_begins_with(const torture_t *torture, const uint8_t *first) {
    const uint8_t *head = torture->nor->bytes + torture->device.head_addr;
    return first && memcmp(head, first, sector_size_of(torture)) == 0;
}

static bool body_is(const torture_t *torture, const uint8_t *image, uint32_t end) {
    uint32_t begin = sector_size_of(torture);
    const uint8_t *present = torture->nor->bytes + torture_image_addr(torture);
    return image && memcmp(present + begin, image + begin, end - begin) == 0;
}

bool torture_body_is_new(const torture_t *torture) {
    return body_is(torture, torture->image, torture->image_end) || body_is(torture, torture->trial_image, torture->trial_end);
}

bool torture_body_is_old(const torture_t *torture) {
    uint32_t end = torture->image_end > torture->trial_end ? torture->image_end : torture->trial_end;
    return body_is(torture, torture->original + torture_image_addr(torture), end);
}

bool torture_is_whole(const torture_t *torture) {
    return (torture_begins_with(torture, torture->image) && body_is(torture, torture->image, torture->image_end))
           || (torture_begins_with(torture, torture->trial_image) && body_is(torture, torture->trial_image, torture->trial_end))
           || (torture_begins_with(torture, torture->old_head) && torture_body_is_old(torture));
}

static bool sector_is_prepared(const uint8_t *now, const uint8_t *then, uint32_t begin, uint32_t end) {
    if (memcmp(now + begin, then + begin, end - begin) == 0) {
        return true;
    }
    for (uint32_t off = begin; off < end; off += 4) {
        if (memcmp(now + off, then + off, 4) != 0) {
            // The report: its magic and CRC unchanged, two words before or one word before.
            molt_report_t report;
            bool is_starts = off >= 8 && molt_report_parse(&report, now + off - 8) == 0;
            bool is_result = off >= 12 && molt_report_parse(&report, now + off - 12) == 0;
            if (!is_starts && !is_result) {
                return false;
            }
        }
    }
    return true;
}

// The filesystem is as the main line's preparation left it, but for the report.
static bool fs_is_prepared_fs(const torture_t *torture) {
    uint32_t sector_size = sector_size_of(torture);
    bool is_same = true;
    for (uint32_t off = 0; is_same && off < torture->fs.size; off += sector_size) {
        is_same = sector_is_prepared(torture->nor->bytes + torture->fs.addr, torture->prepared_fs, off, off + sector_size);
    }
    return is_same;
}

// What is left lies in the blocks, of those that are erased at once, in which the first bytes of the source and the extension are.
bool torture_fs_is_erased(const torture_t *torture) {
    const molt_geometry_t *geometry = &torture->nor->flash.geometry;
    uint32_t left_count = 0;
    uint32_t last_left = 0;
    for (uint32_t off = 0; off < torture->fs.size; off += geometry->sector_size) {
        const uint8_t *sector = torture->nor->bytes + torture->fs.addr + off;
        bool is_blank = sector[0] == 0xff && memcmp(sector, sector + 1, geometry->sector_size - 1) == 0;
        uint32_t block = (torture->fs.addr + off) / geometry->block_size + 1;
        if (!is_blank && block != last_left) {
            left_count++;
            last_left = block;
        }
    }
    // Of a gzip file the first sector, and the extension, come from several sectors; on the small devices a block has four.
    return left_count <= (torture->is_gzip ? 4u : 1u);
}

static bool is_original(const torture_t *torture, uint32_t begin, uint32_t end) {
    return end <= begin || memcmp(torture->nor->bytes + begin, torture->original + begin, end - begin) == 0;
}

static bool outside_is_original(const torture_t *torture) {
    uint32_t sector_size = sector_size_of(torture);
    uint32_t fs_end = torture->fs.addr + torture->fs.size;
    uint32_t begin = torture->image_end > torture->trial_end ? torture->image_end : torture->trial_end;
    if (torture->reserved_addr) {
        // In front of the filesystem.
        uint32_t reserved_end = torture->reserved_addr + MOLT_RESERVED_SECTOR_COUNT * sector_size;
        if (!is_original(torture, 0, sector_size) || !is_original(torture, begin, torture->reserved_addr)) {
            return false;
        }
        begin = reserved_end;
    }
    if (torture_has_slots(torture)) {
        // Otadata, and the slot that did not run: it is erased in blocks.
        uint32_t block_size = torture->nor->flash.geometry.block_size;
        uint32_t otadata_addr = torture->standby->otadata_addr;
        uint32_t slot_addr = torture->standby->image_addr;
        if (!is_original(torture, 0, otadata_addr) || !is_original(torture, otadata_addr + 2 * sector_size, slot_addr)) {
            return false;
        }
        begin = slot_addr + (begin + block_size - 1) / block_size * block_size;
    } else if (torture->standby) {
        // Of what is in front of the image the plan's sector, and the one between the loader's and that.
        uint32_t image_addr = torture_image_addr(torture);
        uint32_t plan_addr = torture->standby->plan_addr;
        if (!is_original(torture, 0, torture->standby->loader_addr + sector_size)
            || !is_original(torture, plan_addr + sector_size, image_addr)) {
            return false;
        }
        begin += image_addr;
    }
    return is_original(torture, begin, torture->fs.addr) && is_original(torture, fs_end, torture->nor->flash.geometry.size);
}

static bool files_are_right(const torture_t *torture) {
    if (torture->options.erase_all) {
        return torture_fs_is_erased(torture);
    }
    // After a misread littlefs may have written in another place.
    // A delta's stash has other bytes afterwards, and so has the plan of a fallback in standby mode.
    bool has_other = torture->is_delta || (torture->standby && torture->fallback_path);
    bool is_once = torture->is_prepared && !has_other && torture->now.prepare_count == 1 && !torture->now.has_misread;
    return is_once ? fs_is_prepared_fs(torture) : torture_files_match(torture);
}

// Image and everything outside, at the present start.
static torture_verdict_t inspect_flash(const torture_t *torture) {
    if (!torture_begins_with(torture, torture->image) || !body_is(torture, torture->image, torture->image_end)) {
        return TORTURE_WRONG_IMAGE;
    }
    return outside_is_original(torture) ? TORTURE_RECOVERED : TORTURE_WRONG_OUTSIDE;
}

static torture_verdict_t start_again(torture_t *torture) {
    torture_verdict_t verdict = TORTURE_RECOVERED;
    uint32_t level = torture->now.level;
    // No cuts here.
    torture->now.level = TORTURE_DEPTH_MAX;
    for (int i = 0; verdict == TORTURE_RECOVERED && i < TORTURE_STARTS_AFTER; i++) {
        torture_power_on(torture);
        verdict = torture_live(torture);
        if (verdict == TORTURE_RECOVERED) {
            verdict = inspect_flash(torture);
        }
    }
    torture->now.level = level;
    return verdict;
}

torture_verdict_t torture_inspect(torture_t *torture) {
    torture_verdict_t verdict = inspect_flash(torture);
    if (verdict == TORTURE_RECOVERED && !files_are_right(torture)) {
        verdict = TORTURE_WRONG_FILES;
    }
    torture->now.is_over = true;
    if (verdict == TORTURE_RECOVERED && torture->nor->weak_sector_count) {
        verdict = start_again(torture);
        if (verdict == TORTURE_RECOVERED && torture_files_reuse(torture) == 0) {
            verdict = start_again(torture);
        }
    }
    return verdict;
}
