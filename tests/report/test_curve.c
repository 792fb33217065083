/* Points, axes and series of curves, and learning curves: from values in memory and from a database. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "report/curve.h"
#include "report/learning.h"
#include "results.h"

static void ok(enum status status, const struct err *e)
{
    if (status != ST_OK)
        fail_msg("%s", e->text);
}

static void add(struct curve *c, const char *axes, double x, double y)
{
    struct err e = ERR_INIT;
    ok(curve_add(c, axes, isnan(y) ? "failed" : "done", false, x, y, &e), &e);
}

static void finish(struct curve *c, const char *x)
{
    struct err e = ERR_INIT;
    ok(curve_finish(c, x, metric_find(METRIC_TRIAL, "test_top1"), &e), &e);
}

static void assert_point(const struct curve *c, size_t i, size_t series, double x, size_t n, double mean)
{
    assert_true(i < c->count);
    const struct curve_point *p = &c->points[i];
    assert_int_equal(p->series, series);
    assert_true(fabs(p->x - x) < 1e-12);
    assert_int_equal(p->y.n, n);
    assert_true(fabs(p->y.mean - mean) < 1e-12);
}

static void replicates_become_points(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    add(&c, "{\"SR\":0.5}", 12, 60);
    add(&c, "{\"SR\":0.125}", 4, 50);
    add(&c, "{\"SR\": 0.125}", 4, 53); /* other spacing, same point */
    add(&c, "{\"SR\":0.5}", 12, NAN);
    add(&c, "{\"SR\":0.25}", 7, NAN);
    finish(&c, NULL);
    assert_int_equal(c.x_kind, CURVE_METRIC);
    assert_string_equal(c.x_metric->name, "model_mib");
    assert_int_equal(c.of.trials, 5);
    assert_int_equal(left_out_done(&c.of), 3);
    assert_int_equal(c.point_count, 3);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.series_count, 1);
    assert_string_equal(c.series[0], "");
    assert_point(&c, 0, 0, 4, 2, 51.5);
    assert_true(fabs(c.points[0].y.sd - sqrt(4.5)) < 1e-12);
    assert_point(&c, 1, 0, 12, 1, 60);
    assert_string_equal(axes_label(&c.axes, AXES_ALONG, c.points[0].point), "0.125");
    assert_string_equal(axes_title(&c.axes, AXES_ALONG), "SR");
    curve_release(&c);
}

static void order_of_keys_plays_no_role(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    add(&c, "{\"SR\":0.5,\"freq\":2}", 12, 60);
    add(&c, "{\"freq\":2,\"SR\":0.5}", 12, 62);
    add(&c, "{\"SR\":0.5}", 12, 70); /* a key less is another point */
    finish(&c, NULL);
    assert_int_equal(c.count, 2);
    curve_release(&c);
}

static void zipped_axes_are_named_together(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    add(&c, "{\"base_e\":32,\"incr_e\":16,\"freq\":2}", 1, 50);
    add(&c, "{\"base_e\":64,\"incr_e\":16,\"freq\":2}", 2, 60);
    add(&c, "{\"base_e\":128,\"incr_e\":64,\"freq\":2}", 3, 70);
    finish(&c, NULL);
    assert_int_equal(c.series_count, 1);
    assert_string_equal(axes_title(&c.axes, AXES_ALONG), "base_e, incr_e");
    assert_string_equal(axes_label(&c.axes, AXES_ALONG, 2), "128, 64");
    assert_string_equal(axes_title(&c.axes, AXES_SERIES), "");
    curve_release(&c);
}

static void fill_grid(struct curve *c)
{
    static const char *const axes[] = {
        "{\"bypass\":\"none\",\"SR\":0.25}",   "{\"bypass\":\"none\",\"SR\":0.5}",
        "{\"bypass\":\"simple\",\"SR\":0.25}", "{\"bypass\":\"simple\",\"SR\":0.5}",
        "{\"bypass\":\"mixed\",\"SR\":0.25}",  "{\"bypass\":\"mixed\",\"SR\":0.5}",
    };
    for (int i = 0; i < 6; i++)
        add(c, axes[i], i % 2 ? 8 : 4, 50 + i);
}

