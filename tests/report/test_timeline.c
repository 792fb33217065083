/* Time lines: attempts as bars in rows of workers, whatever is known of their ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plot_session.h"
#include "sweep/lease.h"

/* Attempts, without and with the time of their end. */
#define INSERT_ATTEMPT \
    "INSERT INTO attempt(trial_id, number, pid, host, threads, isa, started_utc, outcome, wall_s)"
#define INSERT_ENDED                                                                                   \
    "INSERT INTO attempt(trial_id, number, pid, host, threads, isa, started_utc, ended_utc, outcome, " \
    "wall_s)"

/* A session with a sweep; the test is skipped where nothing can be drawn. */
static struct session *begin(void **state)
{
    struct session *s = *state;
    need_gnuplot();
    results_sweep(s->results, "s", spec_head);
    return s;
}

static void timeline_of_attempts(void **state)
{
    struct session *s = begin(state);
    fill_plane(s->results, "plane");
    assert_int_equal(draw(s, (struct plot_options){.kind = "timeline"}), ST_FAILED);
    assert_non_null(strstr(s->err.text, "none of its trials has been started"));
    results_sql(
        s->results, INSERT_ENDED
        " VALUES(1, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z', 'done', 60),"
        " (2, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:00:30Z', '2026-01-01T00:01:30Z', 'crashed', 60),"
        " (3, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:01:05Z', '2026-01-01T00:01:15Z', 'done', 10)");
    draw_kind(s, "timeline",
              "trial,attempt,host,threads,start_s,end_s,row,outcome,started_utc,end\n"
              "1,1,h,2,0,60,1,done,2026-01-01T00:00:00Z,recorded\n"
              "2,1,h,2,30,90,2,crashed,2026-01-01T00:00:30Z,recorded\n"
              "3,1,h,2,65,75,1,done,2026-01-01T00:01:05Z,recorded\n");
    assert_contains(path_in(s->dir, "s-plane-timeline.svg"), "crashed or failed (1)");
}

/* A search: what its shorter rungs ran is the block's too, and nothing of another sweep is. */
static void timeline_of_all_rungs(void **state)
{
    struct session *s = begin(state);
    fill_plane(s->results, "plane");
    results_sql(
        s->results,
        "INSERT INTO trial(id, variant_id, recipe_id, data_fingerprint, seed, state) VALUES"
        " (101, 1, 1, 'other', 91, 'done'), (102, 1, 1, 'other', 92, 'done');"
        "INSERT INTO rung VALUES(1, 1, 2, 2, 1, NULL, NULL, 1), (1, 101, 1, 2, 1, 1, 1, 1), (1, 102, 1, 2, "
        "2, 2, 0, 0);" INSERT_ENDED
        " VALUES(101, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:00:00Z', '2026-01-01T00:00:10Z', 'done', 10),"
        " (102, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:00:20Z', '2026-01-01T00:00:30Z', 'done', 10),"
        " (1, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:01:00Z', '2026-01-01T00:02:00Z', 'done', 60)");
    draw_kind(s, "timeline",
              "trial,attempt,host,threads,start_s,end_s,row,outcome,started_utc,end\n"
              "101,1,h,2,0,10,1,done,2026-01-01T00:00:00Z,recorded\n"
              "1,1,h,2,60,120,1,done,2026-01-01T00:01:00Z,recorded\n");
}

/* Two workers, each with trial after trial: starts have whole seconds, and there are two rows all the same.
 * Every attempt starts where the last one of its worker ended. */
