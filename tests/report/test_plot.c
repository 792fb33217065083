/* Whole figures: from a database over gnuplot to files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "plot_session.h"

static void curve_has_labels_and_data(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    draw_ok(s, (struct plot_options){.kind = "curve"});
    assert_int_equal(s->report.count, 1);
    assert_int_equal(s->report.skipped_count, 0);
    const struct plot_file *file = &s->report.files[0];
    assert_string_equal(file->figure, path_in(s->dir, "s-b-curve.svg"));
    assert_string_equal(file->data, path_in(s->dir, "s-b-curve.csv"));
    assert_string_equal(file->kind, "curve");
    assert_string_equal(file->block, "b");
    assert_int_equal(file->points, 2);
    assert_int_equal(count_files(s->dir), 2); /* nothing temporary stays */
    /* Mean 56.25, deviations 6.25 each way: sd = sqrt(2) 6.25; interval 12.7062047361747 * 6.25. */
    char *data = results_read(file->data);
    double sd, half;
    int end = 0;
    assert_int_equal(sscanf(data,
                            "SR,model_mib,n,test_top1_pct_mean,test_top1_pct_stddev,test_top1_pct_ci95\n"
                            "0.125,1,2,56.25,%lf,%lf\n0.25,2,1,75,,\n%n",
                            &sd, &half, &end),
                     2);
    assert_int_equal(end, strlen(data));
    mem_free(data);
    assert_true(sd > 8.838834764831 && sd < 8.838834764832);
    assert_true(half > 79.4137796010 && half < 79.4137796012);
    static const char *const labels[] = {
        ">s: b<",
        ">SR (squeeze ratio)<",
        ">0.125<",
        ">0.25<",
        ">model size (MiB)<",
        ">test top-1 accuracy (%)<",
        ">mean of n = 1 to 2 seeds; bars where n &gt; 1: 95 % confidence interval of the mean (Student t)<",
        ">left out: 1 of 4 trials (not begun)<",
        "fill=\"#ffffff\"", /* background */
    };
    char *svg = results_read(file->figure);
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        /* gnuplot may write '>' either way. */
        if (!strstr(svg, labels[i]) && !(strstr(labels[i], "&gt;") && strstr(svg, "bars where n > 1: 95 %")))
            fail_msg("the figure lacks %s", labels[i]);
    }
    mem_free(svg);
}

static void kinds_of_a_plane(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    fill_plane(s->results, "plane");
    draw_kind(s, "scatter", "trial,axes,model_mib,test_top1_pct\n1,\"SR=0.25, bypass=none\",1,50\n");
    draw_ok(s, (struct plot_options){.kind = "scatter", .x = "sr", .block = "plane"});
    assert_contains(path_in(s->dir, "s-plane-scatter-over-SR.csv"),
                    "trial,axes,SR,test_top1_pct\n1,\"SR=0.25, bypass=none\",0.25,50\n");
    assert_int_equal(draw(s, (struct plot_options){.kind = "scatter", .x = "bypass"}), ST_USAGE);
    assert_non_null(strstr(s->err.text, "x: the values of the axis \"bypass\" are not numbers; heatmap"));
    assert_int_equal(draw(s, (struct plot_options){.kind = "scatter", .x = "lr"}), ST_USAGE);
    assert_non_null(strstr(s->err.text, "x: there is no axis \"lr\" in the block"));
    draw_kind(s, "edf", "\"SR=0.25, bypass=it's `complex`\",2,61,75\n");
    draw_kind(s, "heatmap", "SR,bypass,n,test_top1_pct_mean,test_top1_pct_ci95\n0.25,none,2,51,");
    draw_kind(s, "parallel", "SR,bypass,n,test_top1_pct_mean\n0.25,none,2,51\n");
    draw_kind(s, "effects", "\nbypass,none,4,46,");
    /* What two seeds share is one observation. */
    draw_ok(s, (struct plot_options){.kind = "effects", .y = "model_mib", .block = "plane"});
    assert_contains(path_in(s->dir, "s-plane-effects-model_mib.csv"), "\nbypass,none,2,2,");
    /* 1 MiB is on the front whatever happens, 3 MiB (41 %) is not, 4 MiB has one seed. */
    draw_kind(s, "pareto", "\"SR=0.25, bypass=none\",1,2,51,");
    assert_contains(path_in(s->dir, "s-plane-pareto.csv"), ",1,1,51\n");
    assert_contains(path_in(s->dir, "s-plane-pareto.csv"), "\"SR=1.0, bypass=none\",3,2,41,");
    assert_contains(path_in(s->dir, "s-plane-pareto.csv"), ",0,0,41\n");
    assert_contains(path_in(s->dir, "s-plane-pareto.csv"),
                    "\"SR=1.0, bypass=it's `complex`\",4,1,90,,,1,1,90\n");
}

