// SHA-1: the examples that NIST publishes with FIPS 180-4, and the edges of the 64-byte blocks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "molt/sha1.h"

static void assert_digest(molt_sha1_t *sha1, const char *expected) {
    uint8_t digest[MOLT_SHA1_SIZE];
    char hex[2 * MOLT_SHA1_SIZE + 1];
    molt_sha1_finish(digest, sha1);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(hex, expected);
}

static void assert_sha1(const char *text, const char *expected) {
    molt_sha1_t sha1;
    molt_sha1_init(&sha1);
    molt_sha1_update(&sha1, text, (uint32_t)strlen(text));
    assert_digest(&sha1, expected);
}

static void the_examples_of_fips_180_pass(void **state) {
    (void)state;
    assert_sha1("", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_sha1("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

static void a_million_letters_give_the_published_digest(void **state) {
    (void)state;
    char text[1000];
    memset(text, 'a', sizeof text);
    molt_sha1_t sha1;
    molt_sha1_init(&sha1);
    for (int i = 0; i < 1000; i++) {
        molt_sha1_update(&sha1, text, sizeof text);
    }
    assert_digest(&sha1, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

// Digests of 55, 56, 63, 64 and 65 times the letter a.
static void the_edges_of_a_block_are_padded_right(void **state) {
    (void)state;
    char text[66];
    memset(text, 'a', sizeof text);
    static const struct {
        size_t size;
        const char *digest;
    } edges[] = {
        {55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"},
        {56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"},
        {63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"},
        {64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"},
        {65, "11655326c708d70319be2610e8a57d9a5b959d3b"},
    };
    for (size_t i = sizeof edges / sizeof edges[0]; i-- > 0;) {
        text[edges[i].size] = 0;
        assert_sha1(text, edges[i].digest);
    }
}

static void pieces_of_any_size_give_the_same_digest(void **state) {
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    molt_sha1_t sha1;
    uint8_t whole[MOLT_SHA1_SIZE];
    molt_sha1_init(&sha1);
    molt_sha1_update(&sha1, data, sizeof data);
    molt_sha1_finish(whole, &sha1);
    for (uint32_t step = 1; step <= 130; step++) {
        uint8_t digest[MOLT_SHA1_SIZE];
        molt_sha1_init(&sha1);
        for (uint32_t off = 0; off < sizeof data; off += step) {
            uint32_t left = (uint32_t)sizeof data - off;
            molt_sha1_update(&sha1, data + off, left < step ? left : step);
        }
        molt_sha1_finish(digest, &sha1);
        assert_memory_equal(digest, whole, sizeof whole);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_fips_180_pass),
        cmocka_unit_test(a_million_letters_give_the_published_digest),
        cmocka_unit_test(the_edges_of_a_block_are_padded_right),
        cmocka_unit_test(pieces_of_any_size_give_the_same_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
