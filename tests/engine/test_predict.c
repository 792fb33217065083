/* What is foretold of time and memory. Nothing here depends on how fast the machine is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/predict.h"
#include "engine/trainer.h"

static struct arch make_arch(int base_e, double sr, double pct3x3, int side)
{
    struct design d;
    struct arch a;
    struct err e = ERR_INIT;
    assert_int_equal(design_preset("small32", &d, &e), ST_OK);
    d.macro.input = (struct shape){3, side, side};
    d.macro.bypass = BYPASS_SIMPLE;
    d.meta = (struct metaparams){base_e, base_e, 2, sr, pct3x3};
    assert_int_equal(arch_build(&d, &a, &e), ST_OK);
    return a;
}

static struct workload make_workload(int base_e, double sr, double pct3x3, int batch)
{
    const struct arch a = make_arch(base_e, sr, pct3x3, 32);
    struct recipe r = recipe_default();
    struct workload w;
    r.batch = batch;
    r.dropout = 0.5;
    assert_int_equal(workload_init(&w, &a, &r, NULL), ST_OK);
    return w;
}

/* A machine of made-up speed. */
static struct speed some_speed(void)
{
    struct speed s;
    for (int k = 0; k < WORK_COUNT; k++) {
        s.train[k] = 1e-11 * (1 + k);
        s.infer[k] = 2e-11 * (1 + k);
    }
    s.train[WORK_UPDATES] = 1e-4;
    return s;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fabs(expected)))
        fail_msg("%.17g is not near %.17g", value, expected);
}

/* What can be told without the engine's own rules. */
static void test_work_is_counted(void **state)
{
    (void)state;
    const struct workload w = make_workload(32, 0.5, 0.5, 64);
    const struct arch a = make_arch(32, 0.5, 0.5, 32);
    assert_int_equal(w.lanes, 8);
    assert_int_equal(w.images_per_update, 64);
    double pooled = 0;
    for (int i = 0; i < a.layer_count; i++) {
        const struct shape *in = &a.tensors[a.layers[i].in];
        pooled += a.layers[i].kind == LAYER_MAXPOOL ? (double)in->c * in->h * in->w : 0;
    }
    assert_true(pooled > 0 && w.train[WORK_POOLED] == pooled && w.infer[WORK_POOLED] == pooled);
    assert_true(w.train[WORK_WINOGRAD] > 2 * w.infer[WORK_WINOGRAD] && w.infer[WORK_WINOGRAD] > 0);
    assert_true(w.train[WORK_TRANSFORMS] == 3 * w.infer[WORK_TRANSFORMS]);
    assert_true(w.train[WORK_PRODUCTS] > 2 * w.infer[WORK_PRODUCTS]);
    assert_true(w.train[WORK_UPDATES] == 1 && w.infer[WORK_UPDATES] == 0);
    assert_true(w.infer[WORK_PARAMS] == 0);
    for (int k = 0; k < WORK_COUNT; k++)
        assert_true(isfinite(w.train[k]) && w.train[k] >= 0 && w.infer[k] >= 0);
}

/* A layer with few 3x3 filters runs in columns; without Winograd all work is direct. */
static void test_work_follows_the_methods(void **state)
{
    (void)state;
    const struct arch a = make_arch(64, 0.5, 0.5, 32);
    struct recipe r = recipe_default();
    struct workload direct;
    r.winograd = false;
    assert_int_equal(workload_init(&direct, &a, &r, NULL), ST_OK);
    assert_true(direct.train[WORK_WINOGRAD] == 0 && direct.train[WORK_TRANSFORMS] == 0);
    assert_true(direct.train[WORK_COLUMNS] == 0);
    const struct workload narrow = make_workload(64, 0.5, 0.02, 64);
    assert_true(narrow.train[WORK_COLUMNS] > 0);
}

static void test_prediction_is_deterministic_and_additive(void **state)
{
    (void)state;
    const struct speed s = some_speed();
    const struct workload w = make_workload(48, 0.25, 0.5, 64), again = make_workload(48, 0.25, 0.5, 64);
    assert_memory_equal(&w, &again, sizeof w);
    const double update = predict_update_s(&s, &w, 2);
    assert_true(update == predict_update_s(&s, &again, 2));
    assert_near(predict_epoch_s(&s, &w, 2, 640, 0), 10 * update, 1e-12);
    assert_near(predict_epoch_s(&s, &w, 2, 640, 1000), 10 * update + predict_eval_s(&s, &w, 2, 1000), 1e-12);
    /* A last update of one image costs less than a full one, but has its own reduction. */
    const double last = predict_epoch_s(&s, &w, 2, 641, 0) - 10 * update;
    assert_true(last > s.train[WORK_UPDATES] && last < update);
    assert_true(predict_eval_s(&s, &w, 2, 0) == 0);
}

