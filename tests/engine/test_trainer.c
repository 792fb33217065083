/* Training: what must hold for every run - bit-identity over threads, tiles, instruction sets and
 * interruptions; learning; divergence. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/safetensors.h"
#include "engine/trainer_internal.h"

enum { SIDE = 10, CLASSES = 5 };

/* Sample `index`: a stripe pattern that depends on its class, with noise and, in training, noise of the
 * epoch. */
static int make_sample(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out,
                       size_t pitch)
{
    const int label = (int)(index % CLASSES);
    struct rng r = rng_stream(seed + 77, RNG_TEST, index, context ? epoch : 0);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++) {
                const float stripe = sinf((float)(label + 1) * 0.6f * (float)(c == 1 ? x : y));
                out[(size_t)y * pitch + (size_t)(x * 3 + c)] = stripe + 0.4f * (float)rng_uniform(&r);
            }
    return label;
}

static const int with_epoch_noise = 1;

static struct samples train_samples(size_t count)
{
    return (struct samples){&with_epoch_noise, count, make_sample, NULL};
}

static struct samples val_samples(size_t count)
{
    return (struct samples){NULL, count, make_sample, NULL};
}

static struct arch make_arch(struct metaparams meta, enum bypass bypass)
{
    struct design d;
    struct arch a;
    struct err e = ERR_INIT;
    assert_int_equal(design_preset("small32", &d, &e), ST_OK);
    d.macro.input = (struct shape){3, SIDE, SIDE};
    d.macro.classes = CLASSES;
    d.macro.conv1_filters = 12;
    d.macro.bypass = bypass;
    d.meta = meta;
    assert_int_equal(arch_build(&d, &a, &e), ST_OK);
    return a;
}

static struct arch small_arch(void)
{
    return make_arch((struct metaparams){6, 5, 2, 0.4, 0.5}, BYPASS_SIMPLE);
}

static struct recipe small_recipe(void)
{
    struct recipe r = recipe_default();
    r.epochs = 2;
    r.batch = 24;
    r.dropout = 0.2;
    r.lr = 0.02;
    return r;
}

static struct trainer *make_network(const struct arch *a, const struct recipe *r, uint64_t seed, int threads,
                                    size_t train, size_t val)
{
    struct trainer *t;
    struct err e = ERR_INIT;
    const struct trainer_config c = {a, r, seed, threads, train_samples(train), val_samples(val)};
    if (trainer_create(&c, &t, &e) != ST_OK)
        fail_msg("%s", e.text);
    return t;
}

static struct trainer *make(const struct recipe *r, uint64_t seed, int threads, size_t train, size_t val)
{
    const struct arch a = small_arch();
    return make_network(&a, r, seed, threads, train, val);
}

static void run(struct trainer *t)
{
    char why[128] = "";
    while (!trainer_finished(t))
        if (trainer_run_epoch(t, NULL, NULL, why) != EPOCH_DONE)
            fail_msg("ended early: %s", why);
}

static void assert_same_metrics(const struct epoch_metrics *a, const struct epoch_metrics *b)
{
    assert_int_equal(a->epoch, b->epoch);
    assert_true(a->lr == b->lr && a->train_loss == b->train_loss && a->train_top1 == b->train_top1);
    assert_int_equal(a->val.count, b->val.count);
    assert_true(a->val.loss == b->val.loss && a->val.top1 == b->val.top1 && a->val.top5 == b->val.top5);
}

static void assert_same_result(const struct trainer *a, const struct trainer *b)
{
    assert_int_equal(a->at.epoch, b->at.epoch);
    assert_memory_equal(a->params, b->params, a->train_net.param_floats * sizeof(float));
    for (int s = 0; s < STATE_SLOTS && a->state[s]; s++)
        assert_memory_equal(a->state[s], b->state[s], a->train_net.param_floats * sizeof(float));
    for (int i = 0; i < a->at.epoch; i++)
        assert_same_metrics(&a->history[i], &b->history[i]);
}

static int winograd_layers(const struct network *n)
{
    int layers = 0;
    for (int i = 0; i < n->op_count; i++)
        for (int b = 0; b < n->ops[i].branch_count; b++)
            layers += n->ops[i].branch[b].winograd;
    return layers;
}

static void check_threads(const struct arch *a, bool winograd)
{
    const int threads[] = {2, 3, 8};
    struct recipe r = small_recipe();
    r.winograd = winograd;
    struct trainer *one = make_network(a, &r, 1, 1, 100, 37);
    assert_true((winograd_layers(&one->train_net) > 0) == winograd);
    run(one);
    for (int i = 0; i < 3; i++) {
        struct trainer *t = make_network(a, &r, 1, threads[i], 100, 37);
        run(t);
        assert_same_result(one, t);
        trainer_free(t);
    }
    trainer_free(one);
}

