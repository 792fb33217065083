/* The paper's claims on measured series: what belongs to one series, and verdicts with their intervals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "report/paper.h"
#include "report/statistics.h"
#include "results.h"

/* A variant of one network family; whatever else the fixture made different is made equal. */
static int64_t variant(struct results *r, int64_t bytes, double sr, double pct3x3, const char *bypass)
{
    const int64_t id = results_variant(r, bytes);
    char *sql = mem_printf(
        "UPDATE variant SET base_e = 64, incr_e = 64, freq = 2, sr = %.17g, pct3x3 = %.17g, bypass = "
        "'%s', pools = 'conv1' WHERE id = %d",
        sr, pct3x3, bypass, (int)id);
    assert_non_null(sql);
    results_sql(r, sql);
    mem_free(sql);
    return id;
}

static void trials(struct results *r, int64_t variant, const double *top1, int n)
{
    char axes[40];
    snprintf(axes, sizeof axes, "{\"variant\":%d}", (int)variant); /* points of a block differ */
    for (int i = 0; i < n; i++)
        results_trial(r, variant, i + 1, axes, top1[i] < 0 ? "diverged" : "done", top1[i]);
    results_sql(r, "UPDATE trial SET data_fingerprint = 'd'");
}

static const double sr_values[4] = {0.125, 0.25, 0.75, 1.0};
static const double sr_top1[4][3] = {
    {0.70, 0.71, 0.69}, {0.73, 0.735, 0.728}, {0.75, 0.752, 0.749}, {0.7505, 0.7515, 0.7492}};

static struct results *with_sr_series(void)
{
    struct results *r = results_create();
    results_sweep(r, "sr", "");
    results_block(r, "sr");
    for (int i = 0; i < 4; i++)
        trials(r, variant(r, 400 * (i + 1), sr_values[i], 0.5, "none"), sr_top1[i], 3);
    return r;
}

static void load(const struct results *r, struct paper *p)
{
    struct store *s = NULL;
    struct err e = ERR_INIT;
    paper_init(p);
    if (store_open_readonly(results_path(r), &s, &e) != ST_OK || paper_load(p, s, &e) != ST_OK)
        fail_msg("%s", e.text);
    store_close(s);
}

static const struct paper_claim *claim(enum paper_axis axis, const char *word)
{
    for (const struct paper_claim *c = paper_claims(); c->text; c++)
        if (c->axis == axis && strstr(c->text, word))
            return c;
    fail_msg("no claim with %s", word);
    return NULL;
}

static void series_are_alike_but_for_their_axis(void **state)
{
    (void)state;
    struct results *r = with_sr_series();
    /* Another share of 3x3 filters, a bypass and another width are other series, too short to count. */
    trials(r, variant(r, 4000, 0.5, 0.25, "none"), sr_top1[0], 3);
    trials(r, variant(r, 4400, 0.5, 0.5, "simple"), sr_top1[0], 3);
    const int64_t wide = variant(r, 4800, 0.5, 0.5, "none");
    trials(r, wide, sr_top1[0], 3);
    char sql[160];
    snprintf(sql, sizeof sql,
             "UPDATE variant SET base_e = 128 WHERE id = %d;"
             "UPDATE point SET base_e = 128 WHERE axes = '{\"variant\":%d}'",
             (int)wide, (int)wide);
    results_sql(r, sql);
    struct paper p;
    load(r, &p);
    assert_int_equal(p.count, 1);
    const struct paper_series *s = &p.series[0];
    assert_int_equal(s->axis, PAPER_AXIS_SR);
    assert_string_equal(s->sweep, "sr");
    assert_int_equal(s->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(s->measures[i].value == sr_values[i]);
        assert_int_equal(s->measures[i].n, 3);
        assert_true(s->measures[i].top1[2] == sr_top1[i][2]);
    }
    paper_release(&p);
    results_remove(r);
}

