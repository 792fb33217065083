/* One image at a time: memory as allocated, the values of a network without what gradients need, and what a
 * measurement reports. Nothing here depends on how fast the machine is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/inference.h"
#include "engine/pass.h"
#include "metamodel/cost.h"

enum { BLOCKS_MAX = 4096 };

/* What the engine's blocks take, by the linker's --wrap. */
static struct {
    size_t live, peak;
    int count;
    struct {
        void *p;
        size_t bytes;
    } blocks[BLOCKS_MAX];
} heap;

void *real_aligned(size_t bytes) __asm__("__real_mem_aligned");
void *counted_aligned(size_t bytes) __asm__("__wrap_mem_aligned");
void real_free(void *p) __asm__("__real_mem_free");
void counted_free(void *p) __asm__("__wrap_mem_free");

void *counted_aligned(size_t bytes)
{
    void *p = real_aligned(bytes);
    if (p && heap.count < BLOCKS_MAX) {
        heap.blocks[heap.count].p = p;
        heap.blocks[heap.count++].bytes = bytes;
        heap.live += bytes;
        heap.peak = heap.live > heap.peak ? heap.live : heap.peak;
    }
    return p;
}

void counted_free(void *p)
{
    for (int i = 0; p && i < heap.count; i++) {
        if (heap.blocks[i].p == p) {
            heap.live -= heap.blocks[i].bytes;
            heap.blocks[i].p = NULL;
        }
    }
    real_free(p);
}

static struct arch make_arch(const char *preset, int base_e, double sr, double pct3x3, enum bypass bypass)
{
    struct design d;
    struct arch a = {0};
    struct err e = ERR_INIT;
    assert_int_equal(design_preset(preset, &d, &e), ST_OK);
    d.macro.bypass = bypass;
    d.meta = (struct metaparams){base_e, base_e, 2, sr, pct3x3};
    assert_int_equal(arch_build(&d, &a, &e), ST_OK);
    return a;
}

static const struct {
    const char *preset;
    double sr, pct3x3;
    int base_e;
    enum bypass bypass;
} cases[] = {
    {"small32", 0.125, 0.5, 8, BYPASS_NONE},        {"small32", 0.5, 0.25, 16, BYPASS_SIMPLE},
    {"small32", 1.0, 1.0, 16, BYPASS_NONE},         {"small32", 0.25, 0.01, 32, BYPASS_COMPLEX},
    {"small32", 0.5, 0.0, 32, BYPASS_NONE},         {"squeezenet-1.1", 0.125, 0.5, 128, BYPASS_NONE},
    {"squeezenet-1.0", 0.75, 0.5, 32, BYPASS_NONE},
};
enum { CASES = sizeof cases / sizeof *cases };

static struct arch arch_of(int i)
{
    return make_arch(cases[i].preset, cases[i].base_e, cases[i].sr, cases[i].pct3x3, cases[i].bypass);
}

/* The prediction is what is allocated, to the byte; one image at a time takes no more than tiles do. */
static void test_memory_is_what_is_allocated(void **state)
{
    (void)state;
    for (int i = 0; i < CASES - 2; i++) {
        for (int winograd = 0; winograd < 2; winograd++) {
            const struct arch a = arch_of(i);
            struct inference_memory m = {0};
            struct inference_speed s = {0};
            memset(&heap, 0, sizeof heap);
            assert_int_equal(inference_memory(&a, winograd, &m, NULL), ST_OK);
            assert_int_equal(heap.count, 0);
            assert_int_equal(inference_measure(&a, winograd, 0, &s, NULL), ST_OK);
            /* weights, derived weights, one image's block, then that of a tile */
            assert_int_equal(heap.count, 4);
            assert_int_equal(heap.blocks[0].bytes + heap.blocks[1].bytes, m.weight_bytes);
            assert_int_equal(heap.blocks[2].bytes, m.activation_bytes);
            assert_true(heap.blocks[3].bytes >= heap.blocks[2].bytes);
            assert_int_equal(s.memory.weight_bytes, m.weight_bytes);
            assert_int_equal(s.memory.activation_bytes, m.activation_bytes);
            assert_int_equal(heap.live, 0);
        }
    }
}

/* The metamodel counts the tensors that are live at one layer; the engine adds borders and the scratch of
 * Winograd's transforms, and never needs less. */
