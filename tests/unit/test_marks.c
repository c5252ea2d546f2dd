// The marks of a plan that has a sector of its own: what counts as made.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nor.h"
#include "upgrade/marks.h"

#define SECTOR 1024u
#define PLAN_ADDR 1024u

static const molt_geometry_t shape = { 4096, SECTOR, 0, 128 };
static sim_nor_t nor;
static uint8_t buf[SECTOR];

static void a_mark_is_one_with_any_single_bit_misread_and_with_one_of_its_pages_lost(void **state) {
    (void)state;
    const molt_geometry_t *geometry = &nor.flash.geometry;
    assert_int_equal(sim_nor_init(&nor, &shape), 0);
    for (uint32_t mark = 0; mark < MOLT_MARK_COUNT; mark++) {
        assert_int_equal(molt_marks_read(geometry, nor.bytes + PLAN_ADDR), (1u << mark) - 1);
        for (uint32_t bit = 0; bit < SECTOR * 8; bit++) {
            nor.bytes[PLAN_ADDR + bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(molt_marks_read(geometry, nor.bytes + PLAN_ADDR), (1u << mark) - 1);
            nor.bytes[PLAN_ADDR + bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(molt_marks_make(&nor.flash, PLAN_ADDR, (molt_mark_t)mark), 0);
    }
    for (uint32_t page = 0; page < MOLT_MARK_COUNT; page++) {
        memcpy(buf, nor.bytes + PLAN_ADDR, SECTOR);
        memset(buf + page * geometry->page_size, 0xff, geometry->page_size);
        assert_int_equal(molt_marks_read(geometry, buf), (1u << MOLT_MARK_COUNT) - 1);
    }
    assert_int_equal(nor.overwrite_count, 0);
    sim_nor_free(&nor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_one_with_any_single_bit_misread_and_with_one_of_its_pages_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
