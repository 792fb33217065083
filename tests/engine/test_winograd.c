/* Winograd convolution against naive double-precision loops: odd maps, widths and flags, and the bound on its
 * error. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/winograd.h"

static const char *const isa_names[] = {"generic", "avx2", "avx512"};
enum { ISA_COUNT = 3 };

/* A map of `images` images with a border of one pixel that is zero. */
struct map {
    int images, c, h, w;
    size_t row, image;
    float *data;
};

static struct map map_make(int images, int c, int h, int w, struct rng *r)
{
    struct map m = {images, c, h, w, 0, 0, NULL};
    m.row = (size_t)(w + 2) * (size_t)c;
    m.image = m.row * (size_t)(h + 2);
    m.data = mem_aligned((m.image * (size_t)images + TENSOR_SLACK) * sizeof(float));
    for (int i = 0; i < images; i++)
        for (int y = 0; y < h; y++)
            for (int k = 0; k < w * c; k++)
                m.data[(size_t)i * m.image + (size_t)(y + 1) * m.row + (size_t)(c + k)] =
                    (float)rng_normal(r);
    return m;
}

static float at(const struct map *m, int i, int y, int x, int c)
{
    return m->data[(size_t)i * m->image + (size_t)(y + 1) * m->row + (size_t)((x + 1) * m->c + c)];
}

static struct view view_of(const struct map *m)
{
    return (struct view){m->data + m->row + m->c, (size_t)m->c, m->row, m->image};
}

struct winograd_case {
    int images, h, w, cin, cout;
    unsigned flags;
};

static const struct winograd_case cases[] = {
    {1, 4, 4, 16, 16, 0},
    {2, 8, 8, 16, 64, CONV_RELU},
    {3, 1, 1, 5, 7, 0},
    {2, 2, 3, 17, 33, CONV_MASK},
    {1, 7, 5, 33, 3, CONV_ACCUMULATE},
    {2, 13, 14, 4, 40, CONV_RELU},
    {1, 27, 6, 20, 49, CONV_ACCUMULATE | CONV_MASK},
    {9, 16, 16, 48, 31, 0},
};
enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

struct data {
    struct map x, y, before, mask;
    float *oihw, *panels, *bias, *derived, *scratch;
    struct branch branch;
    struct op op;
};

static struct data data_make(const struct winograd_case *c, const struct kernels *k, struct rng *r)
{
    struct data d = {.x = map_make(c->images, c->cin, c->h, c->w, r),
                     .y = map_make(c->images, c->cout, c->h, c->w, r),
                     .mask = map_make(c->images, c->cout, c->h, c->w, r)};
    d.before = d.y;
    d.before.data = mem_alloc(d.y.image * (size_t)c->images, sizeof(float));
    memcpy(d.before.data, d.y.data, d.y.image * (size_t)c->images * sizeof(float));
    d.branch = (struct branch){
        .cin = c->cin, .cout = c->cout, .kernel = 3, .pad = 1, .k_count = 9 * c->cin, .winograd = true};
    d.op = (struct op){.kind = OP_CONV, .branch_count = 1, .branch = {d.branch}};
    const size_t weights = (size_t)c->cout * (size_t)d.branch.k_count;
    d.oihw = mem_alloc(weights, sizeof(float));
    d.panels = mem_aligned((size_t)panel_channels(c->cout) * (size_t)d.branch.k_count * sizeof(float));
    d.bias = mem_aligned((size_t)panel_channels(c->cout) * sizeof(float));
    d.derived =
        mem_aligned(WINOGRAD_PLANES * (size_t)panel_channels(c->cout) * (size_t)c->cin * sizeof(float));
    const struct shape map = {c->cout, c->h, c->w};
    d.scratch = mem_aligned(winograd_scratch(&d.branch, &map, c->images, true) * sizeof(float));
    for (size_t i = 0; i < weights; i++)
        d.oihw[i] = (float)(rng_normal(r) * sqrt(2.0 / d.branch.k_count));
    for (int o = 0; o < c->cout; o++)
        d.bias[o] = (float)rng_normal(r);
    network_pack(&d.branch, d.oihw, d.panels);
    for (int o0 = 0; o0 < c->cout; o0 += PANEL)
        network_derive(&d.op, &d.branch, o0, k, d.panels, d.derived);
    return d;
}

static void data_release(struct data *d)
{
    mem_free(d->x.data);
    mem_free(d->y.data);
    mem_free(d->before.data);
    mem_free(d->mask.data);
    mem_free(d->oihw);
    mem_free(d->panels);
    mem_free(d->bias);
    mem_free(d->derived);
    mem_free(d->scratch);
}

