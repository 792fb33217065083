#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "cmocka_all.h"

static int reset(void **state)
{
    (void)state;
    mem_fail_after(0);
    return mem_live() == 0 ? 0 : -1;
}

static void objects_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    enum { OBJECTS = 2000 };
    struct arena a;
    arena_init(&a);
    unsigned char *objects[OBJECTS];
    for (size_t i = 0; i < OBJECTS; i++) {
        size_t size = i * 7 % 300 + 1;
        objects[i] = arena_alloc(&a, size, 1);
        assert_non_null(objects[i]);
        assert_int_equal((uintptr_t)objects[i] % 16, 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(objects[i][k], 0);
        memset(objects[i], (int)(i % 255) + 1, size);
    }
    for (size_t i = 0; i < OBJECTS; i++) { /* nothing was overwritten by a neighbour */
        size_t size = i * 7 % 300 + 1;
        assert_int_equal(objects[i][0], i % 255 + 1);
        assert_int_equal(objects[i][size - 1], i % 255 + 1);
    }
    arena_release(&a);
}

static void a_large_object_fits(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    char *small = arena_strdup(&a, "small");
    unsigned char *large = arena_alloc(&a, 1 << 20, 3);
    assert_non_null(large);
    large[(3 << 20) - 1] = 1;
    assert_string_equal(small, "small");
    arena_release(&a);
}

static void text_functions(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    assert_string_equal(arena_strdup(&a, ""), "");
    assert_string_equal(arena_strdup(&a, "pct3x3"), "pct3x3");
    assert_string_equal(arena_strndup(&a, "pct3x3", 3), "pct");
    assert_string_equal(arena_strndup(&a, "pct", 30), "pct");
    assert_string_equal(arena_printf(&a, "%s=%g", "SR", 0.125), "SR=0.125");
    arena_release(&a);
}

static void release_allows_reuse(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    arena_release(&a); /* an unused one, too */
    for (int round = 0; round < 3; round++) {
        assert_non_null(arena_alloc(&a, 100, 100));
        assert_true(mem_live() > 0);
        arena_release(&a);
        assert_int_equal(mem_live(), 0);
    }
}

static void no_memory_is_null(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    mem_fail_after(1);
    assert_null(arena_alloc(&a, 1, 1));
    assert_null(arena_strdup(&a, "x"));
    assert_null(arena_strndup(&a, "x", 1));
    assert_null(arena_printf(&a, "%d", 1));
    mem_fail_after(2);
    char *kept = arena_strdup(&a, "kept");
    assert_non_null(kept);
    assert_null(arena_alloc(&a, 1 << 20, 1));
    assert_non_null(arena_alloc(&a, 1, 1)); /* the first block still has room */
    assert_string_equal(kept, "kept");
    mem_fail_after(0);
    assert_null(arena_alloc(&a, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&a, SIZE_MAX, 1));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(objects_are_zeroed_aligned_and_apart, reset),
        cmocka_unit_test_teardown(a_large_object_fits, reset),
        cmocka_unit_test_teardown(text_functions, reset),
        cmocka_unit_test_teardown(release_allows_reuse, reset),
        cmocka_unit_test_teardown(no_memory_is_null, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
