/* The named queries over the small sweep of tests/sweep/store_fixture.h. */
#include "report/queries.h"
#include "report/table.h"

#include "../sweep/store_fixture.h"

/* A query's column names, joined by blanks. */
static const char *columns(struct store *s, const char *name)
{
    static char text[1024];
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    assert_ok(named_query_open(s, name, &q, &e));
    size_t n = 0;
    for (int i = 0; i < store_query_columns(q); i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "", store_query_column(q, i));
    }
    store_query_close(q);
    return text;
}

/* Row `number` (from 0) of a query, its cells joined by blanks; "" when there are fewer rows. */
static const char *row_text(struct store *s, const char *name, int number)
{
    static char text[1024];
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    bool row = true;
    size_t n = 0;
    assert_ok(named_query_open(s, name, &q, &e));
    for (int i = 0; i <= number && row; i++) {
        assert_ok(store_query_next(q, &row, &e));
    }
    text[0] = '\0';
    for (int i = 0; row && i < store_query_columns(q); i++) {
        struct cell cell = store_query_cell(q, i);
        const char *gap = i ? " " : "";
        if (cell.type == CELL_INT) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld", gap, (long long)cell.i);
        } else if (cell.type == CELL_REAL) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%.6g", gap, cell.r);
        } else {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", gap,
                                  cell.type == CELL_TEXT ? cell.text : "-");
        }
    }
    store_query_close(q);
    return text;
}

static int row_count(struct store *s, const char *name)
{
    int n = 0;
    while (row_text(s, name, n)[0]) {
        n++;
    }
    return n;
}

static void test_list(void **state)
{
    struct context *c = *state;
    int count = 0;
    for (const struct named_query *q = named_queries(); q->name; q++, count++) {
        assert_true(strlen(q->help) > 10 && strlen(q->help) < 80);
        assert_null(strchr(q->help, '\n'));
        assert_true(strlen(columns(c->s, q->name)) > 0);
    }
    assert_int_equal(count, 13);
}

static void test_unknown_name(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    assert_int_equal(named_query_open(c->s, "trial", &q, &e), ST_USAGE);
    assert_string_equal(
        e.text, "unknown query \"trial\"; known are trials, curve, best, leaderboard, pareto, fires, epochs, "
                "attempts, deployment, rungs, events, aliases, failures, compare, effects, plateau, ranks");
    assert_null(q);
}

static void test_trials(void **state)
{
    struct context *c = *state;
    char expected[512];
    const struct cost *cost = &c->f.trials[2].cost;
    fixture_finish(c->s, c->f.ids[2], 0.5, 0.6);
    assert_string_equal(
        columns(c->s, "trials"),
        "id block base_e incr_e freq sr pct3x3 bypass pools epochs_planned batch optimizer momentum lr "
        "schedule warmup weight_decay dropout smoothing seed state params model_mib macs latency_ms val_top1"
        " test_top1 test_top5 epochs train_s");
    snprintf(expected, sizeof expected,
             "%lld sr,pct 128 128 2 0.5 0.5 none conv1,fire4,fire8 10 128 sgd 0.9 0.04 triangular 0.15 "
             "0.0005 0 0.1 1 done %lld %.6g %lld - 0.5 0.6 0.99 1 2.5",
             (long long)c->f.ids[2], (long long)cost->params, (double)cost->params * 4 / 1048576,
             (long long)cost->macs);
    assert_string_equal(row_text(c->s, "trials", 2), expected);
    assert_non_null(
        strstr(row_text(c->s, "trials", 5), " pct 128 128 2 0.5 0.99 none conv1,fire4,fire8 10 "));
    assert_int_equal(row_count(c->s, "trials"), FIXTURE_TRIALS);
}

static void test_settings_are_told_from_measures(void **state)
{
    (void)state;
    assert_true(named_query_flags("base_e") & TABLE_VARYING);
    assert_true(named_query_flags("lr") & TABLE_VARYING);
    assert_true(named_query_flags("smoothing") & TABLE_VARYING);
    assert_true(named_query_flags("sweep") & TABLE_VARYING);
    assert_int_equal(named_query_flags("params"), 0);
    assert_int_equal(named_query_flags("epochs"), 0); /* epochs_planned is one */
    assert_int_equal(named_query_flags("e"), 0);
    assert_int_equal(named_query_flags(""), 0);
}

