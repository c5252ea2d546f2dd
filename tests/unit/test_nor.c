// The simulated chip: what a test rests on that says "this survives".

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nor.h"

static sim_nor_t nor;

static int set_up(void **state) {
    (void)state;
    const molt_geometry_t geometry = { 16384, 512, 2048, 128 };
    return sim_nor_init(&nor, &geometry);
}

static int tear_down(void **state) {
    (void)state;
    sim_nor_free(&nor);
    return 0;
}

static int prog(uint32_t addr, const void *data, uint32_t size) {
    return nor.flash.prog(nor.flash.ctx, addr, data, size);
}

static uint32_t word_at(uint32_t addr) {
    uint32_t word;
    memcpy(&word, nor.bytes + addr, 4);
    return word;
}

// Program `word` at `addr`, and cut that with `tear`; the power comes back.
static void cut_prog(uint32_t addr, uint32_t word, sim_tear_t tear) {
    nor.cut_op = (int64_t)nor.op_count;
    nor.cut_tear = tear;
    assert_int_equal(prog(addr, &word, 4), SIM_ERR_CUT);
    sim_nor_power_on(&nor);
}

// The words that are read at `addr` in 64 starts: bits that were 0 at least once, and bits that were 1.
static void look(uint32_t addr, uint32_t *zeros, uint32_t *ones) {
    *zeros = 0;
    *ones = 0;
    for (int i = 0; i < 64; i++) {
        *zeros |= ~word_at(addr);
        *ones |= word_at(addr);
        sim_nor_power_on(&nor);
    }
}

static void a_weak_bit_reads_either_way_from_start_to_start(void **state) {
    (void)state;
    uint32_t zeros;
    uint32_t ones;
    cut_prog(256, 0xffff00ff, SIM_TEAR_WEAK);
    look(256, &zeros, &ones);
    assert_int_equal(zeros, 0x0000ff00);
    assert_int_equal(ones, 0xffffffff);
}

static void a_weak_bit_reads_the_same_between_two_starts(void **state) {
    (void)state;
    uint32_t first;
    uint32_t again;
    cut_prog(256, 0, SIM_TEAR_WEAK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(nor.flash.read(nor.flash.ctx, 256, &first, 4), 0);
        assert_int_equal(nor.flash.read(nor.flash.ctx, 256, &again, 4), 0);
        assert_int_equal(first, again);
    }
}

static void a_marginal_program_has_one_weak_bit_of_those_that_changed(void **state) {
    (void)state;
    uint32_t zeros;
    uint32_t ones;
    cut_prog(256, 0xfff0f0ff, SIM_TEAR_MARGINAL);
    look(256, &zeros, &ones);
    assert_int_equal(zeros, 0x000f0f00);
    assert_int_equal(__builtin_popcount(ones & zeros), 1);
}

static void a_zero_makes_a_weak_bit_firm_and_a_one_does_not(void **state) {
    (void)state;
    uint32_t zeros;
    uint32_t ones;
    const uint32_t low = 0xffff0000;
    cut_prog(256, 0, SIM_TEAR_WEAK);
    assert_int_equal(prog(256, &low, 4), 0);
    look(256, &zeros, &ones);
    assert_int_equal(zeros, 0xffffffff);
    assert_int_equal(ones, 0xffff0000);
}

static void an_erase_makes_weak_bits_firm(void **state) {
    (void)state;
    uint32_t zeros;
    uint32_t ones;
    cut_prog(256, 0, SIM_TEAR_WEAK);
    assert_int_equal(nor.flash.erase_sector(nor.flash.ctx, 0), 0);
    look(256, &zeros, &ones);
    assert_int_equal(zeros, 0);
    assert_int_equal(nor.weak_sector_count, 0);
}