static double expected(const struct winograd_case *c, const struct data *d, int i, int row, int column, int o)
{
    double sum = d->bias[o];
    for (int k = 0; k < c->cin; k++)
        for (int tap = 0; tap < 9; tap++)
            sum += (double)at(&d->x, i, row + tap / 3 - 1, column + tap % 3 - 1, k) *
                   d->oihw[(o * c->cin + k) * 9 + tap];
    if (c->flags & CONV_RELU && sum < 0)
        sum = 0;
    if (c->flags & CONV_ACCUMULATE)
        sum += at(&d->before, i, row, column, o);
    if (c->flags & CONV_MASK && at(&d->mask, i, row, column, o) <= 0)
        sum = 0;
    return sum;
}

/* Outputs have unit size here, so this is relative: float32 has 6e-8, and the transforms' constants (up to 8
 * and 5, twice) cost about two digits of it. */
static const float error_bound = 6e-5f;

static void check_forward(const struct winograd_case *c, const struct data *d)
{
    for (int i = 0; i < c->images; i++)
        for (int row = -1; row <= c->h; row++)
            for (int column = -1; column <= c->w; column++)
                for (int o = 0; o < c->cout; o++) {
                    const bool inside = row >= 0 && row < c->h && column >= 0 && column < c->w;
                    if (inside)
                        assert_float_equal(at(&d->y, i, row, column, o), expected(c, d, i, row, column, o),
                                           error_bound);
                    else
                        assert_true(at(&d->y, i, row, column, o) == 0);
                }
}

static void run_forward(const struct kernels *k, const struct winograd_case *c, size_t n)
{
    struct rng r = rng_stream(4, RNG_TEST, n, 0);
    struct data d = data_make(c, k, &r);
    winograd_conv(&(struct winograd_conv){.kernels = k,
                                          .x = view_of(&d.x),
                                          .y = view_of(&d.y),
                                          .mask = view_of(&d.mask),
                                          .images = c->images,
                                          .h = c->h,
                                          .w = c->w,
                                          .cin = c->cin,
                                          .cout = c->cout,
                                          .planes = d.derived,
                                          .bias = d.bias,
                                          .flags = c->flags,
                                          .scratch = d.scratch});
    check_forward(c, &d);
    data_release(&d);
}

static void test_forward(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++)
        for (size_t n = 0; kernels_named(isa_names[isa]) && n < CASE_COUNT; n++)
            run_forward(kernels_named(isa_names[isa]), &cases[n], n);
}

static void check_gradient(const struct winograd_case *c, const struct data *d, const float *dw,
                           double before)
{
    float *oihw = mem_alloc((size_t)c->cout * (size_t)d->branch.k_count, sizeof(float));
    const float size = sqrtf((float)(c->images * c->h * c->w));
    network_unpack(&d->branch, dw, oihw);
    for (int o = 0; o < c->cout; o++)
        for (int k = 0; k < c->cin; k++)
            for (int tap = 0; tap < 9; tap++) {
                double sum = before;
                for (int i = 0; i < c->images; i++)
                    for (int row = 0; row < c->h; row++)
                        for (int column = 0; column < c->w; column++)
                            sum += (double)at(&d->x, i, row + tap / 3 - 1, column + tap % 3 - 1, k) *
                                   at(&d->before, i, row, column, o);
                assert_float_equal(oihw[(o * c->cin + k) * 9 + tap], sum, error_bound * size);
            }
    mem_free(oihw);
}

static void run_gradient(const struct kernels *k, const struct winograd_case *c, size_t n)
{
    struct rng r = rng_stream(5, RNG_TEST, n, 0);
    struct data d = data_make(c, k, &r);
    const size_t floats = (size_t)panel_channels(c->cout) * (size_t)d.branch.k_count;
    float *dw = mem_aligned(floats * sizeof(float));
    struct winograd_gradient g = {.kernels = k,
                                  .x = view_of(&d.x),
                                  .dy = view_of(&d.y),
                                  .images = c->images,
                                  .h = c->h,
                                  .w = c->w,
                                  .cin = c->cin,
                                  .cout = c->cout,
                                  .dw = dw,
                                  .scratch = d.scratch};
    /* Overwriting must not read what was there; the padding channels stay zero. */
    for (size_t i = 0; i < floats; i++)
        dw[i] = NAN;
    winograd_gradient(&g);
    check_gradient(c, &d, dw, 0);
    for (int o = c->cout; o < panel_channels(c->cout); o++)
        for (int row = 0; row < d.branch.k_count; row++)
            assert_true(
                dw[panel_start(o, d.branch.k_count) + (size_t)(row * panel_width(o, c->cout) + o % PANEL)] ==
                0);
    for (size_t i = 0; i < floats; i++)
        dw[i] = 1;
    g.accumulate = true;
    winograd_gradient(&g);
    check_gradient(c, &d, dw, 1);
    mem_free(dw);
    data_release(&d);
}

static void test_gradient(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++)
        for (size_t n = 0; kernels_named(isa_names[isa]) && n < CASE_COUNT; n++)
            run_gradient(kernels_named(isa_names[isa]), &cases[n], n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forward), cmocka_unit_test(test_gradient)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