static void test_prediction_is_monotone(void **state)
{
    (void)state;
    const struct speed s = some_speed();
    const struct workload w = make_workload(32, 0.25, 0.5, 64);
    for (int threads = 1; threads < 10; threads++) {
        assert_true(predict_update_s(&s, &w, threads + 1) <= predict_update_s(&s, &w, threads));
        assert_true(predict_eval_s(&s, &w, threads + 1, 1e4) < predict_eval_s(&s, &w, threads, 1e4));
    }
    /* Five threads have nothing more to do at once than four, except between the lanes. */
    assert_true(predict_update_s(&s, &w, 5) > 0.9 * predict_update_s(&s, &w, 4));
    for (int images = 1; images < 1000000; images *= 3)
        assert_true(predict_epoch_s(&s, &w, 2, images, 100) < predict_epoch_s(&s, &w, 2, 3.0 * images, 100));
    double before = 0;
    for (int e = 16; e <= 256; e *= 2) {
        const struct workload wider = make_workload(e, 0.25, 0.5, 64);
        assert_true(predict_update_s(&s, &wider, 2) > before);
        before = predict_update_s(&s, &wider, 2);
        assert_true(workload_memory(&wider, 2, 0) > workload_memory(&wider, 1, 0));
        assert_true(workload_memory(&wider, 2, 1e6) > workload_memory(&wider, 2, 0));
    }
}

enum { SAMPLES = 30 };

static void make_samples(struct speed_sample samples[SAMPLES], const struct speed *s)
{
    for (int i = 0; i < SAMPLES; i++) {
        struct speed_sample *sample = &samples[i];
        sample->work = make_workload(16 << i % 4, 0.1 + 0.15 * (i % 7), 0.01 + 0.24 * (i % 5), 32 << i % 3);
        sample->threads = 1 + i % 3;
        sample->update_s = predict_update_s(s, &sample->work, sample->threads);
        sample->eval_s =
            predict_eval_s(s, &sample->work, sample->threads, (double)sample->work.images_per_update);
    }
}

/* Exact times are explained, and those of a network that was not among them foretold. */
static void test_fit_finds_the_speed(void **state)
{
    (void)state;
    static struct speed_sample samples[SAMPLES];
    const struct speed s = some_speed();
    const struct workload other = make_workload(96, 0.3, 0.4, 128);
    struct speed found, again;
    make_samples(samples, &s);
    assert_int_equal(speed_fit(&found, samples, SAMPLES, NULL), ST_OK);
    assert_int_equal(speed_fit(&again, samples, SAMPLES, NULL), ST_OK);
    assert_memory_equal(&found, &again, sizeof found);
    assert_true(speed_scatter(&s, samples, SAMPLES) == 0 && speed_scatter(&found, samples, SAMPLES) < 0.01);
    for (int k = 0; k < WORK_COUNT; k++)
        assert_true(isfinite(found.train[k]) && found.train[k] >= 0 && found.infer[k] >= 0);
    for (int i = 0; i < SAMPLES; i++)
        assert_near(predict_update_s(&found, &samples[i].work, samples[i].threads), samples[i].update_s,
                    0.02);
    assert_near(predict_update_s(&found, &other, 2), predict_update_s(&s, &other, 2), 0.03);
    assert_near(predict_eval_s(&found, &other, 2, 1e4), predict_eval_s(&s, &other, 2, 1e4), 0.03);
}

/* Two disturbed measurements of thirty. */
static void test_fit_survives_outliers(void **state)
{
    (void)state;
    static struct speed_sample samples[SAMPLES];
    const struct speed s = some_speed();
    const struct workload other = make_workload(96, 0.3, 0.4, 128);
    struct speed found;
    make_samples(samples, &s);
    samples[3].update_s *= 2;
    samples[17].update_s *= 1.5;
    assert_near(speed_scatter(&s, samples, SAMPLES), (0.5 + 1 / 3.0) / SAMPLES, 1e-9);
    assert_int_equal(speed_fit(&found, samples, SAMPLES, NULL), ST_OK);
    assert_near(predict_update_s(&found, &other, 2), predict_update_s(&s, &other, 2), 0.06);
}