static void test_threads_identical(void **state)
{
    (void)state;
    const struct arch narrow = small_arch(),
                      wide = make_arch((struct metaparams){96, 0, 2, 0.5, 0.5}, BYPASS_NONE);
    check_threads(&narrow, false);
    check_threads(&wide, true);
}

/* Direct convolution adds image after image, so how many a thread takes at once is a matter of caches only.
 * (Winograd sums a tile's images in its own domain first: there the tile belongs to the numerics.) */
static void test_tiles_identical(void **state)
{
    (void)state;
    struct recipe r = small_recipe();
    struct err e = ERR_INIT;
    r.winograd = false;
    struct trainer *one = make(&r, 1, 2, 60, 20), *two = make(&r, 1, 2, 60, 20);
    assert_true(one->train_plan.images > 1);
    assert_int_equal(plan_init(&two->train_plan, &two->train_net, 1, true, &e), ST_OK);
    assert_int_equal(plan_init(&two->eval_plan, &two->eval_net, 3, false, &e), ST_OK);
    run(one);
    run(two);
    assert_same_result(one, two);
    trainer_free(one);
    trainer_free(two);
}

static struct trainer *run_isa(const char *isa, const struct recipe *r)
{
    const struct arch a = make_arch((struct metaparams){96, 0, 2, 0.5, 0.5}, BYPASS_NONE);
    setenv("FIRESWEEP_ISA", isa, 1);
    struct trainer *t = make_network(&a, r, 1, 2, 60, 20);
    unsetenv("FIRESWEEP_ISA");
    run(t);
    return t;
}

/* Products are added in the same order with FMA whatever the vector length. Without FMA (generic on x86) each
 * product is rounded first, so only closeness can be asked. */
static void test_instruction_sets_identical(void **state)
{
    (void)state;
    if (!kernels_named("avx2") || !kernels_named("avx512"))
        skip();
    const struct recipe r = small_recipe();
    struct trainer *a = run_isa("avx2", &r), *b = run_isa("avx512", &r), *c = run_isa("generic", &r);
    assert_same_result(a, b);
    assert_float_equal(a->history[1].train_loss, c->history[1].train_loss, 1e-2);
    trainer_free(a);
    trainer_free(b);
    trainer_free(c);
}

static void test_seeds_differ(void **state)
{
    (void)state;
    const struct recipe r = small_recipe();
    struct trainer *a = make(&r, 1, 1, 60, 0), *b = make(&r, 2, 1, 60, 0);
    run(a);
    run(b);
    assert_memory_not_equal(a->params, b->params, a->train_net.param_floats * sizeof(float));
    trainer_free(a);
    trainer_free(b);
}

static bool stop_after(void *context, const struct progress *p)
{
    int *left = context;
    assert_true(p->step >= 1 && p->step <= p->steps);
    return --*left == 0;
}

static char scratch[64];

static int scratch_make(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/firesweep-trainer-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int scratch_remove(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", scratch);
    return system(command);
}

/* Stops after every possible number of updates, saves, continues in a new trainer with other threads. */
static void test_interruption_identical(void **state)
{
    (void)state;
    char path[96], why[128];
    struct err e = ERR_INIT;
    struct recipe r = small_recipe();
    snprintf(path, sizeof path, "%s/stop.safetensors", scratch);
    for (int optimizer = OPTIMIZER_SGD; optimizer <= OPTIMIZER_ADAMW; optimizer++) {
        r.optimizer = (enum optimizer)optimizer;
        r.lr = optimizer == OPTIMIZER_SGD ? 0.02 : 0.001;
        struct trainer *whole = make(&r, 3, 2, 50, 11);
        run(whole);
        for (int updates = 1; updates <= 6; updates++) {
            struct trainer *first = make(&r, 3, 1 + updates % 3, 50, 11);
            int left = updates;
            while (!trainer_finished(first) && left > 0)
                trainer_run_epoch(first, stop_after, &left, why);
            assert_int_equal(trainer_save(first, path, "{\"name\": \"x\"}", &e), ST_OK);
            trainer_free(first);
            struct trainer *second = make(&r, 3, 3 - updates % 3, 50, 11);
            if (trainer_load(second, path, &e) != ST_OK)
                fail_msg("%s", e.text);
            run(second);
            assert_same_result(whole, second);
            trainer_free(second);
        }
        trainer_free(whole);
    }
}

static void test_accumulation(void **state)
{
    (void)state;
    struct recipe large = small_recipe(), accumulated = small_recipe();
    accumulated.batch = 12;
    accumulated.accumulate = 2;
    struct trainer *a = make(&large, 1, 2, 60, 10), *b = make(&accumulated, 1, 2, 60, 10);
    run(a);
    run(b);
    assert_same_result(a, b);
    trainer_free(a);
    trainer_free(b);
}

static void corrupt(const char *path, long offset)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, offset, offset < 0 ? SEEK_END : SEEK_SET), 0);
    const int byte = fgetc(f);
    assert_int_equal(fseek(f, -1, SEEK_CUR), 0);
    fputc(byte ^ 0x10, f);
    fclose(f);
}

