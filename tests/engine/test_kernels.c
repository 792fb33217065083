/* Every kernel of every instruction set against naive loops, over odd sizes, strides, paddings and flags. */
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
#include "engine/kernels.h"
#include "engine/network.h"

static const char *const isa_names[] = {"generic", "avx2", "avx512"};
enum { ISA_COUNT = 3 };

/* A tensor of a few images with a border, filled with small numbers inside and out (a border of zeros is the
 * caller's choice). */
struct tensor {
    int images, c, h, w, border;
    size_t row, image, floats;
    float *data;
};

static struct tensor tensor_make(int images, int c, int h, int w, int border)
{
    struct tensor t = {images, c, h, w, border, 0, 0, 0, NULL};
    t.row = (size_t)(w + 2 * border) * (size_t)c;
    t.image = t.row * (size_t)(h + 2 * border);
    t.floats = t.image * (size_t)images;
    t.data = mem_aligned((t.floats + TENSOR_SLACK) * sizeof(float));
    assert_non_null(t.data);
    return t;
}

static float *tensor_at(const struct tensor *t, int i, int y, int x, int c)
{
    return t->data + (size_t)i * t->image + (size_t)(y + t->border) * t->row +
           (size_t)(x + t->border) * (size_t)t->c + (size_t)c;
}

static struct view tensor_view(const struct tensor *t, int c0)
{
    return (struct view){tensor_at(t, 0, 0, 0, c0), (size_t)t->c, t->row, t->image};
}

static void fill_inside(struct tensor *t, struct rng *r)
{
    for (int i = 0; i < t->images; i++)
        for (int y = 0; y < t->h; y++)
            for (int x = 0; x < t->w; x++)
                for (int c = 0; c < t->c; c++)
                    *tensor_at(t, i, y, x, c) = (float)(rng_uniform(r) * 2 - 1);
}

static void fill_all(struct tensor *t, struct rng *r)
{
    for (size_t k = 0; k < t->floats + TENSOR_SLACK; k++)
        t->data[k] = (float)(rng_uniform(r) * 2 - 1);
}

struct conv_case {
    int images, cin, h, w, kernel, stride, pad, cout, c0, extra; /* y has c0 + cout + extra channels */
    unsigned flags;
};

static const struct conv_case conv_cases[] = {
    {1, 1, 5, 5, 1, 1, 0, 1, 0, 0, 0},
    {2, 3, 7, 9, 3, 1, 1, 5, 0, 0, CONV_RELU},
    {3, 4, 8, 8, 3, 1, 1, 16, 3, 2, CONV_RELU},
    {1, 3, 15, 13, 7, 2, 0, 33, 0, 0, CONV_RELU},
    {1, 2, 11, 12, 5, 3, 2, 17, 1, 1, 0},
    {2, 16, 4, 4, 1, 1, 0, 127, 0, 1, CONV_RELU},
    {2, 16, 4, 4, 3, 1, 1, 1, 127, 0, CONV_RELU},
    {5, 5, 3, 3, 3, 1, 1, 31, 0, 3, CONV_MASK},
    {2, 7, 6, 5, 1, 1, 0, 48, 2, 2, CONV_ACCUMULATE},
    {2, 7, 6, 5, 3, 1, 1, 64, 0, 0, CONV_ACCUMULATE | CONV_MASK},
    {1, 13, 1, 1, 1, 1, 0, 10, 0, 0, 0},
    {4, 9, 13, 1, 1, 1, 1, 20, 0, 0, 0},
    {1, 3, 9, 9, 11, 4, 5, 8, 0, 0, CONV_RELU},
};

static int out_size(int size, const struct conv_case *c)
{
    return (size + 2 * c->pad - c->kernel) / c->stride + 1;
}

/* Everything one case needs. */
struct conv_data {
    struct tensor x, y, before, mask;
    struct branch branch;
    float *oihw, *panels, *bias;
    int out_h, out_w;
};

