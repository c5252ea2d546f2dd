// The store: the vectors of tests/vectors/store, adding, replacing, deleting, compaction, failing flash.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture/frozen.h"
#include "molt/error.h"
#include "molt/store.h"

#define SECTOR 512u
#define REGION_SIZE (8 * SECTOR)

static sim_nor_t nor;
static frozen_rig_t rig;

static int set_up(void **state) {
    static const molt_geometry_t geometry = { 10 * SECTOR, SECTOR, 0, 64 };
    (void)state;
    if (nor.bytes == NULL && sim_nor_init(&nor, &geometry) != 0) {
        return 1;
    }
    memset(nor.bytes, 0xff, geometry.size);
    sim_nor_power_on(&nor);
    rig = (frozen_rig_t){ .nor = &nor, .region = { SECTOR, REGION_SIZE } };
    return 0;
}

static int load_vector(const char *name) {
    char path[100];
    snprintf(path, sizeof path, "tests/vectors/store/%s.bin", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(nor.bytes + SECTOR, 1, REGION_SIZE, file), REGION_SIZE);
    fclose(file);
    return molt_store_open(&rig.store, &nor.flash, &rig.region);
}

// The live names, a blank behind each.
static const char *names(void) {
    static char text[400];
    uint32_t at = 0;
    molt_record_t record;
    text[0] = 0;
    while (molt_store_next(&rig.store, &at, &record) == 1) {
        char name[MOLT_RECORD_NAME_MAX + 1];
        if (record.is_live) {
            assert_int_equal(molt_store_name(&rig.store, &record, name), 0);
            strcat(strcat(text, name), " ");
        }
    }
    return text;
}

static int put(const char *name, uint32_t id, uint32_t version) {
    uint8_t mpy[FROZEN_MPY_MAX];
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_record_t record;
    molt_reader_t reader = frozen_reader(mpy, frozen_make_mpy(mpy, id, version));
    return molt_store_put(&rig.store, name, (uint32_t)strlen(name), &reader, 0, work, &record);
}

static void vectors_read_as_they_should(void **state) {
    static const struct {
        const char *name;
        const char *names;
        bool is_wanted;
        bool is_damaged;
    } vectors[] = {
        { "empty", "", false, false },
        { "three", "alpha pkg.beta gamma ", false, false },
        { "deleted", "beta ", true, false },
        { "uncommitted", "alpha ", false, false },
        { "two-of-a-name", "alpha alpha ", false, false },
        { "torn-header", "alpha gamma ", false, false },
        { "bad-crc", "alpha beta ", false, false },
        { "damaged", "alpha ", false, true },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        set_up(state);
        assert_int_equal(load_vector(vectors[i].name), 0);
        assert_string_equal(names(), vectors[i].names);
        assert_int_equal(rig.store.is_wanted, vectors[i].is_wanted);
        assert_int_equal(rig.store.is_damaged, vectors[i].is_damaged);
    }
}

static void of_two_the_newer_counts_and_the_older_is_settled(void **state) {
    molt_record_t record;
    (void)state;
    load_vector("two-of-a-name");
    assert_int_equal(molt_store_find(&rig.store, "alpha", 5, &record), 0);
    assert_int_equal(record.mpy_addr, rig.store.end_addr);
    assert_int_equal(molt_store_settle(&rig.store), 0);
    assert_string_equal(names(), "alpha ");
}

static void a_record_with_other_bytes_fails_its_check(void **state) {
    molt_record_t record;
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    (void)state;
    load_vector("bad-crc");
    assert_int_equal(molt_store_find(&rig.store, "alpha", 5, &record), 0);
    assert_int_equal(molt_store_check(&rig.store, &record, work), 0);
    assert_int_equal(molt_store_find(&rig.store, "beta", 4, &record), 0);
    assert_int_equal(molt_store_check(&rig.store, &record, work), MOLT_ERR_CORRUPT);
}

static void a_damaged_store_takes_nothing_until_it_is_emptied(void **state) {
    (void)state;
    load_vector("damaged");
    assert_int_equal(put("delta", 1, 1), MOLT_ERR_CORRUPT);
    assert_int_equal(molt_store_reset(&rig.store), 0);
    assert_int_equal(frozen_start(&rig), 0);
    assert_false(rig.store.is_damaged);
    assert_int_equal(put("delta", 1, 1), 0);
    assert_string_equal(names(), "delta ");
}

static void the_same_bytes_again_write_nothing(void **state) {
    (void)state;
    assert_int_equal(frozen_start(&rig), 0);
    assert_int_equal(put("a", 1, 1), 0);
    uint64_t before = nor.op_count;
    assert_int_equal(put("a", 1, 1), 0);
    assert_int_equal(nor.op_count, before);
}

static void a_full_store_changes_nothing(void **state) {
    (void)state;
    assert_int_equal(frozen_start(&rig), 0);
    int err = 0;
    for (uint32_t i = 0; !err; i++) {
        char name[] = { 'a', (char)('a' + i), 0 };
        uint64_t before = nor.op_count;
        err = put(name, 7, i);
        assert_true(err == 0 || nor.op_count == before);
    }
    assert_int_equal(err, MOLT_ERR_NOSPC);
    assert_int_equal(put("aa", 7, 9), MOLT_ERR_NOSPC);
    assert_int_equal(put("aa", 7, 0), 0);
}

