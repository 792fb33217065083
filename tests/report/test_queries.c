/* The named queries over the small sweep of tests/sweep/store_fixture.h. */
#include "report/queries.h"
#include "report/settings.h"
#include "report/table.h"
#include "sweep/conditions.h"
#include "sweep/spec_fields.h"

#include "../sweep/store_fixture.h"

/* A query's column names, joined by blanks. */
static const char *columns(struct store *s, const char *name)
{
    static char text[1024];
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    assert_ok(named_query_open(s, name, &q, &e));
    size_t n = 0;
    for (int i = 0; i < store_query_columns(q); i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "", store_query_column(q, i));
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
    for (int i = 0; i <= number && row; i++)
        assert_ok(store_query_next(q, &row, &e));
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
    while (row_text(s, name, n)[0])
        n++;
    return n;
}

/* One column of a query, narrowed and over a cost, its values joined by blanks. */
static const char *costing(struct store *s, const char *name, const char *cost,
                           const struct store_filter *filter)
{
    static char text[256];
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    const struct store_filter f = *filter;
    size_t n = 0;
    text[0] = '\0';
    assert_ok(named_query_open_filtered(s, name, &f, cost, &q, &e));
    for (bool row = true;;) {
        assert_ok(store_query_next(q, &row, &e));
        if (!row)
            break;
        const struct cell c = store_query_cell(q, 0);
        n += c.type == CELL_NULL ? (size_t)snprintf(text + n, sizeof text - n, "%s-", n ? " " : "")
                                 : (size_t)snprintf(text + n, sizeof text - n, "%s%.4g", n ? " " : "",
                                                    c.type == CELL_REAL ? c.r : (double)c.i);
    }
    store_query_close(q);
    return text;
}

static const char *narrowed(struct store *s, const char *name, const char *where, const char *column)
{
    return costing(s, name, NULL, &(struct store_filter){.where = where, .columns = column, .limit = -1});
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
        e.text, "unknown query \"trial\", did you mean trials?; allowed: trials, curve, best, leaderboard, "
                "pareto, fires, epochs, "
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
        "trial block base_e incr_e freq sr pct3x3 bypass pools fires pool_rounding conv1_filters "
        "conv1_kernel "
        "conv1_stride conv1_pad conv10_relu conv10_pad input classes also epochs_planned batch optimizer "
        "momentum "
        "lr "
        "schedule warmup weight_decay dropout smoothing accumulate nesterov beta1 beta2 epsilon decay_biases "
        "clip init flip crop_pad crop_border lanes winograd numerics seed state params model_mib macs "
        "latency_ms "
        "val_top1 test_top1 test_top5 epochs train_s");
    snprintf(expected, sizeof expected,
             "%lld sr,pct 128 128 2 0.5 0.5 none conv1,fire4,fire8 - ceil 96 3 1 1 0 0 3x32x32 10 - 10 128 "
             "sgd 0.9 "
             "0.04 triangular 0.15 0.0005 0 0.1 1 1 - - - 0 2 he 1 4 reflect 8 1 fp32-3 1 done %lld "
             "%.6g %lld - 0.5 0.6 0.99 1 2.5",
             (long long)c->f.ids[2], (long long)cost->params, (double)cost->params * 4 / 1048576,
             (long long)cost->macs);
    assert_string_equal(row_text(c->s, "trials", 2), expected);
    assert_non_null(
        strstr(row_text(c->s, "trials", 5), " pct 128 128 2 0.5 0.99 none conv1,fire4,fire8 - ceil "));
    assert_int_equal(row_count(c->s, "trials"), FIXTURE_TRIALS);
}

