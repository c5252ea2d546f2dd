// See planned.h.

#include "planned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "molt/error.h"

const molt_geometry_t chip = { 4096 * KB, SECTOR, 64 * KB, 256 };

static uint32_t sector_words[SECTOR / 4];
molt_refusal_t refusal;

uint8_t *boot_sector(void) {
    return (uint8_t *)sector_words;
}

molt_plan_request_t ordinary(void) {
    return (molt_plan_request_t){
        .image_size = 256 * KB,
        .image_crc = 0x12345678,
        .source_size = 256 * KB,
        .kept_size = SECTOR,
        .extent_count = 65,
        .loader_size = 2800,
        .mapped_size = 1024 * KB,
        .fs = { 1024 * KB, 3052 * KB },
        .flash_params = 0x4002,
    };
}

molt_plan_t begun(const molt_plan_request_t *request) {
    molt_plan_t plan;
    assert_int_equal(molt_plan_begin(&plan, &chip, request, boot_sector(), &refusal), 0);
    assert_int_equal(refusal.reason, MOLT_REFUSAL_NONE);
    return plan;
}

uint32_t step_that(const molt_plan_t *plan, molt_step_kind_t kind, uint32_t addr) {
    for (uint32_t i = 1; i < plan->step_count; i++) {
        molt_step_t step = molt_plan_step(plan, i);
        if (step.kind == kind && step.addr == addr) {
            return i;
        }
    }
    return 0;
}

bool is_todo(const molt_plan_t *plan, molt_step_kind_t kind, uint32_t addr) {
    uint32_t step = step_that(plan, kind, addr);
    assert_int_not_equal(step, 0);
    return molt_plan_is_todo(plan, step);
}

void expect_refusal(const molt_plan_request_t *request, int err, molt_refusal_reason_t reason, uint32_t need, uint32_t limit) {
    molt_plan_t plan;
    assert_int_equal(molt_plan_begin(&plan, &chip, request, boot_sector(), &refusal), err);
    assert_int_equal(refusal.reason, reason);
    assert_int_equal(refusal.need, need);
    assert_int_equal(refusal.limit, limit);
}