static void test_bad_checkpoints(void **state)
{
    (void)state;
    char path[96], missing[96];
    struct err e = ERR_INIT;
    struct recipe r = small_recipe(), other_recipe = small_recipe();
    other_recipe.lr *= 2;
    snprintf(path, sizeof path, "%s/bad.safetensors", scratch);
    snprintf(missing, sizeof missing, "%s/none.safetensors", scratch);
    struct trainer *t = make(&r, 3, 1, 50, 0), *seed = make(&r, 4, 1, 50, 0),
                   *recipe = make(&other_recipe, 3, 1, 50, 0);
    struct trainer *fresh = make(&r, 3, 1, 50, 0);
    run(t);
    assert_int_equal(trainer_save(t, path, NULL, &e), ST_OK);
    assert_int_equal(trainer_load(seed, path, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "seed is 3, wanted 4"));
    assert_int_equal(trainer_load(recipe, path, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "recipe_hash"));
    assert_int_equal(trainer_load(fresh, missing, &e), ST_FAILED);
    corrupt(path, -100);
    assert_int_equal(trainer_load(fresh, path, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, path));
    assert_int_equal(fresh->at.epoch, 0);
    /* The failed loads left it as it was: it trains to the same end. */
    run(fresh);
    assert_same_result(t, fresh);
    trainer_free(t);
    trainer_free(seed);
    trainer_free(recipe);
    trainer_free(fresh);
}

static void test_open_for_evaluation(void **state)
{
    (void)state;
    char path[96], *description;
    struct err e = ERR_INIT;
    const struct recipe r = small_recipe();
    snprintf(path, sizeof path, "%s/eval.safetensors", scratch);
    struct trainer *t = make(&r, 3, 2, 50, 20), *opened;
    run(t);
    assert_int_equal(trainer_save(t, path, "{\"name\": \"x\"}", &e), ST_OK);
    struct arch a;
    char want[HASH_TEXT], got[HASH_TEXT];
    assert_int_equal(checkpoint_describe(path, &a, &description, &e), ST_OK);
    assert_string_equal(description, "{\"name\": \"x\"}");
    arch_hash(&t->arch, want);
    arch_hash(&a, got);
    assert_string_equal(got, want);
    assert_int_equal(trainer_open(path, 2, &opened, &e), ST_OK);
    const struct samples val = val_samples(20);
    struct eval_metrics m;
    float logits[20 * CLASSES];
    assert_int_equal(trainer_evaluate(opened, &val, &m, logits, &e), ST_OK);
    /* Training noise depends on the trial's seed, validation samples here on the opened trainer's: compare
     * with its own. */
    struct eval_metrics again;
    t->seed = 0;
    assert_int_equal(trainer_evaluate(t, &val, &again, NULL, &e), ST_OK);
    assert_true(m.loss == again.loss && m.top1 == again.top1 && m.top5 == again.top5);
    assert_true(isfinite(logits[0]) && logits[0] != logits[1]);
    mem_free(description);
    trainer_free(t);
    trainer_free(opened);
}

static void test_learns(void **state)
{
    (void)state;
    struct recipe r = small_recipe();
    r.epochs = 30;
    r.dropout = 0;
    r.lr = 0.03;
    const struct arch a = make_arch((struct metaparams){24, 8, 2, 0.5, 0.5}, BYPASS_NONE);
    struct trainer *t = make_network(&a, &r, 1, 2, 250, 100);
    struct eval_metrics start;
    struct err e = ERR_INIT;
    const struct samples val = val_samples(100);
    assert_int_equal(trainer_evaluate(t, &val, &start, NULL, &e), ST_OK);
    assert_float_equal(start.loss, log(CLASSES), 0.02);
    assert_true(start.top5 == 1);
    run(t);
    const struct epoch_metrics *last = &trainer_history(t)[r.epochs - 1];
    if (last->val.top1 < 0.98)
        fail_msg("validation top-1 is %g", last->val.top1);
    assert_true(last->lr > 0 && last->lr < r.lr / 10);
    trainer_free(t);
}

