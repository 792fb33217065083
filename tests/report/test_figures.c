/* What figures are made of, before gnuplot: their data and the definitions of their templates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plot_session.h"
#include "report/figures.h"
#include "sweep/spec.h"

typedef enum status build_figure(struct store *s, const struct figure_request *r, struct figure *out,
                                 char nothing[256], struct err *e);

/* A figure of block 1; figure_release. */
static enum status build(struct session *s, build_figure *figure, const char *x, const char *y,
                         struct figure *out)
{
    struct store *store = NULL;
    char nothing[256] = "";
    const struct figure_request r = {.block = 1, .sweep = "s", .name = "b", .x = x, .y = y};
    s->err = ERR_INIT;
    if (store_open_readonly(results_path(s->results), &store, &s->err) != ST_OK)
        fail_msg("%s", s->err.text);
    figure_init(out);
    const enum status st = figure(store, &r, out, nothing, &s->err);
    assert_string_equal(nothing, "");
    store_close(store);
    return st;
}

static void build_ok(struct session *s, build_figure *figure, const char *x, const char *y,
                     struct figure *out)
{
    if (build(s, figure, x, y, out) != ST_OK)
        fail_msg("%s", s->err.text);
}

static void assert_defined(const struct figure *f, const char *part)
{
    if (!strstr(f->definitions.text, part))
        fail_msg("no %s in\n%s", part, f->definitions.text);
}

static void start(struct session *s)
{
    results_sweep(s->results, "s", spec_head);
    assert_int_equal(results_block(s->results, "b"), 1);
}

/* The variant of 3 MiB is the best on the test images, the one of 2 MiB on those that choose. */
static void fronts_are_chosen_by_validation(void **state)
{
    struct session *s = *state;
    static const double val[] = {0.5, 0.6, 0.55}, test[] = {0.6, 0.55, 0.9};
    struct figure f;
    start(s);
    for (int i = 0; i < 3; i++) {
        char axes[32], sql[128];
        snprintf(axes, sizeof axes, "{\"SR\":0.%d}", i + 1);
        const int64_t id =
            results_trial(s->results, results_variant(s->results, (i + 1) << 20), 1, axes, "done", val[i]);
        snprintf(sql, sizeof sql, "UPDATE trial SET test_top1 = %g WHERE id = %lld", test[i], (long long)id);
        results_sql(s->results, sql);
    }
    build_ok(s, figure_pareto, NULL, NULL, &f);
    assert_int_equal(f.row_count, 3);
    static const int chosen[] = {1, 1, 0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f.rows[i][8].i, chosen[i]);
        assert_true(f.rows[i][5].r > 100 * test[i] - 1e-9 && f.rows[i][5].r < 100 * test[i] + 1e-9);
        assert_true(f.rows[i][10].r > 100 * val[i] - 1e-9 && f.rows[i][10].r < 100 * val[i] + 1e-9);
    }
    assert_string_equal(f.columns[10].name, "val_top1_pct_mean");
    assert_defined(&f, "$stairs << EOD\n1.0 60.0\n2.0 55.");
    assert_defined(&f, "note1_text = 'chosen by validation, drawn at test; one seed a point'");
    figure_release(&f);
    /* Another column is chosen by itself. */
    build_ok(s, figure_pareto, NULL, "train_s", &f);
    assert_int_equal(f.column_count, 10);
    figure_release(&f);
    /* Without validation images there is nothing else than the test. */
    results_sql(s->results, "UPDATE trial SET val_top1 = NULL");
    build_ok(s, figure_pareto, NULL, NULL, &f);
    assert_int_equal(f.column_count, 10);
    assert_int_equal(f.rows[1][8].i, 0);
    assert_int_equal(f.rows[2][8].i, 1);
    assert_defined(&f, "note1_text = 'one seed a point'");
    figure_release(&f);
}