/* Reference: numpy 1.24, residuals of y - row mean - column mean + mean, 6 degrees of freedom, t(0.975; 6) =
 * 2.4469118511. */
static void verdicts_have_pooled_intervals(void **state)
{
    (void)state;
    struct results *r = with_sr_series();
    struct paper p;
    load(r, &p);
    const struct paper_finding rise = paper_judge(claim(PAPER_AXIS_SR, "below 0.25"), &p.series[0]);
    const struct paper_finding flat = paper_judge(claim(PAPER_AXIS_SR, "beyond SR 0.75"), &p.series[0]);
    assert_int_equal(rise.difference.n, 3);
    assert_true(fabs(rise.difference.mean - 0.031) < 1e-12);
    assert_true(fabs(rise.difference.half_width - 0.008251452136283742) < 1e-9);
    assert_int_equal(rise.verdict, VERDICT_HOLDS);
    assert_true(fabs(flat.difference.mean - (0.0002 / 3)) < 1e-12);
    assert_true(flat.difference.half_width == rise.difference.half_width);
    assert_int_equal(flat.verdict, VERDICT_NOT_SHOWN);
    paper_release(&p);
    results_remove(r);
}

static void not_judged(const struct paper_claim *c, const struct paper_series *s, const char *why)
{
    const struct paper_finding f = paper_judge(c, s);
    assert_true(isnan(f.from) && isnan(f.to) && isnan(f.difference.mean));
    assert_string_equal(f.why, why);
}

/* Claims are about the points that were asked for, whichever of equal layers came first; what rounds to
 * layers of another point is no further result, and two names of one network are not compared. */
static void points_with_equal_layers(void **state)
{
    (void)state;
    struct results *r = with_sr_series();
    struct paper before, p;
    load(r, &before);
    results_sql(r, "UPDATE variant SET sr = 0.74 WHERE sr = 0.75; UPDATE variant SET sr = 0.99 WHERE sr = 1;"
                   "INSERT INTO point SELECT block_id, '{\"again\":' || sr || '}', base_e, incr_e, freq,"
                   " iif(sr = 1, 0.99, 0.74), pct3x3, bypass, pool_floor FROM point WHERE sr >= 0.75;"
                   "INSERT INTO block_trial SELECT m.block_id, m.trial_id, '{\"again\":' || p.sr || '}',"
                   " m.position + 99, 1 FROM block_trial m JOIN point p USING (block_id, axes)"
                   " WHERE p.sr >= 0.75");
    load(r, &p);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.series[0].count, 6);
    const struct paper_claim *c = claim(PAPER_AXIS_SR, "beyond SR 0.75");
    const struct paper_finding was = paper_judge(c, &before.series[0]), is = paper_judge(c, &p.series[0]);
    assert_true(is.from == 0.75 && is.to == 1);
    assert_true(is.difference.mean == was.difference.mean);
    assert_true(fabs(is.difference.half_width - was.difference.half_width) < 1e-15);
    const struct paper_claim one = {.axis = PAPER_AXIS_SR, .from = 0.74, .to = 0.75};
    not_judged(&one, &p.series[0], "0.74 and 0.75 round to the same layers");
    const struct summary none =
        paper_difference(&p.series[0], paper_at(&p.series[0], 0.74), paper_at(&p.series[0], 0.75));
    assert_true(none.mean == 0 && isnan(none.half_width));
    paper_release(&before);
    paper_release(&p);
    results_remove(r);
}

