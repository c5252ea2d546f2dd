// Prediction of addresses in delta files: what is made of a piece by a map, and the map that is found for two images. The vectors
// (test_stored_delta.c) have a second opinion of the first.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "delta/delta_predict.h"
#include "moves.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const molt_delta_move_t moves[] = { { 0x40200100, 0x20 }, { 0x40200200, 0xfffffff0 }, { 0x40200300, 0 } };
static const molt_delta_map_t map = { moves, COUNT_OF(moves), true };
static const molt_delta_map_t pointers_only = { moves, COUNT_OF(moves), false };

static uint32_t pointer(const molt_delta_map_t *how, uint32_t word, uint32_t new_off, uint32_t diagonal) {
    uint8_t bytes[4];
    store32_le(bytes, word);
    molt_delta_predict(how, bytes, new_off, diagonal, sizeof bytes);
    return load32_le(bytes);
}

// Of a call of `target` from here.
static uint32_t call(uint32_t off, uint32_t target) {
    return ((target - 4 - (off & ~3u)) << 4 & 0xffffc0) | 5;
}

static void a_pointer_goes_where_its_target_goes(void **state) {
    (void)state;
    assert_int_equal(pointer(&map, 0x40200100, 64, 16), 0x40200120);
    assert_int_equal(pointer(&map, 0x402001ff, 64, 16), 0x4020021f);
    assert_int_equal(pointer(&map, 0x40200200, 64, 0u - 16), 0x402001f0);
    assert_int_equal(pointer(&pointers_only, 0x402002ff, 64, 0), 0x402002ef);
}

static void what_is_outside_the_map_stays(void **state) {
    (void)state;
    static const uint32_t words[] = { 0, 0x402000ff, 0x40200300, 0xffffffff };
    const molt_delta_map_t none = { moves, 0, true };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_int_equal(pointer(&pointers_only, words[i], 64, 0), words[i]);
    }
    assert_int_equal(pointer(&none, 0x40200100, 64, 0), 0x40200100);
    assert_int_equal(pointer(&none, call(80, 0x400), 64, 16), call(80, 0x400));
}

static void a_pointer_is_at_a_multiple_of_4_in_both_images(void **state) {
    (void)state;
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(pointer(&pointers_only, 0x40200104, 64 + i, 16), 0x40200104);
        assert_int_equal(pointer(&pointers_only, 0x40200104, 64, 16 + i), 0x40200104);
        assert_int_equal(pointer(&pointers_only, 0x40200104, 64 + i, 0u - i), 0x40200104);
    }
}

static void a_call_goes_where_its_target_goes_from_where_it_is_now(void **state) {
    (void)state;
    for (uint32_t off = 64; off < 68; off++) {
        // Those that it is not known of that they have moved, too.
        assert_int_equal(pointer(&map, call(off + 48, 0x180), off, 48), call(off, 0x1a0));
        assert_int_equal(pointer(&map, call(off + 49, 0x200), off, 49), call(off, 0x1f0));
        assert_int_equal(pointer(&map, call(off + 48, 0x0), off, 48), call(off, 0x0));
        assert_int_equal(pointer(&map, call(off + 48, 0x300), off, 48), call(off, 0x300));
    }
    assert_int_equal(pointer(&map, call(112, 0x180) | 0xab000000, 64, 48), call(64, 0x1a0) | 0xab000000);
    assert_int_equal(pointer(&pointers_only, call(112, 0x180), 64, 48), call(112, 0x180));
}

static void instructions_are_followed_from_one_to_the_next(void **state) {
    (void)state;
    // Of 3 bytes, of 2, a call; then one whose last byte looks like a call.
    uint8_t bytes[16] = { 0x00, 0x05, 0x05, 0x08, 0x05 };
    uint8_t wanted[16];
    store32_le(bytes + 5, call(105, 0x180));
    bytes[8] = 0x00;
    bytes[9] = 0x00;
    bytes[10] = 0x05;
    memcpy(wanted, bytes, sizeof wanted);
    store32_le(wanted + 5, call(105 - 40, 0x1a0));
    wanted[8] = 0x00;
    molt_delta_predict(&map, bytes, 60, 40, 11);
    assert_memory_equal(bytes, wanted, sizeof wanted);
}

static void nothing_but_the_piece_is_changed_or_looked_at(void **state) {
    (void)state;
    for (uint32_t size = 0; size < 12; size++) {
        uint8_t *bytes = malloc(size + 1);
        uint8_t around[32];
        uint8_t others[32];
        // In memory of its size for the sanitizer, and among other bytes.
        memset(bytes, 0x05, size);
        molt_delta_predict(&map, bytes, 64, 16, size);
        memset(around, 0x05, sizeof around);
        memset(others, 0x05, sizeof others);
        memset(others + 8 + size, 0xc7, sizeof others - 8 - size);
        molt_delta_predict(&map, around + 8, 64, 16, size);
        molt_delta_predict(&map, others + 8, 64, 16, size);
        assert_memory_equal(around + 8, bytes, size);
        assert_memory_equal(others + 8, bytes, size);
        for (uint32_t i = 0; i < sizeof around; i++) {
            assert_true(i - 8 < size || around[i] == 0x05);
        }
        free(bytes);
    }
}

// ---- the map that is found

// Pointers, each with what is added to it.
static void vote(votes_t *votes, uint32_t addr, uint32_t shift) {
    uint8_t was[4];
    uint8_t is[4];
    store32_le(was, addr);
    store32_le(is, addr + shift);
    votes_take(votes, was, 0, is, 0, 4);
}