/* Every key of base and train tells trials apart, so every one is a column, and every setting a key. */
static void test_every_key_is_a_column(void **state)
{
    struct context *c = *state;
    char all[1200];
    snprintf(all, sizeof all, " %s ", columns(c->s, "trials"));
    size_t keys = 0;
    for (size_t i = 0; i < field_count(); i++) {
        const struct field *f = field_at(i);
        const char *name = strcmp(f->key, "SR") == 0       ? "sr"
                           : strcmp(f->key, "epochs") == 0 ? "epochs_planned"
                                                           : f->key;
        char word[64];
        snprintf(word, sizeof word, " %s ", name);
        if (!field_in(f, SECTION_AXIS) || f->kind == FIELD_PRESET)
            continue;
        if (!strstr(all, word))
            fail_msg("%s is no column of trials", name);
        assert_true(named_query_flags(name) & TABLE_VARYING);
        keys++;
    }
    size_t settings = 2; /* but numerics, which no key sets; one more than commas */
    for (const char *s = SETTINGS_VARIANT_SHOWN "," SETTINGS_RECIPE_SHOWN; *s; s++)
        settings += *s == ',';
    assert_int_equal(keys, settings - 2);
}

/* Conditions know a variant's costs by the names that those of a spec use. */
static void test_every_cost_is_a_column(void **state)
{
    static const char *const queries[] = {"trials", "curve",      "best",  "leaderboard", "pareto",
                                          "fires",  "deployment", "rungs", "failures"};
    struct context *c = *state;
    int count;
    const struct cost_name *costs = conditions_costs(&count);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        for (int k = 0; k < count; k++) {
            char where[64];
            struct err e = ERR_INIT;
            struct store_query *q = NULL;
            const struct store_filter f = {.where = where, .limit = -1};
            snprintf(where, sizeof where, "%s > 0", costs[k].name);
            if (strcmp(costs[k].name, "train_s") == 0) /* here it is measured, where anything is */
                continue;
            if (named_query_open_filtered(c->s, queries[i], &f, NULL, &q, &e) != ST_OK)
                fail_msg("%s: %s", queries[i], e.text);
            store_query_close(q);
        }
    }
    for (int i = 0; i < c->f.space.trial_count; i++) {
        const struct trial *t = &c->f.space.trials[i];
        char where[300];
        snprintf(
            where, sizeof where,
            "trial = %lld and min_channels = %d and model_bytes_8bit = %lld and model_bytes_6bit = %lld and "
            "train_activation_bytes = %lld and activation_bytes = %lld",
            (long long)c->f.ids[i], t->min_channels, (long long)t->cost.model_bytes_8bit,
            (long long)t->cost.model_bytes_6bit, (long long)t->cost.train_activation_bytes,
            (long long)t->cost.activation_bytes);
        char id[32];
        snprintf(id, sizeof id, "%lld", (long long)c->f.ids[i]);
        assert_string_equal(narrowed(c->s, "trials", where, "trial"), id);
    }
}

/* A setting is shown where it is part of the recipe's identity, and only there. */
static void test_settings_that_do_not_apply_are_empty(void **state)
{
    static const struct {
        const char *column;
        size_t offset;
    } reals[] = {{"momentum", offsetof(struct recipe, momentum)},
                 {"beta1", offsetof(struct recipe, beta1)},
                 {"beta2", offsetof(struct recipe, beta2)},
                 {"epsilon", offsetof(struct recipe, epsilon)}};
    struct context *c = *state;
    for (int o = OPTIMIZER_SGD; o <= OPTIMIZER_ADAMW; o++) {
        char sql[80];
        snprintf(sql, sizeof sql, "UPDATE recipe SET optimizer = '%s'", optimizer_name((enum optimizer)o));
        plain_exec(c->path, sql);
        for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
            struct recipe a = recipe_default(), b = a;
            char hash_a[HASH_TEXT], hash_b[HASH_TEXT];
            a.optimizer = b.optimizer = (enum optimizer)o;
            double value;
            memcpy(&value, (const char *)&b + reals[i].offset, sizeof value);
            value /= 2;
            memcpy((char *)&b + reals[i].offset, &value, sizeof value);
            recipe_hash(&a, "n", hash_a);
            recipe_hash(&b, "n", hash_b);
            const bool applies = strcmp(hash_a, hash_b) != 0;
            if ((narrowed(c->s, "trials", "trial = 1", reals[i].column)[0] != '-') != applies)
                fail_msg("%s of %s", reals[i].column, optimizer_name((enum optimizer)o));
        }
        assert_int_equal(narrowed(c->s, "trials", "trial = 1", "nesterov")[0] != '-', o == OPTIMIZER_SGD);
        assert_string_equal(narrowed(c->s, "trials", "beta1 > 0 and trial = 1", "trial"),
                            o == OPTIMIZER_SGD ? "" : "1");
        assert_string_equal(narrowed(c->s, "trials", "nesterov and trial = 1", "trial"),
                            o == OPTIMIZER_SGD ? "1" : "");
    }
}

