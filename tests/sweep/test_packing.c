/* Workers x threads on cores, and the time left. Expected values by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/packing.h"

static struct packing_request request(int cores, int pending, int workers, int threads)
{
    return (struct packing_request){
        .cores = cores, .pending = pending, .workers = workers, .threads = threads, .useful_threads = 64};
}

struct plan_case {
    int cores, pending, workers, threads; /* asked */
    int got_workers, got_threads;
    bool pinned;
};

static void test_plan(void **state)
{
    (void)state;
    static const struct plan_case cases[] = {
        {2, 4, 0, 0, 2, 1, true}, /* trials are plenty: one thread each */
        {3, 2, 0, 0, 2, 1, true}, /* the third core goes to the first to start, see below */
        {64, 5, 0, 0, 5, 12, true},
        {1, 100, 0, 0, 1, 1, true},
        {8, 0, 0, 0, 1, 8, true}, /* nothing to do is no error */
        {8, 1, 0, 0, 1, 8, true},
        {8, 20, 2, 0, 2, 4, true}, /* fixed workers share the cores */
        {8, 20, 3, 0, 3, 2, true},
        {8, 1, 4, 0, 1, 8, true},   /* never more workers than trials */
        {2, 20, 5, 0, 5, 1, false}, /* more workers than cores: allowed, not pinned */
        {8, 20, 0, 3, 2, 3, false}, /* fixed threads: as many workers as fit; two cores stay free */
        {8, 20, 0, 2, 4, 2, true},
        {8, 20, 1, 1, 1, 1, false},
        {2, 20, 0, 4, 1, 4, false}, /* more threads than cores */
        {8, 20, 2, 4, 2, 4, true},
        {8, 20, 3, 4, 3, 4, false},
        {1000, 1000, 0, 0, PACKING_MAX_WORKERS, 3, true},
        {4, 100000, 100000, 0, PACKING_MAX_WORKERS, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct plan_case *c = &cases[i];
        struct packing_request r = request(c->cores, c->pending, c->workers, c->threads);
        struct packing p = packing_plan(&r);
        assert_int_equal(p.workers, c->got_workers);
        assert_int_equal(p.threads, c->got_threads);
        assert_int_equal(p.pinned, c->pinned);
    }
}

static void test_threads_beyond_use_are_not_taken(void **state)
{
    (void)state;
    struct packing_request r = request(64, 5, 0, 0);
    r.useful_threads = 8;
    struct packing p = packing_plan(&r);
    assert_int_equal(p.workers, 5);
    assert_int_equal(p.threads, 8);
    assert_int_equal(packing_threads(&p, &r, 64, 0, 5), 8);
    r.threads = 12; /* asked for by name */
    assert_int_equal(packing_plan(&r).threads, 12);
}

/* Starts workers until nothing more starts; writes their thread counts. */
static int start_all(const struct packing_request *r, int free_cores, int running, int pending,
                     int threads[16])
{
    struct packing p = packing_plan(r);
    int started = 0;
    for (int n; (n = packing_threads(&p, r, free_cores, running, pending)) > 0; started++) {
        threads[started] = n;
        free_cores -= p.pinned ? n : 0;
        running++;
        pending--;
    }
    return started;
}

static void test_odd_cores_go_to_the_longest_trials(void **state)
{
    (void)state;
    int threads[16] = {0};
    struct packing_request r = request(3, 2, 0, 0);
    assert_int_equal(start_all(&r, 3, 0, 2, threads), 2);
    assert_int_equal(threads[0], 2);
    assert_int_equal(threads[1], 1);

    r = request(64, 5, 0, 0);
    assert_int_equal(start_all(&r, 64, 0, 5, threads), 5);
    static const int expected[] = {13, 13, 13, 13, 12};
    assert_memory_equal(threads, expected, sizeof expected);

    r = request(8, 20, 3, 0);
    assert_int_equal(start_all(&r, 8, 0, 20, threads), 3);
    static const int shared[] = {3, 3, 2};
    assert_memory_equal(threads, shared, sizeof shared);
}

static void test_threads_grow_when_trials_run_out(void **state)
{
    (void)state;
    int threads[16] = {0};
    struct packing_request r = request(8, 20, 0, 0); /* planned: 8 workers of one thread */
    assert_int_equal(start_all(&r, 1, 7, 5, threads), 1);
    assert_int_equal(threads[0], 1);
    assert_int_equal(start_all(&r, 5, 3, 1, threads), 1); /* the last one gets all that is free */
    assert_int_equal(threads[0], 5);
    assert_int_equal(start_all(&r, 0, 3, 1, threads), 0); /* all cores are taken by grown workers */
    assert_int_equal(start_all(&r, 4, 4, 0, threads), 0);
}

static void test_fixed_threads_do_not_grow(void **state)
{
    (void)state;
    int threads[16] = {0};
    struct packing_request r = request(8, 20, 0, 2);
    assert_int_equal(start_all(&r, 8, 0, 1, threads), 1);
    assert_int_equal(threads[0], 2);
}

static void test_unpinned_workers_ignore_the_cores(void **state)
{
    (void)state;
    int threads[16] = {0};
    struct packing_request r = request(2, 20, 5, 0);
    assert_int_equal(start_all(&r, 2, 0, 20, threads), 5);
    assert_int_equal(threads[4], 1);
}

static void test_cores_are_distinct(void **state)
{
    (void)state;
    bool in_use[5] = {false, true, false, false, false};
    int first[2], second[2], third[2];
    assert_true(packing_take_cores(in_use, 5, 2, first));
    assert_int_equal(first[0], 0);
    assert_int_equal(first[1], 2);
    assert_true(packing_take_cores(in_use, 5, 2, second));
    assert_int_equal(second[0], 3);
    assert_int_equal(second[1], 4);
    assert_false(packing_take_cores(in_use, 5, 1, third));
    in_use[2] = false;
    assert_false(packing_take_cores(in_use, 5, 2, third));
    assert_false(in_use[2]); /* nothing was taken */
    assert_true(packing_take_cores(in_use, 5, 1, third));
    assert_int_equal(third[0], 2);
}

static void test_remaining_time(void **state)
{
    (void)state;
    static const double running[] = {10, 4}, pending[] = {8, 6, 2};
    /* Nothing left. */
    assert_true(packing_remaining_s(NULL, 0, NULL, 0, 2, 1) == 0);
    /* Only running ones: the longest. */
    assert_true(packing_remaining_s(running, 2, NULL, 0, 2, 1) == 10);
    /* 2 ops/s: 4 s after the second worker (4 -> 8), then 3 s after it (11), then 1 s after the first (11).
     */
    assert_true(packing_remaining_s(running, 2, pending, 3, 2, 2) == 11);
    /* A third worker is free now: 0 -> 4; then 6 ops on one that is free at 4 -> 7; the other at 4 -> 5. */
    assert_true(packing_remaining_s(running, 2, pending, 3, 3, 2) == 10);
    /* One worker: everything in a row. */
    assert_true(packing_remaining_s(NULL, 0, pending, 3, 1, 4) == 4);
}

static void test_cores_left_unused_are_not_pinned(void **state)
{
    (void)state;
    struct packing_request r = request(64, 5, 0, 0);
    assert_true(packing_plan(&r).pinned);
    r.useful_threads = 8; /* 40 of 64 */
    assert_false(packing_plan(&r).pinned);
    r.useful_threads = 13;
    assert_true(packing_plan(&r).pinned);
}

static void test_memory_limits_auto_workers(void **state)
{
    (void)state;
    struct packing_request r = request(8, 20, 0, 0);
    r.memory_bytes = 10e9;
    r.worker_bytes = 3e9;
    assert_int_equal(packing_plan(&r).workers, 3);
    assert_int_equal(packing_plan(&r).threads, 2);
    r.worker_bytes = 50e9; /* one is tried anyway */
    assert_int_equal(packing_plan(&r).workers, 1);
    r.worker_bytes = 1;
    assert_int_equal(packing_plan(&r).workers, 8);
    r.worker_bytes = 3e9;
    r.workers = 7; /* asked for by name */
    assert_int_equal(packing_plan(&r).workers, 7);
}

static void test_free_cores_go_to_who_would_end_last(void **state)
{
    (void)state;
    int added[3] = {0};
    static const double remaining[] = {100, 40, 30};
    static const int one[] = {1, 1, 1}, many[] = {8, 8, 8}, few[] = {2, 8, 8}, two[] = {2, 1, 1};
    /* 100 -> 50 -> 33.3 with three threads; then 40 is the longest -> 20. */
    packing_grow(remaining, one, many, 3, 3, added);
    assert_int_equal(added[0], 2);
    assert_int_equal(added[1], 1);
    assert_int_equal(added[2], 0);
    /* The longest can use only one more. */
    packing_grow(remaining, one, few, 3, 3, added);
    assert_int_equal(added[0], 1);
    assert_int_equal(added[1], 1);
    assert_int_equal(added[2], 1);
    /* 100 s with two threads are 66.7 s with three. */
    packing_grow(remaining, two, many, 3, 1, added);
    assert_int_equal(added[0], 1);
    packing_grow(remaining, one, many, 3, 0, added);
    assert_int_equal(added[0] + added[1] + added[2], 0);
    packing_grow(remaining, one, one, 3, 5, added); /* nobody can use any */
    assert_int_equal(added[0] + added[1] + added[2], 0);
    packing_grow(remaining, one, many, 0, 5, added);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_threads_beyond_use_are_not_taken),
        cmocka_unit_test(test_odd_cores_go_to_the_longest_trials),
        cmocka_unit_test(test_threads_grow_when_trials_run_out),
        cmocka_unit_test(test_fixed_threads_do_not_grow),
        cmocka_unit_test(test_unpinned_workers_ignore_the_cores),
        cmocka_unit_test(test_cores_are_distinct),
        cmocka_unit_test(test_cores_left_unused_are_not_pinned),
        cmocka_unit_test(test_memory_limits_auto_workers),
        cmocka_unit_test(test_free_cores_go_to_who_would_end_last),
        cmocka_unit_test(test_remaining_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
