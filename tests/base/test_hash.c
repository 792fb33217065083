#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "cmocka_all.h"

static void text_is_sixteen_hex_digits(void **state)
{
    (void)state;
    char text[HASH_TEXT];
    hash_text(0, text);
    assert_string_equal(text, "0000000000000000");
    hash_text(0x0123456789abcdefu, text);
    assert_string_equal(text, "0123456789abcdef");
    hash_text(UINT64_MAX, text);
    assert_string_equal(text, "ffffffffffffffff");
}

/* XXH3 of nothing is a published constant of the algorithm: an identity that changed with a
 * library version would train every trial again. */
static void algorithm_is_xxh3(void **state)
{
    (void)state;
    assert_true(hash_bytes("", 0) == 0x2d06800538d394c2u);
}

static void every_bit_counts(void **state)
{
    (void)state;
    unsigned char data[300] = {0};
    for (size_t n = 1; n <= sizeof data; n += 13) {
        uint64_t plain = hash_bytes(data, n);
        assert_true(plain != hash_bytes(data, n - 1)); /* length, too */
        for (size_t bit = 0; bit < 8 * n; bit++) {
            data[bit / 8] ^= (unsigned char)(1 << bit % 8);
            assert_true(hash_bytes(data, n) != plain);
            data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
    }
}

static void pieces_equal_the_whole(void **state)
{
    (void)state;
    static unsigned char data[5000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * i >> 3);
    static const size_t pieces[] = {1, 3, 64, 255, 1024, 5000};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct hasher *h = hasher_create();
        assert_non_null(h);
        assert_true(hasher_value(h) == hash_bytes("", 0));
        for (size_t at = 0; at < sizeof data; at += pieces[p]) {
            size_t left = sizeof data - at;
            hasher_add(h, data + at, left < pieces[p] ? left : pieces[p]);
        }
        assert_true(hasher_value(h) == hash_bytes(data, sizeof data));
        assert_true(hasher_value(h) == hash_bytes(data, sizeof data)); /* asking changes nothing */
        hasher_free(h);
    }
    hasher_free(NULL);
    assert_int_equal(mem_live(), 0);
}

static void no_memory_is_null(void **state)
{
    (void)state;
    mem_fail_after(1);
    assert_null(hasher_create());
    mem_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_sixteen_hex_digits), cmocka_unit_test(algorithm_is_xxh3),
        cmocka_unit_test(every_bit_counts),           cmocka_unit_test(pieces_equal_the_whole),
        cmocka_unit_test(no_memory_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