static void grids_become_several_lines(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    fill_grid(&c);
    finish(&c, NULL);
    /* Numbers run along the lines although there are more words. */
    assert_string_equal(axes_title(&c.axes, AXES_ALONG), "SR");
    assert_string_equal(axes_title(&c.axes, AXES_SERIES), "bypass");
    assert_string_equal(axes_title(&c.axes, AXES_ALL), "bypass, SR");
    assert_string_equal(axes_label(&c.axes, AXES_ALL, 3), "simple, 0.5");
    assert_string_equal(axes_primary_values(&c.axes), "0.25, 0.5");
    assert_int_equal(c.series_count, 3);
    assert_string_equal(c.series[1], "simple");
    assert_point(&c, 0, 0, 4, 1, 50);
    assert_point(&c, 3, 1, 8, 1, 53);
    assert_point(&c, 4, 2, 4, 1, 54);
    curve_release(&c);
}

static void any_axis_can_be_x(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    fill_grid(&c);
    finish(&c, "bypass");
    assert_int_equal(c.x_kind, CURVE_CATEGORY);
    assert_null(c.x_metric);
    assert_int_equal(c.series_count, 2);
    assert_string_equal(c.series[1], "0.5");
    assert_point(&c, 0, 0, 1, 1, 50);
    assert_point(&c, 2, 0, 3, 1, 54);
    assert_point(&c, 5, 1, 3, 1, 55);
    curve_release(&c);
    fill_grid(&c);
    finish(&c, "SR");
    assert_int_equal(c.x_kind, CURVE_AXIS);
    assert_point(&c, 1, 0, 0.5, 1, 51);
    curve_release(&c);
}

static void unknown_x_lists_what_there_is(void **state)
{
    (void)state;
    struct curve c;
    struct err e = ERR_INIT;
    curve_init(&c);
    fill_grid(&c);
    assert_int_equal(curve_finish(&c, "sr", metric_find(METRIC_TRIAL, "test_top1"), &e), ST_USAGE);
    assert_non_null(strstr(e.text, "\"sr\""));
    assert_non_null(strstr(e.text, "model_mib"));
    assert_non_null(strstr(e.text, "bypass, SR"));
    curve_release(&c);
}

static void equal_sizes_give_way_to_the_axis(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    add(&c, "{\"lr\":0.1}", 4, 50);
    add(&c, "{\"lr\":0.01}", 4, 60);
    finish(&c, NULL);
    assert_int_equal(c.x_kind, CURVE_AXIS);
    assert_true(c.common_x == 4);
    assert_point(&c, 0, 0, 0.01, 1, 60);
    curve_release(&c);
    /* Asked for, size stays. */
    add(&c, "{\"lr\":0.1}", 4, 50);
    add(&c, "{\"lr\":0.01}", 4, 60);
    finish(&c, "model_mib");
    assert_int_equal(c.x_kind, CURVE_METRIC);
    curve_release(&c);
    /* Equal within every line, different between them. */
    add(&c, "{\"lr\":0.1,\"SR\":0.5}", 4, 50);
    add(&c, "{\"lr\":0.01,\"SR\":0.5}", 4, 60);
    add(&c, "{\"lr\":0.1,\"SR\":1}", 8, 55);
    add(&c, "{\"lr\":0.01,\"SR\":1}", 8, 65);
    finish(&c, NULL);
    assert_int_equal(c.x_kind, CURVE_AXIS);
    assert_true(isnan(c.common_x));
    assert_string_equal(c.series[1], "1");
    curve_release(&c);
}

static void points_without_axes_are_one_point(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    add(&c, "{}", 4, 50);
    add(&c, "{}", 4, 52);
    finish(&c, NULL);
    assert_int_equal(c.count, 1);
    assert_point(&c, 0, 0, 4, 2, 51);
    assert_int_equal(c.axes.primary, -1);
    curve_release(&c);
}

static void nothing_is_no_error(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    finish(&c, NULL);
    assert_int_equal(c.count, 0);
    curve_release(&c);
    add(&c, "{\"SR\":1}", 4, NAN);
    finish(&c, "SR");
    assert_int_equal(c.count, 0);
    assert_int_equal(c.of.trials, 1);
    curve_release(&c);
}