static void what_is_missing_is_not_shown(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "pct", "");
    results_block(r, "pct");
    static const double top1[3][2] = {{0.60, 0.61}, {0.70, -1}, {0.80, 0.79}};
    static const double values[3] = {0.01, 0.25, 0.99};
    for (int i = 0; i < 3; i++)
        trials(r, variant(r, 400 * (i + 1), 0.5, values[i], "none"), top1[i], 2);
    struct paper p;
    load(r, &p);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.series[0].measures[1].lost, 1);
    /* 0.125 is missing, so 0.01 stands in; one common seed is left, which has no interval. */
    const struct paper_finding f = paper_judge(claim(PAPER_AXIS_PCT3X3, "below 25 %"), &p.series[0]);
    assert_true(f.from == 0.01 && f.to == 0.25);
    assert_int_equal(f.difference.n, 1);
    assert_true(fabs(f.difference.mean - 0.10) < 1e-12);
    assert_int_equal(f.verdict, VERDICT_NOT_SHOWN);
    assert_string_equal(f.why, "one seed has no interval");
    paper_release(&p);
    results_remove(r);
}

/* A rise from 0.25 to 1 may lie wholly below 0.75, so it says nothing on what lies beyond that. */
static void claims_are_judged_in_their_range(void **state)
{
    (void)state;
    struct results *r = with_sr_series();
    struct paper p;
    load(r, &p);
    struct paper_series *s = &p.series[0];
    const struct paper_claim *rise = claim(PAPER_AXIS_SR, "below 0.25"),
                             *flat = claim(PAPER_AXIS_SR, "beyond SR 0.75");
    assert_string_equal(paper_judge(rise, s).why, "");
    s->measures[2].value = 0.5;
    not_judged(flat, s, "no point from 0.75 to below 1");
    s->measures[2].value = 0.8; /* within the range, the nearest to the bend and to the end */
    s->measures[3].value = 1.5;
    struct paper_finding f = paper_judge(flat, s);
    assert_true(f.from == 0.8 && f.to == 1.5);
    s->measures[3].value = 0.9;
    not_judged(flat, s, "no point at 1 or above");
    s->measures[1].value = 0.3;
    not_judged(rise, s, "no point above 0.125, up to 0.25");
    s->measures[1].value = 0.2;
    f = paper_judge(rise, s);
    assert_true(f.from == 0.125 && f.to == 0.2);
    s->measures[0].value = 0.15;
    not_judged(rise, s, "no point at 0.125 or below");
    s->axis = PAPER_AXIS_BYPASS;
    s->measures[0].value = BYPASS_NONE;
    not_judged(claim(PAPER_AXIS_BYPASS, "complex bypass gains"), s, "no results of bypass complex");
    paper_release(&p);
    results_remove(r);
}

/* However far apart: where a curve bends, its two ends do not tell. */
static void two_points_are_no_curve(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "ends", "");
    results_block(r, "ends");
    static const double top1[2][2] = {{0.60, 0.61}, {0.80, 0.81}};
    trials(r, variant(r, 400, 0.125, 0.5, "none"), top1[0], 2);
    trials(r, variant(r, 800, 1.0, 0.5, "none"), top1[1], 2);
    struct paper p;
    load(r, &p);
    assert_int_equal(p.count, 0);
    paper_release(&p);
    results_remove(r);

    r = with_sr_series();
    load(r, &p);
    p.series[0].count = 2;
    const struct paper_finding f = paper_judge(claim(PAPER_AXIS_SR, "below 0.25"), &p.series[0]);
    assert_int_equal(f.verdict, VERDICT_NOT_SHOWN);
    assert_true(isnan(f.from) && isnan(f.to));
    paper_release(&p);
    results_remove(r);
}