static void test_memory_against_the_metamodel(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const struct arch a = arch_of(i);
        struct cost cost;
        struct inference_memory direct = {0}, winograd = {0};
        arch_cost(&a, &cost);
        assert_int_equal(inference_memory(&a, false, &direct, NULL), ST_OK);
        assert_int_equal(inference_memory(&a, true, &winograd, NULL), ST_OK);
        const double ratio = (double)direct.activation_bytes / (double)cost.activation_bytes;
        print_message(
            "%s base_e %d SR %g pct3x3 %g: %.0f KiB by the metamodel, x %.3f direct, x %.3f winograd\n",
            cases[i].preset, cases[i].base_e, cases[i].sr, cases[i].pct3x3,
            (double)cost.activation_bytes / 1024, ratio,
            (double)winograd.activation_bytes / (double)cost.activation_bytes);
        assert_true(ratio >= 1 && ratio < 1.2);
        assert_true(winograd.activation_bytes >= direct.activation_bytes);
        assert_true(direct.weight_bytes >= cost.model_bytes);
        assert_true(winograd.weight_bytes >= direct.weight_bytes);
    }
}

struct built {
    struct network n;
    struct plan plan;
    float *params, *derived, *block;
};

static bool build(struct built *b, const struct arch *a, const struct kernels *k, bool forward_only)
{
    const struct network_options options = {.winograd = true, .forward_only = forward_only};
    assert_int_equal(network_init(&b->n, a, options, NULL), ST_OK);
    assert_int_equal(plan_init(&b->plan, &b->n, 1, false, NULL), ST_OK);
    b->params = mem_aligned((b->n.param_floats + TENSOR_SLACK) * sizeof(float));
    b->derived = mem_aligned((b->n.derived_floats + TENSOR_SLACK) * sizeof(float));
    b->block = mem_aligned(b->plan.floats * sizeof(float));
    if (!b->params || !b->derived || !b->block)
        return false;
    struct rng r = rng_stream(3, RNG_TEST, 0, 0);
    for (size_t i = 0; i < b->n.param_floats; i++)
        b->params[i] = (float)(0.1 * rng_normal(&r));
    network_derive_all(&b->n, k, b->params, b->derived);
    return true;
}

static const float *logits_of(const struct built *b, const struct kernels *k, struct pass *p)
{
    struct rng r = rng_stream(4, RNG_TEST, 0, 0);
    const struct shape *s = &b->n.arch.input;
    size_t pitch;
    *p = (struct pass){.network = &b->n,
                       .plan = &b->plan,
                       .kernels = k,
                       .params = b->params,
                       .derived = b->derived,
                       .block = b->block};
    float *image = pass_image(p, 0, &pitch);
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w * s->c; x++)
            image[(size_t)y * pitch + (size_t)x] = (float)rng_normal(&r);
    pass_forward(p, 1, NULL);
    return pass_logits(p, 0);
}

static void release(struct built *b)
{
    mem_free(b->params);
    mem_free(b->derived);
    mem_free(b->block);
}

/* Leaving out what gradients need changes no value, and saves memory. */
static void test_forward_only_gives_the_same_values(void **state)
{
    (void)state;
    const struct kernels *k = NULL;
    assert_int_equal(kernels_select(&k, NULL), ST_OK);
    for (int i = 0; i < CASES - 2; i++) {
        const struct arch a = arch_of(i);
        struct built whole = {0}, lean = {0};
        struct pass p, q;
        if (build(&whole, &a, k, false) && build(&lean, &a, k, true)) {
            const float *x = logits_of(&whole, k, &p), *y = logits_of(&lean, k, &q);
            assert_memory_equal(x, y, (size_t)a.classes * sizeof(float));
            assert_true(lean.n.derived_floats < whole.n.derived_floats);
            assert_int_equal(lean.n.param_floats, whole.n.param_floats);
        } else {
            fail_msg("out of memory");
        }
        release(&whole);
        release(&lean);
    }
}

static void test_measurement(void **state)
{
    (void)state;
    const struct arch a = arch_of(0);
    struct inference_speed s = {0};
    assert_int_equal(inference_measure(&a, true, 0.02, &s, NULL), ST_OK);
    assert_true(s.latency_ms > 0 && s.latency_p95_ms >= s.latency_ms);
    assert_true(s.images_per_s > 0);
    assert_true(s.repetitions >= 5 && s.repetitions <= 400);
    assert_true(s.tile >= 1);
    assert_true(s.cpu_share > 0 && s.cpu_share <= 1);
}

/* Each allocation in turn fails: a clean error, nothing left. */
static void test_without_memory(void **state)
{
    (void)state;
    const struct arch a = arch_of(0);
    const size_t live = mem_live();
    enum status st = ST_NOMEM;
    for (size_t n = 1; n < 20 && st != ST_OK; n++) {
        struct inference_speed s;
        struct err e = ERR_INIT;
        mem_fail_after(n);
        st = inference_measure(&a, true, 0, &s, &e);
        mem_fail_after(0);
        assert_true(st == ST_OK ? n > 4 : st == ST_NOMEM);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(st, ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_what_is_allocated),
        cmocka_unit_test(test_memory_against_the_metamodel),
        cmocka_unit_test(test_forward_only_gives_the_same_values),
        cmocka_unit_test(test_measurement),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