/* Two recipes of one variant are two points; an alias is none. */
static void distributions_count_points(void **state)
{
    struct session *s = *state;
    static const double top1[] = {0.5, 0.25, 0.75, 0.625};
    struct figure f;
    char sql[100];
    start(s);
    for (int i = 0; i < 4; i++) {
        char axes[32];
        snprintf(axes, sizeof axes, "{\"lr\":0.%d}", i + 1);
        results_trial(s->results, results_variant(s->results, (i + 1) << 20), 1, axes, "done", top1[i]);
    }
    snprintf(sql, sizeof sql, "UPDATE trial SET recipe_id = %d, variant_id = 1 WHERE id = 2",
             (int)results_recipe(s->results, 3));
    results_sql(s->results, sql);
    results_sql(s->results,
                "INSERT INTO block_trial(block_id, trial_id, position, axes, in_spec) SELECT"
                " block_id, trial_id, 100, '{\"lr\":0.05}', 1 FROM block_trial WHERE trial_id = 1");
    build_ok(s, figure_edf, NULL, NULL, &f);
    assert_defined(&f, "'distribution over 4 points, each the mean of its seeds; median 56.25 "
                       "(mean of the middle two)'");
    assert_int_equal(f.row_count, 4);
    assert_string_equal(f.rows[1][0].text, "lr=0.1"); /* by its first name, in each figure */
    figure_release(&f);
    build_ok(s, figure_scatter, "lr", NULL, &f);
    assert_int_equal(f.row_count, 4);
    assert_string_equal(f.rows[0][1].text, "lr=0.1");
    assert_true(f.rows[0][2].r < 0.1 + 1e-9 && f.rows[0][2].r > 0.1 - 1e-9);
    figure_release(&f);
    /* A first name without the axis: the next one has it. What is beyond all bounds is left out, and told. */
    results_sql(s->results,
                "INSERT INTO block_trial(block_id, trial_id, position, axes, in_spec) SELECT"
                " block_id, trial_id, -5, '{\"momentum\":0.5}', 1 FROM block_trial WHERE trial_id = 4;"
                "UPDATE trial SET test_loss = iif(id = 2, 9e999, id)");
    build_ok(s, figure_scatter, "lr", "test_loss", &f);
    assert_int_equal(f.row_count, 3);
    assert_string_equal(f.rows[2][1].text, "lr=0.4");
    assert_defined(&f, "'left out: 1 of 4 trials (done without this result)'");
    figure_release(&f);
    build_ok(s, figure_edf, NULL, NULL, &f);
    assert_string_equal(f.rows[2][0].text, "momentum=0.5");
    figure_release(&f);
    results_sql(s->results, "UPDATE trial SET state = 'failed' WHERE id = 3");
    build_ok(s, figure_edf, NULL, NULL, &f);
    assert_defined(&f, "over 3 points, each the mean of its seeds; median 50'");
    assert_defined(&f, "'left out: 1 of 4 trials (failed)'");
    figure_release(&f);
    build_ok(s, figure_pareto, NULL, NULL, &f);
    assert_string_equal(f.rows[1][2].text, "lr=0.1");
    assert_defined(&f, "; left out: 1 of 4 trials (failed)'");
    figure_release(&f);
}

/* lr (five levels) and warmup are tied; SR and bypass are crossed with each other, and with lr. */
static void fill_grid(struct session *s)
{
    static const char *const bypass[] = {"none", "complex, and more", "simple"};
    start(s);
    for (int i = 0; i < 30; i++) {
        char axes[128];
        snprintf(axes, sizeof axes, "{\"lr\":0.0%d,\"warmup\":0.%d,\"SR\":0.%d,\"bypass\":\"%s\"}", i % 5 + 1,
                 i % 5 + 1, i / 15 + 1, bypass[i / 5 % 3]);
        results_trial(s->results, results_variant(s->results, (i + 1) << 20), 1, axes, "done", 0.01 * i);
    }
}

