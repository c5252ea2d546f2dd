// Building a plan: what is refused and with which numbers, which erases are chosen, what is left alone, and how a
// file's runs become extents. No flash takes part.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "molt/error.h"
#include "planned.h"
#include "upgrade/plan.h"

static const molt_region_t frozen = { 896 * KB, 64 * KB };

// The ordinary one, with something reserved.
static molt_plan_request_t with_frozen(void) {
    molt_plan_request_t request = ordinary();
    request.reserved = &frozen;
    request.reserved_count = 1;
    return request;
}

static molt_plan_t begun_with_frozen(void) {
    molt_plan_request_t request = with_frozen();
    return begun(&request);
}

static void every_refusal_has_its_numbers(void **state) {
    (void)state;
    molt_plan_request_t request = with_frozen();
    request.image_size = 0;
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_EMPTY, 1, 0);
    request.image_size = 4096 * KB + 1;
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_PAST_FLASH, 4096 * KB + 1, 4096 * KB);
    request.image_size = UINT32_MAX;
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_PAST_FLASH, UINT32_MAX, 4096 * KB);
    request.image_size = 1024 * KB + 1;
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_PAST_MAPPED, 1024 * KB + 1, 1024 * KB);
    // One byte is a sector.
    request.image_size = 896 * KB + 1;
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_INTO_RESERVED, 900 * KB, 896 * KB);
    request.fs = (molt_region_t){ 892 * KB, 128 * KB };
    expect_refusal(&request, MOLT_ERR_FBIG, MOLT_REFUSAL_INTO_FILESYSTEM, 900 * KB, 892 * KB);
    request = with_frozen();
    request.extent_count = 700;
    expect_refusal(&request, MOLT_ERR_NOSPC, MOLT_REFUSAL_TOO_MANY_EXTENTS, 700, SECTOR);
    request.extent_count = 0;
    expect_refusal(&request, MOLT_ERR_NOSPC, MOLT_REFUSAL_TOO_MANY_EXTENTS, 0, SECTOR);
    // More than 16 bits hold: not to be taken for 1.
    request.extent_count = 0x10001;
    expect_refusal(&request, MOLT_ERR_NOSPC, MOLT_REFUSAL_TOO_MANY_EXTENTS, 0x10001, SECTOR);
}

static void an_image_that_ends_where_something_begins_is_in_nobodys_way(void **state) {
    (void)state;
    molt_plan_request_t request = with_frozen();
    request.image_size = 896 * KB;
    request.loader_size = 0;
    (void)begun(&request);
    request.reserved_count = 0;
    request.image_size = 1024 * KB;
    (void)begun(&request);
    request.fs = (molt_region_t){ 0, 0 };
    (void)begun(&request);
}

static void regions_must_lie_within_flash_on_whole_sectors(void **state) {
    (void)state;
    static const molt_region_t bad[] = {
        { 1024 * KB + 1, 64 * KB },
        { 1024 * KB, 64 * KB + 256 },
        { 4096 * KB, SECTOR },
        { 4092 * KB, 2 * SECTOR },
        { 0xfffff000, 0x2000 },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        molt_plan_request_t request = with_frozen();
        request.fs = bad[i];
        expect_refusal(&request, MOLT_ERR_RANGE, MOLT_REFUSAL_BAD_REGION, bad[i].addr, bad[i].size);
        request = with_frozen();
        request.reserved = &bad[i];
        expect_refusal(&request, MOLT_ERR_RANGE, MOLT_REFUSAL_BAD_REGION, bad[i].addr, bad[i].size);
    }
}

// The largest loader that fits leaves not one word between itself and the journal.
static void loader_and_plan_share_the_sector_to_the_last_byte(void **state) {
    (void)state;
    molt_plan_request_t request = with_frozen();
    molt_plan_t plan = begun(&request);
    request.loader_size = plan.extents_off - plan.set_size - 32;
    (void)begun(&request);
    request.loader_size++;
    expect_refusal(&request, MOLT_ERR_NOSPC, MOLT_REFUSAL_TOO_MANY_EXTENTS, 65, SECTOR);
    request.loader_size = UINT32_MAX;
    expect_refusal(&request, MOLT_ERR_NOSPC, MOLT_REFUSAL_TOO_MANY_EXTENTS, 65, SECTOR);
}