static void labels_say_what_differs(void **state)
{
    (void)state;
    struct paper p;
    paper_init(&p);
    struct paper_series s[] = {
        {.axis = PAPER_AXIS_SR,
         .data = "photos",
         .base_e = 64,
         .epochs = 10,
         .batch = 64,
         .lr = 0.04,
         .sweep = "a"},
        {.axis = PAPER_AXIS_SR,
         .data = "photos",
         .base_e = 128,
         .epochs = 5,
         .batch = 32,
         .lr = 0.1,
         .sweep = "b"},
        {.axis = PAPER_AXIS_SR,
         .data = "photos",
         .base_e = 64,
         .epochs = 15,
         .batch = 64,
         .lr = 0.04,
         .sweep = "c"},
        {.axis = PAPER_AXIS_SR,
         .data = "prints",
         .base_e = 64,
         .epochs = 15,
         .batch = 64,
         .lr = 0.04,
         .sweep = "d"},
        {.axis = PAPER_AXIS_SR,
         .data = "prints",
         .base_e = 64,
         .epochs = 15,
         .batch = 32,
         .lr = 0.08,
         .sweep = "e"},
        {.axis = PAPER_AXIS_SR,
         .data = "prints",
         .base_e = 64,
         .epochs = 15,
         .batch = 32,
         .lr = 0.08,
         .sweep = "f"},
        {.axis = PAPER_AXIS_BYPASS, .data = "prints", .base_e = 64, .epochs = 1, .sweep = "g"},
    };
    static const char *const labels[] = {
        "photos, base_e 64, 10 epochs, lr 0.04, batch 64",
        "photos, base_e 128, 5 epochs, lr 0.1, batch 32",
        "photos, base_e 64, 15 epochs, lr 0.04, batch 64",
        "prints, base_e 64, 15 epochs, lr 0.04, batch 64",
        "prints, base_e 64, 15 epochs, lr 0.08, batch 32, sweep e",
        "prints, base_e 64, 15 epochs, lr 0.08, batch 32, sweep f",
        "prints, base_e 64",
    };
    p.series = s;
    p.count = sizeof s / sizeof *s;
    for (size_t i = 0; i < p.count; i++)
        assert_string_equal(paper_series_label(&p, &s[i], &p.arena), labels[i]);
    p.series = NULL;
    paper_release(&p);
}

/* As many points as a sweep has. Points and seeds alone give no rest; 0.001 more in one corner gives one of
 * 1e-6 * (1 - 1/points) * (1 - 1/seeds). */
static void long_series_are_judged_whole(void **state)
{
    (void)state;
    enum { POINTS = 100, SEEDS = 3 };
    struct paper_measure measures[POINTS];
    int64_t seeds[SEEDS] = {1, 2, 3};
    double top1[POINTS][SEEDS];
    for (int i = 0; i < POINTS; i++) {
        for (int j = 0; j < SEEDS; j++)
            top1[i][j] = 0.5 + 0.002 * i + 0.01 * j;
        measures[i] = (struct paper_measure){
            .value = 0.01 * (i + 1), .variant = i, .n = SEEDS, .seeds = seeds, .top1 = top1[i]};
    }
    const struct paper_series series = {.axis = PAPER_AXIS_SR, .measures = measures, .count = POINTS};
    struct summary d = paper_difference(&series, &measures[74], &measures[99]);
    assert_int_equal(d.n, SEEDS);
    assert_true(fabs(d.mean - 0.05) < 1e-12);
    assert_true(fabs(d.half_width) < 1e-6);
    top1[10][1] += 0.001;
    d = paper_difference(&series, &measures[74], &measures[99]);
    const double squares = 1e-6 * (1 - 1.0 / POINTS) * (1 - 1.0 / SEEDS);
    const size_t freedom = (POINTS - 1) * (SEEDS - 1);
    const double variance = squares / (double)freedom,
                 expected = student_t_quantile(0.975, freedom) * sqrt(2 * variance / SEEDS);
    assert_true(fabs(d.half_width - expected) < 1e-9);
}