static void heat_maps_are_full_and_choosable(void **state)
{
    struct session *s = *state;
    struct figure f;
    fill_grid(s);
    /* Most of the variance is the SR's, then the bypass's; the long names stand beside the rows. */
    build_ok(s, figure_heatmap, NULL, NULL, &f);
    assert_int_equal(f.row_count, 6);
    assert_defined(&f, "x_title = 'SR'");
    assert_defined(&f, "y_title = 'bypass'");
    figure_release(&f);
    /* Where all have the same the largest; not lr with warmup, which are not crossed. */
    results_sql(s->results, "UPDATE trial SET test_top1 = 0.5");
    build_ok(s, figure_heatmap, NULL, NULL, &f);
    assert_int_equal(f.row_count, 15);
    assert_defined(&f, "x_title = 'lr'");
    assert_defined(&f, "y_title = 'bypass'");
    assert_defined(&f, "= 'complex, and more'\n");
    figure_release(&f);
    build_ok(s, figure_heatmap, "bypass", NULL, &f);
    assert_defined(&f, "x_title = 'bypass'");
    assert_defined(&f, "y_title = 'lr'");
    figure_release(&f);
    build_ok(s, figure_heatmap, "bypass", "SR", &f);
    assert_int_equal(f.row_count, 6);
    assert_string_equal(f.columns[0].name, "bypass");
    assert_string_equal(f.columns[1].name, "SR");
    figure_release(&f);
    build_ok(s, figure_heatmap, NULL, "SR", &f);
    assert_defined(&f, "y_title = 'SR'");
    figure_release(&f);
    build_ok(s, figure_heatmap, "SR", "val_top1", &f); /* a column is what is averaged */
    assert_string_equal(f.columns[3].name, "val_top1_pct_mean");
    figure_release(&f);
    assert_int_equal(build(s, figure_heatmap, "SR", "SR", &f), ST_USAGE);
    assert_string_equal(s->err.text, "y: \"SR\" stands along x already");
    figure_release(&f);
    assert_int_equal(build(s, figure_heatmap, "SR", "freq", &f), ST_USAGE);
    assert_string_equal(s->err.text, "y: there is no axis \"freq\" with several values");
    figure_release(&f);
    struct err e = ERR_INIT;
    assert_int_equal(plot_check_columns("heatmap", "SR", "lr", &e), ST_OK);
    assert_int_equal(plot_check_columns("heatmap", "SR", "nothing", &e), ST_USAGE);
}

/* Lines of a block of $points between blank lines. */
static int longest_line(const char *text)
{
    int longest = 0, length = 0;
    for (const char *at = strchr(strstr(text, "$points << EOD"), '\n') + 1; strncmp(at, "EOD", 3) != 0;) {
        length = *at == '\n' ? 0 : length + 1;
        longest = length > longest ? length : longest;
        at = strchr(at, '\n') + 1;
    }
    return longest;
}

/* All names of all axes are there, and lines only where there is an order. */
static void effects_have_every_name(void **state)
{
    struct session *s = *state;
    struct figure f;
    fill_grid(s);
    build_ok(s, figure_effects, NULL, NULL, &f);
    static const char *const names[] = {"none", "simple", "complex, and more", "0.01", "0.05", "0.2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char line[64];
        snprintf(line, sizeof line, " = '%s'\n", names[i]);
        assert_defined(&f, line);
    }
    assert_defined(&f, "axis_count = 4\n");
    /* 100 x (0.01 x 3.5) squared of 100 x the variance of 0 to 29: of SR 15 of 29 steps and so on */
    assert_defined(&f, "= 'SR: 75 %'\n");
    assert_defined(&f, "= 'lr: tied'\n");
    assert_int_equal(longest_line(f.definitions.text), 5); /* of lr */
    figure_release(&f);
    results_sql(s->results, "UPDATE block_trial SET axes = json_remove(axes, '$.lr', '$.warmup', '$.SR')");
    build_ok(s, figure_effects, NULL, NULL, &f);
    assert_int_equal(longest_line(f.definitions.text), 1);
    figure_release(&f);
}

/* Below what else they say, and with the reason. */
static void effects_say_what_is_left_out(void **state)
{
    struct session *s = *state;
    struct figure f;
    fill_grid(s);
    results_sql(s->results, "UPDATE trial SET state = 'pruned' WHERE id <= 3");
    build_ok(s, figure_effects, NULL, NULL, &f);
    assert_defined(&f, "'beside an axis its share of the variance; seeds and interactions: ");
    assert_defined(&f, "of tied axes: plain means; left out: 3 of 30 trials (pruned)'\n");
    assert_defined(&f, "note4_text = 'those left are the best, so differences look smaller'\n");
    figure_release(&f);
    build_ok(s, figure_heatmap, NULL, NULL, &f);
    assert_defined(
        &f, "'left out: 3 of 30 trials (pruned); those left are the best, so differences look smaller'\n");
    figure_release(&f);
}

