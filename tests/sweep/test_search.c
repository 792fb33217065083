/* Successive halving: rungs, decisions on tables made by hand, the trials of a space, and what a spec may not
 * say. */
#include "../base/cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "sweep/search.h"
#include "sweep/space.h"

#define HEAD "version: 1\nname: t\ndata: {format: idx, path: d, val: 10}\n"

static struct search_options options(int eta, int min_epochs, enum search_mode mode)
{
    return (struct search_options){.on = true, .eta = eta, .min_epochs = min_epochs, .mode = mode};
}

static void assert_rungs(int eta, int min_epochs, int epochs, const int *expected, int count)
{
    const struct search_options o = options(eta, min_epochs, SEARCH_ACCURACY);
    assert_int_equal(search_rungs(&o, epochs), count);
    for (int i = 0; i < count; i++)
        assert_int_equal(search_epochs(&o, epochs, i + 1), expected[i]);
}

static void test_rungs(void **state)
{
    (void)state;
    assert_rungs(3, 2, 18, (const int[]){2, 6, 18}, 3);
    assert_rungs(3, 2, 20, (const int[]){2, 7, 20}, 3);
    assert_rungs(3, 1, 18, (const int[]){2, 6, 18}, 3);
    assert_rungs(2, 1, 3, (const int[]){2, 3}, 2);
    assert_rungs(2, 1, 2, (const int[]){1, 2}, 2);
    assert_rungs(3, 2, 5, (const int[]){5}, 1);
    assert_rungs(100, 1, 1000000, (const int[]){1, 100, 10000, 1000000}, 4);
    const struct search_options o = options(3, 1, SEARCH_ACCURACY);
    assert_int_equal(search_places(&o, 30), 10);
    assert_int_equal(search_places(&o, 11), 3);
    assert_int_equal(search_places(&o, 2), 1);
    assert_int_equal(search_places(&o, 1), 1);
}

/* Large networks are more accurate here, but one small one is good for its size. */
static const double table[][2] = {
    /* score, cost */
    {0.80, 900}, {0.79, 800}, {0.78, 700}, {0.70, 600}, {0.60, 100}, {0.50, 90},
    {0.55, 200}, {0.40, 150}, {0.30, 500}, {0.45, 300}, {0.20, 95},  {0.10, 400},
};
enum { TABLE = sizeof table / sizeof *table };

static void decide(struct contender *c, const struct search_options *o)
{
    struct err e = ERR_INIT;
    for (int i = 0; i < TABLE; i++)
        c[i] = (struct contender){.score = table[i][0], .cost = table[i][1]};
    assert_int_equal(search_decide(o, c, TABLE, &e), ST_OK);
}

static void test_accuracy_mode(void **state)
{
    (void)state;
    const struct search_options o = options(4, 1, SEARCH_ACCURACY);
    struct contender c[TABLE];
    const int ranks[TABLE] = {1, 2, 3, 4, 5, 7, 6, 9, 10, 8, 11, 12};
    decide(c, &o);
    for (int i = 0; i < TABLE; i++) {
        assert_int_equal(c[i].rank, ranks[i]);
        assert_int_equal(c[i].promoted, i < 3); /* the small ones are all gone */
    }
}

static void test_pareto_mode(void **state)
{
    (void)state;
    const struct search_options o = options(4, 1, SEARCH_PARETO);
    struct contender c[TABLE];
    const int fronts[TABLE] = {1, 1, 1, 1, 1, 1, 2, 2, 4, 3, 2, 4};
    decide(c, &o);
    for (int i = 0; i < TABLE; i++) {
        assert_int_equal(c[i].front, fronts[i]);
        assert_int_equal(c[i].promoted, fronts[i] == 1); /* more than 12 / 4: none of them is beaten */
    }
    assert_int_equal(c[6].rank, 7); /* 5 % behind what is smaller */
    assert_int_equal(c[7].rank, 8); /* 20 % */
    assert_int_equal(c[10].rank, 9);
    /* With room for more the next front follows, by how far its members are behind. */
    const struct search_options wide = options(2, 1, SEARCH_PARETO);
    struct contender few[4] = {{.score = 0.5, .cost = 1},
                               {.score = 0.4, .cost = 2},
                               {.score = 0.3, .cost = 3},
                               {.score = 0.45, .cost = 4}};
    assert_int_equal(search_decide(&wide, few, 4, NULL), ST_OK);
    assert_true(few[0].promoted && few[3].promoted && !few[1].promoted && !few[2].promoted);
    assert_int_equal(few[1].front, 2);
    assert_int_equal(few[3].front, 2);
}

