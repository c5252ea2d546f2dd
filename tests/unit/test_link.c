// The linker: the structures of py/bc.h, emitglue.h and qstr.h, word by word, for a file that has one of each.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "fixture/frozen.h"
#include "frozen/link.h"
#include "frozen/link_parts.h"
#include "frozen/mpy_visitor.h"
#include "molt/error.h"

#define MPY_VADDR 0x40280001u  // odd: bytes may lie anywhere
#define LINK_VADDR 0x40210000u
#define BASE 500u

static uint8_t mpy[FROZEN_MPY_MAX];
static uint32_t words[4096];
static molt_link_t link_made;

static uint32_t find_qstr(void *ctx, const uint8_t *bytes, uint32_t size, bool is_name) {
    (void)ctx;
    (void)is_name;
    return size == 4 && memcmp(bytes, "self", 4) == 0 ? 333 : 0;
}

static int make_float(void *ctx, const uint8_t *text, uint32_t size, uint32_t *word) {
    (void)ctx;
    assert_memory_equal(text, "2.5", 3);
    assert_int_equal(size, 3);
    *word = 0x40200000;
    return 0;
}

static int build_with(uint32_t size, const molt_link_abi_t *abi, uint32_t base, uint32_t room) {
    molt_link_size_t link_size;
    molt_mpy_t parser;
    molt_reader_t reader = molt_memory_reader(mpy, size);
    int err = molt_link_measure(&link_size, &parser, &reader, &frozen_target, "pkg.mod", 7);
    if (err) {
        return err;
    }
    const molt_link_job_t job = {
        .abi = abi,
        .target = &frozen_target,
        .mpy = mpy,
        .mpy_size = size,
        .mpy_vaddr = MPY_VADDR,
        .name = "pkg.mod",
        .name_size = 7,
        .link_vaddr = LINK_VADDR,
        .has_pool = true,
        .prev_pool_vaddr = 0x40220000,
        .qstr_base = base,
        .find_qstr = find_qstr,
        .make_float = make_float,
    };
    memset(words, 0x5a, sizeof words);
    return molt_link_build(&job, words, room ? room : link_size.work_size, &link_made);
}

static int build(uint32_t size) {
    return build_with(size, &frozen_abi, BASE, 0);
}

static uint32_t at(uint32_t vaddr) {
    return words[(vaddr - LINK_VADDR) / 4];
}

static const char *qstr(uint32_t id) {
    uint32_t pool = LINK_VADDR + link_made.pool_off;
    assert_in_range(id, BASE, BASE + at(pool + 12) - 1);
    uint32_t string = at(pool + 24 + 4 * (id - BASE));
    return string >= MPY_VADDR ? (const char *)mpy + (string - MPY_VADDR) : (const char *)words + (string - LINK_VADDR);
}

static void qstrs_have_numbers_of_the_firmware_or_of_the_pool(void **state) {
    (void)state;
    assert_int_equal(build(frozen_make_mpy(mpy, 2, 0)), 0);
    const uint8_t *ids = (const uint8_t *)words + (at(LINK_VADDR + 64) - LINK_VADDR);
    assert_string_equal(qstr(load16_le(ids)), "c.py");
    assert_int_equal(load16_le(ids + 2), 20);
    assert_string_equal(qstr(load16_le(ids + 4)), "name_c_a");
    assert_string_equal(qstr(load16_le(ids + 6)), "name_c_b");
    assert_string_equal(qstr(load16_le(ids + 8)), "shared_name");
    assert_int_equal(load16_le(ids + 10), 333);
}

static void the_pool_is_sorted_and_never_written(void **state) {
    (void)state;
    assert_int_equal(build(frozen_make_mpy(mpy, 4, 0)), 0);
    uint32_t pool = LINK_VADDR + link_made.pool_off;
    uint32_t count = at(pool + 12);
    assert_int_equal(at(pool), 0x40220000);
    assert_int_equal(at(pool + 4), BASE | 1u << 31);
    assert_true(at(pool + 8) <= count);
    assert_int_equal(count, link_made.qstr_count);
    const uint8_t *hashes = (const uint8_t *)words + (at(pool + 16) - LINK_VADDR);
    const uint8_t *sizes = (const uint8_t *)words + (at(pool + 20) - LINK_VADDR);
    for (uint32_t i = 0; i < count; i++) {
        const char *text = qstr(BASE + i);
        assert_int_equal(sizes[i], strlen(text));
        assert_int_equal(load16_le(hashes + 2 * i), molt_link_hash((const uint8_t *)text, sizes[i]));
        assert_true(i == 0 || strcmp(qstr(BASE + i - 1), text) < 0);
    }
}