static void damaged_axes_are_refused(void **state)
{
    (void)state;
    static const char *const damaged[] = {"", "[1]", "{\"SR\":", "{\"SR\":[1]}", "{\"SR\":{}}", "3"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct curve c;
        struct err e = ERR_INIT;
        curve_init(&c);
        assert_int_equal(curve_add(&c, damaged[i], "done", false, 1, 1, &e), ST_CORRUPT);
        assert_non_null(strstr(e.text, "axes of a trial"));
        curve_release(&c);
    }
}

static void many_points_keep_their_values(void **state)
{
    (void)state;
    struct curve c;
    curve_init(&c);
    for (int i = 0; i < 100; i++) {
        char axes[128];
        /* A new key every ten points. */
        snprintf(axes, sizeof axes, "{\"SR\":%d,\"k%d\":%d}", 100 - i, i / 10, i);
        add(&c, axes, 1000 - i, i);
    }
    finish(&c, NULL);
    assert_int_equal(c.count, 100);
    assert_int_equal(c.series_count, 1);
    for (size_t i = 0; i < 100; i++) {
        assert_point(&c, i, 0, 901 + (double)i, 1, 99 - (double)i);
        char expected[16];
        snprintf(expected, sizeof expected, "%zu", i + 1);
        assert_string_equal(c.axes.columns[0].values[c.points[i].point], expected);
    }
    curve_release(&c);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    size_t live = mem_live();
    for (size_t n = 1;; n++) {
        struct curve c;
        struct err e = ERR_INIT;
        curve_init(&c);
        mem_fail_after(n);
        enum status status = ST_OK;
        for (int i = 0; i < 200 && status == ST_OK; i++) {
            char axes[64];
            snprintf(axes, sizeof axes, "{\"SR\":%d,\"freq\":%d}", i / 2, i % 2);
            status = curve_add(&c, axes, "done", false, 5, i, &e);
        }
        if (status == ST_OK)
            status = curve_finish(&c, NULL, metric_find(METRIC_TRIAL, "test_top1"), &e);
        mem_fail_after(0);
        curve_release(&c);
        assert_int_equal(mem_live(), live);
        if (status == ST_OK) {
            assert_true(n > 100);
            return;
        }
        assert_int_equal(status, ST_NOMEM);
    }
}

static struct store *open_results(const struct results *r)
{
    struct store *s = NULL;
    struct err e = ERR_INIT;
    ok(store_open_readonly(results_path(r), &s, &e), &e);
    return s;
}

static void rows_of_the_database_become_a_curve(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "other");
    results_trial(r, results_variant(r, 4096), 1, "{\"SR\":1.0}", "done", 0.1);
    int64_t block = results_block(r, "b");
    int64_t small = results_variant(r, 1 << 20), large = results_variant(r, 3 << 20);
    results_trial(r, large, 1, "{\"SR\":1.0}", "done", 0.875);
    results_trial(r, large, 2, "{\"SR\":1.0}", "done", 0.625);
    results_trial(r, small, 1, "{\"SR\":0.5}", "done", 0.5);
    results_trial(r, small, 2, "{\"SR\":0.5}", "diverged", 0.1); /* a value, but not done */
    results_trial(r, small, 3, "{\"SR\":0.5}", "done", -1);      /* done without a test */
    results_sql(
        r, "INSERT INTO block_trial SELECT b.id, 1, '{\"SR\":0.1}', 99, 0 FROM block b WHERE b.name = 'b'");
    struct store *s = open_results(r);
    struct curve c;
    struct err e = ERR_INIT;
    curve_init(&c);
    ok(curve_load(s, block, NULL, "test_top1", &c, &e), &e);
    assert_int_equal(c.of.trials, 5);
    assert_int_equal(left_out_done(&c.of), 4);
    assert_int_equal(c.count, 2);
    assert_point(&c, 0, 0, 1, 1, 50);
    assert_point(&c, 1, 0, 3, 2, 75);
    assert_int_equal(left_out_total(&c.of), 2);
    curve_release(&c);
    /* Another name of the two large ones is a point, and no further trial. */
    results_sql(r, "INSERT INTO block_trial SELECT block_id, trial_id, '{\"SR\":0.99}', position + 50, 1"
                   " FROM block_trial WHERE axes = '{\"SR\":1.0}' AND position < 2 AND block_id = 2");
    ok(curve_load(s, block, NULL, "test_top1", &c, &e), &e);
    assert_int_equal(c.of.trials, 5);
    assert_int_equal(left_out_done(&c.of), 4);
    assert_int_equal(left_out_total(&c.of), 2);
    assert_int_equal(c.count, 3);
    assert_string_equal(axes_label(&c.axes, AXES_ALONG, c.points[1].point), "1.0"); /* as written */
    curve_release(&c);
    ok(curve_load(s, block, "train_s", "params", &c, &e), &e);
    assert_true(fabs(c.points[0].x - 7.5) < 1e-12);
    curve_release(&c);
    assert_int_equal(curve_load(s, block, NULL, "accuracy", &c, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "y: unknown column \"accuracy\"; known are model_mib, "));
    curve_release(&c);
    store_close(s);
    results_remove(r);
}

