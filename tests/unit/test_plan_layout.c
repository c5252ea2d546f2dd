// Where things are in a plan: the journal's page, the blocks that stay when the filesystem is erased, and images
// that do not begin at 0. No flash takes part.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "molt/error.h"
#include "planned.h"
#include "upgrade/plan.h"

// ---- the journal

// The bytes that are programmed while the plan is carried out, and those that must not be in their page.
static void expect_journal_in_one_page(const molt_plan_t *plan, uint32_t loader_size, uint32_t page_size) {
    uint32_t end = plan->journal_off + plan->set_size + plan->log_size;
    assert_int_equal((plan->journal_off | plan->log_size) % 4, 0);
    assert_true(plan->log_size >= 32);
    assert_int_equal(plan->journal_off / page_size, (end - 1) / page_size);
    assert_true(plan->journal_off >= loader_size && end <= plan->extents_off);
    // A page of its own wherever there is one.
    uint32_t last_page = plan->extents_off / page_size * page_size - page_size;
    if (last_page >= loader_size) {
        assert_int_equal(plan->journal_off, last_page);
        assert_int_equal(end, last_page + page_size);
    }
}

static void journal_and_log_have_a_page_of_their_own(void **state) {
    (void)state;
    molt_plan_request_t request = ordinary();
    molt_plan_t plan = begun(&request);
    expect_journal_in_one_page(&plan, request.loader_size, 256);
    assert_int_equal(plan.journal_off % 256, 0);
    assert_true(plan.journal_off + 256 <= plan.extents_off);
    // All of the page is blank, before and after the plan is finished.
    molt_plan_finish(&plan);
    for (uint32_t i = 0; i < 256; i++) {
        assert_int_equal(boot_sector()[plan.journal_off + i], 0xff);
    }
}

static void journal_and_log_never_lie_in_two_pages(void **state) {
    (void)state;
    uint32_t packed_count = 0;
    uint32_t moved_count = 0;
    for (uint32_t extent_count = 1; extent_count < 260; extent_count += 3) {
        for (uint32_t loader_size = 0; loader_size < SECTOR; loader_size += 52) {
            molt_plan_request_t request = ordinary();
            request.extent_count = extent_count;
            request.loader_size = loader_size;
            molt_plan_t plan;
            if (molt_plan_begin(&plan, &chip, &request, boot_sector(), &refusal)) {
                assert_int_equal(refusal.reason, MOLT_REFUSAL_TOO_MANY_EXTENTS);
                continue;
            }
            expect_journal_in_one_page(&plan, loader_size, 256);
            uint32_t end = plan.journal_off + plan.set_size + plan.log_size;
            packed_count += end == plan.extents_off;
            moved_count += end != plan.extents_off && plan.journal_off % 256 != 0;
        }
    }
    assert_true(packed_count > 0 && moved_count > 0);
}

// More than a page: a mark would be two programs.
static void sets_that_no_page_holds_are_refused(void **state) {
    (void)state;
    const molt_geometry_t narrow = { 4096 * KB, SECTOR, 64 * KB, 16 };
    molt_plan_request_t request = ordinary();
    molt_plan_t plan;
    request.loader_size = 0;
    request.extent_count = 1;
    assert_int_equal(molt_plan_begin(&plan, &narrow, &request, boot_sector(), &refusal), MOLT_ERR_NOSPC);
    assert_int_equal(refusal.reason, MOLT_REFUSAL_TOO_MANY_EXTENTS);
}

// ---- what stays

// A gzip file whose first `kept` bytes the image's first sector comes from, in the sectors from 2 MB on, every second one;
// the extension at 3 MB.
static molt_plan_t erasing_plan(uint32_t kept, uint32_t extension_size) {
    molt_plan_request_t request = ordinary();
    request.source_kind = MOLT_SOURCE_GZIP;
    request.source_size = 10 * SECTOR;
    request.extent_count = 10;
    request.kept_size = kept;
    request.erase_all = true;
    molt_plan_t plan = begun(&request);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(molt_plan_set_run(&plan, i, 2048 * KB + 2 * i * SECTOR, SECTOR, &refusal), 0);
    }
    molt_saved_t saved = {
        .head_addr = 3072 * KB,
        .extension_addr = 3072 * KB + SECTOR + 8,
        .extension_size = extension_size,
    };
    assert_int_equal(molt_plan_set_saved(&plan, &saved, &refusal), 0);
    molt_plan_finish(&plan);
    return plan;
}