static void timeline_has_a_row_for_each_worker(void **state)
{
    struct session *s = begin(state);
    results_block(s->results, "plane");
    const int64_t v = results_variant(s->results, 1 << 20);
    double free_at[2] = {0, 0.3};
    for (int i = 0; i < 200; i++) {
        char sql[400];
        const int worker = free_at[1] < free_at[0], at = (int)free_at[worker];
        const double wall = 0.35 + 0.1 * (i * 7 % 13);
        const int64_t trial = results_trial(s->results, v, i, "{\"SR\":0.5}", "done", 0.5);
        snprintf(sql, sizeof sql,
                 INSERT_ATTEMPT " VALUES(%lld, 1, 9, 'h', 1, 'avx2', '2026-01-01T00:%02d:%02dZ', 'done', %g)",
                 (long long)trial, at / 60, at % 60, wall);
        results_sql(s->results, sql);
        free_at[worker] += wall;
        if (i % 2) { /* an end tells more of the start; earlier versions may lack it */
            snprintf(sql, sizeof sql,
                     "UPDATE attempt SET ended_utc = '2026-01-01T00:%02d:%02dZ' WHERE trial_id = %lld",
                     (int)free_at[worker] / 60, (int)free_at[worker] % 60, (long long)trial);
            results_sql(s->results, sql);
        }
        free_at[worker] += 0.01;
    }
    draw_kind(s, "timeline", "\n1,1,h,1,0,0.35,1,done,2026-01-01T00:00:00Z,recorded\n");
    assert_contains(path_in(s->dir, "s-plane-timeline.svg"), "viewBox=\"0 0 720 480\"");
    char *data = results_read(path_in(s->dir, "s-plane-timeline.csv"));
    assert_non_null(strstr(data, ",2,done,"));
    assert_null(strstr(data, ",3,done,"));
    mem_free(data);
}

/* As many rows as there were workers, whatever the lengths of their trials. */
static void timeline_has_no_row_too_many(void **state)
{
    struct session *s = begin(state);
    results_block(s->results, "plane");
    const int64_t v = results_variant(s->results, 1 << 20);
    for (int i = 0; i < 150; i++)
        results_trial(s->results, v, i, "{\"SR\":0.5}", "done", 0.5);
    uint32_t random = 1;
    for (int workers = 3; workers <= 8; workers++) {
        double free_at[8] = {0};
        results_sql(s->results, "BEGIN; DELETE FROM attempt");
        for (int i = 0; i < 150; i++) {
            int w = 0;
            for (int k = 1; k < workers; k++)
                w = free_at[k] < free_at[w] ? k : w;
            random = random * 1664525 + 1013904223;
            const double start = free_at[w], wall = 0.05 + 4.0 * (random >> 8) / (1 << 24) * (random >> 31);
            free_at[w] += wall;
            char sql[400];
            snprintf(sql, sizeof sql,
                     INSERT_ENDED
                     " SELECT %d, 1, 9, 'h', 1, 'avx2', strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', "
                     "1800000000 + %d, "
                     "'unixepoch'),"
                     " strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', 1800000000 + %d, 'unixepoch'), 'done', %.9g",
                     i + 1, (int)start, (int)free_at[w], wall);
            results_sql(s->results, sql);
        }
        results_sql(s->results, "COMMIT");
        draw_kind(s, "timeline", "trial,attempt,host");
        char last[16], beyond[16];
        snprintf(last, sizeof last, ",%d,done,", workers);
        snprintf(beyond, sizeof beyond, ",%d,done,", workers + 1);
        char *data = results_read(path_in(s->dir, "s-plane-timeline.csv"));
        assert_non_null(strstr(data, last));
        assert_null(strstr(data, beyond));
        mem_free(data);
    }
}

/* Two that began in one second and ended in one ran beside each other: one after the other takes longer. */
static void timeline_tells_from_ends(void **state)
{
    struct session *s = begin(state);
    fill_plane(s->results, "plane");
    results_sql(
        s->results, INSERT_ENDED
        " VALUES(1, 1, 9, 'h', 1, 'avx2', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', 'done', 0.75),"
        " (2, 1, 9, 'h', 1, 'avx2', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', 'done', 1.5),"
        " (3, 1, 9, 'h', 1, 'avx2', '2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z', 'done', 0.25),"
        " (4, 1, 9, 'h', 1, 'avx2', '2026-01-01T00:00:02Z', '2026-01-01T00:00:00Z', 'done', 2)"); /* clock set
                                                                                                   */
    draw_kind(s, "timeline",
              "trial,attempt,host,threads,start_s,end_s,row,outcome,started_utc,end\n"
              "1,1,h,1,0.25,1,1,done,2026-01-01T00:00:00Z,recorded\n"
              "2,1,h,1,0,1.5,2,done,2026-01-01T00:00:00Z,recorded\n"
              "3,1,h,1,1.75,2,1,done,2026-01-01T00:00:01Z,recorded\n"
              "4,1,h,1,2,4,1,done,2026-01-01T00:00:02Z,recorded\n");
}

