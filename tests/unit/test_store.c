// The store: the vectors of tests/vectors/store, adding, replacing, deleting, compaction, failing flash.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/reader.h"
#include "fixture/frozen.h"
#include "frozen/store.h"
#include "frozen/store_layout.h"
#include "molt/error.h"

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
    molt_reader_t reader = molt_memory_reader(mpy, frozen_make_mpy(mpy, id, version));
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

// --- what a device finds after an upgrade, a misread, a later format --------------------------------------------

static void a_store_that_a_permitted_upgrade_left_damaged_repairs_itself(void **state) {
    molt_record_t kept;
    (void)state;
    assert_int_equal(frozen_start(&rig), 0);
    assert_int_equal(put("kept", 2, 1), 0);
    assert_int_equal(put("big", 4, 3), 0);
    assert_int_equal(molt_store_delete(&rig.store, "big", 3), 0);
    assert_int_equal(molt_store_find(&rig.store, "kept", 4, &kept), 0);
    // The new firmware ends two sectors below the live records, which is what it is allowed to.
    uint32_t end = sector_floor(&nor.flash, kept.mpy_addr) - STORE_WORK_SECTORS * SECTOR;
    assert_true(end > SECTOR);
    memset(nor.bytes, 0xa5, end);
    rig.region = (molt_region_t){ end, SECTOR + REGION_SIZE - end };
    assert_int_equal(molt_store_open(&rig.store, &nor.flash, &rig.region), 0);
    assert_true(rig.store.is_damaged);
    assert_int_equal(frozen_start(&rig), 0);
    assert_false(rig.store.is_damaged);
    assert_string_equal(names(), "kept ");
    assert_null(frozen_check_links(&rig));
    uint32_t compactions = rig.compactions;
    assert_int_equal(frozen_start(&rig), 0);
    assert_int_equal(rig.compactions, compactions);
}

// Reads with one bit wrong in the first `misreads` of those of a whole header.
static uint32_t misreads;

static int misread(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    int err = nor.flash.read(ctx, addr, buf, size);
    if (size == MOLT_RECORD_HEADER_SIZE && misreads) {
        ((uint8_t *)buf)[RECORD_SIZE_OFF] ^= 4;
        misreads--;
    }
    return err;
}

static void a_header_that_is_misread_once_is_read_again(void **state) {
    (void)state;
    load_vector("three");
    molt_flash_t unsteady = nor.flash;
    unsteady.read = misread;
    misreads = 2;
    assert_int_equal(molt_store_open(&rig.store, &unsteady, &rig.region), 0);
    assert_int_equal(misreads, 0);
    assert_false(rig.store.is_damaged);
    assert_string_equal(names(), "alpha pkg.beta gamma ");
}

static void what_a_later_molt_has_stored_is_left_as_it_is(void **state) {
    (void)state;
    load_vector("three");
    uint32_t top = SECTOR + REGION_SIZE - MOLT_RECORD_HEADER_SIZE;
    uint8_t *header = nor.bytes + top;
    header[RECORD_VERSION_OFF] = MOLT_STORE_VERSION + 1;
    uint32_t crc = molt_crc32(0, header + RECORD_VERSION_OFF, RECORD_HEADER_CRC_OFF - RECORD_VERSION_OFF);
    store32_le(header + RECORD_HEADER_CRC_OFF, molt_crc32(crc, header + MOLT_RECORD_NAME_OFF, MOLT_RECORD_NAME_MAX + 1));
    uint8_t before[REGION_SIZE];
    memcpy(before, nor.bytes + SECTOR, REGION_SIZE);
    assert_int_equal(frozen_start(&rig), 0);
    assert_true(rig.store.is_damaged && rig.store.is_newer);
    assert_int_equal(put("delta", 1, 1), MOLT_ERR_CORRUPT);
    assert_memory_equal(before, nor.bytes + SECTOR, REGION_SIZE);
}

// --- what a torn operation leaves can read right now and wrong later --------------------------------------------

#define OPS_MAX 400

typedef struct op {
    char kind;
    uint32_t addr;
    uint32_t size;
    uint32_t word;  // the first that is programmed
} op_t;

static op_t ops[OPS_MAX];
static uint32_t op_count;

static void watch(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    (void)ctx;
    assert_true(op_count < OPS_MAX);
    ops[op_count++] = (op_t){ kind, addr, size, data ? load32_le(data) : 0 };
}

static void begin_watching(int64_t cut_op) {
    sim_nor_power_on(&nor);
    nor.cut_op = cut_op;
    nor.cut_tear = SIM_TEAR_AFTER;
    nor.watch = watch;
    op_count = 0;
}

static bool has_erased(uint32_t addr) {
    for (uint32_t i = 0; i < op_count; i++) {
        if (ops[i].kind == 's' && ops[i].addr == addr) {
            return true;
        }
    }
    return false;
}