static struct conv_data conv_data_make(const struct conv_case *c, struct rng *r)
{
    struct conv_data d = {.out_h = out_size(c->h, c), .out_w = out_size(c->w, c)};
    const int channels = c->c0 + c->cout + c->extra;
    d.x = tensor_make(c->images, c->cin, c->h, c->w, c->pad);
    d.y = tensor_make(c->images, channels, d.out_h, d.out_w, 1);
    d.before = tensor_make(c->images, channels, d.out_h, d.out_w, 1);
    d.mask = tensor_make(c->images, channels, d.out_h, d.out_w, 0);
    fill_inside(&d.x, r);
    fill_all(&d.y, r);
    memcpy(d.before.data, d.y.data, d.y.floats * sizeof(float));
    fill_all(&d.mask, r);
    d.branch = (struct branch){
        .cin = c->cin, .cout = c->cout, .kernel = c->kernel, .k_count = c->kernel * c->kernel * c->cin};
    const size_t weights = (size_t)c->cout * (size_t)d.branch.k_count;
    d.oihw = mem_alloc(weights, sizeof(float));
    d.panels = mem_aligned((size_t)panel_channels(c->cout) * (size_t)d.branch.k_count * sizeof(float));
    d.bias = mem_aligned((size_t)panel_channels(c->cout) * sizeof(float));
    for (size_t k = 0; k < weights; k++)
        d.oihw[k] = (float)(rng_uniform(r) * 2 - 1);
    for (int k = 0; k < c->cout; k++)
        d.bias[k] = (float)rng_uniform(r);
    network_pack(&d.branch, d.oihw, d.panels);
    return d;
}

static void conv_data_release(struct conv_data *d)
{
    mem_free(d->x.data);
    mem_free(d->y.data);
    mem_free(d->before.data);
    mem_free(d->mask.data);
    mem_free(d->oihw);
    mem_free(d->panels);
    mem_free(d->bias);
}

static struct view padded(const struct tensor *x)
{
    struct view v = tensor_view(x, 0);
    v.data = x->data;
    return v;
}

static double conv_expected(const struct conv_case *c, const struct conv_data *d, int image, int row,
                            int column, int o)
{
    double sum = d->bias[o];
    for (int i = 0; i < c->cin; i++)
        for (int ky = 0; ky < c->kernel; ky++)
            for (int kx = 0; kx < c->kernel; kx++) {
                const int y = row * c->stride - c->pad + ky, x = column * c->stride - c->pad + kx;
                if (y >= 0 && y < c->h && x >= 0 && x < c->w)
                    sum += (double)*tensor_at(&d->x, image, y, x, i) *
                           d->oihw[((o * c->cin + i) * c->kernel + ky) * c->kernel + kx];
            }
    if (c->flags & CONV_RELU && sum < 0)
        sum = 0;
    if (c->flags & CONV_ACCUMULATE)
        sum += *tensor_at(&d->before, image, row, column, c->c0 + o);
    if (c->flags & CONV_MASK && *tensor_at(&d->mask, image, row, column, c->c0 + o) <= 0)
        sum = 0;
    return sum;
}

static void check_conv(const struct conv_case *c, const struct conv_data *d)
{
    for (int image = 0; image < c->images; image++)
        for (int row = 0; row < d->out_h; row++)
            for (int column = 0; column < d->out_w; column++)
                for (int o = 0; o < c->cout; o++)
                    assert_float_equal(*tensor_at(&d->y, image, row, column, c->c0 + o),
                                       conv_expected(c, d, image, row, column, o), 2e-4);
}

/* Nothing but the slice's pixels may change: neighbours' channels, the border, the slack. */
static void check_untouched(const struct conv_case *c, const struct conv_data *d)
{
    const struct tensor *y = &d->y;
    for (int image = 0; image < y->images; image++)
        for (int row = -1; row <= y->h; row++)
            for (int column = -1; column <= y->w; column++)
                for (int k = 0; k < y->c; k++) {
                    const bool inside = row >= 0 && row < y->h && column >= 0 && column < y->w &&
                                        k >= c->c0 && k < c->c0 + c->cout;
                    if (!inside)
                        assert_true(*tensor_at(y, image, row, column, k) ==
                                    *tensor_at(&d->before, image, row, column, k));
                }
}

