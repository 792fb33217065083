/* Points by their values: what the index of values says is what a comparison of all pairs says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "report/axes.h"

enum { KEYS = 4, ROWS = 3000, MANY = 100000 };

static const char *const keys[KEYS] = {"SR", "bypass", "lr", "beta2"};

/* A row of texts; NULL: not set. */
struct row {
    char text[KEYS][24];
    bool set[KEYS];
    size_t point; /* by comparing with all rows before */
};

static size_t point_of(struct axes *a, const char *json)
{
    struct err e = ERR_INIT;
    size_t point = SIZE_MAX;
    if (axes_point(a, json, &point, &e) != ST_OK)
        fail_msg("%s", e.text);
    return point;
}

/* Keys in changing order, values not set left out or null. */
static void write_json(const struct row *r, unsigned order, char out[256])
{
    size_t n = (size_t)snprintf(out, 256, "{");
    for (unsigned i = 0; i < KEYS; i++) {
        const unsigned k = order % 2 ? i : KEYS - 1 - i;
        const bool word = k == 1;
        if (!r->set[k] && order % 3)
            continue;
        n += (size_t)snprintf(out + n, 256 - n, "%s\"%s\":%s%s%s", n > 1 ? "," : "", keys[k],
                              word && r->set[k] ? "\"" : "", r->set[k] ? r->text[k] : "null",
                              word && r->set[k] ? "\"" : "");
    }
    snprintf(out + n, 256 - n, "}");
}

static bool same_value(const struct row *a, const struct row *b, int k)
{
    return a->set[k] == b->set[k] && (!a->set[k] || strcmp(a->text[k], b->text[k]) == 0);
}

static bool same_row(const struct row *a, const struct row *b)
{
    for (int k = 0; k < KEYS; k++)
        if (!same_value(a, b, k))
            return false;
    return true;
}

static void draw_row(struct rng *g, struct row *r)
{
    static const char *const words[] = {"none", "simple", "complex", "it's \\\"odd\\\""};
    *r = (struct row){.point = 0};
    for (int k = 0; k < KEYS; k++) {
        const unsigned v = (unsigned)rng_below(g, 8);
        r->set[k] = k < 2 || v > 1;
        if (k == 1)
            snprintf(r->text[k], sizeof r->text[k], "%s", words[v % 4]);
        else
            snprintf(r->text[k], sizeof r->text[k], "%g", v * (k == 0 ? 0.125 : 0.01));
    }
}

/* The text without JSON's backslashes. */
static void assert_text(const char *actual, const struct row *r, int k)
{
    if (!r->set[k]) {
        assert_null(actual);
        return;
    }
    assert_non_null(actual);
    for (const char *t = r->text[k]; *t; t++)
        if (*t != '\\')
            assert_int_equal(*actual++, *t);
    assert_int_equal(*actual, '\0');
}

static void assert_positions(const struct axes *a, int column, const struct row *const *first, int k)
{
    static double out[ROWS];
    const bool numbers = axes_positions(a, column, out);
    double categories = 0;
    for (size_t i = 0; i < a->point_count; i++) {
        size_t j = 0;
        while (!same_value(first[j], first[i], k))
            j++;
        double expected = j < i ? out[j] : 0;
        if (numbers)
            assert_true(num_parse_double(first[i]->text[k], &expected));
        else if (j == i)
            expected = ++categories;
        assert_true(out[i] == expected);
    }
}