/* An axis that another one follows from at one of its values has a share of what is its own. */
static void effects_of_partly_tied_axes(void **state)
{
    struct session *s = *state;
    struct figure f;
    fill_grid(s);
    results_sql(s->results, "UPDATE block_trial SET axes = json_remove(axes, '$.warmup');"
                            "UPDATE block_trial SET axes = json_set(axes, '$.bypass',"
                            " iif(json_extract(axes, '$.lr') = 0.05, 'simple', 'none'))");
    build_ok(s, figure_effects, NULL, NULL, &f);
    assert_defined(&f, "= 'lr: 1.3 %, partly tied'\n");
    assert_defined(&f, "= 'bypass: tied'\n");
    for (size_t i = 0; i < f.row_count; i++)
        assert_int_equal(f.rows[i][7].type, strcmp(f.rows[i][0].text, "bypass") == 0 ? CELL_NULL : CELL_REAL);
    figure_release(&f);
}

/* Every level has its whole name, the results have numbers. */
static void parallel_axes_are_labelled(void **state)
{
    struct session *s = *state;
    struct figure f;
    fill_grid(s);
    build_ok(s, figure_parallel, NULL, NULL, &f);
    assert_defined(&f, "= 'complex, and more'\n");
    assert_defined(&f, "= '0.03'\n");
    assert_defined(&f, "= '25'\n");
    assert_defined(&f, "= 'test top-1 accuracy (%)'\n");
    assert_null(strstr(f.definitions.text, "have no room"));
    /* The worst of the six points at lr 0.01, then the next, of lr 0.02: first of their levels' room. */
    double first[2], y[2];
    const char *lines = strstr(f.definitions.text, "$lines << EOD\n");
    assert_non_null(lines);
    assert_int_equal(sscanf(lines, "$lines << EOD\n%lf %lf", &first[0], &y[0]), 2);
    assert_int_equal(sscanf(strstr(lines, "\n\n"), "%lf %lf", &first[1], &y[1]), 2);
    assert_true(fabs(first[0] - (0.1 - 0.05)) < 1e-9 && fabs(first[1] - (0.3 - 0.05)) < 1e-9);
    assert_true(y[0] > 4.5 && y[1] > 4.5); /* on the first axis */
    figure_release(&f);
}

/* Names that find no place below their axis: the figure says so. */
static void parallel_axes_of_many_names(void **state)
{
    struct session *s = *state;
    struct figure f;
    results_sweep(s->results, "s", spec_head);
    results_block(s->results, "b");
    for (int i = 0; i < 16; i++) {
        char axes[80];
        snprintf(axes, sizeof axes, "{\"pools\":\"conv1,fire%d,fire%d\",\"lr\":%d}", 2 + i / 4, 6 + i % 4,
                 i % 2 + 1);
        results_trial(s->results, results_variant(s->results, 400 * (i + 1)), 1, axes, "done",
                      0.5 + 0.01 * i);
    }
    build_ok(s, figure_parallel, NULL, NULL, &f);
    assert_defined(&f, "some levels have no room for their names");
    figure_release(&f);
}

/* Draws meet words in any order; figures and tables have them as the spec lists them. */
static void words_stand_as_in_the_spec(void **state)
{
    struct session *s = *state;
    struct figure f;
    static const char *const drawn[] = {"simple", "none", "complex", "none"};
    char spec[300];
    snprintf(spec, sizeof spec,
             "%ssweep:\n  - {id: b, random: {n: 4}, params: {bypass: [none, simple, complex]}}\n", spec_head);
    results_sweep(s->results, "s", spec);
    results_block(s->results, "b");
    for (int i = 0; i < 4; i++) {
        char axes[64];
        snprintf(axes, sizeof axes, "{\"bypass\":\"%s\"}", drawn[i]);
        results_trial(s->results, results_variant(s->results, (i + 1) << 20), 1, axes, "done", 0.1 * i);
    }
    build_ok(s, figure_effects, NULL, NULL, &f);
    static const char *const wanted[] = {"none", "simple", "complex"};
    static const double means[] = {20, 0, 20};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(f.rows[i][1].text, wanted[i]);
        assert_true(fabs(f.rows[i][3].r - means[i]) < 1e-9);
    }
    figure_release(&f);
}