static void test_blocks_of_two_sweeps(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    c->f.space.trial_count = c->f.space.membership_count = 4;
    assert_ok(store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, c->f.ids, &e));
    assert_non_null(strstr(row_text(c->s, "trials", 2), " sr 128 "));
    assert_non_null(strstr(row_text(c->s, "trials", 5), " - 128 ")); /* no longer in the spec */
    c->f.spec.name = "other";
    assert_ok(store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, c->f.ids, &e));
    assert_non_null(strstr(row_text(c->s, "trials", 2), " demo/sr,other/sr 128 "));
    assert_int_equal(strncmp(row_text(c->s, "curve", 2), "other/sr {", 10), 0);
}

static void test_curve(void **state)
{
    struct context *c = *state;
    char expected[512];
    const struct cost *cost = &c->f.trials[0].cost;
    fixture_finish(c->s, c->f.ids[0], 0.5, 0.5);
    fixture_finish(c->s, c->f.ids[1], 0.75, 1);
    assert_string_equal(columns(c->s, "curve"),
                        "block axes sr pct3x3 n params model_mib macs latency_ms val_top1 val_top1_stddev"
                        " test_top1 test_top1_stddev test_top5 train_s");
    snprintf(expected, sizeof expected,
             "sr {\"SR\":0.125} 0.125 0.5 2 %lld %.6g %lld - 0.625 0.176777 0.75 0.353553 0.99 2.5",
             (long long)cost->params, (double)cost->params * 4 / 1048576, (long long)cost->macs);
    assert_string_equal(row_text(c->s, "curve", 0), expected);
    assert_int_equal(row_count(c->s, "curve"), 4);
}

static void test_fires(void **state)
{
    struct context *c = *state;
    assert_string_equal(columns(c->s, "fires"),
                        "variant base_e incr_e freq sr pct3x3 fire s1x1 e1x1 e3x3 s1x1_clamped params");
    assert_string_equal(row_text(c->s, "fires", 0), "1 128 128 2 0.125 0.5 2 16 64 64 0 11920");
    /* fire9 of SR 0.5, pct3x3 0.5 reads 512: 512*256+256 + 256*256+256 + 256*256*9+256 */
    assert_string_equal(row_text(c->s, "fires", 15), "2 128 128 2 0.5 0.5 9 256 256 256 0 787200");
    assert_int_equal(row_count(c->s, "fires"), 24);
}

static void test_epochs_and_attempts(void **state)
{
    struct context *c = *state;
    fixture_finish(c->s, c->f.ids[3], 0.5, 0.6);
    assert_string_equal(columns(c->s, "epochs"),
                        "trial epoch lr train_loss train_top1 val_loss val_top1 val_top5 train_s eval_s");
    assert_string_equal(row_text(c->s, "epochs", 0), "4 1 0.04 2.3 0.1 2.1 0.5 0.13 2.5 1.25");
    assert_string_equal(columns(c->s, "attempts"),
                        "trial attempt host pid threads isa started_utc outcome wall_s cpu_s"
                        " peak_rss_mib message");
    assert_non_null(strstr(row_text(c->s, "attempts", 0), "done 0 0 0 -"));
    assert_int_equal(row_count(c->s, "attempts"), 1);
    assert_int_equal(row_count(c->s, "events"), 0);
}

static void test_ranks(void **state)
{
    struct context *c = *state;
    fixture_finish(c->s, c->f.ids[0], 0.7, 0.6);
    fixture_finish(c->s, c->f.ids[4], 0.5, 0.4);
    assert_int_equal(strncmp(row_text(c->s, "leaderboard", 0), "demo 1 1 1 128 128 2 0.125 0.5 none ", 36),
                     0);
    assert_int_equal(row_count(c->s, "leaderboard"), 2);
    assert_int_equal(strncmp(row_text(c->s, "pareto", 0), "demo 1 1 128 128 2 0.125 0.5 none ", 34), 0);
    assert_int_equal(row_count(c->s, "pareto"), 1);
}

/* On a database that has nothing yet, opened as `query` opens it. */
static void test_empty_database(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct store *s = NULL;
    scratch_path path;
    snprintf(path, sizeof path, "%s/empty.db", c->folder);
    assert_ok(store_open(path, &s, &e));
    store_close(s);
    assert_ok(store_open_readonly(path, &s, &e));
    for (const struct named_query *q = named_queries(); q->name; q++) {
        assert_int_equal(row_count(s, q->name), 0);
    }
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_list),
        store_test(test_unknown_name),
        store_test(test_trials),
        store_test(test_settings_are_told_from_measures),
        store_test(test_blocks_of_two_sweeps),
        store_test(test_curve),
        store_test(test_fires),
        store_test(test_epochs_and_attempts),
        store_test(test_ranks),
        store_test(test_empty_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
