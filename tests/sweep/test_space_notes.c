/* What is not wrong with a sweep, but hardly what was meant. */
#include "../base/cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "sweep/space_notes.h"

#define HEAD "version: 1\nname: t\ndata: {format: idx, path: d}\n"

/* The notes on a spec for so many training images. */
static void check(const char *text, double train_images, const char *expected)
{
    struct spec spec;
    struct space space = {.trial_count = 0};
    struct err e = ERR_INIT;
    struct strbuf notes = STRBUF_INIT;
    if (spec_parse(text, strlen(text), "t.yaml", &spec, &e) != ST_OK ||
        space_build(&spec, &space, &e) != ST_OK)
        fail_msg("%s", e.text);
    space_notes(&spec, &space, train_images, &notes);
    assert_false(notes.failed);
    assert_string_equal(notes.text, expected);
    strbuf_release(&notes);
    space_release(&space);
    spec_release(&spec);
    assert_int_equal(mem_live(), 0);
}

static void test_nothing_to_note(void **state)
{
    (void)state;
    check(HEAD "sweep:\n"
               "  - {id: a, grid: {SR: [0.25, 0.251, 0.5], freq: [1, 2], optimizer: [sgd, adam], beta2: "
               "[0.9, 0.99]}}\n"
               "  - {id: b, zip: {epochs: [1, 1], lr: [0.1, 0.2]}, grid: {batch: [50]}}\n"
               "  - {id: c, grid: {schedule: [constant], warmup: [0, 0.5]}}\n"
               "  - {id: d, random: {n: 2}, params: {SR: [0.1, 0.1, 0.2], momentum: [0.8]}}\n"
               "seeds: [1, 2]\ntrain: {batch: 10, beta1: 0.8, momentum: 0.7}\n",
          50, "");
}

static void test_keys_that_no_optimizer_reads(void **state)
{
    (void)state;
    check(
        HEAD "sweep:\n"
             "  - {id: a, grid: {beta2: [0.9, 0.99], beta1: [0.8, 0.9]}}\n"
             "  - {id: b, set: {optimizer: adam, momentum: 0.5}, zip: {nesterov: [true], lr: [1]}}\n"
             "  - {id: c, list: [{SR: 0.5}, {epsilon: 0.1}, {epsilon: 0.2}]}\n"
             "  - {id: d, random: {n: 1}, params: {epsilon: {uniform: [0.1, 0.2]}, lr: [1]}}\n"
             "train: {batch: 1}\n",
        -1,
        "t.yaml:5:20: sweep.a.grid.beta2: has no effect, as no trial of this block has the optimizer adam or "
        "adamw\n"
        "t.yaml:5:40: sweep.a.grid.beta1: has no effect, as no trial of this block has the optimizer adam or "
        "adamw\n"
        "t.yaml:6:46: sweep.b.set.momentum: has no effect, as no trial of this block has the optimizer sgd\n"
        "t.yaml:6:58: sweep.b.zip.nesterov: has no effect, as no trial of this block has the optimizer sgd\n"
        "t.yaml:7:41: sweep.c.list.epsilon: has no effect, as no trial of this block has the optimizer adam "
        "or adamw\n"
        "t.yaml:8:38: sweep.d.params.epsilon: has no effect, as no trial of this block has the optimizer "
        "adam or "
        "adamw\n");
    check(HEAD "train: {optimizer: adamw, momentum: 0.5, beta2: 0.9}\n", -1,
          "t.yaml:4:37: train.momentum: has no effect, as no trial of this sweep has the optimizer sgd\n");
}

static void test_axes_without_effect(void **state)
{
    (void)state;
    check(HEAD "base: {incr_e: 0}\nseeds: [3, 1]\nsweep:\n"
               "  - {id: a, grid: {lr: [0.1, 0.2], freq: [1, 2, 4], SR: [0.5, 0.25]}}\n"
               "  - {id: b, list: [{lr: 0.1}, {lr: 0.2}], grid: {epochs: [1, 2, 1, 2], freq: [3]}}\n"
               "  - {id: c, set: {crop_pad: 0}, grid: {crop_border: [zero, reflect], base_e: [8, 16]}}\n"
               "  - {id: d, set: {momentum: 0}, grid: {nesterov: [true, false]}}\n",
          -1,
          "t.yaml:7:36: sweep.a.grid.freq: has no effect: with all its values the layers and the recipe are "
          "the same\n"
          "t.yaml:8:65: sweep.b.grid.epochs: 1 is given twice, which adds no trial\n"
          "t.yaml:9:40: sweep.c.grid.crop_border: has no effect: with all its values the layers and the "
          "recipe are "
          "the same\n"
          "t.yaml:10:40: sweep.d.grid.nesterov: has no effect: with all its values the layers and the recipe "
          "are the "
          "same\n");
}

static void test_batches_of_more_than_all_images(void **state)
{
    (void)state;
    static const char *const blocks =
        HEAD "sweep:\n"
             "  - {id: a, grid: {batch: [64, 101, 200]}}\n"
             "  - {id: b, random: {n: 2}, params: {batch: {int: [102, 103]}, SR: [1]}}\n"
             "  - {id: c, grid: {SR: [0.5]}}\n";
    check(blocks, -1, "");
    check(blocks, 200, "");
    check(blocks, 130,
          "t.yaml:5:37: sweep.a.grid.batch: 200 is more than the 130 training images: each step takes all of "
          "them\n");
    check(HEAD, 100,
          "t.yaml:1:1: train.batch: 128 is more than the 100 training images: each step takes all of them\n");
    check(
        HEAD "train: {batch: 128}\n", 100,
        "t.yaml:4:16: train.batch: 128 is more than the 100 training images: each step takes all of them\n");
    check(HEAD "sweep: [{id: b, random: {n: 1}, params: {batch: {int: [102, 102]}, SR: [1]}}]\n", 100,
          "t.yaml:4:55: sweep.b.params.batch: 102 is more than the 100 training images: each step takes all "
          "of them\n");
}

/* Points in the place of candidates passed over are not those of the design that was asked for. */
static void test_samplers(void **state)
{
    (void)state;
#define DRAW(sampler, constraint)                                    \
    HEAD "sweep: [{id: a, random: {n: 8, seed: 3, sampler: " sampler \
         "}, params: {SR: {uniform: [0.1, 0.9]}}}]\n"                \
         "base: {base_e: 256, incr_e: 0}\nconstraints: [" constraint "]\n"
    check(DRAW("lhs", "SR > 0"), -1, "");
    check(DRAW("sobol", "SR > 0"), -1, "");
    check(DRAW("random", "SR > 0.5"), -1, "");
    check(DRAW("lhs", "SR > 0.5"), -1,
          "block a has 8 of 8 points; of 16 candidates 8 removed by SR > 0.5; so it is no Latin hypercube: "
          "some parts "
          "of a range have no point, others more than one\n");
    check(DRAW("sobol", "SR > 0.5"), -1,
          "block a has 8 of 8 points; of 15 candidates 7 removed by SR > 0.5; so its Sobol sequence has "
          "gaps, and it "
          "is less even\n");
    check(HEAD "sweep: [{id: few, random: {n: 3}, params: {freq: [1]}}]\n", -1,
          "block few has 1 of 3 points; of 10020 candidates 10019 equal to an earlier one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_note),
        cmocka_unit_test(test_keys_that_no_optimizer_reads),
        cmocka_unit_test(test_axes_without_effect),
        cmocka_unit_test(test_batches_of_more_than_all_images),
        cmocka_unit_test(test_samplers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