static void a_sentence_belongs_to_every_refusal(void **state) {
    (void)state;
    for (int a = MOLT_REFUSAL_NONE; a <= MOLT_REFUSAL_BAD_REGION; a++) {
        const char *text = molt_refusal_text((molt_refusal_reason_t)a);
        assert_true(strlen(text) > 10 && text[strlen(text) - 1] != '.');
        for (int b = MOLT_REFUSAL_NONE; b < a; b++) {
            assert_string_not_equal(text, molt_refusal_text((molt_refusal_reason_t)b));
        }
    }
    assert_non_null(molt_refusal_text((molt_refusal_reason_t)99));
}

static void steps_cover_the_image_and_the_filesystem_once_and_in_order(void **state) {
    (void)state;
    molt_plan_request_t request = with_frozen();
    request.image_size = 200 * KB + 1;
    request.erase_all = true;
    request.fs = (molt_region_t){ 1020 * KB, 136 * KB };
    molt_plan_t plan = begun(&request);
    assert_int_equal(molt_plan_step(&plan, 0).kind, MOLT_STEP_CHECK);
    uint32_t image_addr = 0;
    uint32_t fs_addr = request.fs.addr;
    for (uint32_t i = 1; i < plan.step_count; i++) {
        molt_step_t step = molt_plan_step(&plan, i);
        if (step.kind == MOLT_STEP_ERASE_BLOCK) {
            assert_int_equal(step.addr, image_addr);
            assert_int_equal(step.size, 64 * KB);
        } else if (step.kind == MOLT_STEP_SECTOR) {
            assert_int_equal(fs_addr, request.fs.addr);
            assert_int_equal(step.addr, image_addr);
            image_addr += SECTOR;
        } else if (step.kind == MOLT_STEP_VERIFY) {
            // Between the two, and once.
            assert_int_equal(i, plan.verify_step);
            assert_int_equal(image_addr, 256 * KB);
            assert_int_equal(fs_addr, request.fs.addr);
        } else {
            assert_int_equal(step.kind, MOLT_STEP_ERASE_FS);
            assert_int_equal(step.addr, fs_addr);
            if (i == plan.verify_step + 1) {
                // The superblocks first, on their own.
                assert_int_equal(step.size, 2 * SECTOR);
                continue;
            }
            fs_addr += step.size;
            assert_int_equal(step.addr / (64 * KB), (fs_addr - 1) / (64 * KB));
        }
    }
    // In whole blocks; what lies behind the image's end is never to do.
    assert_int_equal(image_addr, 256 * KB);
    assert_int_equal(fs_addr, 1156 * KB);
}

static void what_is_not_changed_is_not_to_do(void **state) {
    (void)state;
    molt_plan_t plan = begun_with_frozen();
    molt_plan_set_changed(&plan, 5 * SECTOR);
    molt_plan_set_changed(&plan, 40 * SECTOR);
    // The first sector is no step, and what lies behind the image is none of the plan's business.
    molt_plan_set_changed(&plan, 0);
    molt_plan_set_changed(&plan, 256 * KB);
    molt_plan_set_changed(&plan, 4092 * KB);
    molt_plan_finish(&plan);
    uint32_t todo_count = 0;
    for (uint32_t i = 1; i < plan.step_count; i++) {
        todo_count += molt_plan_is_todo(&plan, i);
    }
    // These two, and the check of the whole.
    assert_int_equal(todo_count, 3);
    assert_true(molt_plan_is_todo(&plan, 0));
    assert_true(molt_plan_is_todo(&plan, plan.verify_step));
    assert_true(is_todo(&plan, MOLT_STEP_SECTOR, 5 * SECTOR));
    assert_true(is_todo(&plan, MOLT_STEP_SECTOR, 40 * SECTOR));
    molt_plan_tally_t tally;
    molt_plan_count(&plan, &tally);
    assert_int_equal(tally.image_sector_count, 64);
    assert_int_equal(tally.equal_count, 61);
    assert_int_equal(tally.program_count, 3);
    assert_int_equal(tally.sector_erase_count, 4);
    assert_int_equal(tally.block_erase_count, 0);
}