/* Points of a list say what they set, and no line joins them. */
static void lists_name_what_they_set(void **state)
{
    struct session *s = *state;
    static const char *const axes[] = {"{}", "{\"SR\":0.25}", "{\"SR\":0.5,\"bypass\":\"simple\"}",
                                       "{\"lr\":0.1}"};
    struct figure f;
    start(s);
    for (int i = 0; i < 4; i++)
        results_trial(s->results, results_variant(s->results, (i + 1) << 20), 1, axes[i], "done", 0.5);
    build_ok(s, figure_curve, NULL, NULL, &f);
    assert_defined(&f, "legend_text[1] = 'base'\n");
    assert_defined(&f, "legend_text[2] = 'SR=0.25'\n");
    assert_defined(&f, "legend_text[3] = 'SR=0.5, bypass=simple'\n");
    assert_defined(&f, "legend_text[4] = 'lr=0.1'\n");
    assert_defined(&f, "joined = 0\n");
    figure_release(&f);
    /* Of one size: categories. */
    results_sql(s->results, "UPDATE variant SET model_bytes = 1048576");
    build_ok(s, figure_curve, NULL, NULL, &f);
    assert_defined(&f, "tick_text[1] = 'base'\n");
    assert_defined(&f, "tick_text[3] = 'SR=0.5, bypass=simple'\n");
    assert_defined(&f, "tick_count = 4\n");
    figure_release(&f);
}

/* Lines that differ in several settings, of which not all have each: the legend says which stand where. */
static void legends_name_the_axes(void **state)
{
    struct session *s = *state;
    static const char *const rest[] = {"\"sgd\",\"nesterov\":true", "\"sgd\",\"nesterov\":false", "\"adam\""};
    struct figure f;
    start(s);
    for (int i = 0; i < 9; i++) {
        char axes[96];
        snprintf(axes, sizeof axes, "{\"SR\":0.%d,\"optimizer\":%s}", i % 3 + 1, rest[i / 3]);
        results_trial(s->results, results_variant(s->results, (i % 3 + 1) << 20), 1, axes, "done", 0.5);
    }
    build_ok(s, figure_curve, NULL, NULL, &f);
    assert_defined(&f, "legend_title = 'optimizer, nesterov'\n");
    assert_defined(&f, "legend_text[1] = 'sgd, true'\n");
    assert_defined(&f, "legend_text[3] = 'adam, -'\n");
    assert_defined(&f, "'along each line SR: 0.1, 0.2, 0.3'");
    figure_release(&f);
    /* Where each stands for itself there are no lines to speak of. */
    results_sql(s->results, "UPDATE trial SET state = 'failed' WHERE id NOT IN (1, 5, 9)");
    build_ok(s, figure_curve, NULL, NULL, &f);
    assert_defined(&f, "legend_text[3] = 'adam, -'\n");
    assert_defined(&f, "SR of the points: 0.1, 0.2, 0.3'");
    figure_release(&f);
}

/* Lists of hyperparameters have no room as labels: these show where they differ, the data have all of them.
 */
static void long_lists_stay_different(void **state)
{
    struct session *s = *state;
    static const char head[] = "2/4/4,2/4/4,4/8/8,4/8/8,6/12/12,6/12/12,8/16/16,";
    static build_figure *const kinds[] = {figure_curve, figure_heatmap, figure_effects, figure_parallel};
    start(s);
    for (int i = 0; i < 6; i++) {
        char axes[128];
        snprintf(axes, sizeof axes, "{\"fires\":\"%s%d/16/16\",\"lr\":0.%d}", head, i % 3 + 8, i / 3 + 1);
        results_trial(s->results, results_variant(s->results, (i % 3 + 1) << 20), 1, axes, "done", 0.5);
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct figure f;
        build_ok(s, kinds[k], NULL, NULL, &f);
        for (int i = 8; i < 11; i++) {
            char label[64], all[128];
            bool found = false;
            snprintf(label, sizeof label, "= '\xE2\x80\xA6%d/16/16'\n", i);
            assert_defined(&f, label);
            snprintf(all, sizeof all, "%s%d/16/16", head, i);
            for (size_t row = 0; row < f.row_count; row++)
                for (int c = 0; c < f.column_count; c++)
                    found =
                        found || (f.rows[row][c].type == CELL_TEXT && strcmp(f.rows[row][c].text, all) == 0);
            assert_true(found);
        }
        figure_release(&f);
    }
}