static void test_without_results(void **state)
{
    (void)state;
    for (int mode = SEARCH_ACCURACY; mode <= SEARCH_PARETO; mode++) {
        const struct search_options o = options(2, 1, (enum search_mode)mode);
        struct contender c[] = {
            {.score = NAN, .cost = 1}, {.score = 0.1, .cost = 5}, {.score = NAN, .cost = 2}};
        assert_int_equal(search_decide(&o, c, 3, NULL), ST_OK);
        assert_int_equal(c[1].rank, 1);
        assert_true(c[1].promoted && !c[0].promoted && !c[2].promoted);
        assert_int_equal(c[0].rank, 2); /* in order */
        struct contender none[] = {{.score = NAN, .cost = 1}, {.score = NAN, .cost = 1}};
        assert_int_equal(search_decide(&o, none, 2, NULL), ST_OK);
        assert_true(!none[0].promoted && !none[1].promoted);
        assert_int_equal(search_decide(&o, none, 0, NULL), ST_OK);
    }
}

static bool beats(const struct contender *a, const struct contender *b)
{
    return a->cost <= b->cost && a->score >= b->score && (a->cost < b->cost || a->score > b->score);
}

/* By the definition: the front is one more than that of the last that beats it. */
static int front_of(const struct contender *c, int n, int i)
{
    int front = 1;
    for (int k = 0; k < n; k++) {
        if (beats(&c[k], &c[i])) {
            const int before = front_of(c, n, k);
            front = before >= front ? before + 1 : front;
        }
    }
    return front;
}

/* Random tables with many ties: fronts as defined, ranks a permutation, no beaten one kept for one that beats
 * it, and the order of the contenders without influence on who goes on. */
static void test_random_tables(void **state)
{
    (void)state;
    enum { N = 14 };
    struct rng r = rng_stream(5, RNG_TEST, 0, 0);
    for (int round = 0; round < 200; round++) {
        const struct search_options o = options(2 + round % 3, 1, SEARCH_PARETO);
        struct contender c[N], reversed[N];
        bool seen[N + 1] = {false};
        for (int i = 0; i < N; i++) {
            c[i] = (struct contender){.score = rng_below(&r, 8) / 8.0, .cost = rng_below(&r, 6)};
            reversed[N - 1 - i] = c[i];
        }
        assert_int_equal(search_decide(&o, c, N, NULL), ST_OK);
        assert_int_equal(search_decide(&o, reversed, N, NULL), ST_OK);
        int promoted = 0;
        for (int i = 0; i < N; i++) {
            assert_int_equal(c[i].front, front_of(c, N, i));
            assert_true(c[i].rank >= 1 && c[i].rank <= N && !seen[c[i].rank]);
            seen[c[i].rank] = true;
            promoted += c[i].promoted;
            assert_true(c[i].promoted || c[i].front > 1);
            assert_int_equal(c[i].front, reversed[N - 1 - i].front);
            for (int k = 0; k < N; k++)
                assert_false(c[i].promoted && !c[k].promoted && beats(&c[k], &c[i]));
        }
        assert_true(promoted >= search_places(&o, N));
    }
}

static void expand(const char *text, struct spec *spec, struct space *space)
{
    struct err e = ERR_INIT;
    if (spec_parse(text, strlen(text), "t.yaml", spec, &e) != ST_OK || space_build(spec, space, &e) != ST_OK)
        fail_msg("%s", e.text);
}