static void five_changed_sectors_of_a_block_have_it_erased_at_once(void **state) {
    (void)state;
    for (uint32_t changed = 0; changed <= 16; changed++) {
        molt_plan_t plan = begun_with_frozen();
        for (uint32_t i = 0; i < changed; i++) {
            // Any of the block, not the first ones only.
            molt_plan_set_changed(&plan, 64 * KB + (i * 7 + 3) % 16 * SECTOR);
        }
        molt_plan_finish(&plan);
        molt_plan_tally_t tally;
        molt_plan_count(&plan, &tally);
        bool whole = changed >= 5;
        assert_int_equal(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, 64 * KB), whole);
        assert_int_equal(tally.block_erase_count, whole);
        assert_int_equal(tally.sector_erase_count, 2 + (whole ? 0 : changed));
        // Erased with their block, the equal ones have to be programmed too.
        assert_int_equal(tally.program_count, 1 + (whole ? 16 : changed));
        assert_false(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, 128 * KB));
    }
}

static void blocks_that_hold_anything_else_are_never_erased_at_once(void **state) {
    (void)state;
    molt_plan_request_t request = with_frozen();
    request.image_size = 256 * KB - SECTOR;
    request.whole_image = true;
    molt_plan_t plan = begun(&request);
    molt_plan_finish(&plan);
    // The boot sector is in the first, something unknown behind the image in the last.
    assert_false(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, 0));
    assert_true(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, 64 * KB));
    assert_true(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, 128 * KB));
    assert_false(is_todo(&plan, MOLT_STEP_ERASE_BLOCK, 192 * KB));
    assert_false(is_todo(&plan, MOLT_STEP_SECTOR, 0));
    assert_true(is_todo(&plan, MOLT_STEP_SECTOR, 248 * KB));
    assert_false(is_todo(&plan, MOLT_STEP_SECTOR, 252 * KB));
    molt_plan_tally_t tally;
    molt_plan_count(&plan, &tally);
    assert_int_equal(tally.program_count, 63);
    assert_int_equal(tally.equal_count, 0);
    assert_int_equal(tally.block_erase_count, 2);
    assert_int_equal(tally.sector_erase_count, 2 + 15 + 15);
}

static void a_chip_without_block_erase_gets_none(void **state) {
    (void)state;
    const molt_geometry_t simple = { 1024 * KB, SECTOR, 0, 256 };
    molt_plan_request_t request = with_frozen();
    molt_plan_t plan;
    request.fs = (molt_region_t){ 512 * KB, 256 * KB };
    request.whole_image = true;
    request.erase_all = true;
    assert_int_equal(molt_plan_begin(&plan, &simple, &request, boot_sector(), &refusal), 0);
    for (uint32_t i = 0; i < 65; i++) {
        assert_int_equal(molt_plan_set_run(&plan, i, 512 * KB + i % 8 * SECTOR, SECTOR, &refusal), 0);
    }
    molt_plan_finish(&plan);
    molt_plan_tally_t tally;
    molt_plan_count(&plan, &tally);
    assert_int_equal(tally.block_erase_count, 0);
    // The source lies in the first sectors of the filesystem: its block and the step for its beginning are left out.
    assert_int_equal(tally.sector_erase_count, 2 + 63 + 64 - 16);
}