/* A plot over what no block varies is told before anything is trained. */
static void plots_need_axes(void **state)
{
    (void)state;
    static const struct {
        const char *plot, *message;
    } plots[] = {
        {"{kind: heatmap, x: SR, y: lr}", NULL},
        {"{kind: heatmap, x: freq}", "h.yaml:5:28: plots.heatmap.x: \"freq\" is no axis of any block"},
        {"{kind: curve, x: lr, block: a}", "h.yaml:5:26: plots.curve.x: \"lr\" is no axis of block a"},
        {"{kind: curve, x: lr, block: b}", NULL},
        {"{kind: curve, x: sr}", "h.yaml:5:26: plots.curve.x: \"sr\" is unknown, did you mean SR?"},
        {"{kind: curve, x: macs, y: val_top1, block: a}", NULL}};
    for (size_t i = 0; i < sizeof plots / sizeof *plots; i++) {
        struct spec spec;
        struct err e = ERR_INIT;
        char text[400];
        snprintf(
            text, sizeof text,
            "version: 1\nname: h\ndata: {format: cifar10, path: d}\nsweep: [{id: a, grid: {SR: [0.5, 1]}},"
            " {id: b, random: {n: 2}, params: {SR: [0.5, 1], lr: [0.1, 0.2]}}]\nplots: [%s]\n",
            plots[i].plot);
        assert_int_equal(spec_parse(text, strlen(text), "h.yaml", &spec, &e), ST_OK);
        assert_int_equal(plot_check(&spec, &e), plots[i].message ? ST_USAGE : ST_OK);
        if (plots[i].message && !strstr(e.text, plots[i].message))
            fail_msg("%s lacks %s", e.text, plots[i].message);
        spec_release(&spec);
    }
}

/* A cell whose poor learning rate is not there looks better than it is: the figure says so. */
static void unlike_cells_are_told(void **state)
{
    struct session *s = *state;
    struct figure f;
    start(s);
    for (int i = 0; i < 8; i++) {
        char axes[80];
        snprintf(axes, sizeof axes, "{\"SR\":0.%d,\"pct3x3\":0.%d,\"lr\":0.0%d}", i % 2 + 1, i / 2 % 2 + 1,
                 i / 4 + 1);
        results_trial(s->results, results_variant(s->results, (i + 1) << 20), 1, axes, "done",
                      0.5 + 0.01 * i);
    }
    for (int unlike = 0; unlike < 2; unlike++) {
        build_ok(s, figure_heatmap, "SR", "pct3x3", &f);
        assert_int_equal(strstr(f.definitions.text, "not all cells have the same settings") != NULL, unlike);
        assert_int_equal(f.row_count, 4);
        assert_int_equal(f.rows[0][4].type, CELL_NULL); /* two points: their spread is no error */
        assert_int_equal(f.rows[3][2].i, unlike ? 1 : 2);
        figure_release(&f);
        results_sql(s->results, "UPDATE trial SET state = 'failed' WHERE id = 4");
    }
}

/* Three drawn points look as if one axis ran along all: the spec tells. */
static void drawn_points_are_not_joined(void **state)
{
    struct session *s = *state;
    struct figure f;
    static const char *const sweeps[] = {
        "sweep: [{id: b, zip: {SR: [0.1, 0.2, 0.3], lr: [0.01, 0.02, 0.03]}}]\n",
        "sweep: [{id: b, random: {n: 3}, params: {SR: {uniform: [0.1, 0.3]}, lr: {uniform: [0.01, "
        "0.03]}}}]\n"};
    start(s);
    for (int i = 0; i < 3; i++) {
        char axes[64];
        snprintf(axes, sizeof axes, "{\"SR\":0.%d,\"lr\":0.0%d}", i + 1, i + 1);
        results_trial(s->results, results_variant(s->results, (i + 1) << 20), 1, axes, "done", 0.5);
    }
    for (int random = 0; random < 2; random++) {
        char sql[400];
        snprintf(sql, sizeof sql, "UPDATE sweep SET spec_text = '%s%s'", spec_head, sweeps[random]);
        results_sql(s->results, sql);
        build_ok(s, figure_curve, NULL, NULL, &f);
        assert_defined(&f, random ? "joined = 0\n" : "joined = 1\n");
        assert_defined(&f, random ? "legend_text[1] = '0.1, 0.01'\n" : "tick_text[1] = '0.1, 0.01'\n");
        figure_release(&f);
    }
}

