/* One update: lanes in parallel, one reduction, one optimizer loop. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/loss.h"
#include "engine/optimizer.h"
#include "engine/pass.h"
#include "engine/trainer_internal.h"

/* Sums of one lane's samples. */
struct lane_result {
    double loss_sum;
    int64_t correct;
    bool load_failed;
};

enum { LANES_MAX = 64 };

static struct pass train_pass(const struct trainer *t, int thread)
{
    return (struct pass){.network = &t->train_net,
                         .plan = &t->train_plan,
                         .kernels = t->kernels,
                         .params = t->params,
                         .derived = t->derived,
                         .block = t->blocks[thread],
                         .dropout = t->recipe.dropout,
                         .seed = t->seed,
                         .epoch = (unsigned)t->at.epoch};
}

static void run_tile(const struct trainer *t, const struct pass *p, const uint32_t *samples, int images,
                     float *gradients, bool accumulate, struct lane_result *sum)
{
    int labels[TILE_IMAGES_MAX];
    for (int i = 0; i < images; i++) {
        size_t pitch;
        float *image = pass_image(p, i, &pitch);
        labels[i] = t->train.load(t->train.context, samples[i], t->seed, p->epoch, image, pitch);
        if (labels[i] < 0) {
            sum->load_failed = true;
            return;
        }
    }
    pass_forward(p, images, samples);
    for (int i = 0; i < images; i++) {
        struct loss l = loss_softmax(pass_logits(p, i), t->arch.classes, labels[i], t->recipe.smoothing,
                                     pass_logits_gradient(p, i));
        sum->loss_sum += l.value;
        sum->correct += l.rank == 0;
    }
    pass_backward(p, images, gradients, accumulate);
}

/* Says what the lane will load in the step of `count` samples from `first`, if there is one. */
static void announce(const struct trainer *t, int lane, int64_t first, int64_t count)
{
    const int64_t left = (int64_t)t->train.count - first;
    count = count < left ? count : left;
    if (count > 0) {
        const int64_t begin = first + count * lane / t->recipe.lanes,
                      end = first + count * (lane + 1) / t->recipe.lanes;
        t->train.ahead(t->train.context, t->order + begin, (size_t)(end - begin));
    }
}

static void run_lane(const struct trainer *t, const struct pass *p, int lane, int64_t first, int64_t count,
                     struct lane_result *sum)
{
    const int64_t begin = first + count * lane / t->recipe.lanes,
                  end = first + count * (lane + 1) / t->recipe.lanes;
    float *gradients = t->lanes + (size_t)lane * t->lane_floats;
    *sum = (struct lane_result){0, 0, false};
    if (t->train.ahead) {
        if (t->at.step == 0)
            announce(t, lane, first, count); /* nobody did: the order is new */
        announce(t, lane, first + count, count);
    }
    if (begin == end)
        memset(gradients, 0, t->lane_floats * sizeof(float));
    for (int64_t i = begin; i < end && !sum->load_failed; i += t->train_plan.images) {
        const int images = end - i < t->train_plan.images ? (int)(end - i) : t->train_plan.images;
        run_tile(t, p, t->order + i, images, gradients, i > begin, sum);
    }
}

/* Adds the lanes of one chunk in a fixed tree into lane 0, as a mean; returns the sum of squares. */
static double reduce_chunk(const struct trainer *t, size_t from, size_t n, float scale)
{
    for (int stride = 1; stride < t->recipe.lanes; stride *= 2)
        for (int i = 0; i + stride < t->recipe.lanes; i += 2 * stride) {
            float *restrict a = t->lanes + (size_t)i * t->lane_floats + from;
            const float *restrict b = t->lanes + (size_t)(i + stride) * t->lane_floats + from;
            for (size_t k = 0; k < n; k++)
                a[k] += b[k];
        }
    enum { PARTS = 8 };
    float *g = t->lanes + from;
    double part[PARTS] = {0}, sum = 0;
    for (size_t k = 0; k < n; k++) {
        g[k] *= scale;
        part[k % PARTS] += (double)g[k] * g[k];
    }
    for (int i = 0; i < PARTS; i++)
        sum += part[i];
    return sum;
}

