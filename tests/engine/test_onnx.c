/* Exported weights: ONNX models are decoded again and run; safetensors files hold the weights alone. */
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

#include "base/mem.h"
#include "base/rng.h"
#include "engine/checkpoint_arch.h"
#include "engine/onnx.h"
#include "engine/trainer.h"
#include "onnx_reader.h"

enum { IMAGES = 5, PIXELS_MAX = 3 * 40 * 40 };

static char scratch[64];

static int setup(void **state)
{
    (void)state;
    strcpy(scratch, "/tmp/firesweep-test-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(scratch);
}

static const char *path_of(const char *name)
{
    static char path[2][96];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", scratch, name);
    return path[turn];
}

static struct design preset(const char *name)
{
    struct design d;
    struct err e = ERR_INIT;
    assert_int_equal(design_preset(name, &d, &e), ST_OK);
    return d;
}

static struct arch build(const struct design *d)
{
    struct arch a;
    struct err e = ERR_INIT;
    if (arch_build(d, &a, &e) != ST_OK)
        fail_msg("%s", e.text);
    return a;
}

/* Weights of an architecture, filled with random numbers, as a file of their own. */
static struct weights random_weights(const struct arch *a)
{
    struct st_tensor tensors[2 * ARCH_MAX_LAYERS];
    struct st_meta meta[1 + ARCH_TEXT_KEYS] = {{"format", WEIGHTS_FORMAT}};
    struct arch_text text;
    struct weights w;
    struct err e = ERR_INIT;
    int count = 0;
    struct rng rng = rng_stream(1, RNG_TEST, 0, 0);
    arch_text_format(a, &text);
    for (int i = 0; i < ARCH_TEXT_KEYS; i++)
        meta[1 + i] = (struct st_meta){arch_text_key(i), text.value[i]};
    for (int i = 0; i < a->layer_count; i++) {
        const struct layer *l = &a->layers[i];
        if (l->kind != LAYER_CONV)
            continue;
        struct st_tensor *t = &tensors[count];
        count += 2;
        t[0] = (struct st_tensor){.dims = 4, .shape = {l->cout, l->cin, l->kernel, l->kernel}};
        t[1] = (struct st_tensor){.dims = 1, .shape = {l->cout}};
        snprintf(t[0].name, sizeof t[0].name, "%s.weight", l->name);
        snprintf(t[1].name, sizeof t[1].name, "%s.bias", l->name);
        const size_t fan_in = (size_t)l->cin * (size_t)(l->kernel * l->kernel),
                     sizes[] = {(size_t)l->cout * fan_in, (size_t)l->cout};
        for (int k = 0; k < 2; k++) {
            t[k].data = malloc(sizes[k] * sizeof *t[k].data);
            assert_non_null(t[k].data);
            for (size_t n = 0; n < sizes[k]; n++)
                t[k].data[n] = (float)((rng_uniform(&rng) - 0.5) * (k ? 1 : 4 / sqrt((double)fan_in)));
        }
    }
    const char *path = path_of("random.safetensors");
    assert_int_equal(safetensors_write(path, tensors, count, meta, 1 + ARCH_TEXT_KEYS, &e), ST_OK);
    for (int i = 0; i < count; i++)
        free(tensors[i].data);
    if (weights_open(path, &w, &e) != ST_OK)
        fail_msg("%s", e.text);
    return w;
}

static void encode(const struct weights *w, const float *mean, const float *stddev, struct model *out)
{
    static const struct st_meta meta[] = {{"class_names", "[\"a\",\"b\"]"}};
    const struct onnx_options o = {.mean = mean,
                                   .stddev = stddev,
                                   .producer_version = "1.2.3",
                                   .note = "a note",
                                   .meta = meta,
                                   .meta_count = 1};
    struct strbuf bytes = STRBUF_INIT;
    struct err e = ERR_INIT;
    assert_int_equal(onnx_encode(w, &o, &bytes, &e), ST_OK);
    model_read(bytes.text, bytes.len, out);
    strbuf_release(&bytes);
}

static int count_ops(const struct model *m, const char *op)
{
    int n = 0;
    for (int i = 0; i < m->node_count; i++)
        n += strcmp(m->nodes[i].op, op) == 0;
    return n;
}

/* The model has a node for each layer, every layer's output its shape, and every constant its weights. */
static void check_model(const struct arch *a)
{
    struct weights w = random_weights(a);
    struct model m;
    encode(&w, NULL, NULL, &m);
    assert_int_equal(m.ir_version, 7);
    assert_int_equal(m.opset, 13);
    assert_string_equal(m.note, "a note");
    assert_string_equal(m.meta[0][0], "class_names");
    assert_string_equal(m.meta[0][1], "[\"a\",\"b\"]");
    assert_string_equal(m.input, "input");
    assert_string_equal(m.output, "logits");
    const int64_t input[] = {-1, a->input.c, a->input.h, a->input.w}, output[] = {-1, a->classes};
    assert_memory_equal(m.input_shape, input, sizeof input);
    assert_memory_equal(m.output_shape, output, sizeof output);
    const struct model_value *logits = model_run(&m, 2, NULL);
    assert_non_null(logits);
    assert_int_equal(logits->shape[0], 2);
    assert_int_equal(logits->shape[1], a->classes);
    int convs = 0, pools = 0, sums = 0, relus = 0;
    for (int i = 0; i < a->layer_count; i++) {
        const struct layer *l = &a->layers[i];
        convs += l->kind == LAYER_CONV;
        pools += l->kind == LAYER_MAXPOOL;
        sums += l->kind == LAYER_ADD;
        relus += l->kind == LAYER_CONV && l->relu;
        if (l->kind == LAYER_DROPOUT)
            continue;
        const struct model_value *v = model_find(&m, l->name);
        assert_non_null(v);
        const struct shape *s = &a->tensors[l->out];
        assert_int_equal(v->shape[1], l->kind == LAYER_CONV ? l->cout : s->c);
        assert_int_equal(v->shape[2], s->h);
        assert_int_equal(v->shape[3], s->w);
        for (int k = 0; k < 2 && w.weight[i]; k++) {
            const struct st_tensor *t = k ? w.bias[i] : w.weight[i];
            const struct model_value *c = model_find(&m, t->name);
            assert_non_null(c);
            assert_int_equal(c->dims, t->dims);
            assert_memory_equal(c->shape, t->shape, (size_t)t->dims * sizeof *t->shape);
            assert_memory_equal(c->data, t->data,
                                (size_t)(k ? 1 : l->cin * l->kernel * l->kernel) * (size_t)l->cout *
                                    sizeof(float));
        }
    }
    assert_int_equal(count_ops(&m, "Conv"), convs);
    assert_int_equal(count_ops(&m, "MaxPool"), pools);
    assert_int_equal(count_ops(&m, "Add"), sums);
    assert_int_equal(count_ops(&m, "Relu"), relus);
    assert_int_equal(count_ops(&m, "Dropout"), 0);
    model_release(&m);
    weights_release(&w);
}

static void test_structure_of_presets(void **state)
{
    (void)state;
    for (const char *const *name = design_preset_names(); *name; name++) {
        for (int bypass = BYPASS_NONE; bypass <= BYPASS_COMPLEX; bypass++) {
            struct design d = preset(*name);
            d.meta.base_e = d.meta.incr_e = 16;
            d.macro.bypass = (enum bypass)bypass;
            d.macro.pool_floor = bypass == BYPASS_SIMPLE;
            const struct arch a = build(&d);
            check_model(&a);
        }
        const struct design d = preset(*name);
        const struct arch a = build(&d);
        check_model(&a);
    }
}

/* Images and their normalised form, as training sees them. */

static float pixels[IMAGES * PIXELS_MAX];
static const float mean[3] = {0.49f, 0.48f, 0.45f}, stddev[3] = {0.25f, 0.24f, 0.26f};
static struct shape image;

static int load(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out, size_t pitch)
{
    (void)context;
    (void)seed;
    (void)epoch;
    for (int i = 0; i < image.c * image.h * image.w; i++) {
        const int c = i / (image.h * image.w), row = i / image.w % image.h, column = i % image.w;
        const float pixel = pixels[index * (size_t)(image.c * image.h * image.w) + (size_t)i];
        out[(size_t)row * pitch + (size_t)(column * image.c + c)] = (pixel - mean[c]) / stddev[c];
    }
    return 0;
}

/* The decoded model, run by ONNX's definitions, gives the engine's logits. */
static void check_logits(const struct design *d)
{
    const struct arch a = build(d);
    struct weights w = random_weights(&a);
    struct model m;
    struct trainer *t = NULL;
    struct err e = ERR_INIT;
    struct eval_metrics metrics;
    float logits[IMAGES * 8];
    assert_true(a.classes <= 8 && a.input.c * a.input.h * a.input.w <= PIXELS_MAX);
    image = a.input;
    struct rng rng = rng_stream(2, RNG_TEST, 0, 0);
    for (int i = 0; i < IMAGES * image.c * image.h * image.w; i++)
        pixels[i] = (float)rng_below(&rng, 256) / 255;
    assert_int_equal(trainer_open(path_of("random.safetensors"), 1, &t, &e), ST_OK);
    const struct samples samples = {.count = IMAGES, .load = load};
    assert_int_equal(trainer_evaluate(t, &samples, &metrics, logits, &e), ST_OK);
    trainer_free(t);
    encode(&w, mean, stddev, &m);
    const struct model_value *v = model_run(&m, IMAGES, pixels);
    float largest = 0, spread = 0;
    for (int i = 0; i < IMAGES * a.classes; i++) {
        largest = fmaxf(largest, fabsf(logits[i]));
        spread = fmaxf(spread, fabsf(logits[i] - logits[0]));
    }
    assert_true(spread > 1e-3f * largest && spread > 0); /* else everything would agree */
    for (int i = 0; i < IMAGES * a.classes; i++)
        if (!(fabsf(v->data[i] - logits[i]) < 1e-4f * largest))
            fail_msg("logit %d: %.9g, the engine has %.9g", i, (double)v->data[i], (double)logits[i]);
    model_release(&m);
    weights_release(&w);
}

static struct design small_design(void)
{
    struct design d = preset("small32");
    d.meta.base_e = 6;
    d.meta.incr_e = 3;
    d.meta.sr = 0.5;
    d.macro.classes = 5;
    d.macro.conv1_filters = 10;
    d.macro.input = (struct shape){3, 16, 19};
    return d;
}

static void test_logits(void **state)
{
    (void)state;
    for (int bypass = BYPASS_NONE; bypass <= BYPASS_COMPLEX; bypass++) {
        for (int floor = 0; floor < 2; floor++) {
            struct design d = small_design();
            d.macro.bypass = (enum bypass)bypass;
            d.macro.pool_floor = floor;
            d.macro.conv10_relu = floor;
            d.macro.conv10_pad = bypass == BYPASS_COMPLEX;
            check_logits(&d);
        }
    }
    struct design d = preset("squeezenet-1.1"); /* a strided conv1 */
    d.meta.base_e = d.meta.incr_e = 4;
    d.macro.classes = 5;
    d.macro.input = (struct shape){3, 39, 40};
    d.macro.conv1_filters = 8;
    check_logits(&d);
}

static void test_logits_of_fires_with_one_kind_of_filter(void **state)
{
    (void)state;
    struct design d = small_design();
    d.explicit_fires = true;
    for (int i = 0; i < FIRE_COUNT; i++)
        d.fires[i] = (struct fire){.s1x1 = 3, .e1x1 = i % 3 == 0 ? 0 : 4, .e3x3 = i % 3 == 1 ? 0 : 5};
    d.macro.bypass = BYPASS_COMPLEX;
    const struct arch a = build(&d);
    check_model(&a);
    check_logits(&d);
}

/* The order of a Fire's channels is that of the engine, and the image is normalised before conv1. */
static void test_wiring(void **state)
{
    (void)state;
    const struct design d = small_design();
    const struct arch a = build(&d);
    struct weights w = random_weights(&a);
    struct model m;
    encode(&w, mean, stddev, &m);
    const struct model_node *n = model_node_of(&m, "fire2.concat");
    assert_non_null(n);
    assert_string_equal(n->inputs[0], "fire2.expand1x1");
    assert_string_equal(n->inputs[1], "fire2.expand3x3");
    n = model_node_of(&m, "conv1.linear");
    assert_non_null(n);
    assert_string_equal(n->inputs[0], "input.normalised");
    assert_memory_equal(model_find(&m, "input.mean")->data, mean, sizeof mean);
    assert_memory_equal(model_find(&m, "input.stddev")->data, stddev, sizeof stddev);
    model_release(&m);
    weights_release(&w);
}

static void test_weights_alone(void **state)
{
    (void)state;
    const struct design d = small_design();
    const struct arch a = build(&d);
    struct recipe r = recipe_default();
    struct trainer *t = NULL, *again = NULL;
    struct err e = ERR_INIT;
    struct weights w, copy;
    image = a.input;
    const struct samples samples = {.count = IMAGES, .load = load};
    assert_int_equal(trainer_create(&(struct trainer_config){&a, &r, 7, 1, samples, {0}}, &t, &e), ST_OK);
    assert_int_equal(trainer_save(t, path_of("full.safetensors"), "{\"sweep\":\"x\"}", &e), ST_OK);
    assert_int_equal(weights_open(path_of("full.safetensors"), &w, &e), ST_OK);
    assert_string_equal(w.description, "{\"sweep\":\"x\"}");
    assert_int_equal(weights_write(&w, path_of("alone.safetensors"), &e), ST_OK);
    assert_int_equal(weights_open(path_of("alone.safetensors"), &copy, &e), ST_OK);
    assert_string_equal(copy.description, w.description);
    assert_string_equal(safetensors_meta(copy.file, "seed"), "7");
    assert_null(safetensors_meta(copy.file, "history"));
    assert_true(safetensors_count(w.file) > safetensors_count(copy.file)); /* no optimizer state */
    for (int i = 0; i < safetensors_count(copy.file); i++)
        assert_null(strstr(safetensors_at(copy.file, i)->name, "optimizer"));
    assert_memory_equal(copy.weight[0]->data, w.weight[0]->data,
                        (size_t)(a.layers[0].cout * a.layers[0].cin * 9) * sizeof(float));
    weights_release(&w);
    weights_release(&copy);
    assert_int_equal(trainer_open(path_of("alone.safetensors"), 1, &again, &e), ST_OK);
    trainer_free(again);
    assert_int_equal(trainer_load(t, path_of("alone.safetensors"), &e), ST_USAGE);
    assert_non_null(strstr(e.text, "weights alone"));
    trainer_free(t);
    unlink(path_of("full.safetensors"));
    unlink(path_of("alone.safetensors"));
}

static void test_bad_files(void **state)
{
    (void)state;
    static float one[1] = {1};
    const struct st_tensor tensor = {.name = "x", .dims = 1, .shape = {1}, .data = one};
    const struct st_meta foreign = {"format", "pt"};
    struct weights w;
    struct err e = ERR_INIT;
    const char *path = path_of("bad.safetensors");
    assert_int_equal(weights_open(path, &w, &e), ST_FAILED);
    weights_release(&w);
    assert_int_equal(safetensors_write(path, &tensor, 1, &foreign, 1, &e), ST_OK);
    assert_int_equal(weights_open(path, &w, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, "not a firesweep checkpoint"));
    weights_release(&w);
    const struct design d = small_design();
    const struct arch a = build(&d);
    struct arch_text text;
    struct st_meta meta[1 + ARCH_TEXT_KEYS] = {{"format", WEIGHTS_FORMAT}};
    arch_text_format(&a, &text);
    for (int i = 0; i < ARCH_TEXT_KEYS; i++)
        meta[1 + i] = (struct st_meta){arch_text_key(i), text.value[i]};
    assert_int_equal(safetensors_write(path, &tensor, 1, meta, 1 + ARCH_TEXT_KEYS, &e), ST_OK);
    assert_int_equal(weights_open(path, &w, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, "conv1.weight"));
    weights_release(&w);
    unlink(path);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    const struct design d = small_design();
    const struct arch a = build(&d);
    struct weights w = random_weights(&a);
    const size_t before = mem_live();
    for (size_t n = 1;; n++) {
        struct strbuf bytes = STRBUF_INIT;
        struct err e = ERR_INIT;
        mem_fail_after(n);
        const enum status st =
            onnx_encode(&w, &(struct onnx_options){.producer_version = "1", .note = ""}, &bytes, &e);
        mem_fail_after(0);
        strbuf_release(&bytes);
        assert_int_equal(mem_live(), before);
        if (st == ST_OK)
            break;
        assert_int_equal(st, ST_NOMEM);
        assert_true(n < 1000);
    }
    weights_release(&w);
    unlink(path_of("random.safetensors"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure_of_presets),
        cmocka_unit_test(test_logits),
        cmocka_unit_test(test_logits_of_fires_with_one_kind_of_filter),
        cmocka_unit_test(test_wiring),
        cmocka_unit_test(test_weights_alone),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