static void fill_epochs(struct results *r, double val)
{
    for (int k = 1; k <= 3; k++)
        results_epoch(r, k, val < 0 ? -1 : val * k, 0.25);
}

static void rows_of_the_database_become_learning_curves(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    int64_t block = results_block(r, "b"), v = results_variant(r, 1 << 20);
    results_trial(r, v, 1, "{\"SR\":0.5}", "done", 0.5);
    fill_epochs(r, 0.25);
    results_trial(r, v, 2, "{\"SR\":0.5}", "done", 0.5);
    fill_epochs(r, 0.125);
    results_trial(r, v, 3, "{\"SR\":0.5}", "running", -1); /* left out */
    fill_epochs(r, 0.01);
    results_trial(r, v, 4, "{\"SR\":1}", "pending", -1);
    /* Another name of the first point, an alias: the same trials, and no further line. */
    results_sql(r, "INSERT INTO block_trial(block_id, trial_id, position, axes, in_spec) SELECT block_id,"
                   " trial_id, position + 100, '{\"SR\":0.501}', 1 FROM block_trial WHERE trial_id < 3");
    struct store *s = open_results(r);
    struct learning l;
    struct err e = ERR_INIT;
    learning_init(&l);
    ok(learning_load(s, block, NULL, &l, &e), &e);
    assert_string_equal(l.metric->name, "val_top1");
    assert_int_equal(l.of.trials, 4);
    assert_int_equal(left_out_done(&l.of), 2);
    assert_int_equal(l.count, 3);
    assert_int_equal(l.axes.point_count, 1);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(l.epochs[k].epoch, k + 1);
        assert_int_equal(l.epochs[k].y.n, 2);
        assert_true(fabs(l.epochs[k].y.mean - 18.75 * (k + 1)) < 1e-12);
    }
    learning_release(&l);
    assert_int_equal(learning_load(s, block, "test_top1", &l, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "known are val_top1"));
    learning_release(&l);
    store_close(s);
    results_remove(r);
}

static void sweeps_without_validation_show_training(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    int64_t block = results_block(r, "b");
    results_trial(r, results_variant(r, 1 << 20), 1, "{\"SR\":0.5}", "done", 0.5);
    fill_epochs(r, -1);
    struct store *s = open_results(r);
    struct learning l;
    struct err e = ERR_INIT;
    learning_init(&l);
    ok(learning_load(s, block, NULL, &l, &e), &e);
    assert_string_equal(l.metric->name, "train_top1");
    assert_int_equal(l.of.trials, 1);
    assert_int_equal(l.count, 3);
    assert_true(fabs(l.epochs[2].y.mean - 25) < 1e-12);
    learning_release(&l);
    ok(learning_load(s, block, "val_top1", &l, &e), &e); /* asked for: nothing takes its place */
    assert_int_equal(l.count, 0);
    learning_release(&l);
    store_close(s);
    results_remove(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replicates_become_points),
        cmocka_unit_test(order_of_keys_plays_no_role),
        cmocka_unit_test(zipped_axes_are_named_together),
        cmocka_unit_test(grids_become_several_lines),
        cmocka_unit_test(any_axis_can_be_x),
        cmocka_unit_test(unknown_x_lists_what_there_is),
        cmocka_unit_test(equal_sizes_give_way_to_the_axis),
        cmocka_unit_test(points_without_axes_are_one_point),
        cmocka_unit_test(nothing_is_no_error),
        cmocka_unit_test(damaged_axes_are_refused),
        cmocka_unit_test(many_points_keep_their_values),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(rows_of_the_database_become_a_curve),
        cmocka_unit_test(rows_of_the_database_become_learning_curves),
        cmocka_unit_test(sweeps_without_validation_show_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