static void test_divergence(void **state)
{
    (void)state;
    char why[128] = "";
    struct recipe r = small_recipe();
    r.lr = 1000;
    r.clip = 0;
    struct trainer *t = make(&r, 1, 2, 200, 0);
    assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_DIVERGED);
    assert_true(strstr(why, "not finite in step") || strstr(why, "above 1000 ln(classes) in step"));
    trainer_free(t);
}

/* A network whose logits are all dead: conv10 has a ReLU and a bias far below zero. */
/* A whole small network that is trained for three epochs, the first of them the warm-up's. */
static struct trainer *make_whole(bool conv10_relu, double lr)
{
    struct recipe r = small_recipe();
    r.epochs = 3;
    r.warmup = 0.1;
    r.lr = lr;
    struct design d;
    struct arch a;
    struct err e = ERR_INIT;
    assert_int_equal(design_preset("small32", &d, &e), ST_OK);
    d.macro.input = (struct shape){3, SIDE, SIDE};
    d.macro.classes = CLASSES;
    d.macro.conv10_relu = conv10_relu;
    d.meta = (struct metaparams){6, 5, 2, 0.4, 0.5};
    assert_int_equal(arch_build(&d, &a, &e), ST_OK);
    return make_network(&a, &r, 1, 2, 60, 0);
}

/* The convolution that comes first, or last. */
static const struct op *convolution(const struct trainer *t, bool first)
{
    const struct op *op = first ? t->train_net.ops : &t->train_net.ops[t->train_net.op_count - 1];
    while (op->kind != OP_CONV)
        op += first ? 1 : -1;
    return op;
}

static void expect_stuck(struct trainer *t)
{
    char why[128] = "";
    assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_DONE);
    assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_DIVERGED);
    assert_non_null(strstr(why, "stuck at ln(5) = 1.6094 in epoch 2: all images give the same outputs"));
    trainer_free(t);
}

/* Nothing comes out of the last layer; or nothing of the image past the first. */
static void test_stuck(void **state)
{
    (void)state;
    struct trainer *t = make_whole(true, 0.02);
    for (int c = 0; c < CLASSES; c++)
        t->params[convolution(t, false)->branch[0].biases + (size_t)c] = -100;
    trainer_weights_changed(t);
    expect_stuck(t);
    t = make_whole(false, 0.002);
    const struct branch *b = &convolution(t, true)->branch[0];
    for (int c = 0; c < b->cout; c++)
        t->params[b->biases + (size_t)c] = -100;
    trainer_weights_changed(t);
    expect_stuck(t);
}

/* As near to ln(classes) for all epochs, but only slow: no divergence. */
static void test_a_slow_start_is_not_stuck(void **state)
{
    (void)state;
    char why[128] = "";
    struct trainer *t = make_whole(false, 1e-7);
    const struct branch *b = &convolution(t, false)->branch[0];
    for (size_t i = 0; i < (size_t)b->k_count * (size_t)panel_channels(b->cout); i++)
        t->params[b->weights + i] *= 1e-4F;
    trainer_weights_changed(t);
    for (int epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_DONE);
        assert_true(fabs(trainer_history(t)[epoch].train_loss - log(CLASSES)) < 1e-4);
    }
    trainer_free(t);
}

static void test_no_allocation_in_the_loop(void **state)
{
    (void)state;
    char why[128] = "";
    const struct recipe r = small_recipe();
    struct trainer *t = make(&r, 1, 2, 60, 0);
    mem_fail_after(1);
    const enum epoch_end end = trainer_run_epoch(t, NULL, NULL, why);
    mem_fail_after(0);
    assert_int_equal(end, EPOCH_DONE);
    trainer_free(t);
}