// A run over sectors is one extent each; the first one's data may begin behind up to 15 words of pointers.
static void runs_become_one_extent_a_sector(void **state) {
    (void)state;
    molt_plan_request_t request = with_frozen();
    request.image_size = 3 * SECTOR - 60 - 4 + 10;
    request.source_size = request.image_size;
    request.extent_count = 4;
    molt_plan_t plan = begun(&request);
    uint32_t run_size;
    // In the order in which littlefs's list is walked: from the last to the first.
    assert_int_equal(molt_plan_set_run(&plan, 3, 3000 * KB, 10, &refusal), 0);
    assert_int_equal(molt_plan_set_run(&plan, 2, 2000 * KB + 4, SECTOR - 4, &refusal), 0);
    assert_int_equal(molt_plan_set_run(&plan, 0, 1024 * KB + 60, 2 * SECTOR - 60, &refusal), 0);
    assert_int_equal(molt_plan_source_addr(&plan, 0, &run_size), 1024 * KB + 60);
    assert_int_equal(run_size, SECTOR - 60);
    assert_int_equal(molt_plan_source_addr(&plan, SECTOR - 61, &run_size), 1024 * KB + SECTOR - 1);
    assert_int_equal(run_size, 1);
    assert_int_equal(molt_plan_source_addr(&plan, SECTOR - 60, &run_size), 1024 * KB + SECTOR);
    assert_int_equal(run_size, SECTOR);
    assert_int_equal(molt_plan_source_addr(&plan, 2 * SECTOR - 60, &run_size), 2000 * KB + 4);
    assert_int_equal(molt_plan_source_addr(&plan, 3 * SECTOR - 64, &run_size), 3000 * KB);
    assert_int_equal(run_size, 10);
}

static void extents_that_cannot_be_coded_are_refused(void **state) {
    (void)state;
    static const struct {
        uint32_t addr;
        uint32_t size;
        molt_refusal_reason_t reason;
        uint32_t need;
        uint32_t limit;
    } bad[] = {
        // 16 words to skip; half a word; an end inside a sector that is not the last.
        { 2048 * KB + 64, SECTOR - 64, MOLT_REFUSAL_UNALIGNED_EXTENT, 2048 * KB + 64, SECTOR },
        { 2048 * KB + 2, SECTOR - 2, MOLT_REFUSAL_UNALIGNED_EXTENT, 2048 * KB + 2, SECTOR },
        { 2048 * KB, 512, MOLT_REFUSAL_UNALIGNED_EXTENT, 2048 * KB, SECTOR },
        { 252 * KB, SECTOR, MOLT_REFUSAL_OVERLAPS_SOURCE, 256 * KB, 252 * KB },
        { 0, SECTOR, MOLT_REFUSAL_OVERLAPS_SOURCE, 256 * KB, 0 },
        { 4096 * KB, SECTOR, MOLT_REFUSAL_PAST_FLASH, 4096 * KB, 4096 * KB },
        // It begins in flash, but goes on behind it.
        { 4092 * KB, 2 * SECTOR, MOLT_REFUSAL_PAST_FLASH, 4096 * KB, 4096 * KB },
    };
    molt_plan_t plan = begun_with_frozen();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int err = bad[i].reason == MOLT_REFUSAL_UNALIGNED_EXTENT ? MOLT_ERR_NOTSUP : MOLT_ERR_RANGE;
        assert_int_equal(molt_plan_set_run(&plan, 7, bad[i].addr, bad[i].size, &refusal), err);
        assert_int_equal(refusal.reason, bad[i].reason);
        assert_int_equal(refusal.need, bad[i].need);
        assert_int_equal(refusal.limit, bad[i].limit);
    }
    assert_int_equal(molt_plan_set_run(&plan, 65, 2048 * KB, 4, &refusal), MOLT_ERR_INVAL);
    assert_int_equal(molt_plan_set_run(&plan, 64, 2048 * KB, 2 * SECTOR, &refusal), MOLT_ERR_INVAL);
}