static void test_conv(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        const struct kernels *k = kernels_named(isa_names[isa]);
        for (size_t n = 0; k && n < sizeof conv_cases / sizeof conv_cases[0]; n++) {
            const struct conv_case *c = &conv_cases[n];
            struct rng r = rng_stream(1, RNG_TEST, n, 0);
            struct conv_data d = conv_data_make(c, &r);
            struct segment rows[NETWORK_MAX_KERNEL];
            for (int ky = 0; ky < c->kernel; ky++)
                rows[ky] = (struct segment){(ptrdiff_t)((size_t)ky * d.x.row), c->kernel * c->cin};
            const struct conv_job job = {.x = padded(&d.x),
                                         .y = tensor_view(&d.y, c->c0),
                                         .mask = tensor_view(&d.mask, c->c0),
                                         .images = c->images,
                                         .h = d.out_h,
                                         .w = d.out_w,
                                         .stride = c->stride,
                                         .channels = c->cout,
                                         .weights = d.panels,
                                         .bias = d.bias,
                                         .segment_count = c->kernel,
                                         .segments = rows,
                                         .flags = c->flags};
            k->conv(&job);
            check_conv(c, &d);
            check_untouched(c, &d);
            conv_data_release(&d);
        }
    }
}

static void check_weight_gradient(const struct conv_case *c, const struct conv_data *d, const float *dw,
                                  const float *db, double before)
{
    float *oihw = mem_alloc((size_t)c->cout * (size_t)d->branch.k_count, sizeof(float));
    network_unpack(&d->branch, dw, oihw);
    for (int o = 0; o < c->cout; o++) {
        double bias = before;
        for (int image = 0; image < c->images; image++)
            for (int row = 0; row < d->out_h; row++)
                for (int column = 0; column < d->out_w; column++)
                    bias += *tensor_at(&d->y, image, row, column, c->c0 + o);
        assert_float_equal(db[o], bias, 1e-3);
        for (int k = 0; k < c->cin * c->kernel * c->kernel; k++) {
            const int i = k / (c->kernel * c->kernel), ky = k / c->kernel % c->kernel, kx = k % c->kernel;
            double sum = before;
            for (int image = 0; image < c->images; image++)
                for (int row = 0; row < d->out_h; row++)
                    for (int column = 0; column < d->out_w; column++) {
                        const int y = row * c->stride - c->pad + ky, x = column * c->stride - c->pad + kx;
                        if (y >= 0 && y < c->h && x >= 0 && x < c->w)
                            sum += (double)*tensor_at(&d->x, image, y, x, i) *
                                   *tensor_at(&d->y, image, row, column, c->c0 + o);
                    }
            assert_float_equal(oihw[o * d->branch.k_count + k], sum, 1e-3);
        }
    }
    mem_free(oihw);
}

/* Padding of the last panel must stay zero: the optimizer and the gradient norm run over it. */
static void check_padding_zero(const struct conv_case *c, const struct conv_data *d, const float *dw,
                               const float *db)
{
    for (int o = c->cout; o < panel_channels(c->cout); o++) {
        assert_true(db[o] == 0);
        for (int k = 0; k < d->branch.k_count; k++)
            assert_true(
                dw[panel_start(o, d->branch.k_count) + (size_t)(k * panel_width(o, c->cout) + o % PANEL)] ==
                0);
    }
}

static void set_weights(const struct conv_case *c, const struct conv_data *d, float *dw, float *db,
                        float value)
{
    for (int o = 0; o < c->cout; o++) {
        db[o] = value;
        for (int k = 0; k < d->branch.k_count; k++)
            dw[panel_start(o, d->branch.k_count) + (size_t)(k * panel_width(o, c->cout) + o % PANEL)] = value;
    }
}