/* Of two results a seed's interval reaches beyond both, and the axis goes along. */
static void bars_of_effects_are_whole(void **state)
{
    struct session *s = *state;
    struct figure f;
    start(s);
    for (int i = 0; i < 6; i++)
        results_trial(s->results, results_variant(s->results, (i % 3 + 1) << 20), i / 3 + 1,
                      i % 3 == 0   ? "{\"SR\":0.1}"
                      : i % 3 == 1 ? "{\"SR\":0.2}"
                                   : "{\"SR\":0.3}",
                      "done", 0.5 + 0.01 * i);
    build_ok(s, figure_effects, NULL, "test_top1", &f);
    double at, half, row, low = INFINITY, from = NAN;
    const char *p = strstr(f.definitions.text, "$points << EOD\n");
    for (p = p ? strchr(p, '\n') : NULL; p && sscanf(p + 1, "%lf %lf %lf", &at, &half, &row) == 3;
         p = strchr(p + 1, '\n'))
        low = fmin(low, at - half);
    p = strstr(f.definitions.text, "x_min = ");
    assert_true(p && sscanf(p, "x_min = %lf", &from) == 1);
    assert_true(low < 50 && from <= low);
    figure_release(&f);
}

/* A large random block, in which no axis tells all points apart: all of its points are one cloud, and few
 * enough lines are drawn. */
static void large_blocks_stay_legible(void **state)
{
    struct session *s = *state;
    struct figure f;
    start(s);
    results_sql(s->results, "BEGIN");
    for (int i = 0; i < 1200; i++) {
        char axes[128];
        snprintf(axes, sizeof axes, "{\"SR\":0.%d,\"lr\":0.0%d,\"pct3x3\":0.%d,\"base_e\":%d}", i % 37 + 10,
                 i % 41 + 10, i * 7 % 90 + 10, i * 13 % 50);
        results_trial(s->results, results_variant(s->results, (i + 1) << 14), 1, axes, "done", 0.0005 * i);
    }
    results_sql(s->results, "COMMIT");
    build_ok(s, figure_curve, NULL, NULL, &f);
    assert_defined(&f, "joined = 0\n");
    assert_defined(&f, "series_count = 1\n");
    assert_defined(&f, "legend_count = 0\n");
    assert_defined(&f, "points differ in several axes, so no line joins them");
    assert_int_equal(f.points, 1200);
    figure_release(&f);
    build_ok(s, figure_parallel, NULL, NULL, &f);
    assert_int_equal(f.row_count, 1200);
    assert_defined(&f, "500 of 1200 points, from the worst to the best");
    figure_release(&f);
}

/* `count` trials, of which the last ones have learned most, with two epochs. */
static void fill_learning(struct session *s, int count)
{
    start(s);
    results_sql(s->results, "BEGIN");
    for (int i = 0; i < count; i++) {
        char axes[64];
        snprintf(axes, sizeof axes, "{\"SR\":0.%d,\"lr\":0.%d}", 1000 + i, 1000 + i * 7);
        results_trial(s->results, results_variant(s->results, (i + 1) << 14), 1, axes, "done", 0.5);
        results_epoch(s->results, 1, i / 512.0, 0.5);
        results_epoch(s->results, 2, i / 256.0, 0.5);
    }
    results_sql(s->results, "COMMIT");
}

/* Of many learning curves the quartiles are told, of very many a part is drawn, the best among them. */
static void many_learning_curves_have_quartiles(void **state)
{
    struct session *s = *state;
    struct figure f;
    fill_learning(s, 41);
    build_ok(s, figure_learning, NULL, NULL, &f);
    assert_defined(&f, "crowded = 1\n");
    assert_defined(&f,
                   "$quartiles << EOD\n1.0 1.953125 3.90625 5.859375\n2.0 3.90625 7.8125 11.71875\nEOD\n");
    assert_defined(&f, "'thick: median, dotted: quartiles of all lines at each epoch'");
    assert_defined(&f, "series_count = 41\n");
    figure_release(&f);
    results_sql(s->results, "UPDATE block_trial SET in_spec = 0 WHERE trial_id = 1");
    build_ok(s, figure_learning, NULL, NULL, &f);
    assert_defined(&f, "crowded = 0\n");
    figure_release(&f);
}