/* A block as `random` makes it: an axis that only some points have, and points that differ in every axis. */
static void random_blocks_are_legible(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    results_block(s->results, "r");
    for (int i = 0; i < 40; i++) {
        char axes[160];
        snprintf(axes, sizeof axes,
                 "{\"SR\":0.0%d67891,\"base_e\":%d,\"freq\":%d,\"pct3x3\":0.%d,\"optimizer\":\"%s\"%s",
                 i + 10, 8 + 8 * i, i % 3 + 1, i % 9 + 1, i % 2 ? "sgd" : "adamw", i % 2 ? "" : "}");
        if (i % 2)
            snprintf(axes + strlen(axes), sizeof axes - strlen(axes), ",\"momentum\":0.0%d}", i + 10);
        results_trial(s->results, results_variant(s->results, (i + 1) << 16), 1, axes, "done",
                      0.2 + 0.01 * i);
    }
    results_recipe(s->results, 10);
    results_sql(s->results, "UPDATE recipe SET optimizer = iif(id = 1, 'sgd', 'adamw');"
                            "UPDATE trial SET recipe_id = 2 WHERE id % 2 = 1"); /* it reads no momentum */
    /* The momenta in bins, ascending; then the points without one. */
    draw_ok(s, (struct plot_options){.kind = "effects"});
    char *data = results_read(path_in(s->dir, "s-r-effects.csv"));
    const char *first = strstr(data, "\nmomentum,0.011 to 0.017,4,"),
               *last = strstr(data, "\nmomentum,-,20,");
    assert_true(first && last && first < last);
    assert_non_null(strstr(data, "\nmomentum,0.043 to 0.049,4,"));
    mem_free(data);
    assert_contains(path_in(s->dir, "s-r-effects.svg"), ">adamw<");
    assert_contains(path_in(s->dir, "s-r-effects.svg"), ">~0.014<");
    /* Many numbers stand at their heights: an axis has its ends as labels, and a place for none. */
    draw_ok(s, (struct plot_options){.kind = "parallel"});
    assert_contains(path_in(s->dir, "s-r-parallel.svg"), ">0.011<");
    assert_contains(path_in(s->dir, "s-r-parallel.svg"), ">0.049<");
    assert_contains(path_in(s->dir, "s-r-parallel.svg"), ">320<"); /* not 3.2e+02 */
    data = results_read(path_in(s->dir, "s-r-parallel.svg"));
    assert_null(strstr(data, ">~"));
    mem_free(data);
    draw_ok(s, (struct plot_options){.kind = "curve"});
    assert_contains(path_in(s->dir, "s-r-curve.svg"),
                    ">points differ in several axes, so no line joins them<");
    draw_ok(s, (struct plot_options){
                   .kind = "pareto"}); /* the names would all be cut: numbers that compare takes */
    assert_contains(path_in(s->dir, "s-r-pareto.svg"), ">variant 40<");
    assert_contains(path_in(s->dir, "s-r-pareto.csv"), "variant,recipe,axes,model_mib,n,");
    assert_contains(path_in(s->dir, "s-r-pareto.csv"), "\n40,1,\"SR=0.04967891, base_e=320");
}