// The blocks of the filesystem that are not erased: 64 KB each, the first at its beginning.
static uint64_t kept_blocks(const molt_plan_t *plan) {
    uint64_t blocks = 0;
    for (uint32_t i = plan->verify_step + 2; i < plan->step_count; i++) {
        uint32_t block = (molt_plan_step(plan, i).addr - 1024 * KB) / (64 * KB);
        blocks |= (uint64_t)!molt_plan_is_todo(plan, i) << block;
    }
    assert_true(molt_plan_is_todo(plan, plan->verify_step + 1));
    return blocks;
}

#define BLOCK_OF(addr) (1ull << ((addr)-1024 * KB) / (64 * KB))

static void blocks_that_are_needed_to_the_end_stay_and_no_others(void **state) {
    (void)state;
    molt_plan_t plan = erasing_plan(SECTOR, 1400);
    assert_true(kept_blocks(&plan) == (BLOCK_OF(2048 * KB) | BLOCK_OF(3072 * KB)));
    // Eight sectors of the file are in its first block; one byte more is in the next.
    plan = erasing_plan(8 * SECTOR, 1400);
    assert_true(kept_blocks(&plan) == (BLOCK_OF(2048 * KB) | BLOCK_OF(3072 * KB)));
    plan = erasing_plan(8 * SECTOR + 1, 1400);
    assert_true(kept_blocks(&plan) == (BLOCK_OF(2048 * KB) | BLOCK_OF(2112 * KB) | BLOCK_OF(3072 * KB)));
}

// The extension reaches over the end of a block.
static void an_extension_in_two_blocks_keeps_both(void **state) {
    (void)state;
    molt_plan_request_t request = ordinary();
    request.source_kind = MOLT_SOURCE_GZIP;
    request.source_size = 4;
    request.extent_count = 1;
    request.kept_size = 4;
    request.erase_all = true;
    molt_plan_t plan = begun(&request);
    assert_int_equal(molt_plan_set_run(&plan, 0, 2048 * KB, 4, &refusal), 0);
    molt_saved_t saved = { .head_addr = 3072 * KB, .extension_addr = 3136 * KB - 8, .extension_size = 12 };
    assert_int_equal(molt_plan_set_saved(&plan, &saved, &refusal), 0);
    molt_plan_finish(&plan);
    assert_true(kept_blocks(&plan) == (BLOCK_OF(2048 * KB) | BLOCK_OF(3072 * KB) | BLOCK_OF(3136 * KB)));
}

// ---- plans for chips whose image does not begin at 0

static molt_plan_request_t elsewhere(void) {
    molt_plan_request_t request = ordinary();
    request.image_addr = 512 * KB;
    request.boot_addr = SECTOR;
    return request;
}

static void an_image_elsewhere_has_its_steps_there(void **state) {
    (void)state;
    molt_plan_request_t request = elsewhere();
    request.image_size = 130 * KB;
    request.whole_image = true;
    molt_plan_t plan = begun(&request);
    // Of the sector at 0 as of any other below the image nobody speaks.
    molt_plan_set_changed(&plan, 0);
    molt_plan_set_changed(&plan, 64 * KB);
    molt_plan_finish(&plan);
    uint32_t addr = request.image_addr;
    for (uint32_t i = 1; i < plan.verify_step; i++) {
        molt_step_t step = molt_plan_step(&plan, i);
        assert_int_equal(step.addr, addr);
        if (step.kind == MOLT_STEP_SECTOR) {
            bool is_image = addr > request.image_addr && addr < request.image_addr + 132 * KB;
            assert_int_equal(molt_plan_is_todo(&plan, i), is_image);
            addr += SECTOR;
        }
    }
    assert_int_equal(addr, request.image_addr + 192 * KB);
    assert_false(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, request.image_addr));
    assert_true(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, request.image_addr + 64 * KB));
    assert_false(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, request.image_addr + 128 * KB));
}

