#include <string.h>

#include "base/mem.h"
#include "cmocka_all.h"

static int reset(void **state)
{
    (void)state;
    mem_fail_after(0);
    return mem_live() == 0 ? 0 : -1; /* every test gives back what it took */
}

static void blocks_hold_what_was_asked(void **state)
{
    (void)state;
    void *dirty = mem_alloc(100000, 1); /* what comes next reuses this memory */
    memset(dirty, 1, 100000);
    mem_free(dirty);
    unsigned char *aligned = mem_aligned(100), *p = mem_alloc(10, 100), *zero = mem_calloc(7, 13);
    assert_non_null(p);
    memset(p, 1, 1000);
    for (int i = 0; i < 7 * 13; i++)
        assert_int_equal(zero[i], 0);
    assert_int_equal((uintptr_t)aligned % 64, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(aligned[i], 0);
    assert_int_equal(mem_live(), 3);
    mem_free(p);
    mem_free(zero);
    mem_free(aligned);
}

static void empty_blocks_are_not_failures(void **state)
{
    (void)state;
    void *blocks[] = {mem_alloc(0, 8), mem_calloc(8, 0), mem_aligned(0), mem_realloc(NULL, 0, 1)};
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(blocks[i]);
        mem_free(blocks[i]);
    }
    mem_free(NULL);
}

static void overflow_is_out_of_memory(void **state)
{
    (void)state;
    assert_null(mem_alloc(SIZE_MAX / 2, 3));
    assert_null(mem_calloc(SIZE_MAX, SIZE_MAX));
    assert_null(mem_aligned(SIZE_MAX - 3));
    char *p = mem_alloc(1, 1);
    assert_null(mem_realloc(p, SIZE_MAX / 4, 5));
    mem_free(p);
}

static void realloc_keeps_content(void **state)
{
    (void)state;
    char *p = mem_realloc(NULL, 4, 1);
    memcpy(p, "abc", 4);
    p = mem_realloc(p, 1000, 8);
    assert_string_equal(p, "abc");
    assert_int_equal(mem_live(), 1);
    mem_fail_after(1);
    assert_null(mem_realloc(p, 2000, 8));
    assert_string_equal(p, "abc");
    assert_int_equal(mem_live(), 1);
    mem_free(p);
}

static void text_is_copied(void **state)
{
    (void)state;
    char *copy = mem_strdup("fire2"), *text = mem_printf("%s.squeeze%dx%d", copy, 1, 1);
    assert_string_equal(copy, "fire2");
    assert_string_equal(text, "fire2.squeeze1x1");
    mem_free(copy);
    mem_free(text);
}

static void *take(int kind)
{
    switch (kind) {
    case 0:
        return mem_alloc(3, 1);
    case 1:
        return mem_calloc(3, 1);
    case 2:
        return mem_realloc(NULL, 3, 1);
    case 3:
        return mem_aligned(3);
    case 4:
        return mem_strdup("abc");
    default:
        return mem_printf("%d", 3);
    }
}

static void every_kind_can_be_made_to_fail(void **state)
{
    (void)state;
    for (int kind = 0; kind < 6; kind++) {
        mem_fail_after(3);
        void *first = take(kind), *second = take(kind);
        assert_non_null(first);
        assert_non_null(second);
        assert_null(take(kind));
        assert_null(take(kind)); /* and all later ones */
        mem_fail_after(0);
        void *third = take(kind);
        assert_non_null(third);
        assert_int_equal(mem_live(), 3);
        mem_free(first);
        mem_free(second);
        mem_free(third);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(blocks_hold_what_was_asked, reset),
        cmocka_unit_test_teardown(empty_blocks_are_not_failures, reset),
        cmocka_unit_test_teardown(overflow_is_out_of_memory, reset),
        cmocka_unit_test_teardown(realloc_keeps_content, reset),
        cmocka_unit_test_teardown(text_is_copied, reset),
        cmocka_unit_test_teardown(every_kind_can_be_made_to_fail, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