/* One point, one seed, one axis: what can be drawn is, the rest says what it lacks. */
static void kinds_of_one_point(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    results_block(s->results, "plane");
    results_trial(s->results, results_variant(s->results, 1 << 20), 1, "{\"SR\":0.5}", "done", 0.5);
    draw_kind(s, "scatter", "1,SR=0.5,1,50\n");
    draw_kind(s, "edf", "SR=0.5,1,50,100\n");
    draw_kind(s, "pareto", "SR=0.5,1,1,50,,,1,,50\n");
    static const char *const lacking[][2] = {
        {"heatmap", "it needs two axes with results at two values, and the block has none"},
        {"effects", "it needs an axis with results at two values, and the block has none"},
        {"parallel", "it needs an axis with results at two values, and the block has none"}};
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++) {
        assert_int_equal(draw(s, (struct plot_options){.kind = lacking[i][0]}), ST_FAILED);
        assert_non_null(strstr(s->err.text, lacking[i][1]));
    }
    results_trial(s->results, results_variant(s->results, 2 << 20), 1, "{\"SR\":1}", "failed", -1);
    assert_int_equal(draw(s, (struct plot_options){.kind = "effects"}), ST_FAILED);
    assert_non_null(strstr(s->err.text,
                           "the block has none; left out: 1 of 2 trials (failed); only one value "
                           "is left of: SR"));
    results_trial(s->results, results_variant(s->results, 3 << 20), 1, "{\"SR\":0.7}", "done", 0.6);
    assert_int_equal(draw(s, (struct plot_options){.kind = "heatmap"}), ST_FAILED);
    assert_non_null(strstr(s->err.text, "at two values, and the block has only SR; left out: 1 of 3 trials"));
}

static void learning_has_a_line_per_point(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    draw_ok(s, (struct plot_options){.kind = "learning"});
    assert_int_equal(s->report.count, 1);
    char *data = results_read(path_in(s->dir, "s-b-learning.csv"));
    assert_non_null(
        strstr(data, "SR,epoch,n,val_top1_pct_mean,val_top1_pct_stddev,val_top1_pct_ci95,variant,recipe\n"
                     "0.125,1,2,31.25,"));
    assert_non_null(strstr(data, "\n0.125,2,2,56.25,"));
    assert_non_null(strstr(data, "\n0.25,1,1,50,,,2,1\n0.25,2,1,75,,,2,1\n"));
    mem_free(data);
    const char *svg = s->report.files[0].figure;
    assert_contains(svg, ">validation top-1 accuracy (%)<");
    assert_contains(svg, ">epoch<");
    assert_contains(svg, ">SR<");
    assert_contains(svg, ">0.25<");
    assert_contains(svg, ">mean of n = 1 to 2 seeds<");
    assert_contains(svg, ">left out: 1 of 4 trials (not begun)<");
}

/* Eight axes have no room in a legend: variants are named by their numbers, which the data explains. */
static void learning_of_many_axes_names_numbers(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    results_block(s->results, "b");
    for (int i = 0; i < 3; i++) {
        char axes[200];
        snprintf(
            axes, sizeof axes,
            "{\"base_e\":%d,\"incr_e\":1%d,\"freq\":%d,\"SR\":0.4271%d,\"pct3x3\":0.%d,\"bypass\":\"%s\","
            "\"batch\":%d,\"lr\":0.00526%d}",
            16 + 4 * (i % 2), i, 1 << i, i, i + 1, i ? "complex" : "none", 128 << i, i);
        results_trial(s->results, results_variant(s->results, 1 << 20), 1, axes, "done", 0.5);
        results_epoch(s->results, 1, 0.25 + 0.1 * i, 0.25);
    }
    draw_ok(s, (struct plot_options){.kind = "learning"});
    const char *svg = s->report.files[0].figure;
    assert_contains(svg, ">variant 3<");
    assert_contains(svg, ">number in the database<");
    assert_contains(path_in(s->dir, "s-b-learning.csv"),
                    "\n16,12,4,0.42712,0.3,complex,512,0.005262,1,1,45,,,3,1\n");
    /* Those that differ in the recipe alone are told apart. */
    assert_int_equal(results_recipe(s->results, 2), 2);
    results_sql(s->results, "UPDATE trial SET variant_id = 1, recipe_id = 2 WHERE id = 3");
    draw_ok(s, (struct plot_options){.kind = "learning"});
    assert_contains(s->report.files[0].figure, ">variant 1, recipe 1<");
    assert_contains(s->report.files[0].figure, ">variant 1, recipe 2<");
    /* So do points of a front. */
    results_sql(s->results, "UPDATE trial SET train_s = id, val_top1 = id * 0.1, test_top1 = id * 0.1");
    draw_ok(s, (struct plot_options){.kind = "pareto", .x = "train_s"});
    assert_contains(s->report.files[0].figure, ">variant 1, recipe 1<");
    assert_contains(s->report.files[0].figure, ">variant 1, recipe 2<");
    assert_contains(s->report.files[0].figure, ">variant 2, recipe 1<");
}