static void twelve_bits_of_sector_number_are_16_mb(void **state) {
    (void)state;
    const molt_geometry_t large = { 32768 * KB, SECTOR, 64 * KB, 256 };
    molt_plan_request_t request = with_frozen();
    molt_plan_t plan;
    uint32_t run_size;
    assert_int_equal(molt_plan_begin(&plan, &large, &request, boot_sector(), &refusal), 0);
    assert_int_equal(molt_plan_set_run(&plan, 0, 16380 * KB, SECTOR, &refusal), 0);
    assert_int_equal(molt_plan_source_addr(&plan, 0, &run_size), 16380 * KB);
    assert_int_equal(molt_plan_set_run(&plan, 0, 16384 * KB, SECTOR, &refusal), MOLT_ERR_NOTSUP);
    assert_int_equal(refusal.reason, MOLT_REFUSAL_UNALIGNED_EXTENT);
}

static void what_was_saved_lies_where_the_image_will_not_be(void **state) {
    (void)state;
    static const molt_saved_t bad[] = {
        { .head_addr = 252 * KB },
        { .head_addr = 4096 * KB },
        { .head_addr = 2048 * KB + 256 },
        { .head_addr = 2048 * KB, .report_addr = 16 },
        { .head_addr = 2048 * KB, .report_addr = 256 * KB - 4 },
        { .head_addr = 2048 * KB, .report_addr = 4096 * KB - 12 },
        { .head_addr = 2048 * KB, .report_addr = 2048 * KB + 2 },
        { .head_addr = 2048 * KB, .extension_addr = 252 * KB, .extension_size = 4 },
        { .head_addr = 2048 * KB, .extension_addr = 4096 * KB - 4, .extension_size = 8 },
        { .head_addr = 2048 * KB, .extension_addr = 2052 * KB, .extension_size = SECTOR + 4 },
        { .head_addr = 2048 * KB, .extension_addr = 2052 * KB + 2, .extension_size = 4 },
    };
    molt_plan_t plan = begun_with_frozen();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(molt_plan_set_saved(&plan, &bad[i], &refusal), MOLT_ERR_RANGE);
        assert_int_equal(refusal.reason, MOLT_REFUSAL_OVERLAPS_SAVED);
        assert_int_equal(refusal.need, 256 * KB);
        assert_int_equal(refusal.limit, bad[i].head_addr);
    }
    static const molt_saved_t good[] = {
        { .head_addr = 256 * KB, .head_crc = 1 },
        { .head_addr = 4092 * KB, .head_crc = 2, .report_addr = 4096 * KB - 16 },
        { .head_addr = 4092 * KB, .head_crc = 3, .extension_addr = 256 * KB, .extension_size = SECTOR },
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(molt_plan_set_saved(&plan, &good[i], &refusal), 0);
        assert_int_equal(plan.saved.head_crc, good[i].head_crc);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_has_its_numbers),
        cmocka_unit_test(an_image_that_ends_where_something_begins_is_in_nobodys_way),
        cmocka_unit_test(regions_must_lie_within_flash_on_whole_sectors),
        cmocka_unit_test(loader_and_plan_share_the_sector_to_the_last_byte),
        cmocka_unit_test(a_sentence_belongs_to_every_refusal),
        cmocka_unit_test(steps_cover_the_image_and_the_filesystem_once_and_in_order),
        cmocka_unit_test(what_is_not_changed_is_not_to_do),
        cmocka_unit_test(five_changed_sectors_of_a_block_have_it_erased_at_once),
        cmocka_unit_test(blocks_that_hold_anything_else_are_never_erased_at_once),
        cmocka_unit_test(a_chip_without_block_erase_gets_none),
        cmocka_unit_test(runs_become_one_extent_a_sector),
        cmocka_unit_test(extents_that_cannot_be_coded_are_refused),
        cmocka_unit_test(twelve_bits_of_sector_number_are_16_mb),
        cmocka_unit_test(what_was_saved_lies_where_the_image_will_not_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
