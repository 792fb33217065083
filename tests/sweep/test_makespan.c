/* When a sweep would be done under a packing, and the best one. All times by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/packing.h"

/* Trials with one thread's seconds; k threads take s / k, or as long as `useful` threads. */
struct example {
    int count, useful;
    double seconds[16], bytes[16];
    double barrier; /* further share of s for every thread but the first */
};

static double seconds_of(const void *context, int trial, int threads)
{
    const struct example *x = context;
    int k = threads < x->useful ? threads : x->useful;
    return x->seconds[trial] / k * (1 + x->barrier * (k - 1));
}

static double bytes_of(const void *context, int trial, int threads)
{
    const struct example *x = context;
    return x->bytes[trial] * threads;
}

static int useful_of(const void *context, int trial)
{
    (void)trial;
    return ((const struct example *)context)->useful;
}

static struct packing_trials trials(const struct example *x)
{
    return (struct packing_trials){x, x->count, seconds_of, bytes_of, useful_of};
}

static struct packing_request request(const struct example *x, int cores, int workers, int threads)
{
    return (struct packing_request){.cores = cores,
                                    .pending = x->count,
                                    .workers = workers,
                                    .threads = threads,
                                    .useful_threads = x->useful};
}

/* The makespan of so many workers. */
static double makespan(const struct example *x, int cores, int workers, int threads)
{
    struct packing_trials t = trials(x);
    struct packing_request r = request(x, cores, workers, threads);
    struct packing p = packing_plan(&r);
    assert_int_equal(p.workers, workers);
    return packing_makespan(&r, &p, &t);
}

static void assert_near(double a, double b)
{
    if (fabs(a - b) > 1e-9 * fabs(b))
        fail_msg("%.9g, expected %.9g", a, b);
}

/* What is chosen when nothing is asked for. */
static void assert_chosen(const struct example *x, int cores, double memory, int workers, int threads,
                          double s)
{
    struct packing_trials t = trials(x);
    struct packing_request r = request(x, cores, 0, 0);
    double got_s = -1;
    r.memory_bytes = memory;
    struct packing p = packing_choose(&r, &t, &got_s);
    assert_int_equal(p.workers, workers);
    assert_int_equal(p.threads, threads);
    assert_near(got_s, s);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    const struct example x = {3, 1, {30, 20, 10}, {0}, 0};
    assert_near(makespan(&x, 4, 1, 1), 60);
    assert_near(makespan(&x, 4, 2, 1), 30); /* 30 | 20 + 10 */
    assert_near(makespan(&x, 4, 3, 1), 30);
    const struct example none = {0, 1, {0}, {0}, 0};
    assert_near(makespan(&none, 4, 1, 0), 0);
}

/* Three trials of 100 s on two cores. Two at once until 100 s, then the third with two threads. */
static void test_the_last_one_gets_the_free_core(void **state)
{
    (void)state;
    const struct example ideal = {3, 8, {100, 100, 100}, {0}, 0};
    assert_near(makespan(&ideal, 2, 2, 0), 150);
    assert_near(makespan(&ideal, 2, 1, 0), 150); /* 3 x 50 */
    assert_chosen(&ideal, 2, 0, 2, 1, 150);      /* as good: no barriers */
    /* Two threads take 60 s: 100 + 60, or 3 x 60. */
    const struct example real = {3, 8, {100, 100, 100}, {0}, 0.2};
    assert_near(makespan(&real, 2, 2, 0), 160);
    assert_near(makespan(&real, 2, 1, 0), 180);
    assert_chosen(&real, 2, 0, 2, 1, 160);
    /* Fixed threads do not grow: 100 + 100. */
    assert_near(makespan(&ideal, 2, 2, 1), 200);
}

/* 130 s of work on four cores: growth brings every packing to the ideal 32.5 s. */
static void test_a_long_trial_grows(void **state)
{
    (void)state;
    const struct example x = {4, 8, {100, 10, 10, 10}, {0}, 0};
    assert_near(makespan(&x, 4, 4, 0), 10 + 90.0 / 4);
    assert_near(makespan(&x, 4, 3, 0), 32.5);
    assert_near(makespan(&x, 4, 1, 0), 32.5);
    /* Only two threads help: 10 s with one, then 90 / 2. */
    const struct example two = {4, 2, {100, 10, 10, 10}, {0}, 0};
    assert_near(makespan(&two, 4, 4, 0), 10 + 45);
    /* Threads that make it slower are not taken: (1 + 1.5) / 2 > 1. */
    const struct example slow = {4, 2, {100, 10, 10, 10}, {0}, 1.5};
    assert_near(makespan(&slow, 4, 4, 0), 100);
}

