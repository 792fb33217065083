#include "engine/pass_conv.h"

#include "engine/columns.h"
#include "engine/winograd.h"

/* The input of a convolution with its padding: base of output pixel (0, 0). */
static struct view padded_input(const struct pass *p, const struct op *op, const struct branch *b)
{
    struct view x = pass_value(p, op->in, 0);
    x.data -= (size_t)b->pad * (x.row + x.pixel);
    return x;
}

static float *scratch(const struct pass *p)
{
    return p->block + p->plan->scratch;
}

static void direct_forward(const struct pass *p, const struct op *op, const struct branch *b, int images)
{
    const struct shape *out = &p->network->tensors[op->out].shape;
    struct segment segments[NETWORK_MAX_KERNEL];
    struct conv_job job = {.x = padded_input(p, op, b),
                           .y = pass_value(p, op->out, b->c0),
                           .images = images,
                           .h = out->h,
                           .w = out->w,
                           .stride = op->stride,
                           .channels = b->cout,
                           .weights = p->params + b->weights,
                           .bias = p->params + b->biases,
                           .segment_count = b->kernel,
                           .segments = segments,
                           .flags = b->relu ? CONV_RELU : 0};
    /* All channels of a kernel row's pixels are consecutive in the input. */
    for (int ky = 0; ky < b->kernel; ky++)
        segments[ky] = (struct segment){(ptrdiff_t)((size_t)ky * job.x.row), b->kernel * b->cin};
    p->kernels->conv(&job);
}

static void winograd_forward(const struct pass *p, const struct op *op, const struct branch *b, int images)
{
    const struct shape *out = &p->network->tensors[op->out].shape;
    winograd_conv(&(struct winograd_conv){.kernels = p->kernels,
                                          .x = pass_value(p, op->in, 0),
                                          .y = pass_value(p, op->out, b->c0),
                                          .images = images,
                                          .h = out->h,
                                          .w = out->w,
                                          .cin = b->cin,
                                          .cout = b->cout,
                                          .planes = p->derived + b->forward_planes,
                                          .bias = p->params + b->biases,
                                          .flags = b->relu ? CONV_RELU : 0,
                                          .scratch = scratch(p)});
}

static void columns_forward(const struct pass *p, const struct op *op, const struct branch *b, int images)
{
    const struct shape *out = &p->network->tensors[op->out].shape;
    columns_conv(&(struct columns_conv){.kernels = p->kernels,
                                        .x = pass_value(p, op->in, 0),
                                        .y = pass_value(p, op->out, b->c0),
                                        .images = images,
                                        .h = out->h,
                                        .w = out->w,
                                        .cin = b->cin,
                                        .cout = b->cout,
                                        .weights = p->derived + b->column_weights,
                                        .bias = p->params + b->biases,
                                        .relu = b->relu,
                                        .scratch = scratch(p)});
}

void pass_conv_forward(const struct pass *p, const struct op *op, int images)
{
    for (int i = 0; i < op->branch_count; i++)
        if (op->branch[i].winograd)
            winograd_forward(p, op, &op->branch[i], images);
        else if (op->branch[i].columns)
            columns_forward(p, op, &op->branch[i], images);
        else
            direct_forward(p, op, &op->branch[i], images);
}

static void branch_weight_gradient(const struct pass *p, const struct op *op, const struct branch *b,
                                   int images, float *gradients, bool accumulate)
{
    const struct shape *out = &p->network->tensors[op->out].shape;
    const struct view x = pass_value(p, op->in, 0), dy = pass_gradient(p, op->out, b->c0);
    float *dw = gradients + b->weights;
    const struct weight_gradient_job job = {.x = padded_input(p, op, b),
                                            .dy = dy,
                                            .images = images,
                                            .h = out->h,
                                            .w = out->w,
                                            .stride = op->stride,
                                            .kernel_rows = b->kernel,
                                            .row_length = b->kernel * b->cin,
                                            .channels = b->cout,
                                            .dw = dw,
                                            .db = gradients + b->biases,
                                            .accumulate = accumulate};
    p->kernels->bias_gradient(&job);
    if (b->winograd)
        winograd_gradient(&(struct winograd_gradient){p->kernels, x, dy, images, out->h, out->w, b->cin,
                                                      b->cout, dw, accumulate, scratch(p)});
    else if (b->columns)
        columns_gradient(&(struct columns_gradient){p->kernels, x, dy, images, out->h, out->w, b->cin,
                                                    b->cout, dw, accumulate, scratch(p)});
    else
        p->kernels->weight_gradient(&job);
}

void pass_conv_weight_gradient(const struct pass *p, const struct op *op, int images, float *gradients,
                               bool accumulate)
{
    for (int i = 0; i < op->branch_count; i++)
        branch_weight_gradient(p, op, &op->branch[i], images, gradients, accumulate);
}

/* All direct branches in one pass over the input's gradient. */
static void direct_data_gradient(const struct pass *p, const struct op *op, int images, unsigned flags)
{
    const struct shape *in = &p->network->tensors[op->in].shape;
    struct segment segments[SEGMENT_MAX];
    struct conv_job job = {.x = pass_gradient(p, op->out, 0),
                           .y = pass_gradient(p, op->in, 0),
                           .mask = pass_value(p, op->in, 0),
                           .images = images,
                           .h = in->h,
                           .w = in->w,
                           .stride = 1,
                           .channels = in->c,
                           .weights = p->derived + op->transposed,
                           .segments = segments,
                           .flags = flags};
    /* Input pixel (y, x) reached output pixel (y + pad - ky, x + pad - kx) through tap (ky, kx). */
    for (int i = 0; i < op->branch_count; i++) {
        const struct branch *b = &op->branch[i];
        for (int ky = 0; !b->winograd && ky < b->kernel; ky++)
            for (int kx = 0; kx < b->kernel; kx++)
                segments[job.segment_count++] = (struct segment){
                    (b->pad - ky) * (ptrdiff_t)job.x.row + (b->pad - kx) * (ptrdiff_t)job.x.pixel + b->c0,
                    b->cout};
    }
    p->kernels->conv(&job);
}

static void winograd_data_gradient(const struct pass *p, const struct op *op, const struct branch *b,
                                   int images, unsigned flags)
{
    const struct shape *in = &p->network->tensors[op->in].shape;
    winograd_conv(&(struct winograd_conv){.kernels = p->kernels,
                                          .x = pass_gradient(p, op->out, b->c0),
                                          .y = pass_gradient(p, op->in, 0),
                                          .mask = pass_value(p, op->in, 0),
                                          .images = images,
                                          .h = in->h,
                                          .w = in->w,
                                          .cin = b->cout,
                                          .cout = b->cin,
                                          .planes = p->derived + b->backward_planes,
                                          .flags = flags,
                                          .scratch = scratch(p)});
}

void pass_conv_data_gradient(const struct pass *p, const struct op *op, int images, unsigned flags)
{
    /* Direct branches first, then the others add to it; the mask comes after the last sum. */
    int left = 0;
    for (int i = 0; i < op->branch_count; i++)
        left += op->branch[i].winograd;
    if (left < op->branch_count) {
        direct_data_gradient(p, op, images, left > 0 ? flags & ~(unsigned)CONV_MASK : flags);
        flags |= CONV_ACCUMULATE;
    }
    for (int i = 0; i < op->branch_count; i++)
        if (op->branch[i].winograd) {
            left--;
            winograd_data_gradient(p, op, &op->branch[i], images,
                                   left > 0 ? flags & ~(unsigned)CONV_MASK : flags);
            flags |= CONV_ACCUMULATE;
        }
}