/* 48 workers have 48 rows with their numbers, and a higher figure, so that each is seen. */
static void timeline_of_many_workers(void **state)
{
    struct session *s = begin(state);
    results_block(s->results, "plane");
    const int64_t v = results_variant(s->results, 1 << 20);
    for (int i = 0; i < 48; i++) {
        char sql[300];
        snprintf(sql, sizeof sql,
                 INSERT_ATTEMPT " VALUES(%lld, 1, 9, 'h', 1, 'avx2', '2026-01-01T00:00:00Z', 'done', 60)",
                 (long long)results_trial(s->results, v, i, "{\"SR\":0.5}", "done", 0.5));
        results_sql(s->results, sql);
    }
    draw_kind(s, "timeline", "\n48,1,h,1,0,60,48,done,2026-01-01T00:00:00Z,recorded\n");
    assert_contains(path_in(s->dir, "s-plane-timeline.svg"), "viewBox=\"0 0 720 914\"");
    assert_contains(path_in(s->dir, "s-plane-timeline.svg"), ">47<");
}

/* How many bars of a kind there are: closed paths of its colour. */
static int count_parts(const char *path, const char *part)
{
    char *text = results_read(path);
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    mem_free(text);
    return count;
}

/* Thousands of workers have thin rows in an image of a height that PNG takes, and some have their numbers. */
static void timeline_of_very_many_workers(void **state)
{
    struct session *s = begin(state);
    results_block(s->results, "plane");
    const int64_t v = results_variant(s->results, 1 << 20);
    results_sql(s->results, "BEGIN");
    for (int i = 0; i < 3000; i++)
        results_trial(s->results, v, i, "{\"SR\":0.5}", "done", 0.5);
    results_sql(s->results, INSERT_ATTEMPT
                " SELECT id, 1, 9, 'h', 1, 'avx2', '2026-01-01T00:00:00Z', 'done', 60 FROM trial; COMMIT");
    draw_ok(s, (struct plot_options){.kind = "timeline", .image = "png"});
    draw_kind(s, "timeline", "\n3000,1,h,1,0,60,3000,done,2026-01-01T00:00:00Z,recorded\n");
    const char *svg = path_in(s->dir, "s-plane-timeline.svg");
    assert_contains(svg, "viewBox=\"0 0 720 1746\"");
    assert_contains(svg, ">2950<");
    assert_int_equal(count_parts(svg, ">2949<") + count_parts(svg, ">2975<"), 0);
}

/* Runs that vanished: their attempts are drawn until they were last known to live, or, where nothing is
 * known, marked at their start; not until another run noticed, or now. */