static void prepare_compaction(void) {
    set_up(NULL);
    assert_int_equal(frozen_start(&rig), 0);
    // So small that what lies below moves within its sectors.
    assert_int_equal(put("a", 0, 1), 0);
    assert_int_equal(put("b", 3, 4), 0);
    assert_int_equal(put("c", 4, 2), 0);
    assert_int_equal(molt_store_delete(&rig.store, "a", 1), 0);
}

static int compact(void) {
    uint32_t sector[SECTOR / 4];
    return molt_store_compact(&nor.flash, &rig.region, sector, NULL);
}

// The sector of records that was in work when the power failed behind ops[cut], or 0.
static uint32_t torn_sector(uint32_t cut) {
    uint32_t lowest = rig.region.addr + STORE_WORK_SECTORS * SECTOR;
    return ops[cut].addr < lowest ? 0 : sector_floor(&nor.flash, ops[cut].addr);
}

static void a_sector_that_was_in_work_is_rewritten_though_it_reads_right(void **state) {
    uint32_t checked = 0;
    (void)state;
    bool is_cut = true;
    for (int64_t op = 0; is_cut; op++) {
        prepare_compaction();
        begin_watching(op);
        is_cut = compact() == SIM_ERR_CUT;
        uint32_t torn = is_cut ? torn_sector(op_count - 1) : 0;
        begin_watching(-1);
        assert_int_equal(frozen_start(&rig), 0);
        if (torn) {
            assert_true(has_erased(torn));
            checked++;
        }
        nor.watch = NULL;
        assert_string_equal(names(), "b c ");
    }
    assert_true(checked > 5);
}

// Whether the word at `addr` is programmed as 0 before anything is erased.
static bool is_made_firm(uint32_t addr) {
    for (uint32_t i = 0; i < op_count && ops[i].kind == 'p'; i++) {
        if (ops[i].addr == addr && ops[i].word == 0) {
            return true;
        }
    }
    return false;
}

static void marks_of_a_compaction_are_made_again_after_a_restart(void **state) {
    uint32_t checked = 0;
    uint32_t scratch_checked = 0;
    (void)state;
    bool is_cut = true;
    for (int64_t op = 0; is_cut; op++) {
        prepare_compaction();
        begin_watching(op);
        is_cut = compact() == SIM_ERR_CUT;
        op_t last = ops[op_count - 1];
        bool is_mark = is_cut && last.kind == 'p' && last.size == 4 && last.word == 0 && last.addr >= rig.region.addr + SECTOR / 2
                       && last.addr < rig.region.addr + SECTOR;
        begin_watching(-1);
        int err = compact();
        nor.watch = NULL;
        if (is_mark) {
            assert_int_equal(err, 0);
            assert_true(is_made_firm(last.addr));
            checked++;
            scratch_checked += last.addr % 8 == 0;
        }
    }
    assert_true(scratch_checked > 1 && checked > 2 * scratch_checked - 1);
}

static bool is_erased(uint32_t addr, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (nor.bytes[addr + i] != 0xff) {
            return false;
        }
    }
    return true;
}

static void a_journal_that_does_not_count_is_erased(void **state) {
    (void)state;
    prepare_compaction();
    assert_int_equal(compact(), 0);
    assert_true(is_erased(rig.region.addr, SECTOR));
    // Cut before the magic is programmed, and between clearing and erasing.
    static const uint32_t magics[] = { 0xffffffff, 0, 0x40000000 };
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        prepare_compaction();
        int64_t op = 0;
        do {
            begin_watching(op++);
            assert_int_equal(compact(), SIM_ERR_CUT);
        } while (ops[op_count - 1].addr != rig.region.addr || ops[op_count - 1].size != 4);
        nor.watch = NULL;
        sim_nor_power_on(&nor);
        assert_int_equal(molt_store_open(&rig.store, &nor.flash, &rig.region), MOLT_ERR_BUSY);
        store32_le(nor.bytes + rig.region.addr, magics[i]);
        assert_int_equal(molt_store_open(&rig.store, &nor.flash, &rig.region), 0);
        assert_int_equal(molt_store_settle(&rig.store), 0);
        assert_true(is_erased(rig.region.addr, SECTOR));
    }
}

static void a_sector_is_erased_for_a_record_though_it_reads_as_erased(void **state) {
    (void)state;
    assert_int_equal(frozen_start(&rig), 0);
    begin_watching(0);
    assert_int_equal(put("a", 1, 1), SIM_ERR_CUT);
    assert_int_equal(ops[0].kind, 's');
    uint32_t torn = ops[0].addr;
    assert_true(is_erased(torn, SECTOR));
    sim_nor_power_on(&nor);
    assert_int_equal(frozen_start(&rig), 0);
    begin_watching(-1);
    assert_int_equal(put("a", 1, 1), 0);
    assert_true(has_erased(torn));
    nor.watch = NULL;
}

