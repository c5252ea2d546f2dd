// MD5: the test suite of RFC 1321, A.5, and the edges of the 64-byte blocks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "molt/md5.h"

static void assert_md5(const char *text, const char *expected) {
    molt_md5_t md5;
    uint8_t digest[MOLT_MD5_SIZE];
    char hex[2 * MOLT_MD5_SIZE + 1];
    molt_md5_init(&md5);
    molt_md5_update(&md5, text, (uint32_t)strlen(text));
    molt_md5_finish(&md5, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(hex, expected);
}

static void the_test_suite_of_rfc_1321_passes(void **state) {
    (void)state;
    assert_md5("", "d41d8cd98f00b204e9800998ecf8427e");
    assert_md5("a", "0cc175b9c0f1b6a831c399e269772661");
    assert_md5("abc", "900150983cd24fb0d6963f7d28e17f72");
    assert_md5("message digest", "f96b697d7cb7938d525a2f31aaf161d0");
    assert_md5("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b");
    assert_md5("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f");
    assert_md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "57edf4a22be3c955ac49da2e2107b67a");
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
        {55, "ef1772b6dff9a122358552954ad0df65"},
        {56, "3b0c8ac703f828b04c6c197006d17218"},
        {63, "b06521f39153d618550606be297466d5"},
        {64, "014842d480b571495a4a0363793f7367"},
        {65, "c743a45e0d2e6a95cb859adae0248435"},
    };
    for (size_t i = sizeof edges / sizeof edges[0]; i-- > 0;) {
        text[edges[i].size] = 0;
        assert_md5(text, edges[i].digest);
    }
}

static void pieces_of_any_size_give_the_same_digest(void **state) {
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    molt_md5_t md5;
    uint8_t whole[MOLT_MD5_SIZE];
    molt_md5_init(&md5);
    molt_md5_update(&md5, data, sizeof data);
    molt_md5_finish(&md5, whole);
    for (uint32_t step = 1; step <= 130; step++) {
        uint8_t digest[MOLT_MD5_SIZE];
        molt_md5_init(&md5);
        for (uint32_t off = 0; off < sizeof data; off += step) {
            uint32_t left = (uint32_t)sizeof data - off;
            molt_md5_update(&md5, data + off, left < step ? left : step);
        }
        molt_md5_finish(&md5, digest);
        assert_memory_equal(digest, whole, sizeof whole);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_suite_of_rfc_1321_passes),
        cmocka_unit_test(the_edges_of_a_block_are_padded_right),
        cmocka_unit_test(pieces_of_any_size_give_the_same_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