static void bypasses_are_compared_by_name(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "bypass", "");
    results_block(r, "bypass");
    static const double none[3] = {0.70, 0.71, 0.69}, simple[3] = {0.74, 0.75, 0.731},
                        complex[3] = {0.68, 0.69, 0.669};
    trials(r, variant(r, 400, 0.125, 0.5, "none"), none, 3);
    trials(r, variant(r, 404, 0.125, 0.5, "simple"), simple, 3);
    trials(r, variant(r, 800, 0.125, 0.5, "complex"), complex, 3);
    struct paper p;
    load(r, &p);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.series[0].axis, PAPER_AXIS_BYPASS);
    assert_int_equal(
        paper_judge(claim(PAPER_AXIS_BYPASS, "simple bypass gains accuracy"), &p.series[0]).verdict,
        VERDICT_HOLDS);
    assert_int_equal(
        paper_judge(claim(PAPER_AXIS_BYPASS, "complex bypass gains accuracy"), &p.series[0]).verdict,
        VERDICT_DOES_NOT_HOLD);
    assert_int_equal(paper_judge(claim(PAPER_AXIS_BYPASS, "more than complex"), &p.series[0]).verdict,
                     VERDICT_HOLDS);
    paper_release(&p);
    results_remove(r);
}

/* One axis has a series, so one figure and its data are written: the paper's five points and ours. */
static void drawn_seeds_are_said(const struct results *r, const char *dir, const char *words)
{
    struct paper p;
    const char *paths[PAPER_PATHS];
    int count = 0;
    struct err e = ERR_INIT;
    load(r, &p);
    if (paper_draw(&p, dir, NULL, NULL, paths, &count, &e) != ST_OK)
        fail_msg("%s", e.text);
    char *image = results_read(paths[1]);
    assert_non_null(strstr(image, words));
    mem_free(image);
    paper_release(&p);
}

static void figures_say_how_many_seeds(void **state)
{
    (void)state;
    struct results *r = with_sr_series();
    char *dir = mem_printf("%s/figures", results_folder(r));
    assert_non_null(dir);
    results_sql(r, "UPDATE trial SET state = 'failed' WHERE seed = 3 AND id % 2 = 0");
    drawn_seeds_are_said(r, dir, "n = 2 seeds; bars");
    results_sql(r, "UPDATE trial SET state = 'failed' WHERE seed > 1");
    drawn_seeds_are_said(r, dir, "one seed a point, so no error bars");
    results_sql(r, "UPDATE trial SET state = 'done' WHERE seed = 2 AND id > 6");
    results_sql(r, "UPDATE trial SET state = 'failed' WHERE seed = 1 AND id > 6");
    drawn_seeds_are_said(r, dir, "one seed a point");
    mem_free(dir);
    results_remove(r);
}

static void curves_are_drawn_with_their_data(void **state)
{
    (void)state;
    struct results *r = with_sr_series();
    results_sql(r, "UPDATE sweep SET data_path = 'data/photos/'");
    struct paper p;
    load(r, &p);
    const char *paths[PAPER_PATHS];
    int count = 0;
    struct err e = ERR_INIT;
    char *dir = mem_printf("%s/figures", results_folder(r));
    assert_non_null(dir);
    if (paper_draw(&p, dir, NULL, NULL, paths, &count, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(count, 2);
    char *data = results_read(paths[0]), *image = results_read(paths[1]);
    assert_non_null(strstr(data, "paper: ImageNet,0.125,,0,\n"));
    assert_non_null(strstr(data, "\"photos, base_e 64\",0.25,3,3.1"));
    assert_non_null(strstr(image, "photos, base_e 64"));
    assert_non_null(strstr(image, "n = 3 seeds; bars"));
    mem_free(data);
    mem_free(image);
    mem_free(dir);
    paper_release(&p);
    results_remove(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_alike_but_for_their_axis),
        cmocka_unit_test(verdicts_have_pooled_intervals),
        cmocka_unit_test(points_with_equal_layers),
        cmocka_unit_test(what_is_missing_is_not_shown),
        cmocka_unit_test(claims_are_judged_in_their_range),
        cmocka_unit_test(two_points_are_no_curve),
        cmocka_unit_test(labels_say_what_differs),
        cmocka_unit_test(long_series_are_judged_whole),
        cmocka_unit_test(bypasses_are_compared_by_name),
        cmocka_unit_test(curves_are_drawn_with_their_data),
        cmocka_unit_test(figures_say_how_many_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