static void test_weight_gradient(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        const struct kernels *k = kernels_named(isa_names[isa]);
        for (size_t n = 0; k && n < sizeof conv_cases / sizeof conv_cases[0]; n++) {
            const struct conv_case *c = &conv_cases[n];
            struct rng r = rng_stream(2, RNG_TEST, n, 0);
            struct conv_data d = conv_data_make(c, &r);
            const size_t floats = (size_t)panel_channels(c->cout) * (size_t)d.branch.k_count;
            float *dw = mem_aligned(floats * sizeof(float));
            float *db = mem_aligned((size_t)panel_channels(c->cout) * sizeof(float));
            struct weight_gradient_job job = {.x = padded(&d.x),
                                              .dy = tensor_view(&d.y, c->c0),
                                              .images = c->images,
                                              .h = d.out_h,
                                              .w = d.out_w,
                                              .stride = c->stride,
                                              .kernel_rows = c->kernel,
                                              .row_length = c->kernel * c->cin,
                                              .channels = c->cout,
                                              .dw = dw,
                                              .db = db,
                                              .accumulate = false};
            /* Overwriting must not read what was there. */
            set_weights(c, &d, dw, db, NAN);
            k->weight_gradient(&job);
            k->bias_gradient(&job);
            check_weight_gradient(c, &d, dw, db, 0);
            check_padding_zero(c, &d, dw, db);
            set_weights(c, &d, dw, db, 1);
            job.accumulate = true;
            k->weight_gradient(&job);
            k->bias_gradient(&job);
            check_weight_gradient(c, &d, dw, db, 1);
            check_padding_zero(c, &d, dw, db);
            mem_free(dw);
            mem_free(db);
            conv_data_release(&d);
        }
    }
}

struct pool_case {
    int images, c, h, w, out_h, out_w;
};

/* Ceil and floor sizes of odd and even maps; the last windows are clipped. */
static const struct pool_case pool_cases[] = {
    {2, 5, 8, 8, 4, 4}, {1, 17, 7, 9, 3, 4}, {1, 33, 8, 7, 4, 3}, {2, 16, 8, 8, 3, 3},  {1, 1, 2, 2, 1, 1},
    {1, 6, 5, 5, 2, 2}, {1, 40, 3, 2, 1, 1}, {2, 4, 9, 10, 4, 5}, {1, 48, 10, 9, 4, 4},
};

/* The winner's position in the input, first of equals in reading order. */
static void pool_winner(const struct pool_case *p, const struct tensor *x, int image, int row, int column,
                        int c, int *wy, int *wx)
{
    *wy = *wx = -1;
    for (int ky = 0; ky < 3; ky++)
        for (int kx = 0; kx < 3; kx++) {
            const int iy = row * 2 + ky, ix = column * 2 + kx;
            if (iy >= p->h || ix >= p->w)
                continue;
            if (*wy < 0 || *tensor_at(x, image, iy, ix, c) > *tensor_at(x, image, *wy, *wx, c)) {
                *wy = iy;
                *wx = ix;
            }
        }
}

static void check_pool(const struct pool_case *p, const struct tensor *x, const struct tensor *y,
                       const struct tensor *dx, const struct tensor *dy, bool masked)
{
    struct tensor expected = tensor_make(p->images, p->c, p->h, p->w, 0);
    for (int image = 0; image < p->images; image++)
        for (int row = 0; row < p->out_h; row++)
            for (int column = 0; column < p->out_w; column++)
                for (int c = 0; c < p->c; c++) {
                    int wy, wx;
                    pool_winner(p, x, image, row, column, c, &wy, &wx);
                    assert_true(*tensor_at(y, image, row, column, c) == *tensor_at(x, image, wy, wx, c));
                    *tensor_at(&expected, image, wy, wx, c) += *tensor_at(dy, image, row, column, c);
                }
    for (int image = 0; image < p->images; image++)
        for (int row = 0; row < p->h; row++)
            for (int column = 0; column < p->w; column++)
                for (int c = 0; c < p->c; c++) {
                    float want = *tensor_at(&expected, image, row, column, c);
                    if (masked && *tensor_at(x, image, row, column, c) <= 0)
                        want = 0;
                    assert_float_equal(*tensor_at(dx, image, row, column, c), want, 1e-5);
                }
    mem_free(expected.data);
}