static void what_an_image_elsewhere_rewrites_is_no_place_for_anything_else(void **state) {
    (void)state;
    molt_plan_request_t request = elsewhere();
    molt_plan_t plan = begun(&request);
    static const struct {
        uint32_t addr;
        bool is_free;
    } places[] = { { 0, true }, { SECTOR, false }, { 2 * SECTOR, true }, { 508 * KB, true }, { 512 * KB, false },
        { 764 * KB, false }, { 768 * KB, true }, { 4092 * KB, true } };
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        uint32_t addr = places[i].addr;
        int err = places[i].is_free ? 0 : MOLT_ERR_RANGE;
        assert_int_equal(molt_plan_set_run(&plan, 3, addr, SECTOR, &refusal), err);
        assert_int_equal(refusal.reason, err ? MOLT_REFUSAL_OVERLAPS_SOURCE : MOLT_REFUSAL_NONE);
        assert_true(!err || refusal.limit == addr);
        refusal.reason = MOLT_REFUSAL_NONE;
        molt_saved_t saved = { .head_addr = addr };
        assert_int_equal(molt_plan_set_saved(&plan, &saved, &refusal), err);
        saved = (molt_saved_t){ .head_addr = 0, .report_addr = addr + 16 };
        assert_int_equal(molt_plan_set_saved(&plan, &saved, &refusal), err);
        saved = (molt_saved_t){ .head_addr = 0, .extension_addr = addr + 16, .extension_size = 64 };
        assert_int_equal(molt_plan_set_saved(&plan, &saved, &refusal), err);
        refusal.reason = MOLT_REFUSAL_NONE;
    }
    // What begins before the image and ends in it.
    molt_saved_t saved = { .head_addr = 0, .report_addr = 512 * KB - 8 };
    assert_int_equal(molt_plan_set_saved(&plan, &saved, &refusal), MOLT_ERR_RANGE);
    saved = (molt_saved_t){ .head_addr = 0, .extension_addr = 512 * KB - 8, .extension_size = 12 };
    assert_int_equal(molt_plan_set_saved(&plan, &saved, &refusal), MOLT_ERR_RANGE);
}

static void an_image_elsewhere_is_refused_with_its_numbers(void **state) {
    (void)state;
    molt_plan_request_t request = elsewhere();
    request.image_addr = 4096 * KB - 64 * KB;
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_PAST_FLASH, 4288 * KB, 4096 * KB);
    request.image_addr = 768 * KB;
    request.image_size = 256 * KB + 1;
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_INTO_FILESYSTEM, 1028 * KB, 1024 * KB);
    // Before it, behind it, on it.
    request.image_size = 256 * KB;
    molt_region_t region = { 704 * KB, 64 * KB };
    request.reserved = &region;
    request.reserved_count = 1;
    (void)begun(&request);
    region.addr += SECTOR;
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_INTO_RESERVED, 1024 * KB, 708 * KB);
    request.fs.size = 0;
    region.addr = 1024 * KB;
    (void)begun(&request);
    // A filesystem before the image is in nobody's way.
    request.fs = (molt_region_t){ 64 * KB, 704 * KB };
    (void)begun(&request);
}

// What molt_plan_open() would not take is not made in the first place.
static void a_plan_that_could_not_be_opened_is_not_begun(void **state) {
    (void)state;
    molt_plan_t plan;
    molt_plan_request_t request = elsewhere();
    request.image_addr = 512 * KB + SECTOR;
    assert_int_not_equal(molt_plan_begin(&plan, &chip, &request, boot_sector(), &refusal), 0);
    assert_int_not_equal(refusal.reason, MOLT_REFUSAL_NONE);
    static const uint32_t boot_addrs[] = { 100, 4096 * KB, UINT32_MAX - SECTOR + 1, 1024 * KB, 4072 * KB };
    for (size_t i = 0; i < COUNT_OF(boot_addrs); i++) {
        request = elsewhere();
        request.boot_addr = boot_addrs[i];
        request.erase_all = true;
        assert_int_not_equal(molt_plan_begin(&plan, &chip, &request, boot_sector(), &refusal), 0);
        assert_int_not_equal(refusal.reason, MOLT_REFUSAL_NONE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_and_log_have_a_page_of_their_own),
        cmocka_unit_test(journal_and_log_never_lie_in_two_pages),
        cmocka_unit_test(sets_that_no_page_holds_are_refused),
        cmocka_unit_test(blocks_that_are_needed_to_the_end_stay_and_no_others),
        cmocka_unit_test(an_extension_in_two_blocks_keeps_both),
        cmocka_unit_test(an_image_elsewhere_has_its_steps_there),
        cmocka_unit_test(what_an_image_elsewhere_rewrites_is_no_place_for_anything_else),
        cmocka_unit_test(an_image_elsewhere_is_refused_with_its_numbers),
        cmocka_unit_test(a_plan_that_could_not_be_opened_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