static void a_torn_header_is_cleared_at_the_next_start(void **state) {
    (void)state;
    load_vector("torn-header");
    uint32_t at = 0;
    molt_record_t alpha;
    assert_int_equal(molt_store_next(&rig.store, &at, &alpha), 1);
    uint8_t *torn = nor.bytes + record_end(&nor.flash, alpha.mpy_addr) - MOLT_RECORD_HEADER_SIZE;
    assert_int_equal(molt_store_settle(&rig.store), 0);
    for (uint32_t i = 0; i < MOLT_RECORD_HEADER_SIZE; i++) {
        assert_int_equal(torn[i], 0);
    }
    uint64_t before = nor.op_count;
    assert_int_equal(molt_store_open(&rig.store, &nor.flash, &rig.region), 0);
    assert_string_equal(names(), "alpha gamma ");
    assert_int_equal(molt_store_settle(&rig.store), 0);
    assert_int_equal(nor.op_count, before);
}

static void of_two_the_newer_is_committed_again_before_the_older_goes(void **state) {
    molt_record_t record;
    (void)state;
    load_vector("two-of-a-name");
    assert_int_equal(molt_store_find(&rig.store, "alpha", 5, &record), 0);
    begin_watching(-1);
    assert_int_equal(molt_store_settle(&rig.store), 0);
    nor.watch = NULL;
    assert_int_equal(op_count, 2);
    assert_int_equal(ops[0].addr, record.header_addr + RECORD_COMMIT_OFF);
    assert_int_equal(ops[0].word, 0);
    assert_true(ops[1].addr > ops[0].addr);
}

// --- room for links ---------------------------------------------------------------------------------------------

static const uint8_t *map(void *ctx, uint32_t addr) {
    return ((const frozen_rig_t *)ctx)->nor->bytes + addr;
}

// Add as the device does, with room for the module's own link and those that are still to be made.
static int put_with_link(uint32_t number) {
    uint8_t mpy[FROZEN_MPY_MAX];
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    const char name[] = { 'a', (char)('a' + number / 26), (char)('a' + number % 26), 0 };
    molt_record_t record;
    molt_link_size_t own;
    molt_mpy_t parsed;
    uint32_t wanted;
    molt_reader_t reader = molt_memory_reader(mpy, frozen_make_mpy(mpy, number, 1));
    assert_int_equal(molt_link_measure(&own, &parsed, &reader, &frozen_target, name, 3), 0);
    assert_int_equal(molt_relink_wanted(&rig.store, rig.relink.links_addr, &frozen_target, map, &rig, &wanted), 0);
    uint32_t spare = molt_relink_room(&rig.store, rig.relink.links_addr, wanted + own.link_size);
    return molt_store_put(&rig.store, name, 3, &reader, spare, work, &record);
}

static void whatever_is_taken_in_one_session_is_linked_at_the_next_start(void **state) {
    static const molt_geometry_t geometry = { 100 * SECTOR, SECTOR, 0, 64 };
    sim_nor_t large;
    uint32_t count = 0;
    (void)state;
    assert_int_equal(sim_nor_init(&large, &geometry), 0);
    rig = (frozen_rig_t){ .nor = &large, .region = { SECTOR, 90 * SECTOR } };
    assert_int_equal(frozen_start(&rig), 0);
    while (put_with_link(count) == 0) {
        count++;
    }
    assert_true(count > 20);
    uint32_t wanted;
    assert_int_equal(frozen_start(&rig), 0);
    assert_true(rig.has_room);
    assert_int_equal(rig.relink.made_count, count);
    assert_null(frozen_check_links(&rig));
    assert_int_equal(molt_relink_wanted(&rig.store, rig.relink.links_addr, &frozen_target, map, &rig, &wanted), 0);
    assert_int_equal(wanted, 0);
    sim_nor_free(&large);
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
        cmocka_unit_test_setup(a_store_that_a_permitted_upgrade_left_damaged_repairs_itself, set_up),
        cmocka_unit_test_setup(a_header_that_is_misread_once_is_read_again, set_up),
        cmocka_unit_test_setup(what_a_later_molt_has_stored_is_left_as_it_is, set_up),
        cmocka_unit_test_setup(a_sector_that_was_in_work_is_rewritten_though_it_reads_right, set_up),
        cmocka_unit_test_setup(marks_of_a_compaction_are_made_again_after_a_restart, set_up),
        cmocka_unit_test_setup(a_journal_that_does_not_count_is_erased, set_up),
        cmocka_unit_test_setup(a_sector_is_erased_for_a_record_though_it_reads_as_erased, set_up),
        cmocka_unit_test_setup(a_torn_header_is_cleared_at_the_next_start, set_up),
        cmocka_unit_test_setup(of_two_the_newer_is_committed_again_before_the_older_goes, set_up),
        cmocka_unit_test_setup(whatever_is_taken_in_one_session_is_linked_at_the_next_start, set_up),
        cmocka_unit_test_setup(a_region_that_is_too_small_is_refused, set_up),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