static void the_modules_own_names_are_in_the_pool(void **state) {
    (void)state;
    assert_int_equal(build(frozen_make_mpy(mpy, 0, 0)), 0);
    const char *const wanted[] = { "pkg", "mod", "pkg.mod", "short text" };
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t hits = 0;
        for (uint32_t k = 0; k < link_made.qstr_count; k++) {
            hits += strcmp(qstr(BASE + k), wanted[i]) == 0;
        }
        assert_int_equal(hits, 1);
    }
}

static void constants_are_as_frozen_ones(void **state) {
    (void)state;
    assert_int_equal(build(frozen_make_mpy(mpy, 1, 1)), 0);
    uint32_t objects = at(LINK_VADDR + 68);
    uint32_t str = at(objects);
    assert_int_equal(at(str), frozen_abi.type_str);
    assert_int_equal(at(str + 8), 49);
    assert_string_equal((const char *)mpy + (at(str + 12) - MPY_VADDR), "a text that is longer than twenty-five characters");
    assert_int_equal(at(objects + 4) & 15, 6);
    assert_string_equal(qstr(at(objects + 4) >> 4), "short text");
    uint32_t number = at(objects + 8);  // -123456789012345678901234567890
    assert_int_equal(at(number), frozen_abi.type_int);
    assert_int_equal(at(number + 4), 1 | 2 | 7 << 2);
    assert_int_equal(at(number + 8), 7);
    assert_int_equal(at(objects + 12), 0x40200000);
    uint32_t tuple = at(objects + 16);
    assert_int_equal(at(tuple), frozen_abi.type_tuple);
    assert_int_equal(at(tuple + 4), 2);
    assert_int_equal(at(tuple + 8), frozen_abi.none);
    assert_int_equal(at(at(tuple + 12) + 8), 7 << 1 | 1);
    assert_int_equal(at(objects + 20), frozen_abi.empty_tuple);
    assert_int_equal(at(at(objects + 24)), frozen_abi.type_bytes);
}

static void a_long_integer_has_its_value(void **state) {
    (void)state;
    assert_int_equal(build(frozen_make_mpy(mpy, 1, 1)), 0);
    uint32_t number = at(at(LINK_VADDR + 68) + 8);
    const uint8_t *digits = (const uint8_t *)words + (at(number + 12) - LINK_VADDR);
    // Both modulo a prime.
    uint64_t from_text = 0;
    for (const char *p = "123456789012345678901234567890"; *p; p++) {
        from_text = (from_text * 10 + (uint64_t)(*p - '0')) % 1000000007u;
    }
    uint64_t from_digits = 0;
    for (uint32_t i = at(number + 8); i-- > 0;) {
        from_digits = (from_digits * 65536 + load16_le(digits + 2 * i)) % 1000000007u;
    }
    assert_int_equal(from_text, from_digits);
}

static void an_integer_that_just_does_not_fit_is_long(void **state) {
    (void)state;
    assert_int_equal(build(frozen_make_mpy(mpy, 1, 0)), 0);  // 1073741824, one more than 31 bits hold
    uint32_t number = at(at(LINK_VADDR + 68) + 8);
    assert_int_equal(at(number), frozen_abi.type_int);
    assert_int_equal(at(number + 4), 0 | 2 | 2 << 2);
}

