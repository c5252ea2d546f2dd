// MD5, SHA-1 and SHA-256: the test suite of RFC 1321 (A.5), the examples that
// NIST publishes with FIPS 180-4, and the edges of the 64-byte blocks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/md5.h"
#include "base/sha1.h"
#include "base/sha256.h"

#define DIGEST_MAX MOLT_SHA256_SIZE

typedef union any {
    molt_md5_t md5;
    molt_sha1_t sha1;
    molt_sha256_t sha256;
} any_t;

// The three as functions of one type.
#define DEFINE(name) \
    static void name##_init(any_t *any) { \
        molt_##name##_init(&any->name); \
    } \
    static void name##_update(any_t *any, const void *data, uint32_t size) { \
        molt_##name##_update(&any->name, data, size); \
    } \
    static void name##_finish(uint8_t *digest, any_t *any) { \
        molt_##name##_finish(digest, &any->name); \
    }
DEFINE(md5)
DEFINE(sha1)
DEFINE(sha256)

typedef struct example {
    const char *text;
    const char *digest;
} example_t;

typedef struct kind {
    uint32_t size;
    void (*init)(any_t *any);
    void (*update)(any_t *any, const void *data, uint32_t size);
    void (*finish)(uint8_t *digest, any_t *any);
    example_t examples[7];
    const char *million;   // of a million times the letter a
    const char *edges[5];  // of 55, 56, 63, 64 and 65 times
} kind_t;

static const kind_t kinds[] = {
    {
        MOLT_MD5_SIZE,
        md5_init,
        md5_update,
        md5_finish,
        {
            { "", "d41d8cd98f00b204e9800998ecf8427e" },
            { "a", "0cc175b9c0f1b6a831c399e269772661" },
            { "abc", "900150983cd24fb0d6963f7d28e17f72" },
            { "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
            { "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
            { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f" },
            { "12345678901234567890123456789012345678901234567890123456789012345"
              "678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a" },
        },
        "7707d6ae4e027c70eea2a935c2296f21",
        {
            "ef1772b6dff9a122358552954ad0df65",
            "3b0c8ac703f828b04c6c197006d17218",
            "b06521f39153d618550606be297466d5",
            "014842d480b571495a4a0363793f7367",
            "c743a45e0d2e6a95cb859adae0248435",
        },
    },
    {
        MOLT_SHA1_SIZE,
        sha1_init,
        sha1_update,
        sha1_finish,
        {
            { "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
            { "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
            { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
        },
        "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
        {
            "c1c8bbdc22796e28c0e15163d20899b65621d65a",
            "c2db330f6083854c99d4b5bfb6e8f29f201be699",
            "03f09f5b158a7a8cdad920bddc29b81c18a551f5",
            "0098ba824b5c16427bd7a1122a5a442a25ec644d",
            "11655326c708d70319be2610e8a57d9a5b959d3b",
        },
    },
    {
        MOLT_SHA256_SIZE,
        sha256_init,
        sha256_update,
        sha256_finish,
        {
            { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b"
                  "855" },
            { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2"
                     "0015ad" },
            { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c"
                "1" },
        },
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        {
            "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318",
            "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a",
            "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34",
            "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
            "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0",
        },
    },
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static void assert_digest(const kind_t *kind, any_t *any, const char *expected) {
    uint8_t digest[DIGEST_MAX];
    char hex[2 * DIGEST_MAX + 1];
    kind->finish(digest, any);
    for (size_t i = 0; i < kind->size; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(hex, expected);
}

static void assert_text(const kind_t *kind, const char *text, const char *expected) {
    any_t any;
    kind->init(&any);
    kind->update(&any, text, (uint32_t)strlen(text));
    assert_digest(kind, &any, expected);
}

static void the_published_examples_pass(void **state) {
    (void)state;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        for (const example_t *example = kinds[i].examples; example < kinds[i].examples + 7 && example->text; example++) {
            assert_text(&kinds[i], example->text, example->digest);
        }
    }
}

static void a_million_letters_give_the_published_digest(void **state) {
    (void)state;
    char text[1000];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        any_t any;
        kinds[i].init(&any);
        for (int n = 0; n < 1000; n++) {
            kinds[i].update(&any, text, sizeof text);
        }
        assert_digest(&kinds[i], &any, kinds[i].million);
    }
}

static void the_edges_of_a_block_are_padded_right(void **state) {
    (void)state;
    static const size_t sizes[] = { 55, 56, 63, 64, 65 };
    for (size_t i = 0; i < KIND_COUNT; i++) {
        for (size_t n = 0; n < 5; n++) {
            char text[66];
            memset(text, 'a', sizeof text);
            text[sizes[n]] = 0;
            assert_text(&kinds[i], text, kinds[i].edges[n]);
        }
    }
}

static void pieces_of_any_size_give_the_same_digest(void **state) {
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const kind_t *kind = &kinds[i];
        uint8_t whole[DIGEST_MAX];
        any_t any;
        kind->init(&any);
        kind->update(&any, data, sizeof data);
        kind->finish(whole, &any);
        for (uint32_t step = 1; step <= 130; step++) {
            uint8_t digest[DIGEST_MAX];
            kind->init(&any);
            for (uint32_t off = 0; off < sizeof data; off += step) {
                uint32_t left = (uint32_t)sizeof data - off;
                kind->update(&any, data + off, left < step ? left : step);
            }
            kind->finish(digest, &any);
            assert_memory_equal(digest, whole, kind->size);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_examples_pass),
        cmocka_unit_test(a_million_letters_give_the_published_digest),
        cmocka_unit_test(the_edges_of_a_block_are_padded_right),
        cmocka_unit_test(pieces_of_any_size_give_the_same_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