/* Every call that a trial makes, in order; stops at the first that fails. */
static enum status whole_life(const struct recipe *r, const char *path, struct trainer **t, struct err *e)
{
    const struct arch a = small_arch();
    const struct samples val = val_samples(10);
    struct eval_metrics m;
    char why[128] = "", *description = NULL;
    struct arch described;
    float logits[10 * CLASSES];
    const struct trainer_config c = {&a, r, 1, 1, train_samples(50), val};
    enum status s = trainer_create(&c, t, e);
    if (s == ST_OK && trainer_run_epoch(*t, NULL, NULL, why) != EPOCH_DONE)
        s = err_set(e, ST_NOMEM, "%s", why);
    if (s == ST_OK)
        s = trainer_evaluate(*t, &val, &m, logits, e);
    if (s == ST_OK)
        s = trainer_save(*t, path, "{}", e);
    if (s == ST_OK)
        s = trainer_load(*t, path, e);
    if (s == ST_OK)
        s = checkpoint_describe(path, &described, &description, e);
    mem_free(description);
    trainer_free(*t);
    *t = NULL;
    if (s == ST_OK)
        s = trainer_open(path, 1, t, e);
    return s;
}

static void test_allocation_failures(void **state)
{
    (void)state;
    char path[96], temporary[104];
    struct recipe r = small_recipe();
    r.epochs = 1;
    const size_t before = mem_live();
    enum status s = ST_NOMEM;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/nomem.safetensors", scratch);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    while (s != ST_OK) {
        struct trainer *t = NULL;
        struct err e = ERR_INIT;
        remove(path);
        mem_fail_after(++n);
        s = whole_life(&r, path, &t, &e);
        mem_fail_after(0);
        trainer_free(t);
        assert_int_equal(mem_live(), before);
        assert_false(file_exists(temporary));
        if (s != ST_OK) {
            assert_int_equal(s, ST_NOMEM);
            assert_int_equal(e.status, ST_NOMEM);
            assert_non_null(strstr(e.text, "memory"));
        }
        /* A checkpoint is there whole or not at all. */
        struct arch described;
        if (file_exists(path))
            assert_int_equal(checkpoint_describe(path, &described, NULL, &e), ST_OK);
    }
    assert_true(n > 30); /* the sweep is void if it never reached the later calls */
}

/* A few kilobytes that speak of billions of parameters are refused before memory is asked for. */
static void test_open_refuses_what_the_file_cannot_hold(void **state)
{
    (void)state;
    char path[96];
    float one = 1;
    struct err e = ERR_INIT;
    struct trainer *t = NULL;
    const struct st_tensor tensor = {.name = "conv1.bias", .dims = 1, .shape = {1}, .data = &one};
    const struct st_meta meta[] = {
        {"format", "firesweep checkpoint 1"},
        {"arch.input", "1x8x8"},
        {"arch.classes", "2"},
        {"arch.conv1", "65536 3 1 1"},
        {"arch.fires", "65536,65536,0;65536,65536,0;65536,65536,0;65536,65536,0;65536,65536,0;65536,65536,0;"
                       "65536,65536,0;65536,65536,0"},
        {"arch.pools", "none ceil"},
        {"arch.bypass", "none"},
        {"arch.conv10", "0 linear"}};
    snprintf(path, sizeof path, "%s/huge.safetensors", scratch);
    assert_int_equal(safetensors_write(path, &tensor, 1, meta, sizeof meta / sizeof *meta, &e), ST_OK);
    mem_fail_after(1000); /* no message of want of memory can pass for the refusal */
    assert_int_equal(trainer_open(path, 1, &t, &e), ST_CORRUPT);
    mem_fail_after(0);
    assert_null(t);
    assert_non_null(strstr(e.text, "there are 1 numbers, the network has 68"));
}

static void test_bad_requests(void **state)
{
    (void)state;
    struct recipe r = small_recipe();
    const struct arch a = small_arch();
    struct trainer *t;
    struct err e = ERR_INIT;
    struct trainer_config c = {&a, &r, 1, 0, train_samples(50), val_samples(0)};
    assert_int_equal(trainer_create(&c, &t, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "threads: 0"));
    c.threads = 1;
    setenv("FIRESWEEP_ISA", "z80", 1);
    assert_int_equal(trainer_create(&c, &t, &e), ST_USAGE);
    unsetenv("FIRESWEEP_ISA");
    r.lanes = 65;
    assert_int_equal(trainer_create(&c, &t, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "lanes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_identical),
        cmocka_unit_test(test_tiles_identical),
        cmocka_unit_test(test_instruction_sets_identical),
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_interruption_identical),
        cmocka_unit_test(test_accumulation),
        cmocka_unit_test(test_bad_checkpoints),
        cmocka_unit_test(test_open_for_evaluation),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_a_slow_start_is_not_stuck),
        cmocka_unit_test(test_no_allocation_in_the_loop),
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_open_refuses_what_the_file_cannot_hold),
        cmocka_unit_test(test_bad_requests),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
