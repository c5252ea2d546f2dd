// The state log in flash: the committed vectors (tests/vectors/state, made without molt's code) are what molt reads and
// writes.
//
// Run from the root of the repository, or with the folder of the vectors as the only argument.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "molt/error.h"
#include "nor.h"
#include "resident/state.h"

#define SECTOR 4096u
#define RESERVED 8192u
#define LOG (RESERVED + 4 * SECTOR)
#define SLOT 512u

static const char *folder = "tests/vectors/state";
static sim_nor_t nor;

static int set_up(void **state) {
    (void)state;
    static const molt_geometry_t geometry = { 65536, SECTOR, 0, 256 };
    return sim_nor_init(&nor, &geometry);
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

static molt_state_t read_state(void) {
    molt_state_t state;
    assert_int_equal(molt_state_read(&nor.flash, RESERVED, &state), 0);
    return state;
}

static void load(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        fail_msg("%s cannot be opened", path);
    }
    assert_int_equal(fread(nor.bytes + LOG, 1, 2 * SECTOR, stream), 2 * SECTOR);
    fclose(stream);
}

static void the_vectors_are_read_as_what_they_are(void **state) {
    (void)state;
    load("2-upgrade");
    molt_state_t found = read_state();
    assert_int_equal(found.number, 3);
    assert_int_equal(found.kind, MOLT_STATE_UPGRADE);
    assert_int_equal(found.result, MOLT_STATE_RESULT_DONE);
    assert_int_equal(found.head, 1);
    assert_int_equal(found.plan, 0);
    assert_int_equal(found.trial_plan, 1);
    assert_int_equal(found.trial_starts, 3);
    assert_int_equal(found.tally, 2);
    load("2-trial");
    found = read_state();
    assert_int_equal(found.kind, MOLT_STATE_TRIAL);
    assert_int_equal(found.plan, 1);
    assert_int_equal(found.trial_plan, MOLT_STATE_NO_PLAN);
    assert_int_equal(found.trial_starts, 5);
    assert_int_equal(found.tally, 4);
    static const struct {
        const char *name;
        uint32_t number;
        uint32_t slot;
        uint32_t free_slot;  // 8, 16: the end of the first sector, of the second
    } goods[] = {
        { "2-first-copy", 3, 2, 3 },
        { "2-second-copy", 3, 2, 3 },
        { "2-tallies-differ", 3, 2, 3 },
        { "2-torn-first", 3, 2, 4 },
        { "2-torn-second", 4, 3, 4 },
        { "2-passed-over", 4, 3, 4 },
        { "2-both-torn", 2, 1, 3 },
        { "2-second-sector", 10, 9, 10 },
        { "2-torn-erase", 16, 15, 16 },
        { "2-first-sector-again", 17, 0, 1 },
    };
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        load(goods[i].name);
        found = read_state();
        if (found.number != goods[i].number || found.addr != LOG + goods[i].slot * SLOT
            || found.free_addr != LOG + goods[i].free_slot * SLOT) {
            fail_msg("%s: number %u at 0x%x, free 0x%x", goods[i].name, found.number, found.addr, found.free_addr);
        }
    }
    load("2-nothing-whole");
    assert_int_equal(molt_state_read(&nor.flash, RESERVED, &found), MOLT_ERR_NOENT);
    load("2-unknown-kind");
    assert_int_equal(molt_state_read(&nor.flash, RESERVED, &found), MOLT_ERR_NOTSUP);
}

// The bytes that molt writes are the vectors' too.
static void records_are_written_as_the_vectors_say(void **state) {
    (void)state;
    static uint8_t vector[2 * SECTOR];
    load("2-trial");
    memcpy(vector, nor.bytes + LOG, sizeof vector);
    memset(nor.bytes, 0xff, 65536);
    molt_state_t present = { .number = 0 };
    molt_state_t next = {
        .kind = MOLT_STATE_NORMAL,
        .result = MOLT_STATE_RESULT_DONE,
        .plan = MOLT_STATE_NO_PLAN,
        .trial_plan = MOLT_STATE_NO_PLAN,
    };
    for (uint32_t i = 0; i < 3; i++) {
        if (i == 2) {
            next.kind = MOLT_STATE_TRIAL;
            next.head = 1;
            next.plan = 1;
            next.trial_starts = 5;
        }
        assert_int_equal(molt_state_append(&nor.flash, RESERVED, &present, &next), 0);
        present = read_state();
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(molt_state_count(&nor.flash, &present), 0);
    }
    assert_memory_equal(nor.bytes + LOG, vector, sizeof vector);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv) {
    folder = argc > 1 ? argv[1] : folder;
    const struct CMUnitTest tests[] = {
        TEST(the_vectors_are_read_as_what_they_are),
        TEST(records_are_written_as_the_vectors_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