static void test_settings_are_told_from_measures(void **state)
{
    (void)state;
    assert_true(named_query_flags("base_e") & TABLE_VARYING);
    assert_int_equal(named_query_chosen_flags("lr"), TABLE_EXACT);
    assert_int_equal(named_query_chosen_flags("test_top1"), 0);
    assert_true(named_query_flags("lr") & TABLE_VARYING);
    assert_int_equal(named_query_measured_flags("lr"), 0);
    assert_int_equal(named_query_measured_flags("val_top1"), TABLE_OPTIONAL);
    assert_true(named_query_flags("smoothing") & TABLE_VARYING);
    assert_true(named_query_flags("sweep") & TABLE_VARYING);
    assert_int_equal(named_query_flags("sweep") & TABLE_MINOR, 0);
    assert_int_equal(named_query_flags("conv1_stride"), TABLE_VARYING | TABLE_MINOR | TABLE_EXACT);
    assert_int_equal(named_query_flags("numerics"), TABLE_VARYING | TABLE_MINOR | TABLE_EXACT);
    assert_int_equal(named_query_flags("latency_ms"), TABLE_OPTIONAL);
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
                        "block axes sr pct3x3 n params model_mib macs latency_ms val_top1 val_top1_ci95"
                        " test_top1 test_top1_ci95 test_top5 train_s");
    /* t(0.975; 1) = 12.7062, times 0.176777 and 0.353553, by the root of 2 */
    snprintf(expected, sizeof expected,
             "sr {\"SR\":0.125} 0.125 0.5 2 %lld %.6g %lld - 0.625 1.58828 0.75 3.17655 0.99 2.5",
             (long long)cost->params, (double)cost->params * 4 / 1048576, (long long)cost->macs);
    assert_string_equal(row_text(c->s, "curve", 0), expected);
    assert_int_equal(row_count(c->s, "curve"), 4);
}