static void functions_without_functions_are_pointed_to(void **state) {
    (void)state;
    assert_int_equal(build(frozen_make_mpy(mpy, 1, 1)), 0);
    uint32_t module = at(LINK_VADDR + 72);
    assert_int_equal(at(module), 2 << 16);  // indicator 0 0, kind 2, no generator
    uint32_t children = at(module + 8);
    uint32_t leaf = at(children);
    assert_in_range(leaf, MPY_VADDR, MPY_VADDR + FROZEN_MPY_MAX);
    assert_int_equal(mpy[leaf - MPY_VADDR], 0x10);
    uint32_t parent = at(children + 4);
    assert_int_equal(at(parent), 2 << 16);
    assert_in_range(at(at(parent + 8)), MPY_VADDR, MPY_VADDR + FROZEN_MPY_MAX);
}

static void a_name_with_a_zero_makes_the_pool_unsorted(void **state) {
    (void)state;
    uint32_t size = frozen_make_mpy(mpy, 2, 0);
    for (uint32_t i = 0; i + 8 < size; i++) {
        if (memcmp(mpy + i, "name_c_a", 8) == 0) {
            mpy[i + 4] = 0;
        }
    }
    assert_int_equal(build(size), 0);
    uint32_t pool = LINK_VADDR + link_made.pool_off;
    assert_int_equal(at(pool + 4), BASE);  // the highest bit, "sorted", is 0
    const uint8_t *ids = (const uint8_t *)words + (at(LINK_VADDR + 64) - LINK_VADDR);
    uint32_t index = load16_le(ids + 4) - BASE;
    assert_memory_equal(qstr(BASE + index), "name\0c_a", 9);
    assert_int_equal(((const uint8_t *)words)[at(pool + 20) - LINK_VADDR + index], 8);
}

// Native code without names or constants: `tail` is what stands behind the eight bytes of code.
static uint32_t make_native(uint32_t kind, const uint8_t *tail, uint32_t tail_size) {
    static const uint8_t begin[] = { 'M', 6, 9 << 2 | 3, 31, 1, 0, 2, 'n', 0, 8 << 3, 1, 2, 3, 4, 5, 6, 0x10, 0 };
    memcpy(mpy, begin, sizeof begin);
    mpy[9] = (uint8_t)(8 << 3 | (kind - 2));
    memcpy(mpy + sizeof begin, tail, tail_size);
    return (uint32_t)sizeof begin + tail_size;
}

static void native_code_is_copied_where_it_can_run(void **state) {
    (void)state;
    assert_int_equal(build(make_native(MOLT_MPY_KIND_NATIVE, (const uint8_t[]){ 6 }, 1)), 0);
    uint32_t raw = at(LINK_VADDR + 72);
    assert_int_equal(at(raw), MOLT_MPY_KIND_NATIVE << 16);
    assert_int_equal(at(raw + 4) % 4, 0);
    assert_memory_equal((const uint8_t *)words + (at(raw + 4) - LINK_VADDR), mpy + 10, 8);
    assert_int_equal(at(raw + 8), at(raw + 4) + 6);  // the prelude
}

static void assembler_has_its_arguments(void **state) {
    (void)state;
    assert_int_equal(build(make_native(MOLT_MPY_KIND_ASM, (const uint8_t[]){ 0, 3, 0x85, 0x52 }, 4)), 0);
    uint32_t raw = at(LINK_VADDR + 72);
    assert_int_equal(at(raw), MOLT_MPY_KIND_ASM << 16);
    assert_int_equal(at(raw + 12), 3 | (5 << 7 | 0x52) << 8);
    molt_link_abi_t abi = frozen_abi;
    abi.has_asm = 0;
    assert_int_equal(build_with(make_native(MOLT_MPY_KIND_ASM, (const uint8_t[]){ 0, 3, 0 }, 3), &abi, BASE, 0), MOLT_ERR_NOTSUP);
    abi.fun_table = 0;
    assert_int_equal(build_with(make_native(MOLT_MPY_KIND_VIPER, (const uint8_t[]){ 0 }, 1), &abi, BASE, 0), MOLT_ERR_NOTSUP);
}