static void every_kind_and_block_by_default(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "a");
    fill_block(s->results, "b");
    results_sql(s->results, "UPDATE block SET name = name || '-x' WHERE name = 'b'");
    draw_ok(s, (struct plot_options){0});
    assert_int_equal(s->report.count, 4);
    assert_int_equal(count_files(s->dir), 8);
    draw_ok(s, (struct plot_options){.block = "b-x"});
    assert_int_equal(s->report.count, 2);
    assert_string_equal(s->report.files[1].figure, path_in(s->dir, "s-b-x-learning.svg"));
}

static void spec_requests_are_drawn(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(
        s->results, "s",
        "version: 1\nname: s\ndata: {format: idx, path: d}\n"
        "sweep:\n  - {id: a, grid: {SR: [0.125]}}\n  - {id: b, grid: {SR: [0.125]}}\n"
        "plots:\n  - {kind: curve, block: b, x: params, y: val_top1}\n  - {kind: curve, block: b}\n");
    fill_block(s->results, "a");
    fill_block(s->results, "b");
    draw_ok(s, (struct plot_options){0});
    assert_int_equal(s->report.count, 2);
    assert_string_equal(s->report.files[0].figure, path_in(s->dir, "s-b-curve-val_top1-over-params.svg"));
    assert_string_equal(s->report.files[1].figure, path_in(s->dir, "s-b-curve.svg"));
    assert_contains(s->report.files[0].figure, ">parameters (millions)<");
    assert_contains(s->report.files[0].data, "SR,params_millions,n,val_top1_pct_mean");
    assert_int_equal(draw(s, (struct plot_options){.y = "test_top1"}), ST_USAGE);
    assert_string_equal(
        s->err.text,
        "columns belong to one kind of plot, so name it; known are curve, learning, scatter, pareto, edf, "
        "heatmap, effects, parallel, timeline, predicted");
    /* The block that no request names has none. */
    assert_int_equal(draw(s, (struct plot_options){.block = "a"}), ST_FAILED);
    assert_non_null(strstr(s->err.text, "requests no figure"));
}

static bool is_drawn(const struct session *s, const char *block, const char *kind)
{
    for (size_t i = 0; i < s->report.count; i++)
        if (strcmp(s->report.files[i].block, block) == 0 && strcmp(s->report.files[i].kind, kind) == 0)
            return true;
    return false;
}

/* What suits blocks by their kind comes beside what the spec requests. */
static void blocks_get_what_suits_them(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s",
                  "version: 1\nname: s\ndata: {format: idx, path: d}\n"
                  "sweep:\n  - {id: line, grid: {SR: [0.1, 0.5]}}\n"
                  "  - {id: plane, grid: {SR: [0.25, 1.0], bypass: [none, complex]}}\n"
                  "  - {id: random, random: {n: 4}, params: {SR: {uniform: [0.1, 1.0]}, bypass: {choice: "
                  "[none, simple]}}}\n"
                  "plots:\n  - {kind: curve, block: line}\n  - {kind: edf, block: random}\n");
    fill_block(s->results, "line");
    fill_plane(s->results, "plane");
    fill_plane(s->results, "random");
    draw_ok(s, (struct plot_options){.suiting = true});
    assert_true(is_drawn(s, "line", "curve"));
    assert_true(is_drawn(s, "plane", "heatmap") && is_drawn(s, "plane", "effects"));
    assert_true(is_drawn(s, "random", "edf") && is_drawn(s, "random", "effects") &&
                is_drawn(s, "random", "parallel"));
    assert_int_equal(s->report.count, 6);
    draw_ok(s, (struct plot_options){0});
    assert_int_equal(s->report.count, 2);
}

static void equal_requests_are_drawn_once(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(
        s->results, "s",
        "version: 1\nname: s\ndata: {format: idx, path: d}\n"
        "plots:\n  - {kind: curve, block: base}\n  - {kind: curve}\n  - {kind: curve, y: test_top1}\n");
    fill_block(s->results, "base");
    draw_ok(s, (struct plot_options){0});
    assert_int_equal(s->report.count, 1);
    draw_ok(s, (struct plot_options){.kind = "curve", .x = "SR"});
    assert_string_equal(s->report.files[0].figure, path_in(s->dir, "s-base-curve-over-SR.svg"));
    assert_contains(s->report.files[0].figure, ">SR (squeeze ratio)<");
    assert_contains(s->report.files[0].data, "SR,n,test_top1_pct_mean");
}