static void test_fires(void **state)
{
    struct context *c = *state;
    assert_string_equal(
        columns(c->s, "fires"),
        "variant base_e incr_e freq sr pct3x3 bypass pools fires pool_rounding conv1_filters "
        "conv1_kernel conv1_stride conv1_pad conv10_relu conv10_pad input classes also fire s1x1 e1x1 "
        "e3x3 s1x1_clamped params");
    assert_string_equal(
        row_text(c->s, "fires", 0),
        "1 128 128 2 0.125 0.5 none conv1,fire4,fire8 - ceil 96 3 1 1 0 0 3x32x32 10 - 2 16 64 64 0 "
        "11920");
    /* fire9 of SR 0.5, pct3x3 0.5 reads 512: 512*256+256 + 256*256+256 + 256*256*9+256 */
    assert_non_null(strstr(row_text(c->s, "fires", 15), "2 128 128 2 0.5 0.5 none "));
    assert_non_null(strstr(row_text(c->s, "fires", 15), " 9 256 256 256 0 787200"));
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

/* SR 0.125 has two seeds, SR 0.5 and pct3x3 0.99 one; the larger one of these is the best of all. */
static void finish_three(struct context *c)
{
    fixture_finish(c->s, c->f.ids[0], 0.70, 0.6);
    fixture_finish(c->s, c->f.ids[1], 0.72, 0.6);
    fixture_finish(c->s, c->f.ids[2], 0.60, 0.9);
    fixture_finish(c->s, c->f.ids[4], 0.80, 0.5);
}

/* The views that people query have the same order and the same front. */
static void test_ranks_are_those_of_the_views(void **state)
{
    struct context *c = *state;
    finish_three(c);
    assert_string_equal(narrowed(c->s, "leaderboard", NULL, "variant"), "3 1 2");
    assert_string_equal(plain_text(c->path, "SELECT group_concat(variant_id, ' ') FROM leaderboard"),
                        "3 1 2");
    assert_string_equal(narrowed(c->s, "pareto", NULL, "variant"), "1 3");
    assert_string_equal(plain_text(c->path, "SELECT group_concat(variant_id, ' ') FROM pareto"), "1 3");
    assert_string_equal(narrowed(c->s, "best", NULL, "behind"), "0 0.09 0.2");
    assert_string_equal(narrowed(c->s, "leaderboard", NULL, "val_top1_ci95"), "- 0.1271 -");
    assert_non_null(strstr(row_text(c->s, "leaderboard", 1), " 1 2 2 0.71 ")); /* trials 1 and 2, n, mean */
}

/* A filter says among which variants: the front and the best are theirs. */
static void test_filters_come_before_ranks(void **state)
{
    struct context *c = *state;
    finish_three(c);
    assert_string_equal(narrowed(c->s, "pareto", "sr = 0.5 and pct3x3 < 0.9", "variant"), "2");
    assert_string_equal(narrowed(c->s, "best", "val_top1 < 0.75", "behind"), "0 0.11");
    assert_string_equal(narrowed(c->s, "best", "val_top1 < 0.75", "rank"), "2 3");
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    const struct store_filter f = {.where = "behind < 0", .limit = -1};
    assert_int_equal(named_query_open_filtered(c->s, "best", &f, NULL, &q, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "--where: character 1: \"behind\" is unknown"));
}

static void test_limit_of_the_best(void **state)
{
    struct context *c = *state;
    finish_three(c);
    assert_string_equal(costing(c->s, "best", NULL, &(struct store_filter){.columns = "variant", .limit = 2}),
                        "3 1");
}

/* What costs least is told by the column; of variants without it nothing is said. */
static void test_front_over_another_cost(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct store_query *q = NULL;
    const struct store_filter f = {.columns = "variant", .limit = -1}, usual = {.limit = -1};
    finish_three(c); /* accuracies 0.71, 0.60, 0.80 of variants 1, 2, 3 */
    plain_exec(c->path, "UPDATE trial SET train_s = 10 - variant_id WHERE state = 'done'");
    assert_string_equal(costing(c->s, "pareto", "train_s", &f), "3");
    assert_string_equal(costing(c->s, "pareto", "macs", &f), "1 3");
    assert_string_equal(costing(c->s, "pareto", "latency_ms", &f), "");
    assert_int_equal(named_query_open_filtered(c->s, "pareto", &f, "val_top1", &q, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "--x: \"val_top1\" is no cost, allowed: model_mib, params, macs,"));
    assert_int_equal(named_query_open_filtered(c->s, "best", &f, "macs", &q, &e), ST_USAGE);
    assert_ok(named_query_open_filtered(c->s, "pareto", &usual, "train_s", &q, &e));
    assert_string_equal(store_query_column(q, store_query_columns(q) - 1), "train_s"); /* it is shown */
    store_query_close(q);
}

/* Seeds of a point that came first in different blocks: it is an alias once, of the very first. */
static void test_aliases_are_told_once(void **state)
{
    struct context *c = *state;
    assert_string_equal(row_text(c->s, "aliases", 0), "pct {\"pct3x3\":0.5} 2 sr {\"SR\":0.5}");
    assert_int_equal(row_count(c->s, "aliases"), 1);
    plain_exec(c->path, "INSERT INTO block (id, sweep_id, position, name) VALUES (99, 1, -1, 'early')");
    plain_exec(c->path, "INSERT INTO block_trial (block_id, trial_id, position, axes, in_spec)"
                        " VALUES (99, 3, 0, '{\"lr\":0.04}', 1)"); /* one seed of SR 0.5 */
    assert_string_equal(row_text(c->s, "aliases", 0), "sr {\"SR\":0.5} 2 early {\"lr\":0.04}");
    assert_string_equal(row_text(c->s, "aliases", 1), "pct {\"pct3x3\":0.5} 2 early {\"lr\":0.04}");
    assert_int_equal(row_count(c->s, "aliases"), 2);
}

/* A condition speaks of any point that a row stands for, not only of the first; and the row says which there
 * are. */
static void test_rows_go_by_every_point(void **state)
{
    struct context *c = *state;
    finish_three(c);
    assert_string_equal(narrowed(c->s, "trials", "SR = 0.51", "trial"), "");
    assert_null(strstr(row_text(c->s, "trials", 2), "SR 0.51"));
    plain_exec(c->path, "UPDATE point SET sr = 0.51, bypass = 'simple' WHERE axes = '{\"pct3x3\":0.5}'");
    assert_string_equal(narrowed(c->s, "trials", "SR = 0.51", "trial"), "3 4");
    assert_string_equal(narrowed(c->s, "trials", "SR = 0.5", "trial"), "3 4 5 6");
    assert_string_equal(narrowed(c->s, "trials", "SR = 0.51 and bypass = none", "trial"), "");
    assert_string_equal(narrowed(c->s, "trials", "SR > 0.5 and bypass = simple and seed = 2", "trial"), "4");
    assert_string_equal(narrowed(c->s, "leaderboard", "SR = 0.51", "variant"), "2");
    assert_string_equal(narrowed(c->s, "best", "SR = 0.51", "variant"), "2");
    assert_string_equal(narrowed(c->s, "pareto", "SR = 0.51", "variant"), "2");
    assert_string_equal(narrowed(c->s, "fires", "SR = 0.51 and fire = 3", "fire"), "3");
    assert_string_equal(narrowed(c->s, "epochs", "SR = 0.51 and seed = 1 and block = pct", "trial"), "3");
    assert_string_equal(narrowed(c->s, "attempts", "SR = 0.125", "trial"), "1 2");
    assert_string_equal(narrowed(c->s, "curve", "SR = 0.51", "variant"), "2"); /* a row is one point */
    assert_non_null(strstr(row_text(c->s, "trials", 2), " SR 0.51, bypass simple "));
    assert_null(strstr(row_text(c->s, "trials", 0), "SR 0.51"));
    plain_exec(c->path, "UPDATE point SET base_e = NULL, bypass = 'none' WHERE sr = 0.51");
    assert_non_null(strstr(row_text(c->s, "trials", 2), " fires "));
}

/* A trial stands under what its own first point asked for, also where its variant was first asked for
 * otherwise, as by a point with another recipe. */
static void test_rows_have_their_own_values(void **state)
{
    struct context *c = *state;
    finish_three(c);
    plain_exec(c->path, "UPDATE point SET sr = 0.51 WHERE axes = '{\"pct3x3\":0.99}'");
    assert_non_null(strstr(row_text(c->s, "trials", 4), " 128 128 2 0.51 0.99 none "));
    assert_string_equal(narrowed(c->s, "trials", "SR = 0.5", "trial"), "3 4");
    assert_string_equal(narrowed(c->s, "best", "variant = 3", "sr"), "0.51");
    plain_exec(c->path, "UPDATE block_trial SET in_spec = 0 WHERE trial_id = 5");
    assert_non_null(strstr(row_text(c->s, "trials", 4), " 128 128 2 0.5 0.99 none ")); /* its variant's */
}

/* Trials of several blocks are those of each of them. */
static void test_rows_go_by_every_block(void **state)
{
    struct context *c = *state;
    finish_three(c);
    assert_string_equal(narrowed(c->s, "trials", "block = 'sr'", "trial"), "1 2 3 4");
    assert_string_equal(narrowed(c->s, "trials", "block = pct", "trial"), "3 4 5 6");
    assert_string_equal(narrowed(c->s, "trials", "block = pct and SR = 0.125", "trial"), "");
    assert_string_equal(narrowed(c->s, "trials", "block != pct", "trial"), "1 2 3 4"); /* 3, 4: of sr, too */
    assert_string_equal(narrowed(c->s, "trials", "not block in [pct, 'sr']", "trial"), "");
    assert_string_equal(narrowed(c->s, "curve", "block != pct", "variant"), "1 2");
    assert_string_equal(narrowed(c->s, "curve", "block != 'demo/pct'", "variant"), "1 2");
    struct store_query *q = NULL;
    struct err e = ERR_INIT;
    const struct store_filter column = {.where = "block = bypass", .limit = -1},
                              number = {.where = "block = sr", .limit = -1};
    assert_int_equal(named_query_open_filtered(c->s, "trials", &column, NULL, &q, &e), ST_USAGE);
    assert_non_null(
        strstr(e.text, "character 9: bypass is a column; the name of a block or sweep stands in quotes"));
    assert_int_equal(named_query_open_filtered(c->s, "trials", &number, NULL, &q, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "\"block\" is a text but \"sr\" is a number"));
    assert_string_equal(narrowed(c->s, "best", "block = pct", "variant"), "3 2");
    plain_exec(c->path,
               "INSERT INTO sweep SELECT id + 1, 'other', spec_path, spec_text, data_format, data_path,"
               " data_fingerprint, image_c, image_h, image_w, classes, train_images, val_images,"
               " test_images, skipped_images, tool_version, created_utc, updated_utc FROM sweep");
    char sweep[64], where[160];
    snprintf(sweep, sizeof sweep, "%s", plain_text(c->path, "SELECT name FROM sweep WHERE id = 1"));
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            snprintf(where, sizeof where, "block = pct");
        else
            snprintf(where, sizeof where, i == 1 ? "block = '%s/pct'" : "sweep = '%s' and block = pct",
                     sweep);
        assert_string_equal(narrowed(c->s, "trials", where, "trial"), "3 4 5 6");
        assert_string_equal(narrowed(c->s, "curve", where, "variant"), "2 3");
    }
    assert_string_equal(narrowed(c->s, "trials", "sweep = other", "trial"), "");
}