static void native_code_with_relocations_or_data_is_not_linked(void **state) {
    static const struct {
        uint8_t tail[12];
        uint32_t size;
        bool is_linkable;
    } files[] = {
        { { 0 }, 1, true },
        { { 0x20, 0 }, 2, true },  // constant data, none of it
        { { 0x20, 3, 'a', 'b', 'c' }, 5, false },
        { { 0x40, 8 }, 2, false },  // zeroed data
        { { 0x60, 3, 8, 'a', 'b', 'c' }, 6, false },
        { { 0x10, 0x01, 2, 0x06, 0x03, 4, 2, 0x12, 0xff }, 9, false },  // relocations: to text, text, 2 of text, function 0
        { { 0x70, 1, 4, 'a', 0xff }, 5, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        molt_link_size_t size;
        molt_mpy_t parser;
        molt_reader_t reader = molt_memory_reader(mpy, make_native(MOLT_MPY_KIND_VIPER, files[i].tail, files[i].size));
        assert_int_equal(molt_link_measure(&size, &parser, &reader, &frozen_target, "m", 1), 0);
        assert_true(size.is_native);
        assert_int_equal(size.is_linkable, files[i].is_linkable);
        assert_int_equal(build(reader.size), files[i].is_linkable ? 0 : MOLT_ERR_NOTSUP);
    }
}

static void floats_that_are_no_immediates_become_objects(void **state) {
    molt_link_abi_t abi = frozen_abi;
    (void)state;
    abi.is_float_immediate = 0;
    assert_int_equal(build_with(frozen_make_mpy(mpy, 1, 1), &abi, BASE, 0), 0);
    uint32_t object = at(at(LINK_VADDR + 68) + 12);
    assert_int_equal(at(object), abi.type_float);
    assert_int_equal(at(object + 4), 0x40200000);
}

static void objects_of_representation_a_are_made_by_its_numbers(void **state) {
    (void)state;
    assert_int_equal(build_with(frozen_make_mpy(mpy, 1, 1), &frozen_abi_a, BASE, 0), 0);
    uint32_t objects = at(LINK_VADDR + 68);
    assert_int_equal(at(at(objects)), frozen_abi_a.type_str);
    assert_int_equal(at(objects + 4) & 7, 2);
    uint32_t id = at(objects + 4) >> 3;
    assert_true(id >= BASE && id < BASE + link_made.qstr_count);
    assert_int_equal(at(at(objects + 8)), frozen_abi_a.type_int);
    assert_int_equal(at(at(objects + 12)), frozen_abi_a.type_float);
    assert_int_equal(at(at(objects + 12) + 4), 0x40200000);
    uint32_t tuple = at(objects + 16);
    assert_int_equal(at(tuple), frozen_abi_a.type_tuple);
    assert_int_equal(at(tuple + 8), 6);
    assert_int_equal(at(at(tuple + 12) + 8), 7 << 1 | 1);
    assert_int_equal(at(objects + 20), frozen_abi_a.empty_tuple);
    assert_int_equal(at(at(objects + 24)), frozen_abi_a.type_bytes);
}

static void native_code_is_not_linked_where_none_can_run(void **state) {
    (void)state;
    uint32_t size = make_native(MOLT_MPY_KIND_VIPER, (const uint8_t[]){ 0 }, 1);
    assert_int_equal(build_with(size, &frozen_abi, BASE, 0), 0);
    assert_int_equal(build_with(size, &frozen_abi_a, BASE, 0), MOLT_ERR_NOTSUP);
}

static void a_complex_constant_is_nothing_to_link(void **state) {
    molt_mpy_target_t target = frozen_target;
    molt_link_size_t size;
    molt_mpy_t parser;
    (void)state;
    target.has_complex = true;
    // A name, a constant, a function that does nothing.
    const uint8_t file[] = { 'M', 6, 0, 31, 1, 1, 2 << 1, 'a', 'b', 0, MOLT_MPY_TYPE_IMAGINARY, 2, '3', 'j', 5 << 3, 0x10, 2, 1,
        0x51, 0x63 };
    molt_reader_t reader = molt_memory_reader(file, sizeof file);
    assert_int_equal(molt_link_measure(&size, &parser, &reader, &target, "m", 1), 0);
    assert_false(size.is_linkable);
    assert_int_equal(molt_link_measure(&size, &parser, &reader, &frozen_target, "m", 1), MOLT_ERR_NOTSUP);
}

static void qstr_numbers_have_a_ceiling(void **state) {
    (void)state;
    uint32_t size = frozen_make_mpy(mpy, 1, 1);
    assert_int_equal(build(size), 0);
    uint32_t count = link_made.qstr_count;
    assert_int_equal(build_with(size, &frozen_abi, MOLT_LINK_QSTR_MAX - count, 0), 0);
    assert_int_equal(build_with(size, &frozen_abi, MOLT_LINK_QSTR_MAX - count + 1, 0), MOLT_ERR_NOTSUP);
}

static void too_little_room_is_an_error(void **state) {
    (void)state;
    assert_int_equal(build_with(frozen_make_mpy(mpy, 1, 1), &frozen_abi, BASE, 128), MOLT_ERR_NOSPC);
}

static void links_are_found_again_in_flash(void **state) {
    static const molt_geometry_t geometry = { 16 * 512, 512, 0, 64 };
    sim_nor_t nor;
    molt_link_t found;
    uint32_t where = 0;
    uint32_t work[64];
    (void)state;
    assert_int_equal(sim_nor_init(&nor, &geometry), 0);
    memset(nor.bytes, 0x33, geometry.size);
    link_made = (molt_link_t){ .record_addr = 0x1f80, .mpy_crc = 0x12345678, .abi_crc = 7 };
    assert_int_equal(build(frozen_make_mpy(mpy, 1, 1)), 0);
    assert_int_equal(molt_link_next(&nor.flash, 1024, 8192, &where, &found), MOLT_ERR_CORRUPT);
    assert_int_equal(molt_link_write(&nor.flash, 1024, 1024 + 200, words, &link_made), MOLT_ERR_NOSPC);
    assert_int_equal(molt_link_write(&nor.flash, 1024, 8192, words, &link_made), 0);
    where = 0;
    assert_int_equal(molt_link_next(&nor.flash, 1024, 8192, &where, &found), 1);
    assert_int_equal(found.record_addr, 0x1f80);
    assert_int_equal(found.mpy_crc, 0x12345678);
    assert_int_equal(found.qstr_count, link_made.qstr_count);
    assert_int_equal(molt_link_check(&nor.flash, &found, work), 0);
    assert_int_equal(molt_link_next(&nor.flash, 1024, 8192, &where, &found), 0);
    assert_int_equal(molt_link_write(&nor.flash, where, 8192, words, &link_made), 0);
    nor.bytes[1024 + 100] ^= 1;
    where = 0;
    assert_int_equal(molt_link_next(&nor.flash, 1024, 8192, &where, &found), 1);
    assert_int_equal(molt_link_check(&nor.flash, &found, work), MOLT_ERR_CORRUPT);
    sim_nor_free(&nor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qstrs_have_numbers_of_the_firmware_or_of_the_pool),
        cmocka_unit_test(the_pool_is_sorted_and_never_written),
        cmocka_unit_test(the_modules_own_names_are_in_the_pool),
        cmocka_unit_test(constants_are_as_frozen_ones),
        cmocka_unit_test(a_long_integer_has_its_value),
        cmocka_unit_test(an_integer_that_just_does_not_fit_is_long),
        cmocka_unit_test(functions_without_functions_are_pointed_to),
        cmocka_unit_test(a_name_with_a_zero_makes_the_pool_unsorted),
        cmocka_unit_test(native_code_is_copied_where_it_can_run),
        cmocka_unit_test(assembler_has_its_arguments),
        cmocka_unit_test(native_code_with_relocations_or_data_is_not_linked),
        cmocka_unit_test(floats_that_are_no_immediates_become_objects),
        cmocka_unit_test(objects_of_representation_a_are_made_by_its_numbers),
        cmocka_unit_test(native_code_is_not_linked_where_none_can_run),
        cmocka_unit_test(a_complex_constant_is_nothing_to_link),
        cmocka_unit_test(qstr_numbers_have_a_ceiling),
        cmocka_unit_test(too_little_room_is_an_error),
        cmocka_unit_test(links_are_found_again_in_flash),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
