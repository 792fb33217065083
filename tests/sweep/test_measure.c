/* What finished variants cost where they are used: which are measured, what is recorded, who measures. */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "store_fixture.h"
#include "sweep/measure.h"

/* Small networks, so that nothing here takes long. */
static int small_setup(void **state)
{
    struct err e = ERR_INIT;
    if (store_setup(state) != 0)
        return -1;
    struct context *c = *state;
    for (int i = 0; i < FIXTURE_TRIALS; i++) {
        c->f.trials[i].point.design.meta.base_e = c->f.trials[i].point.design.meta.incr_e = 8;
        fixture_realise(&c->f.trials[i]);
    }
    return store_sync(c->s, &c->f.spec, &c->f.space, &c->f.data, c->f.ids, &e) == ST_OK ? 0 : -1;
}

static enum status measure(struct context *c, enum measured measured, const int64_t *trials, int trial_count,
                           int *count, struct err *e)
{
    const struct measure_config config = {
        .sweep = "demo", .measured = measured, .trials = trials, .trial_count = trial_count, .seconds = 0};
    return measure_variants(c->s, &config, count, e);
}

static int64_t rows(const struct context *c)
{
    return plain_int(c->path, "SELECT count(*) FROM deployment");
}

/* Once a variant, whatever its seeds; only what is finished; only what is new, or all again. */
static void test_finished_variants_once(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int count = -1;
    assert_ok(measure(c, MEASURED_NONE, NULL, 0, &count, &e));
    assert_int_equal(count, 0);
    fixture_finish(c->s, c->f.ids[0], 0.5, 0.5);
    fixture_finish(c->s, c->f.ids[1], 0.5, 0.5); /* the same variant */
    fixture_finish(c->s, c->f.ids[2], 0.5, 0.5);
    assert_ok(measure(c, MEASURED_NONE, NULL, 0, &count, &e));
    assert_int_equal(count, 2);
    assert_int_equal(rows(c), 2);
    assert_ok(measure(c, MEASURED_NONE, NULL, 0, &count, &e));
    assert_int_equal(count, 0);
    plain_exec(c->path, "UPDATE deployment SET latency_ms = 1e9, host = 'elsewhere'");
    assert_ok(measure(c, MEASURED_ANY, NULL, 0, &count, &e));
    assert_int_equal(count, 2);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM deployment WHERE latency_ms < 1e6"
                                        " AND host <> 'elsewhere'"),
                     2);
}

static void test_row_says_how(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct inference_memory m = {0};
    struct arch a;
    int count = 0;
    assert_ok(measure(c, MEASURED_ANY, &c->f.ids[5], 1, &count, &e)); /* not trained: its layers are known */
    assert_int_equal(count, 1);
    assert_ok(arch_build(&c->f.trials[5].point.design, &a, &e));
    assert_ok(inference_memory(&a, true, &m, &e));
    assert_int_equal(plain_int(c->path, "SELECT infer_bytes FROM deployment"),
                     m.weight_bytes + m.activation_bytes);
    assert_int_equal(plain_int(c->path, "SELECT infer_activation_bytes FROM deployment"), m.activation_bytes);
    assert_int_equal(plain_int(c->path,
                               "SELECT latency_ms > 0 AND latency_p95_ms >= latency_ms AND infer_img_s"
                               " > 0 AND repetitions >= 5 AND cpu_share BETWEEN 0 AND 1 AND winograd"
                               " AND tile >= 1 AND host <> '' AND cpu <> '' AND tool_version <> ''"
                               " FROM deployment"),
                     1);
    assert_string_equal(plain_text(c->path, "SELECT isa FROM deployment"), engine_isa());
    assert_int_equal(plain_int(c->path, "SELECT variant_id = (SELECT variant_id FROM trial ORDER BY id DESC"
                                        " LIMIT 1) FROM deployment"),
                     1);
    double latency_ms = 0;
    assert_ok(store_latency(c->s, c->f.ids[4], &latency_ms, &e)); /* the other seed of the variant */
    assert_near(latency_ms, plain_real(c->path, "SELECT latency_ms FROM deployment"), 0);
    assert_ok(store_latency(c->s, c->f.ids[0], &latency_ms, &e));
    assert_true(latency_ms != latency_ms);
}

static void test_mistakes(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    const int64_t unknown[] = {c->f.ids[0], 4711};
    int count = 0;
    assert_int_equal(measure(c, MEASURED_ANY, unknown, 2, &count, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "there is no trial 4711"));
    assert_int_equal(count, 1);
    assert_int_equal(rows(c), 1);
}

/* Two that measure at the same time would measure each other. */
static void test_one_at_a_time(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    char lock[600];
    int count = 0;
    assert_ok(measure(c, MEASURED_ANY, c->f.ids, 1, &count, &e));
    snprintf(lock, sizeof lock, "%s/results.logs/measure.lock", c->folder);
    int fd = open(lock, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(measure(c, MEASURED_ANY, c->f.ids, 1, &count, &e), ST_BUSY);
    assert_int_equal(count, 0);
    close(fd);
    assert_ok(measure(c, MEASURED_ANY, c->f.ids, 1, &count, &e));
}

static bool stop_at_once(void *context)
{
    (void)context;
    return true;
}

static void test_stop(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int count = 0;
    const struct measure_config config = {.trials = c->f.ids, .trial_count = 2, .stop = stop_at_once};
    assert_int_equal(measure_variants(c->s, &config, &count, &e), ST_INTERRUPTED);
    assert_int_equal(rows(c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finished_variants_once, small_setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_row_says_how, small_setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_mistakes, small_setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_one_at_a_time, small_setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_stop, small_setup, store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
