// SHA-256: the examples that NIST publishes with FIPS 180-4, and the edges of the 64-byte blocks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "molt/sha256.h"

static void assert_digest(molt_sha256_t *sha256, const char *expected) {
    uint8_t digest[MOLT_SHA256_SIZE];
    char hex[2 * MOLT_SHA256_SIZE + 1];
    molt_sha256_finish(sha256, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(hex, expected);
}

static void assert_sha256(const char *text, const char *expected) {
    molt_sha256_t sha256;
    molt_sha256_init(&sha256);
    molt_sha256_update(&sha256, text, (uint32_t)strlen(text));
    assert_digest(&sha256, expected);
}

static void the_examples_of_fips_180_pass(void **state) {
    (void)state;
    assert_sha256("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters_give_the_published_digest(void **state) {
    (void)state;
    char text[1000];
    memset(text, 'a', sizeof text);
    molt_sha256_t sha256;
    molt_sha256_init(&sha256);
    for (int i = 0; i < 1000; i++) {
        molt_sha256_update(&sha256, text, sizeof text);
    }
    assert_digest(&sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
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
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
    };
    for (size_t i = sizeof edges / sizeof edges[0]; i-- > 0;) {
        text[edges[i].size] = 0;
        assert_sha256(text, edges[i].digest);
    }
}

static void pieces_of_any_size_give_the_same_digest(void **state) {
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    molt_sha256_t sha256;
    uint8_t whole[MOLT_SHA256_SIZE];
    molt_sha256_init(&sha256);
    molt_sha256_update(&sha256, data, sizeof data);
    molt_sha256_finish(&sha256, whole);
    for (uint32_t step = 1; step <= 130; step++) {
        uint8_t digest[MOLT_SHA256_SIZE];
        molt_sha256_init(&sha256);
        for (uint32_t off = 0; off < sizeof data; off += step) {
            uint32_t left = (uint32_t)sizeof data - off;
            molt_sha256_update(&sha256, data + off, left < step ? left : step);
        }
        molt_sha256_finish(&sha256, digest);
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