static void test_what_the_engine_cannot_run(void **state)
{
    (void)state;
    struct design d;
    struct arch a;
    struct workload w;
    struct err e = ERR_INIT;
    const struct recipe r = recipe_default();
    assert_int_equal(design_preset("small32", &d, &e), ST_OK);
    d.macro.input = (struct shape){3, 64, 64};
    d.macro.conv1_kernel = 13;
    assert_int_equal(arch_build(&d, &a, &e), ST_OK);
    assert_int_equal(workload_init(&w, &a, &r, &e), ST_USAGE);
    mem_fail_after(1);
    assert_int_equal(workload_init(&w, &a, &r, &e), ST_NOMEM);
    mem_fail_after(0);
}

/* Memory */

static int make_sample(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out,
                       size_t pitch)
{
    const struct shape *s = context;
    (void)seed;
    (void)epoch;
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w * s->c; x++)
            out[(size_t)y * pitch + (size_t)x] = (float)((index + (size_t)(x * y)) % 7);
    return (int)(index % 10);
}

/* In a child: trains an epoch, saves and evaluates. */
static _Noreturn void train_and_leave(const struct arch *a, const struct recipe *r, int threads,
                                      size_t images)
{
    struct trainer *t;
    char why[128], path[64];
    const struct samples samples = {&a->input, images, make_sample, NULL};
    const struct trainer_config c = {a, r, 1, threads, samples, samples};
    snprintf(path, sizeof path, "/tmp/firesweep-predict-%ld", (long)getpid());
    int code = trainer_create(&c, &t, NULL) != ST_OK || trainer_run_epoch(t, NULL, NULL, why) != EPOCH_DONE ||
               trainer_save(t, path, NULL, NULL) != ST_OK;
    unlink(path);
    _exit(code);
}

static double peak_of_worker(const struct arch *a, const struct recipe *r, int threads, size_t images)
{
    struct rusage usage = {0};
    int code = -1;
    const pid_t pid = fork();
    if (pid == 0)
        train_and_leave(a, r, threads, images);
    assert_true(pid > 0 && wait4(pid, &code, 0, &usage) == pid);
    assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
    return 1024.0 * (double)usage.ru_maxrss;
}

/* Within 10 % and a constant below 30 MB. Sanitizers have memory of their own. */
static void test_memory_of_a_real_worker(void **state)
{
    (void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip();
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    skip();
#endif
#endif
    static const struct {
        int base_e;
        double sr, pct3x3;
        int side, batch, threads;
        enum optimizer optimizer;
    } cases[] = {
        {8, 0.25, 0.5, 32, 32, 1, OPTIMIZER_SGD},    {64, 0.5, 0.5, 32, 32, 2, OPTIMIZER_SGD},
        {128, 0.5, 0.75, 32, 32, 1, OPTIMIZER_ADAM}, {128, 0.75, 0.01, 16, 16, 1, OPTIMIZER_SGD},
        {16, 0.5, 0.5, 128, 16, 2, OPTIMIZER_SGD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct arch a = make_arch(cases[i].base_e, cases[i].sr, cases[i].pct3x3, cases[i].side);
        struct recipe r = recipe_default();
        struct workload w;
        r.epochs = 1;
        r.batch = cases[i].batch;
        r.optimizer = cases[i].optimizer;
        assert_int_equal(workload_init(&w, &a, &r, NULL), ST_OK);
        const double predicted = workload_memory(&w, cases[i].threads, (double)r.batch),
                     peak = peak_of_worker(&a, &r, cases[i].threads, (size_t)r.batch);
        print_message("predicted %.1f MiB, peak %.1f MiB\n", predicted / 1048576, peak / 1048576);
        assert_true(peak > 0.9 * predicted && peak < 1.1 * predicted + 30e6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_is_counted),
        cmocka_unit_test(test_work_follows_the_methods),
        cmocka_unit_test(test_prediction_is_deterministic_and_additive),
        cmocka_unit_test(test_prediction_is_monotone),
        cmocka_unit_test(test_fit_finds_the_speed),
        cmocka_unit_test(test_fit_survives_outliers),
        cmocka_unit_test(test_what_the_engine_cannot_run),
        cmocka_unit_test(test_memory_of_a_real_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
