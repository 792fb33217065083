/* The figure of predicted against measured times: the numbers of its data file, and what is left out. */
#include <math.h>
#include <unistd.h>

#include "../sweep/store_fixture.h"
#include "base/mem.h"
#include "engine/calibration.h"
#include "engine/trainer.h"
#include "report/figures.h"
#include "report/prediction_error.h"

static void forget_speed(const struct context *c)
{
    assert_int_equal(setenv("XDG_CACHE_HOME", c->folder, 1), 0);
}

/* A machine on which a unit of every work takes a nanosecond. */
static struct speed keep_speed(const struct context *c)
{
    struct err e = ERR_INIT;
    struct speed speed;
    struct calibration_key key;
    for (int k = 0; k < WORK_COUNT; k++)
        speed.train[k] = speed.infer[k] = 1e-9;
    forget_speed(c);
    calibration_key_init(&key);
    char *path = calibration_path();
    assert_ok(calibration_write(path, &key, &speed, &e));
    mem_free(path);
    return speed;
}

/* 900 training images, one epoch: of the training alone. */
static double expected_s(const struct context *c, const struct speed *speed, int trial, int threads)
{
    struct err e = ERR_INIT;
    struct arch arch;
    struct workload work;
    assert_ok(arch_build(&c->f.trials[trial].point.design, &arch, &e));
    assert_ok(workload_init(&work, &arch, &c->f.trials[trial].point.recipe, &e));
    return predict_epoch_s(speed, &work, threads, 900, 0);
}

static void finish_in(const struct context *c, int trial, double train_s, int threads)
{
    char sql[256];
    fixture_finish(c->s, c->f.ids[trial], 0.5, 0.5);
    snprintf(sql, sizeof sql, "UPDATE trial SET train_s = %.17g WHERE id = %lld", train_s,
             (long long)c->f.ids[trial]);
    plain_exec(c->path, sql);
    snprintf(sql, sizeof sql,
             "UPDATE attempt SET threads = %d, cpu_s = %d * %.17g, wall_s = %.17g WHERE trial_id = %lld",
             threads, threads, train_s, train_s, (long long)c->f.ids[trial]);
    plain_exec(c->path, sql);
}

static struct figure_request request(const struct context *c)
{
    return (struct figure_request){
        .block = plain_int(c->path, "SELECT id FROM block WHERE name = 'sr'"), .sweep = "demo", .name = "sr"};
}

static void build(const struct context *c, struct figure *f, char nothing[256])
{
    struct err e = ERR_INIT;
    const struct figure_request r = request(c);
    figure_init(f);
    assert_ok(figure_predicted(c->s, &r, f, nothing, &e));
}

static void assert_row(const struct figure *f, size_t row, int threads, double predicted, double measured)
{
    assert_true(row < f->row_count);
    const struct cell *cells = f->rows[row];
    assert_int_equal(cells[3].i, threads);
    assert_near(cells[4].r, predicted, 1e-12 * predicted);
    assert_near(cells[5].r, measured, 1e-12 * measured);
    assert_near(cells[6].r, (predicted / measured - 1) * 100, 1e-9);
}

static void test_numbers(void **state)
{
    struct context *c = *state;
    const struct speed speed = keep_speed(c);
    const double first = expected_s(c, &speed, 0, 1), other = expected_s(c, &speed, 2, 4);
    assert_true(first > 0 && other > 0 && first != other);
    finish_in(c, 0, first, 1);        /* as predicted */
    finish_in(c, 1, 1.05 * first, 1); /* within the band */
    finish_in(c, 2, 2 * other, 4);    /* beyond */
    struct figure f;
    char nothing[256] = "";
    build(c, &f, nothing);
    assert_string_equal(nothing, "");
    assert_int_equal(f.points, 3);
    assert_row(&f, 0, 1, first, first);
    assert_row(&f, 1, 1, first, 1.05 * first);
    assert_row(&f, 2, 4, other, 2 * other);
    assert_string_equal(f.rows[0][1].text, "SR=0.125");
    const char *text = f.definitions.text;
    assert_non_null(strstr(text, "note1_text = '2 of 3 trials within 10 % (the band); median error -4.8 %'"));
    assert_non_null(strstr(text, "note2_text = ''"));
    assert_non_null(strstr(text, "legend_text[1] = '1 thread'"));
    assert_non_null(strstr(text, "legend_text[2] = '4 threads'"));
    assert_non_null(strstr(text, "x_title = 'measured training time (s)'"));
    assert_non_null(strstr(text, "y_title = 'predicted training time (s)'"));
    figure_release(&f);
}