static void very_many_learning_curves_are_thinned(void **state)
{
    struct session *s = *state;
    struct figure f;
    fill_learning(s, 512);
    results_sql(s->results, "UPDATE epoch SET val_top1 = val_top1 / 2");
    build_ok(s, figure_learning, NULL, NULL, &f);
    assert_defined(&f, "series_count = 300\n");
    assert_defined(&f, "'one seed per line; the best 8 of 512 lines are named, and 300 drawn'");
    assert_int_equal(f.points, 2 * 300);
    assert_int_equal(f.row_count, 2 * 512);
    /* The eighth best is the first of the named ones, then come the others: the worst is there. */
    const char *points = strstr(f.definitions.text, "$points << EOD\n");
    double y[2];
    assert_int_equal(sscanf(points, "$points << EOD\n1.0 %*f 0.0\n2.0 %lf", &y[0]), 1);
    assert_true(fabs(y[0] - 100 * (511 - 7) / 512.0) < 1e-9);
    for (int i = 0; i < 8; i++)
        points = strstr(points, "\n\n\n") + 3;
    assert_int_equal(sscanf(points, "1.0 %lf 0.0\n2.0 %lf", &y[0], &y[1]), 2);
    assert_true(y[0] == 0 && y[1] == 0);
    figure_release(&f);
}

/* Bars that would lie on each other stand side by side; the data stay what they are. */
static void bars_stand_side_by_side(void **state)
{
    struct session *s = *state;
    struct figure f;
    double x[4];
    start(s);
    for (int i = 0; i < 16; i++) {
        static int64_t variant[2];
        char axes[64];
        snprintf(axes, sizeof axes, "{\"SR\":0.%d,\"lr\":0.0%d}", i / 2 % 2 + 1, i / 4 % 2 + 1);
        if (i % 2 == 0 && i < 4)
            variant[i / 2] = results_variant(s->results, (i + 1) << 20);
        results_trial(s->results, variant[i / 2 % 2], i + 1, axes, "done", 0.5 + 0.01 * (i % 3));
    }
    build_ok(s, figure_curve, "model_mib", NULL, &f);
    const char *at = strstr(f.definitions.text, "$points << EOD\n");
    assert_non_null(at);
    assert_int_equal(
        sscanf(at, "$points << EOD\n%lf %*f %*f\n%lf %*f %*f\n%lf %*f %*f\n%lf", &x[0], &x[1], &x[2], &x[3]),
        4);
    for (int i = 0; i < 2; i++)
        assert_true(x[i] != x[i + 2] && x[i] - x[i + 2] > -0.1 && x[i] - x[i + 2] < 0.1);
    assert_defined(&f, "points of one place are moved apart sideways");
    for (size_t i = 0; i < f.row_count; i++)
        assert_true(f.rows[i][2].r == 1 || f.rows[i][2].r == 3);
    figure_release(&f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(fronts_are_chosen_by_validation),
        TEST(heat_maps_are_full_and_choosable),
        TEST(effects_have_every_name),
        TEST(parallel_axes_are_labelled),
        TEST(parallel_axes_of_many_names),
        TEST(plots_need_axes),
        TEST(unlike_cells_are_told),
        TEST(drawn_points_are_not_joined),
        TEST(bars_of_effects_are_whole),
        TEST(lists_name_what_they_set),
        TEST(legends_name_the_axes),
        TEST(long_lists_stay_different),
        TEST(bars_stand_side_by_side),
        TEST(large_blocks_stay_legible),
        TEST(words_stand_as_in_the_spec),
        TEST(many_learning_curves_have_quartiles),
        TEST(very_many_learning_curves_are_thinned),
        TEST(distributions_count_points),
        TEST(effects_of_partly_tied_axes),
        TEST(effects_say_what_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