static void timeline_of_vanished_runs(void **state)
{
    struct session *s = begin(state);
    fill_plane(s->results, "plane");
    results_sql(
        s->results,
        "INSERT INTO attempt(id, trial_id, number, pid, host, threads, isa, started_utc, ended_utc, outcome)"
        " VALUES(1, 1, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:00:00Z', '2026-01-01T00:10:00Z', 'crashed'),"
        " (2, 2, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:00:00Z', '2026-01-09T00:00:00Z', 'crashed'),"
        " (3, 3, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:11:00Z', NULL, NULL),"
        " (4, 4, 1, 9, 'h', 2, 'avx2', '2026-01-01T00:11:00Z', NULL, NULL);"
        /* The second end is when it was noticed, as older rows have it. */
        "INSERT INTO event(trial_id, attempt_id, at_utc, text)"
        " VALUES(1, 1, '2026-01-09T00:00:00Z', 'gone'), (2, 2, '2026-01-09T00:00:00Z', 'gone');"
        "UPDATE trial SET state = 'running' WHERE id IN (3, 4);"
        "INSERT INTO lease(trial_id, attempt_id, host, place, run_pid, run_start, worker_pid, worker_start, "
        "beat)"
        " VALUES(3, 3, 'h', 'here', 1, 1, 1, 1, 16), (4, 4, 'h', 'here', 1, 1, 1, 1, 1)");
    /* Their run was on this machine before it started last. */
    struct lease gone = {0};
    lease_sign(&gone, 1);
    char sql[700];
    snprintf(sql, sizeof sql, "UPDATE lease SET host = '%s', place = 'b%s'", gone.host, gone.place);
    results_sql(s->results, sql);
    draw_kind(s, "timeline",
              "trial,attempt,host,threads,start_s,end_s,row,outcome,started_utc,end\n"
              "1,1,h,2,0,600,1,crashed,2026-01-01T00:00:00Z,unknown\n"
              "2,1,h,2,0,0,2,crashed,2026-01-01T00:00:00Z,unknown\n"
              "3,1,h,2,660,960,1,,2026-01-01T00:11:00Z,unknown\n"
              "4,1,h,2,660,660,2,,2026-01-01T00:11:00Z,unknown\n");
    assert_contains(path_in(s->dir, "s-plane-timeline.svg"), "end unknown (4)");
    assert_contains(path_in(s->dir, "s-plane-timeline.svg"), "until they were last known to live");
    /* Rows of the first version have no event: nothing tells when they ended. */
    results_sql(s->results, "DELETE FROM event WHERE attempt_id = 2");
    draw_kind(s, "timeline", "\n2,1,h,2,0,0,2,crashed,2026-01-01T00:00:00Z,unknown\n");
    /* A run elsewhere may live: until now. */
    results_sql(s->results, "UPDATE lease SET host = 'elsewhere'; DELETE FROM attempt WHERE id < 4");
    draw_kind(s, "timeline", "2026-01-01T00:11:00Z,running\n");
}

/* Trials of milliseconds over hours: all are seen, those beside each other as one bar, and the one that
 * diverged is not lost between them. Attempts of one second follow each other. */
static void timeline_of_short_attempts(void **state)
{
    struct session *s = begin(state);
    results_block(s->results, "plane");
    const int64_t v = results_variant(s->results, 1 << 20);
    for (int i = 0; i < 400; i++) {
        char sql[400];
        const int64_t trial = results_trial(s->results, v, i, "{\"SR\":0.5}", "done", 0.5);
        const int at = i < 300 ? i / 10 : 7200 + i / 10; /* ten a second, then a pause of two hours */
        snprintf(sql, sizeof sql,
                 INSERT_ATTEMPT
                 " VALUES(%lld, 1, 9, 'h', 2, 'avx2', '2026-01-01T%02d:%02d:%02dZ', '%s', 0.09)",
                 (long long)trial, at / 3600, at / 60 % 60, at % 60, i == 150 ? "diverged" : "done");
        results_sql(s->results, sql);
    }
    draw_kind(s, "timeline", "\n400,1,h,2,7239.8"); /* one row */
    const char *svg = path_in(s->dir, "s-plane-timeline.svg");
    assert_contains(svg, "diverged (1)");
    const int lines = count_parts(svg, "<path stroke='rgb(  0, 114, 178)'");
    if (lines < 2 || lines > 20)
        fail_msg("%d strokes", lines);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(timeline_of_attempts),
        TEST(timeline_of_all_rungs),
        TEST(timeline_has_a_row_for_each_worker),
        TEST(timeline_tells_from_ends),
        TEST(timeline_has_no_row_too_many),
        TEST(timeline_of_many_workers),
        TEST(timeline_of_very_many_workers),
        TEST(timeline_of_vanished_runs),
        TEST(timeline_of_short_attempts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
