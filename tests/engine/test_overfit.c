/* 256 real images are learnt by heart: forward, backward, optimizer and data together. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/dataset.h"
#include "engine/trainer.h"

static const char fashion_mnist[] =
    "/usr/share/datasets/fashion-mnist"; /* of Debian's dataset-fashion-mnist */

static int load(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out, size_t pitch)
{
    return dataset_sample(context, SPLIT_TRAIN, index, NULL, seed, epoch, out, pitch);
}

static void make_network(struct arch *out)
{
    struct design d;
    struct err e = ERR_INIT;
    assert_int_equal(design_preset("small32", &d, &e), ST_OK);
    d.macro.input = (struct shape){1, 28, 28};
    d.macro.classes = 10;
    d.macro.conv1_filters = 16;
    d.meta = (struct metaparams){16, 16, 2, 0.5, 0.5};
    assert_int_equal(arch_build(&d, out, &e), ST_OK);
}

static struct recipe by_heart(void)
{
    struct recipe r = recipe_default();
    r.epochs = 60;
    r.batch = 32;
    r.smoothing = 0;
    r.weight_decay = 0;
    return r;
}

static void test_256_images(void **state)
{
    (void)state;
    if (access(fashion_mnist, R_OK) != 0) {
        print_message("%s is not here: nothing to overfit\n", fashion_mnist);
        skip();
    }
    const struct data_source source = {
        .format = DATA_IDX, .path = fashion_mnist, .train_limit = 256, .test_limit = 10};
    struct err e = ERR_INIT;
    struct dataset data;
    assert_int_equal(dataset_load(&source, &data, &e), ST_OK);
    assert_int_equal(data.sets[SPLIT_TRAIN].count, 256);

    struct arch a;
    make_network(&a);
    const struct recipe r = by_heart();
    struct trainer *t;
    const struct samples images = {&data, 256, load, NULL};
    const struct trainer_config c = {&a, &r, 1, 2, images, {NULL, 0, NULL, NULL}};
    assert_int_equal(trainer_create(&c, &t, &e), ST_OK);
    struct eval_metrics m;
    assert_int_equal(trainer_evaluate(t, &images, &m, NULL, &e), ST_OK);
    assert_float_equal(m.loss, log(10), 0.02);
    char why[128] = "";
    while (!trainer_finished(t))
        if (trainer_run_epoch(t, NULL, NULL, why) != EPOCH_DONE)
            fail_msg("ended early: %s", why);
    assert_int_equal(trainer_evaluate(t, &images, &m, NULL, &e), ST_OK);
    if (m.top1 < 1)
        fail_msg("only %g of the training images are known", m.top1);
    trainer_free(t);
    dataset_release(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_256_images)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