static void names_appear_literally(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    /* Everything gnuplot or a shell could take for more than a letter. */
    static const char name[] = "'a_b{c}^d\"''\\n`$(x)'";
    static const char shown[] = "'a_b{c}^d\"''\\n`$(x)'";
    results_sweep(s->results, name, spec_head);
    results_block(s->results, "%d & <i> @v");
    int64_t v = results_variant(s->results, 1 << 20), w = results_variant(s->results, 2 << 20);
    results_trial(s->results, v, 1, "{\"k_{1}\":\"'a_b{c}^d\\\"''\\\\n`$(x)'\"}", "done", 0.5);
    results_epoch(s->results, 1, 0.5, 0.5);
    results_trial(s->results, w, 1, "{\"k_{1}\":\"caf\xC3\xA9 100%\"}", "done", 0.6);
    results_epoch(s->results, 1, 0.6, 0.5);
    draw_ok(s, (struct plot_options){.kind = "curve"});
    draw_ok(s, (struct plot_options){.kind = "learning"});
    const char *svg = s->report.files[0].figure;
    const char *base = strrchr(svg, '/') + 1;
    assert_int_equal(strspn(base, "abcdefghijklmnopqrstuvwxyz0123456789._-"), strlen(base));
    char label[64];
    snprintf(label, sizeof label, ">%s<", shown);
    assert_contains(svg, label);
    snprintf(label, sizeof label, ">%s: %%d &amp; &lt;i> @v<", shown);
    assert_contains(svg, label);
    assert_contains(svg, ">caf\xC3\xA9 100%<");
    assert_contains(svg, ">k_{1}<");
    assert_contains(svg, "`$(x)': %d &#38; &#60;i&#62; @v</title>");
}

static void nothing_is_executed(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    char name[800], mark[128];
    snprintf(mark, sizeof mark, "%s/executed", results_folder(s->results));
    snprintf(name, sizeof name,
             "`touch %s` $(touch %s) '.system('touch %s').' \n!touch %s\nsystem 'touch %s'", mark, mark, mark,
             mark, mark);
    results_sweep(s->results, name, spec_head);
    fill_block(s->results, name);
    /* A folder name is no place for commands either. */
    char dir[256];
    snprintf(dir, sizeof dir, "%s/|touch executed;'\"`x`", results_folder(s->results));
    draw_ok(s, (struct plot_options){.kind = "curve", .dir = dir});
    assert_int_equal(count_files(dir), 2);
    assert_false(file_exists(mark));
}

static void one_seed_has_no_bars_and_says_so(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    results_block(s->results, "b");
    results_trial(s->results, results_variant(s->results, 1 << 20), 1, "{\"SR\":1}", "done", 0.5);
    draw_ok(s, (struct plot_options){.kind = "curve"});
    assert_int_equal(s->report.files[0].points, 1);
    assert_contains(s->report.files[0].figure, ">one seed per point, so no error bars<");
    assert_file(s->dir, "s-b-curve.csv",
                "SR,model_mib,n,test_top1_pct_mean,test_top1_pct_stddev,test_top1_pct_ci95\n1,1,1,50,,\n");
}

static void degenerate_data_is_drawn(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    struct results *r = s->results;
    results_sweep(r, "s", spec_head);
    int64_t v = results_variant(r, 1 << 20), large = results_variant(r, 500 << 20);
    static const double top1[] = {0, 0.5, 1};
    for (int i = 0; i < 3; i++) { /* all the same */
        char name[8];
        snprintf(name, sizeof name, "same%d", i);
        results_block(r, name);
        for (int seed = 1; seed <= 3; seed++) {
            results_trial(r, v, 10 * i + seed, "{\"bypass\":\"none\"}", "done", top1[i]);
            results_trial(r, v, 100 + 10 * i + seed, "{\"bypass\":\"complex\"}", "done", top1[i]);
        }
    }
    results_block(r, "wide"); /* logarithmic */
    results_trial(r, v, 1000, "{\"SR\":0.1}", "done", 0.1);
    results_trial(r, large, 1000, "{\"SR\":1}", "done", 0.9);
    results_block(r, "bare");
    results_trial(r, v, 1001, "{}", "done", 0.1);
    results_block(r, "many");
    for (int i = 0; i < 40; i++) {
        char axes[64];
        snprintf(axes, sizeof axes, "{\"SR\":%d,\"bypass\":\"%s\"}", i / 2, i % 2 ? "none" : "simple");
        results_trial(r, v, 2000 + i, axes, "done", 0.01 * i);
        results_epoch(r, 1, 0.01 * i, 0);
    }
    draw_ok(s, (struct plot_options){.kind = "curve"});
    assert_int_equal(s->report.count, 6);
    draw_ok(s, (struct plot_options){.kind = "learning"});
    assert_int_equal(s->report.count, 1);
    assert_int_equal(s->report.skipped_count, 5);
    assert_string_equal(s->report.skipped[0],
                        "sweep s, block same0, learning: 6 of 6 trials are done, but none has train_top1");
    assert_contains(s->report.files[0].figure, ">one seed per line; the best 8 of 40 lines are named<");
}