/* Two seeds of one variant tell how much all means vary: 0.014 apart, three fronts of a thousand are others.
 */
static void test_front_says_how_sure_it_is(void **state)
{
    struct context *c = *state;
    fixture_finish(c->s, c->f.ids[0], 0.70, 0.6);
    fixture_finish(c->s, c->f.ids[4], 0.72, 0.5);
    assert_string_equal(narrowed(c->s, "pareto", NULL, "front_pct"), "- -"); /* nothing has replicates */
    fixture_finish(c->s, c->f.ids[1], 0.74, 0.6);
    assert_string_equal(narrowed(c->s, "pareto", NULL, "variant"), "1");
    assert_string_equal(narrowed(c->s, "pareto", NULL, "front_pct"), "100"); /* nothing is smaller */
    fixture_finish(c->s, c->f.ids[5], 0.73, 0.5);
    assert_string_equal(narrowed(c->s, "pareto", NULL, "variant"), "1 3");
    const double share = atof(strchr(narrowed(c->s, "pareto", NULL, "front_pct"), ' '));
    assert_true(share > 52 && share < 75); /* 0.005 ahead, with a standard deviation of 0.02 */
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
    for (const struct named_query *q = named_queries(); q->name; q++)
        assert_int_equal(row_count(s, q->name), 0);
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
        store_test(test_every_key_is_a_column),
        store_test(test_every_cost_is_a_column),
        store_test(test_settings_that_do_not_apply_are_empty),
        store_test(test_ranks_are_those_of_the_views),
        store_test(test_filters_come_before_ranks),
        store_test(test_front_says_how_sure_it_is),
        store_test(test_limit_of_the_best),
        store_test(test_front_over_another_cost),
        store_test(test_aliases_are_told_once),
        store_test(test_rows_go_by_every_point),
        store_test(test_rows_go_by_every_block),
        store_test(test_rows_have_their_own_values),
        store_test(test_empty_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
