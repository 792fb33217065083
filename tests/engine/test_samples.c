/* Samples that are announced, and samples that do not load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/trainer.h"

enum { SIDE = 8, CLASSES = 3, IMAGES = 50, BATCH = 16, NONE = -1 };

/* Samples that remember what was said and done. */
struct source {
    atomic_int bad; /* this one does not load; NONE */
    atomic_int announced[IMAGES], loaded[IMAGES];
    atomic_int surprises; /* loads without announcement */
};

/* The engine promises not to write to the context; these tests count in it. */
static struct source *source_of(const void *context)
{
    union {
        const void *in;
        struct source *out;
    } cast = {context};
    return cast.out;
}

static int load(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out, size_t pitch)
{
    struct source *s = source_of(context);
    (void)seed, (void)epoch;
    atomic_fetch_add(&s->loaded[index], 1);
    if (atomic_load(&s->announced[index]) == 0)
        atomic_fetch_add(&s->surprises, 1);
    if (atomic_load(&s->bad) == (int)index)
        return -1;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            out[(size_t)y * pitch + (size_t)x] = (float)((index * 7 + (size_t)(x * y)) % 5) - 2;
    return (int)(index % CLASSES);
}

static void ahead(const void *context, const uint32_t *samples, size_t count)
{
    struct source *s = source_of(context);
    for (size_t i = 0; i < count; i++)
        atomic_fetch_add(&s->announced[samples[i]], 1);
}

static struct trainer *make(struct source *train, struct source *val, bool announced)
{
    struct design d;
    struct arch a;
    struct trainer *t;
    struct recipe r = recipe_default();
    r.epochs = 2;
    r.batch = BATCH;
    assert_int_equal(design_preset("small32", &d, NULL), ST_OK);
    d.macro.input = (struct shape){1, SIDE, SIDE};
    d.macro.classes = CLASSES;
    d.macro.conv1_filters = 4;
    d.meta = (struct metaparams){4, 2, 2, 0.5, 0.5};
    assert_int_equal(arch_build(&d, &a, NULL), ST_OK);
    const struct trainer_config c = {.arch = &a,
                                     .recipe = &r,
                                     .seed = 1,
                                     .threads = 2,
                                     .train = {train, IMAGES, load, announced ? ahead : NULL},
                                     .val = {val, val ? IMAGES : 0, load, NULL}};
    assert_int_equal(trainer_create(&c, &t, NULL), ST_OK);
    return t;
}

/* In every epoch each sample is announced once, before it is loaded. */
static void test_announcements(void **state)
{
    (void)state;
    char why[128] = "";
    static struct source s;
    s.bad = NONE;
    struct trainer *t = make(&s, NULL, true);
    for (int epoch = 1; epoch <= 2; epoch++) {
        assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_DONE);
        for (int i = 0; i < IMAGES; i++) {
            assert_int_equal(s.announced[i], epoch);
            assert_int_equal(s.loaded[i], epoch);
        }
    }
    assert_int_equal(s.surprises, 0);
    trainer_free(t);
}

/* The epoch ends; when the sample is there again it goes on as if nothing had been. */
static void test_lost_sample(void **state)
{
    (void)state;
    char why[128] = "";
    static struct source s, whole, val;
    s.bad = whole.bad = val.bad = NONE;
    struct trainer *t = make(&s, &val, false), *expected = make(&whole, &val, false);
    s.bad = 20;
    for (int attempt = 0; attempt < 3; attempt++) {
        assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_FAILED);
        assert_non_null(strstr(why, "a training image does not load in step"));
        assert_int_equal(trainer_epochs_done(t), 0);
    }
    s.bad = NONE;
    assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_DONE);
    assert_int_equal(trainer_run_epoch(expected, NULL, NULL, why), EPOCH_DONE);
    const struct epoch_metrics *m = trainer_history(t), *e = trainer_history(expected);
    assert_true(m->train_loss == e->train_loss && m->val.loss == e->val.loss && m->val.top1 == e->val.top1);
    trainer_free(t);
    trainer_free(expected);
}

static void test_lost_validation_sample(void **state)
{
    (void)state;
    char why[128] = "";
    static struct source s, val;
    struct eval_metrics m = {0};
    struct err e = ERR_INIT;
    s.bad = NONE;
    val.bad = IMAGES - 1;
    struct trainer *t = make(&s, &val, false);
    assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_FAILED);
    assert_non_null(strstr(why, "an image to evaluate does not load"));
    assert_int_equal(trainer_epochs_done(t), 0);
    const struct samples samples = {&val, IMAGES, load, NULL};
    assert_int_equal(trainer_evaluate(t, &samples, &m, NULL, &e), ST_FAILED);
    assert_int_equal(m.count, 0);
    val.bad = NONE;
    assert_int_equal(trainer_evaluate(t, &samples, &m, NULL, &e), ST_OK);
    assert_int_equal(m.count, IMAGES);
    assert_int_equal(trainer_run_epoch(t, NULL, NULL, why), EPOCH_DONE); /* the evaluation that was missing */
    assert_int_equal(trainer_epochs_done(t), 1);
    trainer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_announcements),
        cmocka_unit_test(test_lost_sample),
        cmocka_unit_test(test_lost_validation_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