static void compaction_keeps_what_is_alive(void **state) {
    (void)state;
    load_vector("three");
    assert_int_equal(molt_store_delete(&rig.store, "alpha", 5), 0);
    assert_int_equal(molt_store_delete(&rig.store, "alpha", 5), MOLT_ERR_NOENT);
    uint32_t end = rig.store.end_addr;
    assert_int_equal(molt_store_want_compaction(&rig.store), 0);
    assert_int_equal(frozen_start(&rig), 0);
    assert_int_equal(rig.compactions, 1);
    assert_string_equal(names(), "pkg.beta gamma ");
    assert_true(rig.store.end_addr > end);
    assert_int_equal(rig.store.dead_size, 0);
    assert_false(rig.store.is_wanted);
    assert_int_equal(frozen_start(&rig), 0);
    assert_int_equal(rig.compactions, 1);
}

static void names_are_checked(void **state) {
    static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "a b", "a/b", "a-b", "a\n" };
    char longest[MOLT_RECORD_NAME_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(molt_store_is_name(bad[i], (uint32_t)strlen(bad[i])));
    }
    memset(longest, 'x', sizeof longest);
    assert_true(molt_store_is_name(longest, MOLT_RECORD_NAME_MAX));
    assert_false(molt_store_is_name(longest, MOLT_RECORD_NAME_MAX + 1));
    assert_true(molt_store_is_name("a.b_2.\xc3\xa9", 8));
}

static void what_the_firmware_starts_with_is_reserved(void **state) {
    static const char *const reserved[] = { "_boot", "flashbdev", "inisetup", "molt", "molt.sub", "flashbdev.a.b" };
    static const char *const free_names[] = { "boot", "main", "molten", "_boots", "pkg.molt", "mol", "" };
    (void)state;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        assert_true(molt_store_is_reserved(reserved[i], (uint32_t)strlen(reserved[i])));
    }
    for (size_t i = 0; i < sizeof free_names / sizeof *free_names; i++) {
        assert_false(molt_store_is_reserved(free_names[i], (uint32_t)strlen(free_names[i])));
    }
    assert_true(molt_store_is_reserved("molt.mpy", 4));
}

// Fail each call of the driver in turn, in adding, replacing, deleting, compacting and linking: what was committed
// stays, and the next start finds it.
static void no_failing_call_loses_a_module(void **state) {
    bool has_failed = true;
    for (int64_t call = 0; has_failed; call++) {
        molt_record_t record;
        set_up(state);
        assert_int_equal(frozen_start(&rig), 0);
        assert_int_equal(put("kept", 2, 1), 0);
        assert_int_equal(put("gone", 3, 1), 0);
        sim_nor_power_on(&nor);
        nor.fail_call = call;
        int err = put("kept", 2, 2);
        err = err ? err : molt_store_delete(&rig.store, "gone", 4);
        err = err ? err : molt_store_want_compaction(&rig.store);
        (void)frozen_start(&rig);
        has_failed = nor.has_failed;
        sim_nor_power_on(&nor);
        assert_int_equal(frozen_start(&rig), 0);
        assert_int_equal(molt_store_find(&rig.store, "kept", 4, &record), 0);
        uint32_t work[MOLT_STORE_WORK_SIZE / 4];
        assert_int_equal(molt_store_check(&rig.store, &record, work), 0);
        assert_null(frozen_check_links(&rig));
        (void)err;
    }
}

static void a_region_that_is_too_small_is_refused(void **state) {
    (void)state;
    const molt_region_t small = { SECTOR, 2 * SECTOR };
    const molt_region_t outside = { SECTOR, 100 * SECTOR };
    assert_int_equal(molt_store_open(&rig.store, &nor.flash, &small), MOLT_ERR_NOSPC);
    assert_int_equal(molt_store_open(&rig.store, &nor.flash, &outside), MOLT_ERR_NOSPC);
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(vectors_read_as_they_should, set_up),
        cmocka_unit_test_setup(of_two_the_newer_counts_and_the_older_is_settled, set_up),
        cmocka_unit_test_setup(a_record_with_other_bytes_fails_its_check, set_up),
        cmocka_unit_test_setup(a_damaged_store_takes_nothing_until_it_is_emptied, set_up),
        cmocka_unit_test_setup(the_same_bytes_again_write_nothing, set_up),
        cmocka_unit_test_setup(a_full_store_changes_nothing, set_up),
        cmocka_unit_test_setup(compaction_keeps_what_is_alive, set_up),
        cmocka_unit_test_setup(names_are_checked, set_up),
        cmocka_unit_test_setup(what_the_firmware_starts_with_is_reserved, set_up),
        cmocka_unit_test_setup(no_failing_call_loses_a_module, set_up),
        cmocka_unit_test_setup(a_region_that_is_too_small_is_refused, set_up),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