static void run_pool(const struct kernels *k, const struct pool_case *p, size_t n, bool masked)
{
    struct rng r = rng_stream(3, RNG_TEST, n, 0);
    struct tensor x = tensor_make(p->images, p->c, p->h, p->w, 0),
                  dx = tensor_make(p->images, p->c, p->h, p->w, 1);
    struct tensor y = tensor_make(p->images, p->c, p->out_h, p->out_w, 1),
                  dy = tensor_make(p->images, p->c, p->out_h, p->out_w, 0);
    uint8_t *arg = mem_alloc((size_t)(p->images * p->out_h * p->out_w * p->c + TENSOR_SLACK), 1);
    fill_all(&x, &r);
    /* Ties: the first of equal values wins. */
    for (size_t i = 0; i < x.floats; i += 3)
        x.data[i] = 0.5f;
    for (size_t i = 0; masked && i < x.floats; i++)
        x.data[i] = x.data[i] > 0 ? x.data[i] : 0;
    fill_all(&dy, &r);
    struct pool_job job = {.x = tensor_view(&x, 0),
                           .y = tensor_view(&y, 0),
                           .images = p->images,
                           .in_h = p->h,
                           .in_w = p->w,
                           .out_h = p->out_h,
                           .out_w = p->out_w,
                           .channels = p->c,
                           .arg = arg,
                           .relu = masked};
    k->maxpool_forward(&job);
    job.x = tensor_view(&dx, 0);
    job.y = tensor_view(&dy, 0);
    k->maxpool_backward(&job);
    check_pool(p, &x, &y, &dx, &dy, masked);
    mem_free(x.data);
    mem_free(dx.data);
    mem_free(y.data);
    mem_free(dy.data);
    mem_free(arg);
}

static void test_pool(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        const struct kernels *k = kernels_named(isa_names[isa]);
        for (size_t n = 0; k && n < sizeof pool_cases / sizeof pool_cases[0]; n++) {
            run_pool(k, &pool_cases[n], n, false);
            run_pool(k, &pool_cases[n], n, true);
        }
    }
}

static void test_selection(void **state)
{
    (void)state;
    const struct kernels *k;
    struct err e = ERR_INIT;
    setenv("FIRESWEEP_ISA", "generic", 1);
    assert_int_equal(kernels_select(&k, &e), ST_OK);
    assert_string_equal(k->name, "generic");
    setenv("FIRESWEEP_ISA", "sse9", 1);
    assert_int_equal(kernels_select(&k, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "FIRESWEEP_ISA: \"sse9\""));
    unsetenv("FIRESWEEP_ISA");
    assert_null(kernels_named("sse9"));
}

static void test_network_transpose(void **state)
{
    (void)state;
    /* A 3x3 branch and a 1x1 branch of odd widths: row (branch, tap, o), column i. */
    struct op op = {.kind = OP_CONV, .branch_count = 2, .wants_dx = true};
    op.branch[0] = (struct branch){.cin = 5, .cout = 3, .kernel = 1, .k_count = 5, .weights = 0};
    op.branch[1] = (struct branch){.cin = 5, .cout = 35, .kernel = 3, .k_count = 45, .weights = 16 * 5};
    op.transposed_k = 3 + 9 * 35;
    float params[16 * 5 + 48 * 45] = {0}, transposed[16 * (3 + 9 * 35)] = {0}, oihw[35 * 45];
    for (int k = 0; k < 35 * 45; k++)
        oihw[k] = (float)(k + 1);
    network_pack(&op.branch[0], oihw, params);
    network_pack(&op.branch[1], oihw, params + op.branch[1].weights);
    for (int b = 0; b < 2; b++)
        for (int o0 = 0; o0 < op.branch[b].cout; o0 += PANEL)
            network_derive(&op, &op.branch[b], o0, kernels_named("generic"), params, transposed);
    for (int o = 0; o < 3; o++)
        for (int i = 0; i < 5; i++)
            assert_true(transposed[o * 16 + i] == oihw[o * 5 + i]);
    for (int tap = 0; tap < 9; tap++)
        for (int o = 0; o < 35; o++)
            for (int i = 0; i < 16; i++)
                assert_true(transposed[(3 + tap * 35 + o) * 16 + i] ==
                            (i < 5 ? oihw[(o * 5 + i) * 9 + tap] : 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_conv), cmocka_unit_test(test_weight_gradient),
                                       cmocka_unit_test(test_pool), cmocka_unit_test(test_selection),
                                       cmocka_unit_test(test_network_transpose)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