static void nothing_done_is_an_error_with_the_reason(void **state)
{
    struct session *s = *state;
    assert_int_equal(draw(s, (struct plot_options){0}), ST_FAILED);
    assert_non_null(strstr(s->err.text, "results.db: there is no sweep in it yet"));
    results_sweep(s->results, "s", spec_head);
    results_block(s->results, "b");
    int64_t v = results_variant(s->results, 1 << 20);
    results_trial(s->results, v, 1, "{}", "pending", -1);
    results_trial(s->results, v, 2, "{}", "failed", -1);
    assert_int_equal(draw(s, (struct plot_options){.kind = "curve"}), ST_FAILED);
    assert_string_equal(s->err.text,
                        "nothing to plot yet: sweep s, block b, curve: none of its 2 trials is done yet "
                        "(1 not begun, 1 failed)");
    assert_false(file_exists(s->dir));
    if (!have_gnuplot())
        return;
    fill_block(s->results, "c"); /* something is done elsewhere: no error, but it is said */
    draw_ok(s, (struct plot_options){.kind = "curve"});
    assert_int_equal(s->report.count, 1);
    assert_int_equal(s->report.skipped_count, 1);
}

static void images_of_all_formats(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    fill_block(s->results, "b");
    draw_ok(s, (struct plot_options){.kind = "curve", .image = "png"});
    char *bytes = results_read(path_in(s->dir, "s-b-curve.png"));
    assert_memory_equal(bytes, "\x89PNG\r\n\x1A\n", 8);
    static const unsigned char size[] = {0, 0, 5, 160, 0, 0, 3, 192}; /* 1440 x 960 */
    assert_memory_equal(bytes + 16, size, sizeof size);
    mem_free(bytes);
    draw_ok(s, (struct plot_options){.kind = "curve", .image = "pdf"});
    bytes = results_read(path_in(s->dir, "s-b-curve.pdf"));
    assert_memory_equal(bytes, "%PDF-", 5);
    mem_free(bytes);
    assert_int_equal(draw(s, (struct plot_options){.image = "gif"}), ST_USAGE);
    assert_string_equal(s->err.text, "unknown image format \"gif\"; known are svg, png, pdf");
}

static void equal_names_keep_apart(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "a-b", spec_head);
    fill_block(s->results, "c");
    results_sweep(s->results, "a", spec_head);
    fill_block(s->results, "b-c");
    results_sweep(s->results, "x y", spec_head);
    fill_block(s->results, "b");
    results_sweep(s->results, "x/y", spec_head);
    fill_block(s->results, "b");
    draw_ok(s, (struct plot_options){.kind = "curve"});
    assert_int_equal(s->report.count, 4);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(s->report.files[i].figure, s->report.files[k].figure);
    assert_int_equal(count_files(s->dir), 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(curve_has_labels_and_data),
        TEST(learning_has_a_line_per_point),
        TEST(learning_of_many_axes_names_numbers),
        TEST(kinds_of_a_plane),
        TEST(random_blocks_are_legible),
        TEST(kinds_of_one_point),
        TEST(every_kind_and_block_by_default),
        TEST(spec_requests_are_drawn),
        TEST(blocks_get_what_suits_them),
        TEST(equal_requests_are_drawn_once),
        TEST(names_appear_literally),
        TEST(nothing_is_executed),
        TEST(one_seed_has_no_bars_and_says_so),
        TEST(degenerate_data_is_drawn),
        TEST(nothing_done_is_an_error_with_the_reason),
        TEST(images_of_all_formats),
        TEST(equal_names_keep_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