size_t trainer_chunks(const struct trainer *t)
{
    return (t->train_net.param_floats + REDUCE_CHUNK - 1) / REDUCE_CHUNK;
}

static void update_range(const struct trainer *t, double lr, int64_t number, float g_scale, size_t from,
                         size_t end, double decay)
{
    if (from >= end)
        return;
    float *const state[STATE_SLOTS] = {t->state[0] ? t->state[0] + from : NULL,
                                       t->state[1] ? t->state[1] + from : NULL};
    optimizer_update(&t->recipe, lr, number, decay, g_scale, end - from, t->params + from, t->lanes + from,
                     state);
}

/* Weights come first and decay, biases follow and usually do not. */
static void update_chunk(const struct trainer *t, double lr, int64_t number, float g_scale, size_t from,
                         size_t end)
{
    const size_t weights = t->train_net.weight_floats;
    const double decay = t->recipe.weight_decay;
    update_range(t, lr, number, g_scale, from, end < weights ? end : weights, decay);
    update_range(t, lr, number, g_scale, from > weights ? from : weights, end,
                 t->recipe.decay_biases ? decay : 0);
}

void trainer_weights_changed(struct trainer *t)
{
#pragma omp parallel num_threads(t->threads)
    {
        kernels_flush_denormals();
        network_derive_all(&t->train_net, t->kernels, t->params, t->derived);
    }
}

static size_t chunk_end(const struct trainer *t, size_t chunk)
{
    const size_t end = (chunk + 1) * REDUCE_CHUNK;
    return end < t->train_net.param_floats ? end : t->train_net.param_floats;
}

static void run_lanes(struct trainer *t, int64_t first, int64_t count, struct step_result *r)
{
    struct lane_result lanes[LANES_MAX] = {0};
#pragma omp parallel num_threads(t->threads)
    {
        kernels_flush_denormals();
        const struct pass p = train_pass(t, omp_get_thread_num());
#pragma omp for schedule(dynamic, 1)
        for (int lane = 0; lane < t->recipe.lanes; lane++)
            run_lane(t, &p, lane, first, count, &lanes[lane]);
    }
    r->seen = count;
    for (int lane = 0; lane < t->recipe.lanes; lane++) {
        r->loss_sum += lanes[lane].loss_sum;
        r->correct += lanes[lane].correct;
        r->load_failed |= lanes[lane].load_failed;
    }
}

static double reduce_lanes(struct trainer *t, float scale)
{
    const size_t chunks = trainer_chunks(t);
#pragma omp parallel for schedule(static) num_threads(t->threads)
    for (size_t c = 0; c < chunks; c++)
        t->chunk_squares[c] = reduce_chunk(t, c * REDUCE_CHUNK, chunk_end(t, c) - c * REDUCE_CHUNK, scale);
    double squares = 0;
    for (size_t c = 0; c < chunks; c++)
        squares += t->chunk_squares[c];
    return sqrt(squares);
}

struct step_result trainer_step(struct trainer *t, int64_t first, int64_t count)
{
    struct step_result r = {0};
    const int64_t steps = trainer_steps_per_epoch(t);
    const int64_t number = t->at.epoch * steps + t->at.step;
    run_lanes(t, first, count, &r);
    if (r.load_failed)
        return r;
    r.gradient_norm = reduce_lanes(t, 1.0f / (float)count);
    r.lr = recipe_lr(&t->recipe, number, steps * t->recipe.epochs);
    if (!isfinite(r.gradient_norm) || !isfinite(r.loss_sum))
        return r;
    const double clip = t->recipe.clip;
    const float g_scale = clip > 0 && r.gradient_norm > clip ? (float)(clip / r.gradient_norm) : 1.0f;
    const size_t chunks = trainer_chunks(t);
#pragma omp parallel for schedule(static) num_threads(t->threads)
    for (size_t c = 0; c < chunks; c++)
        update_chunk(t, r.lr, number + 1, g_scale, c * REDUCE_CHUNK, chunk_end(t, c));
    trainer_weights_changed(t);
    return r;
}