/* A search has predicted the trainings of its shorter rungs too: they are the block's. */
static void test_shorter_rungs(void **state)
{
    struct context *c = *state;
    const struct speed speed = keep_speed(c);
    const double first = expected_s(c, &speed, 0, 1);
    char sql[512];
    finish_in(c, 0, first, 1);
    finish_in(c, 1, 2 * first, 1);
    /* Trial 1 is none of the block's any more, but the shorter rung of trial 0. */
    snprintf(sql, sizeof sql,
             "DELETE FROM block_trial WHERE trial_id = %lld; INSERT INTO rung SELECT sweep_id, %lld, 1, 2, "
             "%lld, 1, 1, 1 "
             "FROM block WHERE name = 'sr'",
             (long long)c->f.ids[1], (long long)c->f.ids[1], (long long)c->f.ids[0]);
    plain_exec(c->path, sql);
    struct figure f;
    char nothing[256] = "";
    build(c, &f, nothing);
    assert_int_equal(f.points, 2);
    assert_row(&f, 1, 1, first, 2 * first);
    assert_string_equal(f.rows[1][1].text, "SR=0.125");
    figure_release(&f);
}

/* Every corner of the band is within the drawn square, and as far from equal times as the square lets it. */
static void assert_band(const char *text)
{
    double low, high, x, y;
    const char *at = strstr(text, "\nx_min = ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\nx_min = %lf\nx_max = %lf", &low, &high), 2);
    at = strstr(text, "$band << EOD\n");
    assert_non_null(at);
    at = strchr(at, '\n') + 1;
    int corners = 0, length = 0;
    for (; sscanf(at, "%lf %lf\n%n", &x, &y, &length) == 2; at += length, corners++) {
        assert_true(x >= low && x <= high && y >= low && y <= high);
        const double ratio = y / x;
        assert_true(x == y || fabs(ratio - 1.1) < 1e-9 || fabs(ratio - 0.9) < 1e-9 || y == high || y == low);
    }
    assert_int_equal(corners, 6);
    assert_int_equal(strncmp(at, "EOD\n", 4), 0);
}

static void test_band(void **state)
{
    struct context *c = *state;
    const struct speed speed = keep_speed(c);
    const double first = expected_s(c, &speed, 0, 1);
    static const double ratios[] = {1, 1.01, 3, 50}; /* the last makes the axes logarithmic */
    finish_in(c, 0, first, 1);
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        char sql[128], nothing[256] = "";
        struct figure f;
        snprintf(sql, sizeof sql, "UPDATE trial SET train_s = %.17g WHERE id = %lld", ratios[i] * first,
                 (long long)c->f.ids[0]);
        plain_exec(c->path, sql);
        build(c, &f, nothing);
        assert_non_null(strstr(f.definitions.text, i < 3 ? "x_log = 0\n" : "x_log = 1\n"));
        assert_band(f.definitions.text);
        figure_release(&f);
    }
}