static void a_map_is_what_most_pointers_say(void **state) {
    (void)state;
    molt_delta_move_t found[MOLT_DELTA_MAP_MAX];
    uint32_t count;
    votes_t votes = { .chip = MOLT_CHIP_ESP8266 };
    for (uint32_t i = 0; i < 60; i++) {
        vote(&votes, 0x40210000 + 4 * i, i < 20 ? 0 : i < 40 ? 64 : 0u - 32);
    }
    // One among others, and one that cannot be meant.
    vote(&votes, 0x40210052, 1000);
    vote(&votes, 0x40210052, 0x80000000);
    assert_int_equal(votes.count, 61);
    assert_int_equal(moves_find(found, &count, MOLT_DELTA_MAP_MAX, &votes), 0);
    assert_int_equal(count, 3);
    assert_int_equal(found[0].addr, 0x40210000 + 4 * 20);
    assert_int_equal(found[0].shift, 64);
    assert_int_equal(found[1].addr, 0x40210000 + 4 * 40);
    assert_int_equal(found[1].shift, 0u - 32);
    // Its end.
    assert_int_equal(found[2].addr, 0x40210000 + 4 * 59 + 1);
    assert_int_equal(found[2].shift, 0);
    free(votes.list);
}

static void where_nothing_has_moved_there_is_no_map(void **state) {
    (void)state;
    molt_delta_move_t found[MOLT_DELTA_MAP_MAX];
    uint32_t count = 1;
    votes_t votes = { .chip = MOLT_CHIP_ESP8266 };
    assert_int_equal(moves_find(found, &count, MOLT_DELTA_MAP_MAX, &votes), 0);
    assert_int_equal(count, 0);
    for (uint32_t i = 0; i < 60; i++) {
        vote(&votes, 0x40210000 + 4 * i, 0);
    }
    assert_int_equal(moves_find(found, &count, MOLT_DELTA_MAP_MAX, &votes), 0);
    assert_int_equal(count, 0);
    free(votes.list);
}

static void a_map_has_no_more_entries_than_there_is_room_for(void **state) {
    (void)state;
    molt_delta_move_t found[MOLT_DELTA_MAP_MAX];
    uint32_t count;
    votes_t votes = { .chip = MOLT_CHIP_ESP8266 };
    // Pieces of five, each moved by another distance, the later ones with more votes.
    for (uint32_t i = 0; i < 1500; i++) {
        for (uint32_t j = 0; j <= i / 20; j++) {
            vote(&votes, 0x40210000 + 4 * i, i / 5 * 4 + 4);
        }
    }
    assert_int_equal(moves_find(found, &count, MOLT_DELTA_MAP_MAX, &votes), 0);
    assert_in_range(count, 20, MOLT_DELTA_MAP_MAX);
    for (uint32_t i = 1; i < count; i++) {
        assert_true(found[i].addr > found[i - 1].addr);
    }
    assert_int_equal(found[count - 1].shift, 0);
    assert_int_equal(moves_find(found, &count, 40, &votes), 0);
    assert_in_range(count, 10, 40);
    assert_int_equal(found[count - 2].shift, 1500 / 5 * 4);
    free(votes.list);
}

static void calls_say_it_too_on_an_esp8266(void **state) {
    (void)state;
    molt_delta_move_t found[MOLT_DELTA_MAP_MAX];
    uint32_t count;
    uint8_t was[700];
    uint8_t is[700];
    memset(was, 0, sizeof was);
    memset(is, 0, sizeof is);
    for (uint32_t i = 0; i < 150; i++) {
        // The callers have moved by 12 bytes, what they call by 64.
        store32_le(was + 100 + 3 * i, call(100 + 3 * i, 0x8000 + 4 * i));
        store32_le(is + 112 + 3 * i, call(112 + 3 * i, 0x8040 + 4 * i));
    }
    for (uint32_t i = 0; i < 2; i++) {
        votes_t votes = { .chip = i ? MOLT_CHIP_ESP32C3 : MOLT_CHIP_ESP8266 };
        votes_take(&votes, was, 100, is, 112, 500);
        assert_int_equal(votes.count, i ? 0 : 150);
        assert_int_equal(moves_find(found, &count, MOLT_DELTA_MAP_MAX, &votes), 0);
        assert_int_equal(count, i ? 0 : 2);
        free(votes.list);
    }
    assert_int_equal(found[0].addr, 0x40208000);
    assert_int_equal(found[0].shift, 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_goes_where_its_target_goes),
        cmocka_unit_test(what_is_outside_the_map_stays),
        cmocka_unit_test(a_pointer_is_at_a_multiple_of_4_in_both_images),
        cmocka_unit_test(a_call_goes_where_its_target_goes_from_where_it_is_now),
        cmocka_unit_test(instructions_are_followed_from_one_to_the_next),
        cmocka_unit_test(nothing_but_the_piece_is_changed_or_looked_at),
        cmocka_unit_test(a_map_is_what_most_pointers_say),
        cmocka_unit_test(where_nothing_has_moved_there_is_no_map),
        cmocka_unit_test(a_map_has_no_more_entries_than_there_is_room_for),
        cmocka_unit_test(calls_say_it_too_on_an_esp8266),
    };
    return cmocka_run_group_tests_name("predict", tests, NULL, NULL);
}