static void the_index_agrees_with_all_pairs(void **state)
{
    (void)state;
    struct row *rows = mem_alloc(ROWS, sizeof *rows);
    const struct row **first = mem_alloc(ROWS, sizeof(struct row *));
    assert_true(rows && first);
    struct rng g = rng_stream(3, RNG_TEST, 1, 2);
    struct axes a;
    size_t points = 0;
    axes_init(&a);
    for (unsigned i = 0; rows && first && i < ROWS; i++) {
        char json[256];
        draw_row(&g, &rows[i]);
        size_t p = 0;
        while (p < points && !same_row(first[p], &rows[i]))
            p++;
        if (p == points)
            first[points++] = &rows[i];
        write_json(&rows[i], i, json);
        assert_int_equal(point_of(&a, json), p);
    }
    assert_int_equal(a.point_count, points);
    assert_true(points > 500 && points < ROWS - 500);
    assert_int_equal(a.key_count, KEYS);
    assert_true(axes_analyse(&a, "lr"));
    for (size_t c = 0; rows && first && c < KEYS; c++) {
        int k = 0;
        while (strcmp(keys[k], a.columns[c].key) != 0)
            k++;
        for (size_t i = 0; i < points; i++)
            assert_text(a.columns[c].values[i], first[i], k);
        assert_positions(&a, (int)c, first, k);
        assert_int_equal(a.columns[c].role, k == 2 ? AXIS_PRIMARY : AXIS_SERIES);
        assert_int_equal(a.columns[c].numeric, k == 0);
    }
    axes_release(&a);
    mem_free(rows);
    mem_free(first);
}

static void values_are_listed_as_met(void **state)
{
    (void)state;
    struct axes a;
    double at[5];
    axes_init(&a);
    point_of(&a, "{\"lr\":0.1,\"b\":1}");
    point_of(&a, "{\"b\":2}");
    point_of(&a, "{\"lr\":\"x\",\"b\":1}");
    point_of(&a, "{\"lr\":0.1,\"b\":3}");
    point_of(&a, "{\"lr\":null,\"b\":4}");
    assert_true(axes_analyse(&a, "lr"));
    assert_string_equal(axes_primary_values(&a), "0.1, -, x");
    assert_false(axes_positions(&a, a.primary, at));
    static const double expected[] = {1, 2, 3, 1, 2};
    assert_memory_equal(at, expected, sizeof expected);
    axes_release(&a);
}

static void tied_axes_are_found(void **state)
{
    (void)state;
    struct axes a;
    axes_init(&a);
    for (int i = 0; i < 6; i++) {
        char json[96];
        snprintf(json, sizeof json, "{\"base_e\":%d,\"incr_e\":%d,\"freq\":%d}", i, i / 2, i % 3 ? 1 : 2);
        point_of(&a, json);
    }
    assert_true(axes_analyse(&a, "base_e"));
    assert_int_equal(a.columns[1].role, AXIS_TIED);
    assert_true(axes_analyse(&a, "incr_e")); /* one of its values comes with several of the others */
    assert_int_equal(a.columns[0].role, AXIS_SERIES);
    assert_int_equal(a.columns[2].role, AXIS_SERIES);
    assert_false(axes_analyse(&a, "SR"));
    axes_release(&a);
}

/* Minutes if every row were compared with all before. */
static void a_hundred_thousand_points(void **state)
{
    (void)state;
    struct axes a;
    double *at = mem_alloc(MANY, sizeof *at);
    const double last = 33334; /* of the words */
    assert_non_null(at);
    axes_init(&a);
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < MANY; i++) {
            char json[128];
            snprintf(json, sizeof json, "{\"SR\":%u.5,\"base_e\":%u,\"bypass\":\"w%u\"}", i, i % 7, i / 3);
            assert_int_equal(point_of(&a, json), i);
        }
    assert_int_equal(a.point_count, MANY);
    assert_true(axes_analyse(&a, NULL));
    assert_string_equal(a.columns[a.primary].key, "SR");
    assert_int_equal(a.columns[2].role, AXIS_TIED);
    assert_false(axes_positions(&a, 2, at));
    assert_true(at != NULL && at[MANY - 1] == last);
    assert_non_null(axes_primary_values(&a));
    axes_release(&a);
    mem_free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_agrees_with_all_pairs),
        cmocka_unit_test(values_are_listed_as_met),
        cmocka_unit_test(tied_axes_are_found),
        cmocka_unit_test(a_hundred_thousand_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