static void going_back_brings_back_weak_bits_too(void **state) {
    (void)state;
    uint32_t zeros;
    uint32_t ones;
    cut_prog(256, 0xffffff00, SIM_TEAR_WEAK);
    uint32_t then = word_at(256);
    sim_nor_push(&nor);
    sim_nor_power_on(&nor);
    sim_nor_push(&nor);
    assert_int_equal(nor.flash.erase_sector(nor.flash.ctx, 0), 0);
    cut_prog(1024, 0, SIM_TEAR_WEAK);
    assert_int_equal(nor.weak_sector_count, 1);
    sim_nor_pop(&nor);
    sim_nor_power_on(&nor);
    sim_nor_pop(&nor);
    assert_int_equal(word_at(256), then);
    assert_int_equal(word_at(1024), 0xffffffff);
    look(256, &zeros, &ones);
    assert_int_equal(zeros & ones, 0x000000ff);
    look(1024, &zeros, &ones);
    assert_int_equal(zeros, 0);
}

static void a_misread_is_one_bit_once(void **state) {
    (void)state;
    uint32_t words[8];
    memset(nor.bytes, 0x5a, 64);
    nor.misread = 1;
    for (int read = 0; read < 3; read++) {
        uint32_t wrong = 0;
        assert_int_equal(nor.flash.read(nor.flash.ctx, 0, words, sizeof words), 0);
        for (int i = 0; i < 8; i++) {
            wrong += (uint32_t)__builtin_popcount(words[i] ^ word_at(0));
        }
        assert_int_equal(wrong, read == 1);
    }
    assert_true(nor.has_misread);
    assert_int_equal(word_at(0), 0x5a5a5a5a);
}

static void a_torn_page_is_torn_as_a_whole(void **state) {
    (void)state;
    uint32_t zeros = 0;
    memset(nor.bytes + 128, 0, 128);
    memset(nor.bytes, 0, 128);
    cut_prog(192, 0, SIM_TEAR_PAGE);
    for (uint32_t addr = 128; addr < 256; addr += 4) {
        zeros += word_at(addr) == 0;
    }
    assert_in_range(zeros, 0, 2);
    assert_int_equal(word_at(124), 0);
    assert_int_equal(word_at(256), 0xffffffff);
}

static void a_one_over_a_zero_is_noticed(void **state) {
    (void)state;
    const uint32_t low = 0xffff0000;
    const uint32_t all = 0xffffffff;
    assert_int_equal(prog(256, &low, 4), 0);
    assert_int_equal(prog(256, &low, 4), 0);
    assert_int_equal(nor.overwrite_count, 0);
    assert_int_equal(prog(256, &all, 4), 0);
    assert_int_equal(nor.overwrite_count, 1);
    assert_int_equal(nor.overwrite_addr, 256);
    assert_int_equal(word_at(256), low);
}

static void a_page_is_as_many_operations_as_it_has_pieces(void **state) {
    (void)state;
    const uint8_t page[128] = { 0 };
    nor.piece_size = 16;
    nor.cut_op = 3;
    nor.cut_tear = SIM_TEAR_BEFORE;
    assert_int_equal(prog(512, page, sizeof page), SIM_ERR_CUT);
    assert_int_equal(word_at(512 + 3 * 16 - 4), 0);
    assert_int_equal(word_at(512 + 3 * 16), 0xffffffff);
    sim_nor_power_on(&nor);
    assert_int_equal(prog(512, page, sizeof page), 0);
    assert_int_equal(nor.op_count, 8);
}

static void a_page_takes_eight_commands(void **state) {
    (void)state;
    // 8 times 30 us for the first byte, 31 x 2.5 us for the others, 36 bytes on a bus of 20 MHz.
    const sim_counts_t page = { .prog_count = 1, .prog_command_count = sim_command_count(256), .prog_size = 256 };
    assert_int_equal(page.prog_command_count, 8);
    assert_int_equal(sim_time_us(&page, &sim_timings[0]), 8 * 30 + 8 * 31 * 5 / 2 + 8 * 36 * 8 / 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_weak_bit_reads_either_way_from_start_to_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_weak_bit_reads_the_same_between_two_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_marginal_program_has_one_weak_bit_of_those_that_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zero_makes_a_weak_bit_firm_and_a_one_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_erase_makes_weak_bits_firm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(going_back_brings_back_weak_bits_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_misread_is_one_bit_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_page_is_torn_as_a_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_one_over_a_zero_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_is_as_many_operations_as_it_has_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_takes_eight_commands, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