/* The last rung's trials are those without a search; the others differ in epochs alone. */
static void test_space(void **state)
{
    (void)state;
    static const char sweep[] = HEAD "sweep:\n  - {id: a, grid: {SR: [0.25, 0.5, 1.0]}}\n"
                                     "  - {id: b, grid: {SR: [0.5], lr: [0.1, 0.2]}}\n"
                                     "constraints: [\"SR < 1\"]\nseeds: [1, 2]\ntrain: {epochs: 18}\n";
    char text[512];
    struct spec plain = {.path = NULL}, spec = {.path = NULL};
    struct space full = {.trial_count = 0}, space = {.trial_count = 0};
    snprintf(text, sizeof text, "%ssearch: {min_epochs: 2}\n", sweep);
    expand(sweep, &plain, &full);
    expand(text, &spec, &space);
    assert_int_equal(full.trial_count, full.named_count);
    assert_int_equal(space.named_count, full.trial_count); /* 10, 2 of them skipped */
    assert_int_equal(space.contender_count, 4);
    assert_int_equal(space.trial_count, 10 + 2 * 8);
    assert_int_equal(space.membership_count, full.membership_count);
    for (int i = 0; i < space.trial_count; i++) {
        const struct trial *t = &space.trials[i], *own = &space.trials[t->full];
        if (i < space.named_count) {
            assert_string_equal(t->recipe_hash, full.trials[i].recipe_hash);
            assert_int_equal(t->rung, t->skip_reason ? 0 : 3);
            assert_true(t->skip_reason || t->full == i);
            continue;
        }
        assert_int_equal(t->rung, i < space.named_count + 8 ? 1 : 2);
        assert_int_equal(t->point.recipe.epochs, t->rung == 1 ? 2 : 6);
        assert_string_equal(t->arch_hash, own->arch_hash);
        assert_string_not_equal(t->recipe_hash, own->recipe_hash);
        assert_true(t->seed == own->seed && t->contender == own->contender);
        assert_null(t->skip_reason);
    }
    const struct membership **first = space_first_memberships(&space);
    assert_non_null(first);
    char *name =
        first ? space_trial_name(&spec, &space.trials[space.named_count], first[space.named_count]) : NULL;
    assert_string_equal(name, "a SR=0.25 seed 1 (2 epochs)");
    mem_free(name);
    mem_free(first);
    space_release(&space);
    space_release(&full);
    spec_release(&spec);
    spec_release(&plain);
    assert_int_equal(mem_live(), 0);
}

static void test_bad_specs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {HEAD "search: {method: hyperband}\n", "t.yaml:4:18: search.method: "},
        {HEAD "search: {eta: 1}\n", "t.yaml:4:15: search.eta: "},
        {HEAD "search: {modus: pareto}\n", "t.yaml:4:10: search: unknown key \"modus\", did you mean mode?"},
        {HEAD "search: yes\n", "t.yaml:4:9: search: "},
        {HEAD "train: {epochs: 2}\nsearch: {eta: 3}\n",
         "t.yaml:5:9: search: train.epochs (2) is less than eta (3), so there is no shorter rung, allowed: "
         "train.epochs of at least min_epochs times eta, 3 here"},
        {HEAD "train: {epochs: 5}\nsearch: {min_epochs: 2}\n",
         "t.yaml:5:22: search.min_epochs: 2 times eta (3) is more than train.epochs (5)"},
        {HEAD "train: {epochs: 9}\nsearch: {cost: macs}\n",
         "t.yaml:5:16: search.cost: has no effect in mode accuracy"},
        {HEAD "train: {epochs: 9}\nsearch: {mode: pareto, cost: seconds}\n", "t.yaml:5:30: search.cost: "},
        {HEAD "sweep: [{id: a, grid: {epochs: [9, 18]}}]\nsearch: {eta: 3}\n",
         "t.yaml:4:24: a.epochs: is set by the rungs of `search`"},
        {HEAD "sweep: [{id: a, list: [{epochs: 9}]}]\nsearch: {eta: 3}\n", "a.epochs: is set by the rungs"},
        {"version: 1\nname: t\ndata: {format: idx, path: d}\ntrain: {epochs: 9}\nsearch: {eta: 3}\n",
         "t.yaml:5:9: search: chooses by validation accuracy and data.val is 0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct spec spec;
        struct err e = ERR_INIT;
        assert_int_equal(spec_parse(bad[i].text, strlen(bad[i].text), "t.yaml", &spec, &e), ST_USAGE);
        if (!strstr(e.text, bad[i].message))
            fail_msg("\"%s\" is not in: %s", bad[i].message, e.text);
        spec_release(&spec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rungs),         cmocka_unit_test(test_accuracy_mode),
        cmocka_unit_test(test_pareto_mode),   cmocka_unit_test(test_without_results),
        cmocka_unit_test(test_random_tables), cmocka_unit_test(test_space),
        cmocka_unit_test(test_bad_specs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