/* Five trials of 8 s on four cores, too short to be given threads on the way. */
static void test_fewer_workers_where_they_fill_the_cores(void **state)
{
    (void)state;
    const struct example x = {5, 8, {8, 8, 8, 8, 8}, {0}, 0};
    assert_near(makespan(&x, 4, 4, 0), 16); /* the fifth starts at 8 with the one core that is free first */
    assert_near(makespan(&x, 4, 3, 0), 16);
    assert_near(makespan(&x, 4, 2, 0), 12); /* three rounds of 4 */
    assert_near(makespan(&x, 4, 1, 0), 10); /* five of 2 */
    assert_chosen(&x, 4, 0, 1, 4, 10);
    /* The same with trials of 2 s promises 1.5 s of 4 s: not worth the threads' waiting for each other. */
    const struct example little = {5, 8, {2, 2, 2, 2, 2}, {0}, 0};
    assert_near(makespan(&little, 4, 1, 0), 2.5);
    assert_chosen(&little, 4, 0, 4, 1, 4);
    /* 16 s to 15.6 s is less than 5 %. Barriers that cost 30 % of each further thread: 2 x 1.9 x 5 = 19, 4
     * x 1.3 x 3 = 15.6, 16. */
    const struct example barriers = {5, 8, {8, 8, 8, 8, 8}, {0}, 0.3};
    assert_near(makespan(&barriers, 4, 1, 0), 19);
    assert_near(makespan(&barriers, 4, 2, 0), 15.6);
    assert_chosen(&barriers, 4, 0, 4, 1, 16);
    /* Asked for by name. */
    struct packing_trials t = trials(&x);
    struct packing_request r = request(&x, 4, 2, 0);
    double s;
    assert_int_equal(packing_choose(&r, &t, &s).workers, 2);
    assert_near(s, 12);
    r = request(&x, 4, 0, 2); /* two threads: two workers, or one for 5 x 4 */
    assert_int_equal(packing_choose(&r, &t, &s).workers, 2);
    assert_near(s, 12);
}

static void test_memory_limits_workers(void **state)
{
    (void)state;
    const struct example x = {3, 1, {30, 20, 10}, {1, 8, 4}, 0};
    assert_chosen(&x, 3, 13, 3, 1, 30);
    assert_chosen(&x, 3, 12.5, 2, 1, 30); /* the largest two need 12, wherever they stand */
    assert_chosen(&x, 3, 11.9, 1, 1, 60);
    assert_chosen(&x, 3, 1, 1, 1, 60); /* one is tried in any case */
    assert_chosen(&x, 3, 0, 3, 1, 30); /* not known */
    /* A worker of two threads takes twice as much here: 2 x (2 x 4) > 15, so one of four. */
    const struct example wide = {2, 4, {100, 100}, {4, 4}, 0};
    assert_chosen(&wide, 4, 16, 2, 2, 100.0 / 2);
    assert_chosen(&wide, 4, 15, 1, 4, 2 * 100.0 / 4);
}

static void test_many_trials_take_all_cores(void **state)
{
    (void)state;
    struct example x = {.count = 16, .useful = 1};
    for (int i = 0; i < x.count; i++)
        x.seconds[i] = 1;
    assert_chosen(&x, 5, 0, 5, 1, 4); /* 5 + 5 + 5 + 1 */
    struct packing_trials t = trials(&x);
    struct packing_request r = request(&x, 300, 0, 0); /* more cores than workers are allowed or needed */
    double s;
    assert_int_equal(packing_choose(&r, &t, &s).workers, 16);
    assert_near(s, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_the_last_one_gets_the_free_core),
        cmocka_unit_test(test_a_long_trial_grows),
        cmocka_unit_test(test_fewer_workers_where_they_fill_the_cores),
        cmocka_unit_test(test_memory_limits_workers),
        cmocka_unit_test(test_many_trials_take_all_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