/* What cannot be compared is counted, not drawn. */
static void test_left_out(void **state)
{
    struct context *c = *state;
    const struct speed speed = keep_speed(c);
    const double first = expected_s(c, &speed, 0, 2);
    for (int i = 0; i < 4; i++)
        finish_in(c, i, first, 2);
    plain_exec(c->path,
               "UPDATE attempt SET cpu_s = 3 * wall_s + 9 WHERE trial_id = 1"); /* got more threads */
    plain_exec(c->path, "UPDATE trial SET train_s = NULL WHERE id = 2");
    plain_exec(c->path, "INSERT INTO attempt(trial_id, number, pid, host, threads, isa, started_utc) SELECT "
                        "trial_id, 2, pid, host, 1, isa, started_utc FROM attempt WHERE trial_id = 3");
    plain_exec(c->path, "UPDATE attempt SET host = 'elsewhere' WHERE trial_id = 4");
    struct figure f;
    char nothing[256] = "";
    build(c, &f, nothing);
    assert_int_equal(f.points, 1);
    assert_int_equal(f.rows[0][0].i, 4);
    assert_non_null(
        strstr(f.definitions.text,
               "note2_text = '1 ran elsewhere; left out: 3 of 4, whose threads changed or whose time"));
    assert_non_null(strstr(f.definitions.text, "legend_count = 0"));
    figure_release(&f);
    plain_exec(c->path, "UPDATE trial SET train_s = NULL");
    build(c, &f, nothing);
    assert_int_equal(f.points, 0);
    assert_string_equal(nothing, "none of its 4 finished trials has a time on a known number of threads");
    figure_release(&f);
}

static void test_nothing_to_draw(void **state)
{
    struct context *c = *state;
    struct figure f;
    char nothing[256] = "";
    struct err e = ERR_INIT;
    forget_speed(c);
    build(c, &f, nothing);
    assert_int_equal(f.points, 0);
    assert_string_equal(nothing,
                        "this machine's speed has not been measured: firesweep plan SPEC --calibrate");
    figure_release(&f);
    keep_speed(c);
    build(c, &f, nothing);
    assert_int_equal(f.points, 0);
    assert_string_equal(nothing, "none of its trials is done yet");
    figure_release(&f);
    struct figure_request r = request(c);
    r.x = "params";
    figure_init(&f);
    assert_int_equal(figure_predicted(c->s, &r, &f, nothing, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "has no other columns"));
    figure_release(&f);
}

/* What plan says of its predictions: only this machine's trials count, and few say nothing. */
static void test_error(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct prediction_error error;
    char host[256] = "", sql[512];
    const struct speed speed = keep_speed(c);
    static const double ratio[] = {0.8, 0.9, 1, 1.1, 1.2, 1.5};
    for (int i = 0; i < 4; i++)
        finish_in(c, i, ratio[i] * expected_s(c, &speed, i, 1), 1);
    gethostname(host, sizeof host - 1);
    snprintf(sql, sizeof sql, "UPDATE attempt SET host = '%s', isa = '%s'", host, engine_isa());
    plain_exec(c->path, sql);
    assert_ok(prediction_error_find(c->s, &error, &e));
    assert_int_equal(error.trials, 0);
    for (int i = 4; i < FIXTURE_TRIALS; i++)
        finish_in(c, i, ratio[i] * expected_s(c, &speed, i, 1), 1);
    plain_exec(c->path, sql);
    assert_ok(prediction_error_find(c->s, &error, &e));
    assert_int_equal(error.trials, 6); /* though two are in both blocks */
    assert_near(error.low, 0.8, 1e-9);
    assert_near(error.high, 1.5, 1e-9);
    assert_near(error.typical, 1.05, 1e-9);
    plain_exec(c->path, "UPDATE attempt SET host = 'elsewhere' WHERE trial_id = 6");
    assert_ok(prediction_error_find(c->s, &error, &e));
    assert_int_equal(error.trials, 5);
    assert_near(error.high, 1.2, 1e-9);
    assert_near(error.typical, 1, 1e-9);
    plain_exec(c->path, "UPDATE attempt SET isa = 'other' WHERE trial_id = 5");
    assert_ok(prediction_error_find(c->s, &error, &e));
    assert_int_equal(error.trials, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_numbers),  store_test(test_shorter_rungs),   store_test(test_band),
        store_test(test_left_out), store_test(test_nothing_to_draw), store_test(test_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
