#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "cmocka_all.h"

static int reset(void **state)
{
    (void)state;
    mem_fail_after(0);
    return mem_live() == 0 ? 0 : -1;
}

static void empty_is_usable_text(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;
    assert_string_equal(b.text, "");
    assert_int_equal(b.len, 0);
    strbuf_clear(&b);
    strbuf_add(&b, "x", 0);
    assert_string_equal(b.text, "");
    strbuf_release(&b);
    strbuf_release(&b);
}

static void all_appends(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;
    strbuf_puts(&b, "fire");
    strbuf_putc(&b, '2');
    strbuf_add(&b, ".squeeze", 4);
    strbuf_printf(&b, "[%d,%s]", 7, "x");
    assert_string_equal(b.text, "fire2.squ[7,x]");
    assert_int_equal(b.len, 14);
    strbuf_clear(&b);
    assert_string_equal(b.text, "");
    strbuf_puts(&b, "again");
    assert_string_equal(b.text, "again");
    assert_false(b.failed);
    strbuf_release(&b);
    assert_string_equal(b.text, "");
}

static void zero_bytes_are_kept(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;
    strbuf_add(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.text, "a\0b", 4);
    strbuf_release(&b);
}

static void growth_at_every_length(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;
    for (size_t i = 0; i < 5000; i++) {
        strbuf_putc(&b, (char)('a' + i % 26));
        assert_int_equal(b.len, i + 1);
        assert_int_equal(strlen(b.text), i + 1);
        assert_true(b.cap > b.len);
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(b.text[i], 'a' + (int)(i % 26));
    strbuf_release(&b);
    for (int n = 0; n < 300; n++) { /* one append of each length onto an empty buffer */
        strbuf_printf(&b, "%*s", n, "");
        assert_int_equal(b.len, n);
        assert_int_equal(strlen(b.text), n);
        strbuf_release(&b);
    }
}

static void failure_sticks_and_keeps_the_text(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;
    strbuf_puts(&b, "kept");
    mem_fail_after(1);
    strbuf_printf(&b, "%1000d", 1);
    assert_true(b.failed);
    assert_string_equal(b.text, "kept");
    mem_fail_after(0);
    strbuf_putc(&b, 'x'); /* would fit, but the text would have a hole */
    strbuf_puts(&b, "x");
    strbuf_add(&b, "x", 1);
    strbuf_printf(&b, "x");
    assert_string_equal(b.text, "kept");
    assert_true(b.failed);
    strbuf_release(&b);
    assert_false(b.failed);
    mem_fail_after(1);
    strbuf_putc(&b, 'x');
    assert_true(b.failed);
    assert_string_equal(b.text, "");
    strbuf_release(&b);
}

static void absurd_length_fails(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;
    strbuf_puts(&b, "kept");
    strbuf_add(&b, "x", SIZE_MAX - 2);
    assert_true(b.failed);
    assert_string_equal(b.text, "kept");
    strbuf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(empty_is_usable_text, reset),
        cmocka_unit_test_teardown(all_appends, reset),
        cmocka_unit_test_teardown(zero_bytes_are_kept, reset),
        cmocka_unit_test_teardown(growth_at_every_length, reset),
        cmocka_unit_test_teardown(failure_sticks_and_keeps_the_text, reset),
        cmocka_unit_test_teardown(absurd_length_fails, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
