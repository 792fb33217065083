#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t elements(const struct shape *s)
{
    return (size_t)s->c * (size_t)s->h * (size_t)s->w;
}

static double at(const double *x, const struct shape *s, int c, int y, int k)
{
    if (y < 0 || y >= s->h || k < 0 || k >= s->w)
        return 0;
    return x[((size_t)c * (size_t)s->h + (size_t)y) * (size_t)s->w + (size_t)k];
}

static double *at_write(double *x, const struct shape *s, int c, int y, int k)
{
    return &x[((size_t)c * (size_t)s->h + (size_t)y) * (size_t)s->w + (size_t)k];
}

void reference_weights_init(struct reference_weights *w, const struct arch *a)
{
    memset(w, 0, sizeof *w);
    for (int i = 0; i < a->layer_count; i++) {
        const struct layer *l = &a->layers[i];
        if (l->kind != LAYER_CONV)
            continue;
        w->weight[i] =
            calloc((size_t)l->cout * (size_t)l->cin * (size_t)(l->kernel * l->kernel), sizeof(double));
        w->bias[i] = calloc((size_t)l->cout, sizeof(double));
    }
}

void reference_weights_release(struct reference_weights *w)
{
    for (int i = 0; i < ARCH_MAX_LAYERS; i++) {
        free(w->weight[i]);
        free(w->bias[i]);
    }
}

static void conv(const struct layer *l, const struct shape *in, const struct shape *out, const double *x,
                 const double *w, const double *b, double *y)
{
    for (int o = 0; o < l->cout; o++)
        for (int r = 0; r < out->h; r++)
            for (int c = 0; c < out->w; c++) {
                double sum = b[o];
                for (int i = 0; i < l->cin; i++)
                    for (int ky = 0; ky < l->kernel; ky++)
                        for (int kx = 0; kx < l->kernel; kx++)
                            sum += w[((o * l->cin + i) * l->kernel + ky) * l->kernel + kx] *
                                   at(x, in, i, r * l->stride - l->pad + ky, c * l->stride - l->pad + kx);
                *at_write(y, out, l->out_c0 + o, r, c) = l->relu && sum < 0 ? 0 : sum;
            }
}

static void pool(const struct layer *l, const struct shape *in, const struct shape *out, const double *x,
                 double *y)
{
    for (int c = 0; c < in->c; c++)
        for (int r = 0; r < out->h; r++)
            for (int k = 0; k < out->w; k++) {
                double best = -INFINITY;
                for (int ky = 0; ky < l->kernel; ky++)
                    for (int kx = 0; kx < l->kernel; kx++) {
                        const int row = r * l->stride - l->pad + ky, column = k * l->stride - l->pad + kx;
                        if (row >= 0 && row < in->h && column >= 0 && column < in->w)
                            best = fmax(best, at(x, in, c, row, column));
                    }
                *at_write(y, out, c, r, k) = best;
            }
}

static void average(const struct shape *in, const double *x, double *y)
{
    const int area = in->h * in->w;
    for (int c = 0; c < in->c; c++) {
        y[c] = 0;
        for (int k = 0; k < area; k++)
            y[c] += x[c * area + k] / area;
    }
}

static void run_layer(const struct arch *a, const struct reference_weights *w, int i, double *const *tensors,
                      const double *keep)
{
    const struct layer *l = &a->layers[i];
    const struct shape *in = &a->tensors[l->in], *out = &a->tensors[l->out];
    const double *x = tensors[l->in];
    double *y = tensors[l->out];
    switch (l->kind) {
    case LAYER_CONV:
        conv(l, in, out, x, w->weight[i], w->bias[i], y);
        break;
    case LAYER_MAXPOOL:
        pool(l, in, out, x, y);
        break;
    case LAYER_ADD:
        for (size_t k = 0; k < elements(out); k++)
            y[k] = x[k] + tensors[l->in2][k];
        break;
    case LAYER_DROPOUT:
        for (size_t k = 0; k < elements(out); k++)
            y[k] = x[k] * (keep ? keep[k] : 1);
        break;
    case LAYER_AVGPOOL:
        average(in, x, y);
        break;
    }
}

void reference_logits(const struct arch *a, const struct reference_weights *w, const double *image,
                      const double *keep, double *logits)
{
    double *tensors[ARCH_MAX_TENSORS];
    tensors[0] = calloc(elements(&a->input), sizeof(double));
    for (int t = 1; t < a->tensor_count; t++)
        tensors[t] = calloc(elements(&a->tensors[t]), sizeof(double));
    memcpy(tensors[0], image, elements(&a->input) * sizeof(double));
    for (int i = 0; i < a->layer_count; i++)
        run_layer(a, w, i, tensors, keep);
    memcpy(logits, tensors[a->tensor_count - 1], (size_t)a->classes * sizeof(double));
    free(tensors[0]);
    for (int t = 1; t < a->tensor_count; t++)
        free(tensors[t]);
}

double reference_loss(const double *logits, int classes, int label, double smoothing)
{
    double sum = 0, loss = 0;
    for (int c = 0; c < classes; c++)
        sum += exp(logits[c]);
    for (int c = 0; c < classes; c++)
        loss -= (smoothing / classes + (c == label ? 1 - smoothing : 0)) * (logits[c] - log(sum));
    return loss;
}
